"""How many perturbations are tried: a slider and a box for one number that follows the words.

It follows the instruction as it is typed, until a visitor sets a number himself; a box under it
says which of the two holds.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import gradio as gr

from smile_core.config import (
    MAX_UNITS,
    PERTURBATIONS,
    ConfigError,
    RunConfig,
    automatic_perturbations,
)
from smile_core.instruction import units_in

# The least that is tried where no number is set: of one explanation, and of each that is compared.
FEW, FEW_OF_EACH = 32, PERTURBATIONS
SLIDER_LOW, SLIDER_HIGH = 8, 256
_NEAREST = f"Math.min({SLIDER_HIGH}, Math.max({SLIDER_LOW}, Math.round(n / 8) * 8))"
_SLID_JS = "(n) => [n, false]"
_TYPED_JS = f"(n) => [{_NEAREST}, false]"
# What must not change is left out of the answer, or it would be set again while it is typed.
_FOLLOW_JS = f"""(follows, n) => {{
  const same = {{__type__: 'update'}};
  return follows ? [{_NEAREST}, n] : [same, same];
}}"""
_HERE: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}


class Perturbations(NamedTuple):
    """The controls of one number: two that show it, and whether it follows the words.

    `wanted` is never seen: it is the number that the words ask for.
    """

    slider: gr.Slider
    number: gr.Number
    follows: gr.Checkbox
    wanted: gr.Number


def build(
    value: int, wanted: int, *, least: int = FEW, label: str = "Perturbations", prefix: str = ""
) -> Perturbations:
    """Make the controls; their ids begin with `prefix`.

    Parameters
    ----------
    value, wanted : int
        The number that is shown at first, and the one that the words ask for.
    least : int
        The least that is tried where no number is set.
    label, prefix : str
        What the slider is called, and what the ids begin with.
    """
    with gr.Row(elem_classes="pair-row"):
        slider = gr.Slider(
            SLIDER_LOW,
            SLIDER_HIGH,
            value=on_slider(value),
            step=8,
            label=label,
            buttons=[],
            elem_id=f"{prefix}perturbations-slider",
        )
        number = gr.Number(
            value=value,
            label="Number of perturbations",
            show_label=False,
            container=False,
            min_width=76,
            elem_id=f"{prefix}perturbations",
        )
    follows = gr.Checkbox(
        value=value == wanted,
        label=f"Automatic: four for each word, at least {least}",
        container=False,
        elem_id=f"{prefix}perturbations-automatic",
    )
    hidden = gr.Number(wanted, visible="hidden", elem_id=f"{prefix}perturbations-wanted")
    return Perturbations(slider, number, follows, hidden)


def wire(controls: Perturbations) -> None:
    """Let the controls follow each other, in the browser."""
    slider, number, follows, _ = controls
    slider.input(None, slider, [number, follows], js=_SLID_JS, **_HERE)
    number.input(None, number, [slider, follows], js=_TYPED_JS, **_HERE)
    follow(follows.input, controls)


def follow(listener: Any, controls: Perturbations) -> None:
    """Take over the number that the words ask for, unless a visitor has set one himself.

    Parameters
    ----------
    listener : callable
        Makes the event that this is done after, such as `checkbox.input` or `event.then`.
    controls : Perturbations
        The controls.
    """
    slider, number, follows, wanted = controls
    listener(None, [follows, wanted], [slider, number], js=_FOLLOW_JS, **_HERE)


def wanted_for(instructions: Iterable[str | None], granularity: str, least: int = FEW) -> int:
    """Return how many perturbations the longest of some instructions asks for."""
    texts = [text for text in instructions if isinstance(text, str)]
    units = max((len(units_in(text, granularity)) for text in texts), default=0)
    return automatic_perturbations(min(units, MAX_UNITS), least)


def typed(value: Any) -> Any:
    """Return the number in the box.

    Raises
    ------
    ConfigError
        When the box is empty.
    """
    if value is None:
        raise ConfigError(
            "The number of perturbations is empty. Type a number, or tick Automatic below it."
        )
    return value


def set_in(config: RunConfig) -> int:
    """Return the number in some settings: where none is set, the one that Python would take."""
    if config.perturbations is not None:
        return config.perturbations
    return wanted_for([config.instruction], config.granularity, PERTURBATIONS)


def on_slider(value: float) -> int:
    """Return the nearest number that the slider has."""
    return int(min(max(round(value / 8) * 8, SLIDER_LOW), SLIDER_HIGH))
