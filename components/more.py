"""The button that tries more shortened instructions for the explanation that is shown."""

from __future__ import annotations

from typing import Any

import gradio as gr

from components.editor_card import known_card
from smile_core.config import MAX_PERTURBATIONS, RunConfig
from smile_core.explanation import Explanation

STEP = 64


def build() -> gr.Button:
    """Make the button, which is there when there is an explanation to go on with."""
    return gr.Button(size="sm", visible=False, elem_id="more")


def render(explanation: Explanation | None) -> dict[str, Any]:
    """Return the update of the button for what is shown, None for a run that goes on."""
    count = 0 if explanation is None else more_to_try(explanation)
    if explanation is None or not count:
        return gr.update(visible=False)
    card = known_card(explanation.editor)
    billed = ", billed by the provider" if card is not None and card.key_variable else ""
    return gr.update(visible=True, value=f"{count} more{billed}")


def more_to_try(explanation: Explanation) -> int:
    """Return how many shortened instructions would be tried more: 0 where none is left.

    That is also so where nothing happened, and where the photo is not there.
    """
    made = len(explanation.samples)
    if not explanation.happened or explanation.source is None or not made:
        return 0
    return min(STEP, 2 ** len(explanation.units) - 2 - made, MAX_PERTURBATIONS - made)


def config_of(explanation: Explanation) -> RunConfig:
    """Return the settings of the same run with more perturbations, to the last of them.

    The first of them are those that were made, and come out of the cache.

    Raises
    ------
    ConfigError
        When the settings are none of this version.
    """
    wanted = len(explanation.samples) + more_to_try(explanation)
    config = RunConfig.from_dict(explanation.config)
    return config.with_(perturbations=wanted, stop_when_settled=False)
