"""The published models of Img2Img-Turbo: one card each, and nothing that needs torch.

References
----------
[1] Parmar, Park, Narasimhan, Zhu. One-Step Image Translation with Text-to-Image Models.
    arXiv 2403.12036.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from smile_core.editors.protocol import EditorCard

WEIGHTS_URL = "https://www.cs.cmu.edu/~img2img-turbo/models"
BASE_MODEL = "stabilityai/sd-turbo"
WEIGHT_SUFFIX = ".pkl"
# Of the two directions that a CycleGAN-turbo file holds, these are published for the second.
REVERSED = ("night2day", "rainy2clear")
# Of the edge detector, low and high: those of the SMILE paper's runs; the demonstration of [1] has
# 100 and 200.
EDGE_THRESHOLDS = (70, 200)
SKETCH_RATIO = 0.4  # r of [1], how far the sketch rules; the published default

_TESTED = (
    "The tests run files of the published layout with random weights and compare them with a "
    "forward pass of their own; the published weights were never run here."
)
_SHARED: dict[str, Any] = {
    "family": "img2img-turbo",
    "licence": f"MIT; its base {BASE_MODEL}: Stability AI, non-commercial research",
    "memory_gb": 5.0,
    "steps": 1,
    "long_side": 512,
    "multiple_of": 64,
}


def _cyclegan_card(file: str, title: str, caption: str) -> EditorCard:
    return EditorCard(
        name=f"cyclegan-turbo-{file}",
        title=f"CycleGAN-turbo, {title}",
        source=f"{WEIGHTS_URL}/{file}{WEIGHT_SUFFIX}",
        does=f"{title}, in street scenes",
        does_not="other change",
        example=caption,
        notes=f'Trained on street scenes with the one caption "{caption}": give that as the '
        f"instruction; any other text is new to it. The seed changes nothing. {_TESTED}",
        **_SHARED,
    )


TURBO_CARDS = (
    EditorCard(
        name="pix2pix-turbo-edges",
        title="pix2pix-turbo, edges to picture",
        source=f"{WEIGHTS_URL}/edge_to_image_loras{WEIGHT_SUFFIX}",
        does="a new picture on the edges of the photo, from a description of the result",
        does_not="instructions and no colours of the photo",
        example="a blue bird",
        notes="The paper's Img2Img-Turbo. Sees only the edges of the photo (Canny, "
        f"{EDGE_THRESHOLDS[0]} and {EDGE_THRESHOLDS[1]}) and takes a description of the result "
        f"rather than an instruction. The seed changes nothing. {_TESTED}",
        **_SHARED,
    ),
    EditorCard(
        name="pix2pix-turbo-sketch",
        title="pix2pix-turbo, sketch to picture",
        source=f"{WEIGHTS_URL}/sketch_to_image_stochastic_lora{WEIGHT_SUFFIX}",
        knobs={"strength": 1 - SKETCH_RATIO},
        does="a picture on the lines of a sketch, from a description of the result",
        does_not="instructions",
        example="ethereal fantasy concept art of an asteroid",
        notes="Takes a sketch, dark lines on white, and a description of the result; strength is "
        f"1 - r, the share of noise. {_TESTED}",
        **_SHARED,
    ),
    _cyclegan_card("day2night", "day to night", "driving in the night"),
    _cyclegan_card("night2day", "night to day", "driving in the day"),
    _cyclegan_card("clear2rainy", "clear to rainy", "driving in heavy rain"),
    _cyclegan_card("rainy2clear", "rainy to clear", "driving in the day"),
)


def is_turbo_path(name: str) -> bool:
    """Return True for a weight file, or a folder that has one beside the parts of sd-turbo."""
    folder = Path(name)
    has_weights = folder.is_dir() and any(folder.glob(f"*{WEIGHT_SUFFIX}"))
    return name.endswith(WEIGHT_SUFFIX) or has_weights
