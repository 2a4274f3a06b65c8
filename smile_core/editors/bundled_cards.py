"""The editors that ship with the project, see their model cards in `assets/editors`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from smile_core.config import BUNDLED_EDITOR
from smile_core.editors.protocol import EditorCard

# As their model cards say. Both know the same words.
_ABILITY: dict[str, Any] = {
    "does": "weather, time of day, season, colour and style of a whole scene",
    "does_not": "objects and no people",
    "example": "make it a snowy night",
}
_FOLDER = Path(__file__).parents[2] / "assets" / "editors"

BUNDLED_CARDS = (
    EditorCard(
        name=BUNDLED_EDITOR,
        title="Scene editor (bundled)",
        family="instruct-pix2pix",
        licence="MIT",
        memory_gb=1.0,
        steps=1,
        knobs={"guidance_scale": 1.0, "image_guidance_scale": 1.0},
        short_side=256,
        long_side=768,
        multiple_of=8,
        source=f"assets/editors/{BUNDLED_EDITOR}",
        notes="Runs on any machine.",
        **_ABILITY,
    ),
    EditorCard(
        name="one-step",
        title="One-step editor (bundled)",
        family="one-step",
        licence="MIT",
        memory_gb=1.0,
        short_side=256,
        long_side=768,
        multiple_of=8,
        source="assets/editors/one-step",
        notes="One pass, without noise: the seed changes nothing. The quickest.",
        **_ABILITY,
    ),
)


def bundled_folder(name: str) -> Path:
    """Return the folder of the bundled editor `name`."""
    return _FOLDER / name
