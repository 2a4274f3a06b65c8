"""The field for the key of an editor behind an API: used for one run, and kept nowhere.

Gradio remembers the value of every component for as long as a tab is open, and writes all of them
to disk when anybody asks it for a "deep link" of the tab. So the field hands it the key as a
`SecretStr`, which is stars to whatever prints, logs or stores it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import gradio as gr
from gradio.data_classes import GradioRootModel
from pydantic import ConfigDict, SecretStr

from components.html import html
from smile_core.editors import EditorCard
from smile_core.editors.registry import is_public_server


class HiddenText(GradioRootModel):
    """A text that shows nothing of itself."""

    model_config = ConfigDict(hide_input_in_errors=True)

    root: SecretStr


class KeyPanel(NamedTuple):
    """The field, and what is shown and hidden with it."""

    group: gr.Group
    field: gr.Textbox
    hint: gr.HTML


def build(card: EditorCard | None) -> KeyPanel:
    """Make the panel; it is seen if the editor of `card` needs a key."""
    with gr.Group(visible=_is_needed(card), elem_id="key-group") as group:
        field = build_field(label="API key", elem_id="key", max_lines=1)
        hint = html(_hint(card))
    return KeyPanel(group=group, field=field, hint=hint)


def build_field(**options: Any) -> gr.Textbox:
    """Make a password field whose value reaches handlers without `preprocess` hidden.

    It must not be updated with `gr.update`, for which Gradio would make another, plain one.
    """
    field = gr.Textbox(type="password", **options)
    field.data_model = HiddenText
    return field


def show(card: EditorCard | None) -> tuple[dict[str, Any], str, str]:
    """Return group, empty field and hint for another editor."""
    return gr.update(visible=_is_needed(card)), "", _hint(card)


def _is_needed(card: EditorCard | None) -> bool:
    return card is not None and bool(card.key_variable)


def _hint(card: EditorCard | None) -> str:
    if card is None or not card.key_variable:
        return ""
    if is_public_server():
        text = "Your own key is needed here. It is used for one run and kept nowhere."
    else:
        text = f"Used for one run and kept nowhere. Empty: the key in {card.key_variable}."
    return f'<p class="hint">{text}</p>'


def revealed(given: object) -> str:
    """Return the key itself, for the one call that needs it."""
    return given.get_secret_value().strip() if isinstance(given, SecretStr) else ""
