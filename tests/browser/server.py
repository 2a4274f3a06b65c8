"""The real page with a quick editor in the place of the bundled one, for tests and screenshots.

    python -m tests.browser.server [--delay 0.05] [--example FOLDER] [--file-limit BYTES]
                                   [--bundled]

It listens where `GRADIO_SERVER_PORT` says. With a file limit the operating system refuses every
write beyond it, as on a full disk. With `--bundled` every editor that ships is a quick one whose
edits are kept, for the studies that ask for all of them.
The editor paints the words it knows onto the photo; it is registered here only and never shipped.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from app import build_page, launch
from smile_core.config import BUNDLED_EDITOR
from smile_core.editors import EditFailure, EditorCard, StopRequested, register_editor

CARD = EditorCard(
    name=BUNDLED_EDITOR,
    title="Quick test editor",
    family="test",
    licence="MIT",
    memory_gb=0.1,
    steps=4,
    knobs={"guidance_scale": 1.5, "image_guidance_scale": 1.0},
    short_side=256,
    multiple_of=8,
)
MASK_CARD = replace(CARD, name="quick-mask", title="Quick test editor with a mask", needs_mask=True)
OTHER_CARD = replace(CARD, name="quick-other", title="Other quick test editor")
BUNDLED_CARDS = tuple(
    replace(CARD, name=name, title=f"Quick {name}", source=f"assets/editors/{name}")
    for name in (BUNDLED_EDITOR, "one-step")
)
KEPT_CARD = replace(CARD, name="quick-kept", title="Quick test editor whose edits are kept")
# Every word that is known shifts the colours by (red, green, blue).
TINTS = {
    "snow": (70, 75, 80),
    "snowy": (70, 75, 80),
    "fog": (40, 40, 40),
    "foggy": (40, 40, 40),
    "night": (-90, -85, -60),
    "sunset": (60, 5, -40),
    "heavy": (18, 18, 18),
    # Either alone leaves nothing but white.
    "blizzard": (255, 255, 255),
    "whiteout": (255, 255, 255),
}
# The other editor hears fog more than snow.
OTHER_TINTS = {**TINTS, "snow": (5, 5, 5), "snowy": (5, 5, 5), "foggy": (-80, 40, 90)}


class QuickEditor:
    """Tints the photo by the words of the prompt; takes `delay_s` for each edit."""

    def __init__(self, delay_s: float, card: EditorCard = CARD) -> None:
        self.delay_s = delay_s
        self.name, self.card = card.name, card
        # Without a fingerprint nothing is cached, so that a second run takes its time again.
        is_kept = card in (KEPT_CARD, *BUNDLED_CARDS) or not delay_s
        self.fingerprint = f"{card.name}-1" if is_kept else None
        self.tints = OTHER_TINTS if card is OTHER_CARD else TINTS

    def edit(
        self,
        image: Image.Image,
        prompts: Sequence[str],
        *,
        seed: int,
        mask: Image.Image | None = None,
        stop=None,
        **knobs: object,
    ) -> list[Image.Image | EditFailure]:
        answers: list[Image.Image | EditFailure] = []
        pixels = np.asarray(image, dtype=float)  # (height, width, 3)
        for prompt in prompts:
            if stop is not None and stop():
                raise StopRequested(answers)
            time.sleep(self.delay_s)
            words = prompt.lower().replace(".", "").replace(",", "").split()
            tint = np.sum([self.tints.get(word, (0, 0, 0)) for word in words] + [(0, 0, 0)], axis=0)
            grain = np.random.default_rng(seed).normal(0, 2, pixels.shape)
            edit = Image.fromarray((pixels + tint + grain).clip(0, 255).astype(np.uint8))
            answers.append(edit if mask is None else Image.composite(edit, image, mask))
        return answers


def main() -> None:
    """Serve the page until the process is ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--delay", type=float, default=0.0)
    parser.add_argument("--example", type=Path)
    parser.add_argument("--file-limit", type=int)
    parser.add_argument("--bundled", action="store_true")
    given = parser.parse_args()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it takes the bundled editor's name on purpose
        register_editor(CARD)(lambda: QuickEditor(given.delay))
        for card in BUNDLED_CARDS if given.bundled else ():
            register_editor(card)(partial(QuickEditor, given.delay, card))
    register_editor(MASK_CARD)(lambda: QuickEditor(given.delay, MASK_CARD))
    register_editor(OTHER_CARD)(lambda: QuickEditor(given.delay, OTHER_CARD))
    register_editor(KEPT_CARD)(lambda: QuickEditor(given.delay, KEPT_CARD))
    page = build_page(given.example)
    if given.file_limit:
        import resource  # POSIX only

        resource.setrlimit(resource.RLIMIT_FSIZE, (given.file_limit, given.file_limit))
    launch(page, quiet=True)


if __name__ == "__main__":
    main()
