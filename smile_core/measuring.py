"""What is known about each edit of a run: its picture, its features and its distances."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
from PIL import Image

from smile_core.config import RunConfig
from smile_core.editing import BLANK, REFERENCE, Made, same_picture
from smile_core.editors.protocol import EditFailure
from smile_core.encoders import Encoder, Features
from smile_core.image_distance import distances_to_reference
from smile_core.response import Distances
from smile_core.visible import visible_change

# Under several seeds the noise floor is measured on the reference and the rows after it, up to this
# many, because their feature tokens have to be kept until the next seeds arrive.
NOISE_ROWS = 32

# Which of the edits by one text: under one of several seeds, or one of several repeats.
_Place = tuple[int, int]
_Fixed = tuple[int, _Place]  # `REFERENCE` or `BLANK`, and which of them


class Measurements:
    """Distances to the reference, one row per prompt and one column per full edit.

    Every picture is encoded once, when it arrives. Under several seeds a picture is compared with
    the reference of its own seed. By an editor without a seed the reference is made several times,
    before the shortened instructions, and each picture is compared with all of them.

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
    blank : PIL.Image.Image or None
        The first edit without instruction, or what stands in for it.
    blank_failure : str or None
        Why there is no edit without instruction.
    stands_in : bool
        Whether `blank` is the photo.
    visible : float or None
        `visible_change` between the full edit and the edit without instruction, the largest over
        seeds and repeats; None until it is known.
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
        self.blank: Image.Image | None = None
        self.blank_failure: str | None = None
        self.stands_in = False
        self.visible: float | None = None
        self.done = 0
        self.seconds = 0.0
        self._config, self._encoder = config, encoder
        self._references: dict[_Place, Features] = {}  # one picture each
        self._blanks: dict[_Place, Features] = {}
        self._pictures: dict[_Fixed, Image.Image] = {}  # of references and blanks
        self._found: dict[tuple[int, _Place], float] = {}  # row and reference to distance
        self._known: dict[tuple[_Fixed, _Fixed], float] = {}
        self._first: dict[int, Features] = {}  # row to features under the first seed
        self._noise: list[float] = []
        self._drawn = False  # whether nobody can tell that the same text gives the same edit

    def add(self, batch: Sequence[Made]) -> None:
        """Take in the answers of one batch; all of its pictures share one seed."""
        for made in batch:
            self.done += 1
            if made.ask.repeat:
                # One that fails is one fewer; without any chance is there all the same.
                self._drawn |= isinstance(made.answer, EditFailure)
                continue
            failed = made.answer.reason if isinstance(made.answer, EditFailure) else None
            if made.ask.row == BLANK:
                self.blank_failure = failed
                continue
            self.answered[made.ask.row] = True
            if failed is not None:
                self.failures[made.ask.row] = failed
        pictures = [made for made in batch if isinstance(made.answer, Image.Image)]
        if not pictures:
            return
        features = self._encode([made.answer for made in pictures])  # type: ignore[misc]
        place = (pictures[0].ask.seed_index, pictures[0].ask.repeat)
        for index, made in enumerate(pictures):
            assert isinstance(made.answer, Image.Image)
            self._take(made.ask.row, place, made.answer, _one(features, index))
        self._compare([made.ask.row for made in pictures], place, features)

    def stand_in(self, photo: Image.Image) -> None:
        """Let the photo take the place of the edit without instruction."""
        self.stands_in = True
        features = self._encode([photo])
        for seed_index in range(self._config.seeds):
            self._take(BLANK, (seed_index, 0), photo, features)

    def _take(self, row: int, place: _Place, image: Image.Image, features: Features) -> None:
        """Keep what later batches need of one new picture.

        A repeat that is the same picture as the first tells nothing of chance, and is not counted.
        """
        first = {REFERENCE: self.images[REFERENCE], BLANK: self.blank}.get(row)
        if place[1] and first is not None and same_picture(image, first):
            return
        if row <= REFERENCE:
            self._pictures[row, place] = image
            self._look(place)
        if row == BLANK:
            self._blanks[place] = features
            self.blank = self.blank or image
            return
        if row == REFERENCE:
            self._references[place] = features
        if self.images[row] is None:
            self.images[row], self.pooled[row] = image, features.pooled[0]
        if self._config.seeds == 1 or row >= NOISE_ROWS:
            return
        if row not in self._first:
            self._first[row] = features
        else:
            self._noise.extend(self._distance(self._first[row], features).tolist())

    def _look(self, place: _Place) -> None:
        """Measure how far a full edit differs to the eye from that without instruction."""
        pair = (REFERENCE, place), (BLANK, place)
        if all(key in self._pictures for key in pair):
            seen = visible_change(*(self._pictures.pop(key) for key in pair))
            self.visible = max(seen, self.visible or 0.0)

    def _compare(self, rows: list[int], place: _Place, features: Features) -> None:
        """Fill in the distances of new pictures to the references they are compared with."""
        kept = [index for index, row in enumerate(rows) if row > REFERENCE]
        if not kept:
            return
        part = Features(tokens=features.tokens[kept], pooled=features.pooled[kept])
        several = self._config.seeds > 1
        for other, reference in self._references.items():
            if not several or other == place:
                for index, found in zip(kept, self._distance(reference, part), strict=True):
                    self._found[rows[index], other] = float(found)

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

    def distances(self) -> Distances:
        """Return all that is known; a reference that failed has no column."""
        places = sorted(self._references)
        rows = np.full((len(self.images), len(places)), np.nan)  # (n + 1, c)
        for (row, place), found in self._found.items():
            rows[row, places.index(place)] = found
        rows[REFERENCE] = 0.0
        if self._config.seeds > 1:  # what was edited without instruction has its own reference
            own = [self._gap((REFERENCE, place), (BLANK, place)) for place in places]
            return Distances(rows, np.array([own]))
        blanks = self._gaps(REFERENCE, BLANK).T  # (b, c)
        drawn = self._drawn or len(places) > 1 or len(self._blanks) > 1
        among = self._gaps(REFERENCE, REFERENCE) if drawn else None
        return Distances(rows, blanks, among)

    def _gaps(self, row: int, other: int) -> np.ndarray:
        """Return the distances between all edits of one kind and another, (k, l)."""
        kinds = {REFERENCE: sorted(self._references), BLANK: sorted(self._blanks)}
        gaps = [[self._gap((row, a), (other, b)) for b in kinds[other]] for a in kinds[row]]
        return np.array(gaps, dtype=float).reshape(len(kinds[row]), len(kinds[other]))

    def _gap(self, one: _Fixed, other: _Fixed) -> float:
        """Return the distance of two edits that everything is compared with; NaN without one."""
        if (one, other) not in self._known:
            kinds = {REFERENCE: self._references, BLANK: self._blanks}
            pair = [kinds[row].get(place) for row, place in (one, other)]
            if pair[0] is None or pair[1] is None:
                return np.nan
            self._known[one, other] = float(self._distance(pair[0], pair[1])[0])
        return self._known[one, other]

    def beyond_chance(self) -> bool:
        """Say whether the full edits lie farther from those without instruction than by chance.

        They do when, on average, they lie farther apart than any two full edits, or any two
        without instruction. Without repeats there is no chance to compare with.
        """
        found = self.distances()
        if found.among is None or found.way is None:
            return True
        blanks = self._gaps(BLANK, BLANK)  # (b, b)
        return found.way > max(float(found.among.max()), float(blanks.max(initial=0.0)))

    def noise_floor(self) -> float | None:
        """Return the mean distance between edits that differ by chance alone."""
        found = self.distances()
        if found.among is not None and len(found.among) > 1:
            return found.floor
        return float(np.mean(self._noise)) if self._noise else None

    def failed(self) -> dict[int, str]:
        """Return the rows that were answered but have no distance, with the reason."""
        unknown = self.answered & np.isnan(self.distances().means)  # (n + 1,)
        unknown[0] = self.answered[0] and self.images[0] is None
        other = "The edit by the full instruction failed under this seed."
        return {int(row): self.failures[row] or other for row in np.flatnonzero(unknown)}


def _one(features: Features, index: int) -> Features:
    """Return the features of one picture out of several, as a batch of one."""
    return Features(tokens=features.tokens[[index]], pooled=features.pooled[[index]])
