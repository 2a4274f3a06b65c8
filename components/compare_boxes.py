"""The settings that each column of a comparison has of its own: a box for each column, in a row."""

from __future__ import annotations

from typing import Any

import gradio as gr

from components import advanced, mask
from components.compare_asked import SETTINGS, Asked
from components.html import html
from smile_core.comparison import LETTERS, MOST_COLUMNS

# What an empty box means, and what the setting does.
ABOUT = {
    "steps": "Denoising steps.",
    "guidance_scale": "How strongly the text steers.",
    "image_guidance_scale": "How strongly the photo is kept.",
    "strength": "How much of the photo is painted anew, up to 1.",
    "scheduler": "Takes the denoising steps; dpm-solver is made for 15 to 20.",
    "seed": "Where the noise of the edits starts.",
}
HINT = (
    '<p class="hint">An empty box is the editor’s own value, in grey. When you compare settings, '
    "there is a column C once one of its boxes is filled.</p>"
)


def build_row(asked: Asked, name: str) -> tuple[gr.Column, list[gr.Textbox | gr.Dropdown]]:
    """Make a setting with a box for each column, side by side."""
    boxes: list[gr.Textbox | gr.Dropdown] = []
    is_menu = name in advanced.OPTIONAL_MENUS
    with gr.Column(visible=has(asked, name), elem_classes="own-setting") as row:
        html(f"<p><b>{name}</b> {ABOUT[name]}</p>")
        with gr.Row(elem_classes="own-menus" if is_menu else "own-boxes"):
            for index, letter in enumerate(LETTERS):
                options = {
                    "label": f"{letter}: {name}",
                    "min_width": 60,
                    "elem_id": f"compare-{name}-{letter.lower()}",
                    **box(asked, name, index),
                }
                if is_menu:
                    wide = {**options, "min_width": 200}  # one below the other, to be read
                    boxes.append(advanced.optional_menu(name, info=None, **wide))
                else:
                    boxes.append(gr.Textbox(**options))
    return row, boxes


def has(asked: Asked, name: str) -> bool:
    """Return whether any column has a setting."""
    return any(box(asked, name, index)["visible"] for index in range(MOST_COLUMNS))


def box(asked: Asked, name: str, index: int) -> dict[str, Any]:
    """Return whether a column has a box for a setting, what it holds, and what empty means.

    A box that is not there holds nothing, or a run would take a value that nobody sees. In a menu
    empty is a choice of its own.
    """
    default = _default(asked, name, index)
    there = default is not None and (index < asked.columns or asked.by == SETTINGS)
    text = advanced.written(asked.own[name][index]) if there else ""
    shown = {"visible": there, "value": text}
    if name in advanced.OPTIONAL_MENUS:
        return shown
    return {**shown, "placeholder": f"{default}" if there else ""}


def _default(asked: Asked, name: str, index: int) -> Any:
    """Return the value that a column has when nothing is given; None where it has no such knob."""
    if name == "seed":
        return "of all"
    card = mask.card_of(asked.editor(index) or "")
    if card is None:
        return None
    if name == "scheduler":
        return "" if card.takes_scheduler else None
    return card.steps if name == "steps" else card.knobs.get(name)


def fold_label(asked: Asked) -> str:
    """Return what the folded settings of the columns are called."""
    letters = LETTERS if asked.by == SETTINGS else LETTERS[: asked.columns]
    return f"Settings of {', '.join(letters[:-1])} and {letters[-1]}"
