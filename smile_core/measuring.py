"""What is known about each prompt of a run: its picture, its features and its distances."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
from PIL import Image

from smile_core.config import RunConfig
from smile_core.editing import Made
from smile_core.editors.protocol import EditFailure
from smile_core.encoders import Encoder, Features
from smile_core.image_distance import distances_to_reference

# The noise floor is measured on the reference and the rows after it, up to this many, because
# their feature tokens have to be kept until the next seeds arrive.
NOISE_ROWS = 32


class Measurements:
    """Distances to the reference, one row per prompt and one column per seed.

    Every picture is encoded once, when it arrives. Under several seeds a picture is compared with
    the reference of its own seed, and a row's distance is the mean over the seeds that worked.

    Parameters
    ----------
    rows : int
        Number of prompts n + 1; row 0 is the reference.
    config : RunConfig
        Names the distance.
    encoder : Encoder
        Turns pictures into features.

    Attributes
    ----------
    images : list of (PIL.Image.Image or None), length n + 1
        The first picture made for each row.
    failures : list of (str or None), length n + 1
        The last failure of each row.
    answered : ndarray of bool, shape (n + 1,)
        Whether the editor has answered for a row at all.
    pooled : list of (ndarray, shape (d,), or None), length n + 1
        Pooled features of `images`.
    done : int
        Number of answers so far.
    seconds : float
        Time spent encoding.
    """

    def __init__(self, rows: int, config: RunConfig, encoder: Encoder) -> None:
        self.images: list[Image.Image | None] = [None] * rows
        self.failures: list[str | None] = [None] * rows
        self.answered = np.zeros(rows, dtype=bool)
        self.pooled: list[np.ndarray | None] = [None] * rows
        self.done = 0
        self.seconds = 0.0
        self._config, self._encoder = config, encoder
        self._distances = np.full((rows, config.seeds), np.nan)  # (n + 1, k)
        self._noise: list[float] = []
        self._references: dict[int, Features] = {}  # seed index to features of one picture
        self._first: dict[int, Features] = {}  # row to features under the first seed

    def add(self, batch: Sequence[Made]) -> None:
        """Take in the answers of one batch; all of its pictures share one seed."""
        for made in batch:
            self.done += 1
            self.answered[made.row] = True
            if isinstance(made.answer, EditFailure):
                self.failures[made.row] = made.answer.reason
        pictures = {made.row: made.answer for made in batch if isinstance(made.answer, Image.Image)}
        if pictures:
            features = self._encode(list(pictures.values()))
            for index, (row, image) in enumerate(pictures.items()):
                self._take(row, batch[0].seed_index, image, _one(features, index))
            self._compare(list(pictures), batch[0].seed_index, features)

    def _take(self, row: int, seed_index: int, image: Image.Image, features: Features) -> None:
        """Keep what later batches need of one new picture."""
        if self.images[row] is None:
            self.images[row], self.pooled[row] = image, features.pooled[0]
        if row == 0:
            self._references[seed_index] = features
        if self._config.seeds == 1 or row >= NOISE_ROWS:
            return
        if row not in self._first:
            self._first[row] = features
        else:
            self._noise.extend(self._distance(self._first[row], features).tolist())

    def _compare(self, rows: list[int], seed_index: int, features: Features) -> None:
        """Fill in the distances of new pictures, if the reference of their seed exists."""
        reference = self._references.get(seed_index)
        if reference is not None:
            self._distances[rows, seed_index] = self._distance(reference, features)

    def _distance(self, reference: Features, features: Features) -> np.ndarray:
        """Return the chosen distance of every picture to one, shape (n,)."""
        return distances_to_reference(
            self._config.image_distance,
            reference,
            features,
            order=self._config.order,
            seed=self._config.seed,
        )

    def _encode(self, images: Sequence[Image.Image]) -> Features:
        started = time.perf_counter()
        features = self._encoder.encode(images)
        self.seconds += time.perf_counter() - started
        return features

    def distance_of(self, image: Image.Image) -> float:
        """Return the distance of a picture that is no row of the run to its first reference."""
        return float(self._distance(self._references[0], self._encode([image]))[0])

    def add_replicate(self, image: Image.Image) -> None:
        """Count a second picture of the full instruction, made under another seed, as noise."""
        self._noise.append(self.distance_of(image))

    def distances(self) -> np.ndarray:
        """Return the mean distance of every row over its seeds, (n + 1,); NaN where unknown."""
        known = ~np.isnan(self._distances)  # (n + 1, k)
        total = np.where(known, self._distances, 0.0).sum(axis=1)
        count = known.sum(axis=1)
        return np.where(count > 0, total / np.maximum(count, 1), np.nan)

    def noise_floor(self) -> float | None:
        """Return the mean distance between edits that differ in the seed alone."""
        return float(np.mean(self._noise)) if self._noise else None

    def failed(self) -> dict[int, str]:
        """Return the rows that were answered but have no distance, with the reason."""
        unknown = self.answered & np.isnan(self.distances())  # (n + 1,)
        unknown[0] = self.answered[0] and self.images[0] is None
        other = "The edit by the full instruction failed under this seed."
        return {int(row): self.failures[row] or other for row in np.flatnonzero(unknown)}


def _one(features: Features, index: int) -> Features:
    """Return the features of one picture out of several, as a batch of one."""
    return Features(tokens=features.tokens[[index]], pooled=features.pooled[[index]])
