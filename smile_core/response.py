"""From distances to the response: which share of the way each edit has come.

The way leads from the edit without any instruction (0) to the edit by the full one (1). Its length
D is the distance between the two, so a response has a meaning, does not depend on how many edits
there are, and is on one scale in all runs on one photo with one encoder and distance.

By an editor that takes no seed two edits by one text differ too. The full edit and the one without
instruction are then made several times, distances are means over these repeats, and the mean
distance between two full edits, the noise floor, counts as no distance: it is taken off both d and
D, or a noisier editor would seem to listen less.

References
----------
[1] SMILE for instruction-based image editing, arXiv 2412.16277 (`min-max`).
[2] Efron and Stein, The jackknife estimate of variance, Annals of Statistics 1981.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# What the scale of a run rests on.
WITHOUT, PHOTO, FARTHEST = "edit without instruction", "photo", "farthest edit"
# An edit farther than the way is long has a response below 0, but never below this.
LOWEST = -1.0
# One edit that lies so many times as far as every other, the one without instruction included, is
# a glitch of the editor and no answer to its words.
GLITCH = 3.0
# A repeat may be left out of a scale only as far as this share of it remains.
_LEAST_SHARE = 0.1


class NothingChangedError(ValueError):
    """Every edit equals the reference, so there is no response to explain."""


@dataclass(frozen=True, eq=False)
class Distances:
    """All distances of a run, one column for each repeat of the full edit.

    Attributes
    ----------
    rows : ndarray, shape (n + 1, c)
        Of every edit to each full edit, or under each seed to the full edit of that seed; the full
        edit comes first, with zeros. NaN where unknown.
    blanks : ndarray, shape (b, c)
        The same of the edits without instruction; b is 0 where there is none.
    among : ndarray, shape (c, c), or None
        Between the full edits, where they are repeats by an editor without a seed. None where
        columns are seeds, or there is only one.
    """

    rows: np.ndarray
    blanks: np.ndarray
    among: np.ndarray | None = None

    @property
    def means(self) -> np.ndarray:
        """Mean distance of every edit, (n + 1,); NaN where unknown."""
        return _row_means(self.rows)

    @property
    def way(self) -> float | None:
        """Mean distance D of the edits without instruction; None where there is none."""
        known = self.blanks[~np.isnan(self.blanks)]
        return float(known.mean()) if known.size else None

    @property
    def floor(self) -> float:
        """Mean distance between two full edits; 0 where only one was made of a seed."""
        if self.among is None or len(self.among) < 2:
            return 0.0
        return float(self.among[~np.eye(len(self.among), dtype=bool)].mean())

    def response(self, kind: str = "share") -> np.ndarray:
        """Return the response of every edit, (n + 1,), NaN where unknown.

        Parameters
        ----------
        kind : {"share", "min-max"}
            `share` is 1 - (d - floor)/(D - floor), at least -1. `min-max`, the published one [1],
            is 1 - (d - min d)/(max d - min d); it also serves where there is no D.

        Raises
        ------
        NothingChangedError
            When D is no more than the noise floor, or all distances are equal.
        """
        if kind == "min-max" or self.way is None:
            return _min_max(self.means)
        return _share(self.means, self.way - self.floor, self.floor)

    def without_each(self, kind: str = "share") -> list[np.ndarray]:
        """Return the responses with one repeat left out at a time, for the jackknife [2].

        Returns
        -------
        list of ndarray, shape (k, n + 1)
            One entry for each thing that was repeated k times: the seeds, or the full edits and
            the edits without instruction; none for what was made once.
        """
        c, b = self.rows.shape[1], len(self.blanks)
        sources = []
        if c > 1:
            sources.append(np.stack([self._keeping(_but(c, i), None, kind) for i in range(c)]))
        if b > 1:
            sources.append(np.stack([self._keeping(None, _but(b, i), kind) for i in range(b)]))
        return sources

    def _keeping(
        self, columns: Sequence[int] | None, blanks: Sequence[int] | None, kind: str
    ) -> np.ndarray:
        """Return the response, (n + 1,), from some of the repeats; None keeps all."""
        kept = list(range(self.rows.shape[1]) if columns is None else columns)
        left = list(range(len(self.blanks)) if blanks is None else blanks)
        among = None if self.among is None else self.among[np.ix_(kept, kept)]
        part = Distances(self.rows[:, kept], self.blanks[np.ix_(left, kept)], among)
        whole = self.response(kind)  # (n + 1,)
        if kind == "min-max" or self.way is None:
            known = part.means[~np.isnan(part.means)]
            found = _min_max(part.means) if known.max() > known.min() else whole
        else:
            floor = self.floor if len(kept) < 2 else part.floor
            way = self.way if part.way is None else part.way
            least = _LEAST_SHARE * (self.way - self.floor)
            found = _share(part.means, max(way - floor, least), floor)
        # An edit that was made under the seed left out only says nothing of that seed's part.
        return np.where(np.isnan(found), whole, found)


def glitch(distances: Distances) -> int | None:
    """Return the row of the one edit that lies far out of all others, None where there is none.

    That is more than `GLITCH` times as far from the full edit as every other edit, the one without
    instruction included. Such a picture says nothing of its words and would rule the fit.
    """
    means = np.where(np.isnan(distances.means), -np.inf, distances.means)  # (n + 1,)
    if len(means) < 3:
        return None
    farthest = int(np.argmax(means))
    rest = max(float(np.delete(means, farthest).max()), distances.way or 0.0)
    return farthest if rest > 0 and means[farthest] > GLITCH * rest else None


def _but(count: int, index: int) -> list[int]:
    return [i for i in range(count) if i != index]


def _row_means(rows: np.ndarray) -> np.ndarray:
    """Return the mean of the known numbers of every row, (n,); NaN where there is none."""
    known = ~np.isnan(rows)
    count = known.sum(axis=1)
    total = np.where(known, rows, 0.0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _share(means: np.ndarray, way: float, floor: float) -> np.ndarray:
    if way <= 0:
        raise NothingChangedError(
            "The full edit lies no farther from the edit without instruction than chance moves it."
        )
    response = np.maximum(1 - (means - floor) / way, LOWEST)
    response[0] = 1.0
    return response


def _min_max(means: np.ndarray) -> np.ndarray:
    known = means[~np.isnan(means)]
    low, high = known.min(), known.max()
    if high == low:
        raise NothingChangedError("Every edit is the same, whichever words are left out.")
    return 1 - (means - low) / (high - low)
