"""What the bundled editor learns from: photos, edits of them, and the instructions between.

A photo is cropped, in three of ten samples some weather is laid over it first, an instruction is
made up, and what it asks for is rendered. Where the instruction takes the weather away, the edit
is the photo without it: the pair turned round.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import torch
from scene_effects import UNDOES, render
from scene_grammar import pick, sample_instruction
from torch.utils.data import IterableDataset

WEATHER = ("rain", "snow", "fog", "clouds", "storm", "night", "sunset", "darker", "faded")
LARGEST_ZOOM = 2.5  # of a crop

# Worker processes are forked, and a fork of a process with OpenCV's threads would wait for ever.
cv2.setNumThreads(1)


class Edits(IterableDataset):
    """An endless stream of batches: photo, edit, noise (B, 3, H, W) and instructions."""

    def __init__(
        self, photos: list[np.ndarray], neutral: list[str], shapes: tuple, batch: int, seed: int
    ) -> None:
        side = min(min(shape) for shape in shapes)
        self.photos = [shrink(photo, LARGEST_ZOOM * side) for photo in photos]
        self.neutral, self.shapes = neutral, shapes
        self.batch, self.seed = batch, seed

    def __iter__(self) -> Iterator[tuple]:
        """Yield batches for ever."""
        rng = np.random.default_rng(self.seed)
        while True:
            height, width = self.shapes[int(rng.integers(len(self.shapes)))]
            rows = [self._sample(height, width, rng) for _ in range(self.batch)]
            photo, edit, noise = (
                torch.from_numpy(np.stack([row[i] for row in rows])).permute(0, 3, 1, 2)
                for i in range(3)
            )
            yield photo.mul(2).sub(1), edit.mul(2).sub(1), noise, [row[3] for row in rows]

    def _sample(self, height: int, width: int, rng: np.random.Generator) -> tuple:
        photo = crop_photo(self.photos, height, width, rng)
        weather = pick(WEATHER, rng) if rng.random() < 0.3 else None
        instruction, strengths, removed = sample_instruction(weather, self.neutral, rng)
        removed = set(removed).union(*(UNDOES.get(name, ()) for name in strengths))
        source = photo
        if weather:
            field = rng.standard_normal((height, width, 3), dtype=np.float32)
            source = render(photo, field, {weather: float(rng.uniform(0.4, 1.0))})
        noise = rng.standard_normal((height, width, 3), dtype=np.float32)
        edit = render(photo if weather in removed else source, noise, strengths)
        return source, edit, noise, instruction


def shrink(photo: np.ndarray, side: float) -> np.ndarray:
    """Return the photo with its short side at `side` pixels, or as it is when that is smaller."""
    scale = side / min(photo.shape[:2])
    if scale >= 1:
        return photo
    return cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def crop_photo(
    photos: list[np.ndarray], height: int, width: int, rng: np.random.Generator
) -> np.ndarray:
    """Return a random photo, most of it or a detail, as (height, width, 3) in [0, 1]."""
    photo = photos[int(rng.integers(len(photos)))]
    full_height, full_width = photo.shape[:2]
    scale = min(full_height / height, full_width / width)
    scale *= rng.uniform(0.85, 1.0) if rng.random() < 0.7 else rng.uniform(1 / LARGEST_ZOOM, 0.85)
    h, w = int(height * scale), int(width * scale)
    top = int(rng.integers(full_height - h + 1))
    left = int(rng.integers(full_width - w + 1))
    crop = photo[top : top + h, left : left + w]
    crop = cv2.resize(crop, (width, height), interpolation=cv2.INTER_AREA)
    if rng.random() < 0.5:
        crop = crop[:, ::-1]
    crop = crop.astype(np.float32) / 255
    gains = rng.uniform(0.88, 1.12, size=3).astype(np.float32)
    crop = crop ** np.float32(rng.uniform(0.75, 1.3)) * gains
    return np.clip(crop, 0, 1)
