"""Editors and an encoder whose answers are known exactly, so that tests know the truth.

`ToyEditor` paints the whole picture in one grey: a base level plus a whole number for each kept
word. `ToyEncoder` reads that grey back. Leaving a word out therefore moves the picture by exactly
that word's effect, and the response is linear in the words.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from smile_core.editors import EditFailure, EditorCard, StopRequested
from smile_core.encoders import Features

EFFECTS = {"make": 3, "it": 1, "very": 0, "snowy": 40, "and": 2, "foggy": 20}
INSTRUCTION = "make it very snowy and foggy"
BASE = 20


def photo(width: int = 48, height: int = 32) -> Image.Image:
    """Return a small noise picture."""
    pixels = np.random.default_rng(5).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def toy_card(**fields: Any) -> EditorCard:
    """Return the card of a toy, with `fields` in the place of what it says by default."""
    return EditorCard(**{"name": "toy", "title": "Toy", "family": "test"} | fields)


@dataclass
class ToyEditor:
    """Paints the sum of the effects of the words in the prompt.

    Parameters
    ----------
    effects : mapping of str to int
        Grey levels that each word adds; words not listed add nothing.
    pair, bonus : tuple of str, int
        Words that add a bonus when both are there.
    fail_on : frozenset of str
        Prompts containing one of these words fail; `raises` says whether by an exception.
    seed_step : int
        Grey levels that each seed adds, to every picture.
    chance : tuple of int
        Grey levels added to one new picture after the other, over and over, whatever the seed.
    delay_s : float
        Time an edit takes.
    """

    effects: Mapping[str, int] = field(default_factory=lambda: dict(EFFECTS))
    pair: tuple[str, str] | None = None
    bonus: int = 0
    fails: tuple[str, ...] = ()
    raises: bool = False
    seed_step: int = 0
    chance: tuple[int, ...] = (0,)
    delay_s: float = 0.0
    name: str = "toy"
    fingerprint: str | None = "toy-1"
    card: EditorCard = field(default_factory=lambda: toy_card())
    calls: list[list[str]] = field(default_factory=list)
    seeds: list[int] = field(default_factory=list)  # one for each call
    painted: int = 0

    def edit(
        self, image: Image.Image, prompts: Sequence[str], *, seed: int, stop=None, **knobs: object
    ) -> list[Image.Image | EditFailure]:
        self.calls.append(list(prompts))
        self.seeds.append(seed)
        answers: list[Image.Image | EditFailure] = []
        for prompt in prompts:
            if stop is not None and stop():
                raise StopRequested(answers)
            time.sleep(self.delay_s)
            if prompt in self.fails:
                if self.raises:
                    raise RuntimeError("the toy broke\nwith details")
                answers.append(EditFailure("the toy refused."))
                continue
            level = self.level(prompt, seed) + self.chance[self.painted % len(self.chance)]
            answers.append(Image.new("RGB", image.size, (level,) * 3))
            self.painted += 1
        return answers

    def level(self, prompt: str, seed: int = 0) -> int:
        """Return the grey that a prompt is painted in."""
        words = prompt.split()
        level = BASE + sum(self.effects.get(word, 0) for word in words) + seed * self.seed_step
        if self.pair is not None and set(self.pair) <= set(words):
            level += self.bonus
        return level

    @property
    def made(self) -> int:
        """Number of edits asked for so far."""
        return sum(len(prompts) for prompts in self.calls)

    @property
    def asked(self) -> list[tuple[int, str]]:
        """Seed and prompt of every edit asked for so far."""
        calls = zip(self.seeds, self.calls, strict=True)
        return [(seed, prompt) for seed, prompts in calls for prompt in prompts]


@dataclass
class ToyEncoder:
    """Reads the grey of the first pixel; one token of two coordinates."""

    name: str = "toy-encoder"
    seen: int = 0

    def encode(self, images: Sequence[Image.Image]) -> Features:
        self.seen += len(images)
        levels = np.array([image.getpixel((0, 0))[0] for image in images], dtype=np.float32)
        pooled = np.column_stack([levels, np.full(len(levels), 100, dtype=np.float32)])  # (n, 2)
        return Features(tokens=pooled[:, None, :], pooled=pooled)
