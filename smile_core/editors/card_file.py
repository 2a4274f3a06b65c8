"""`smile_card.json`: the card that travels inside a model's folder, beside its weights."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

from smile_core.config import ConfigError
from smile_core.editors.protocol import EditorCard

CARD_FILE = "smile_card.json"


def read_card(folder: Path, default: EditorCard) -> EditorCard:
    """Return the card in `folder/smile_card.json`, or `default` when there is none.

    Raises
    ------
    ConfigError
        When the file is not JSON, holds an unknown field, or something else in the place of a text.
    """
    path = folder / CARD_FILE
    if not path.is_file():
        return default
    try:
        card = EditorCard(**json.loads(path.read_text(encoding="utf-8")))
        _check_texts(card)
        return card
    except (TypeError, ValueError) as error:
        allowed = ", ".join(field.name for field in fields(EditorCard))
        raise ConfigError(
            f"{path} cannot be read ({error}). It must be a JSON object with fields among: "
            f"{allowed}; name, title and family are required."
        ) from error


def _check_texts(card: EditorCard) -> None:
    for field in fields(card):
        if field.type == "str" and not isinstance(getattr(card, field.name), str):
            raise TypeError(f"{field.name} must be a text, not {getattr(card, field.name)!r}")
