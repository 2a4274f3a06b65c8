"""What a comparison costs, told before it starts."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from components import pace
from components.answer import say_about
from components.compare_asked import Asked, chosen_configs
from components.inputs import card_of
from smile_core.config import ConfigError, RunConfig
from smile_core.editors import cost_sentence
from smile_core.planning import count_edits


def say_cost(*values: Any) -> str:
    """Return edits, seconds and dollars of what is asked for, or what is wrong with it."""
    asked = Asked.from_values(values)
    try:
        text = cost_text(chosen_configs(asked))
    except ConfigError as error:
        text = str(error)
    return f'<p class="hint">{escape(text)}</p>'


def cost_text(configs: Sequence[RunConfig]) -> str:
    """Return edits and seconds of all columns in words, and what a provider bills.

    No seconds as long as the speed of one of the editors is not known.
    """
    cards = [card_of(config.editor) for config in configs]
    edits = [count_edits(config, card) for config, card in zip(configs, cards, strict=True)]
    each = " + ".join(f"{count:,}" for count in edits)
    most = any(config.stop_when_settled for config in configs)
    text = f"{'At most ' if most else ''}{sum(edits):,} edits ({each})"
    paces = [pace.seconds_per_edit(config.editor) for config in configs]
    known = [seconds for seconds in paces if seconds is not None]
    if len(known) == len(configs):
        seconds = sum(count * one for count, one in zip(edits, known, strict=True))
        text += f", {say_about(seconds)} (edits made before are free)."
    else:
        text += "; how long they take is known after the first run."
    bills = [cost_sentence(card, count) for card, count in zip(cards, edits, strict=True)]
    return " ".join([text, *filter(None, bills)])
