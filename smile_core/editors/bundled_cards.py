"""The editors that ship with the project, see their model cards in `assets/editors`."""

from __future__ import annotations

from pathlib import Path

from smile_core.config import BUNDLED_EDITOR
from smile_core.editors.protocol import EditorCard

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
        notes="Weather, time of day, season and style of a whole scene; runs on any machine.",
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
        notes="The same in one pass, without noise: the seed changes nothing. The quickest.",
    ),
)


def bundled_folder(name: str) -> Path:
    """Return the folder of the bundled editor `name`."""
    return _FOLDER / name
