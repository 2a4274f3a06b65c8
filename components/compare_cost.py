"""What a comparison costs, told before it starts."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from components import mask, pace
from components.answer import say_about
from components.compare_asked import Asked, chosen_configs
from smile_core.column_run import edits_of
from smile_core.config import ConfigError, RunConfig
from smile_core.editors import cost_sentence
from smile_core.planning import edits_aside


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
    edits = [edits_of(config) for config in configs]
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
    bills = []
    for config, count in zip(configs, edits, strict=True):
        card = mask.card_of(config.editor)
        if card is not None:
            bills.append(cost_sentence(card, count + edits_aside(config, card)))
    return " ".join([text, *filter(None, bills)])
