"""What a study costs, told before it starts and without loading an editor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image

from components import pace
from components.evaluate_asked import Asked, ChosenStudy, check_edits, chosen_study
from components.evaluate_inputs import RESUME, RUN
from components.session import session_of
from smile_core.commands.study import cost_sentence
from smile_core.config import ConfigError
from smile_core.edit_cache import EditCache
from smile_core.editors import Editor, EditorCard, list_editors
from smile_core.editors.protocol import EditFailure
from smile_core.editors.registry import loaded_editor
from smile_core.evaluation.study_clock import editing_seconds
from smile_core.evaluation.study_run import StudyCost, study_cost

COUNTING = '<p class="hint">Counting the edits…</p>'
COUNTING_JS = f"() => '{COUNTING}'"


class NotLoaded:
    """Stands for an editor that is not in memory, of whose edits none is taken to be kept.

    Parameters
    ----------
    card : EditorCard
        The editor's card.
    """

    def __init__(self, card: EditorCard) -> None:
        self.name, self.card = card.name, card
        self.fingerprint: str | None = f"{card.name}, not loaded"

    def edit(
        self, image: Image.Image, prompts: Sequence[str], *, seed: int, **rest: Any
    ) -> list[Image.Image | EditFailure]:
        """Refuse, for a cost is told without edits."""
        raise RuntimeError(f"The editor {self.name!r} is not loaded.")


def journal_folder(chosen: ChosenStudy) -> Path:
    """Return where the finished explanations of a study are kept, for when it is asked again."""
    return EditCache().folder / "studies" / chosen.name


def cost_of(chosen: ChosenStudy) -> StudyCost:
    """Return what is left to do of a study, as far as can be told without loading its editors.

    Raises
    ------
    ConfigError
        When something given cannot be used.
    """
    cards = {card.name: card for card in list_editors()}
    names = {name for part in chosen.study.parts for name in part.editors}
    absent: dict[str, Editor] = {
        name: NotLoaded(cards[name]) for name in names if loaded_editor(name) is None
    }
    cost = study_cost(chosen.study, journal_folder(chosen), editors=absent)
    paces = {name: pace.seconds_per_edit(name) for name in names}
    # What was measured here counts the encoding, too.
    seconds = cost.seconds if None in paces.values() else editing_seconds(cost.to_make, paces)
    return replace(cost, seconds=seconds)


def say_cost(request: gr.Request, *values: Any) -> tuple[str, dict[str, Any]]:
    """Return the cost of what is asked for, or what is wrong with it; and what the button says."""
    label = RUN
    try:
        chosen = chosen_study(Asked(*values))
        last = session_of(request).evaluating.snapshot
        if last is not None and last.state == "stopped" and last.study == chosen.study:
            label = RESUME
        cost = cost_of(chosen)
        text = cost_sentence(chosen.study, cost)
        check_edits(cost)
    except ConfigError as error:
        text = str(error)
    return f'<p class="hint">{escape(text)}</p>', gr.update(value=label)
