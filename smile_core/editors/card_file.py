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
        When the file is not JSON or holds an unknown field.
    """
    path = folder / CARD_FILE
    if not path.is_file():
        return default
    try:
        return EditorCard(**json.loads(path.read_text(encoding="utf-8")))
    except (TypeError, ValueError) as error:
        allowed = ", ".join(field.name for field in fields(EditorCard))
        raise ConfigError(
            f"{path} cannot be read ({error}). It must be a JSON object with fields among: "
            f"{allowed}; name, title and family are required."
        ) from error
