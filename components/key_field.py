"""The field for the key of an editor behind an API: used for one run, and kept nowhere.

Gradio remembers the value of every component for as long as a tab is open, and writes all of them
to disk when anybody asks it for a "deep link" of the tab. So the field hands it the key as a
`SecretStr`, which is stars to whatever prints, logs or stores it.
"""

from __future__ import annotations

from abc import ABCMeta
from typing import Any

import gradio as gr
from gradio.component_meta import ComponentMeta
from gradio.data_classes import GradioRootModel
from pydantic import ConfigDict, SecretStr

from smile_core.editors import EditorCard
from smile_core.editors.registry import is_public_server


class HiddenText(GradioRootModel):
    """A text that shows nothing of itself."""

    model_config = ConfigDict(hide_input_in_errors=True)

    root: SecretStr


class _NoStubs(ComponentMeta):
    """Makes a component without writing a file of type hints beside this one, as Gradio's does."""

    def __new__(cls, name: str, bases: tuple[type, ...], attrs: dict[str, Any]) -> _NoStubs:
        return ABCMeta.__new__(cls, name, bases, attrs)


class KeyField(gr.Textbox, metaclass=_NoStubs):
    """A password field whose value reaches handlers without `preprocess` hidden."""

    is_template = True  # to the browser it is a Textbox
    data_model = HiddenText


def build(card: EditorCard | None, label: str = "API key", elem_id: str = "key") -> KeyField:
    """Make the field; it is seen if the editor of `card` needs a key."""
    return KeyField(type="password", label=label, elem_id=elem_id, max_lines=1, **state(card))


def show(card: EditorCard | None) -> dict[str, Any]:
    """Return the empty field for another editor."""
    return gr.update(value="", **state(card))


def state(card: EditorCard | None) -> dict[str, Any]:
    """Return whether the field is seen for an editor, and what it says then."""
    if card is None or not card.key_variable:
        return {"visible": False}
    if is_public_server():
        info = "Your own key is needed here. It is used for one run and kept nowhere."
    else:
        info = f"Used for one run and kept nowhere. Empty: the key in {card.key_variable}."
    return {"visible": True, "info": info}


def revealed(given: object) -> str:
    """Return the key itself, for the one call that needs it."""
    return given.get_secret_value().strip() if isinstance(given, SecretStr) else ""
