"""The clock of a run, its rate, when to fit anew, and whether the ranking still moves."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import replace

import numpy as np

from smile_core.editing import EditMaker
from smile_core.explanation import AGAINST, DRIVES, Explanation, Snapshot
from smile_core.measuring import Measurements
from smile_core.versions import versions

# The ranking counts as stable when this many fits in a row agree on it.
STABLE_FITS = 3
# A live fit costs time in proportion to the answers, so fitting after every batch would cost the
# square of them. Up to so many answers it does not matter; after that each fit waits for growth.
FIT_EVERY_BATCH = 128
FIT_GROWTH = 1.05


def is_fit_due(answers: int, fitted: int) -> bool:
    """Say whether a running run should be fitted again.

    Parameters
    ----------
    answers : int
        Edits answered so far.
    fitted : int
        How many of them there were at the last fit; 0 before the first.

    Returns
    -------
    bool
        True for up to 128 answers; after that, when they have grown by 5 % since the last fit. So
        the live fits of the largest run cost together no more than about twenty times its last
        one.
    """
    return answers <= FIT_EVERY_BATCH or answers >= FIT_GROWTH * fitted


class Progress:
    """Turns explanations into snapshots.

    Parameters
    ----------
    maker : EditMaker
        Knows how many edits there are, and how long the new ones took.
    measured : Measurements
        Knows how many are done.
    started : float
        `time.perf_counter()` when the run was asked for.
    """

    def __init__(self, maker: EditMaker, measured: Measurements, started: float) -> None:
        self._maker, self._measured = maker, measured
        self._started, self._first_edit = started, time.perf_counter()
        self._rankings: deque[tuple[int, ...]] = deque(maxlen=STABLE_FITS)
        self._ranked: Explanation | None = None  # the one that the last ranking is from
        self._stable = False

    def stamp(self, explanation: Explanation) -> Explanation:
        """Return the explanation with its timing and versions."""
        total, edit = time.perf_counter() - self._started, self._maker.seconds
        encode = self._measured.seconds
        timing = {
            "total_s": total,
            "edit_s": edit,
            "encode_s": encode,
            "other_s": max(total - edit - encode, 0.0),
        }
        runs_on = {"editor runs on": self._maker.runs_on} if self._maker.runs_on else {}
        return replace(explanation, timing=timing, versions=versions() | runs_on)

    def snapshot(self, explanation: Explanation | None, state: str) -> Snapshot:
        """Return the state of the run now; `explanation` may be that of an earlier snapshot."""
        if explanation is not None and explanation is not self._ranked:
            self._ranked, self._stable = explanation, self._is_stable(explanation)
        done, fresh = self._measured.done, self._maker.fresh
        left = self._maker.total - done
        edit = self._maker.seconds / fresh if fresh else None
        # Whatever is not editing, such as encoding and fitting, falls on all answers alike.
        elapsed = time.perf_counter() - self._first_edit
        rest = max(elapsed - self._maker.seconds, 0.0) / max(done, 1)
        return Snapshot(
            explanation=explanation,
            done=done,
            total=self._maker.total,
            edits_per_second=1 / edit if edit else None,
            seconds_left=None if edit is None else self._maker.to_make * edit + left * rest,
            stable=self._stable,
            state=state,
        )

    def _is_stable(self, explanation: Explanation) -> bool:
        """Say whether the units that do something have kept their order for some fits."""
        units = explanation.units
        telling = [index for index, unit in enumerate(units) if unit.verdict in (DRIVES, AGAINST)]
        self._rankings.append(tuple(sorted(telling, key=lambda index: -units[index].weight)))
        left_out = np.array([sample.mask for sample in explanation.samples])
        seen = (
            len(left_out) > 0 and not left_out.all(axis=0).any()
        )  # every unit was left out at least once
        agreed = len(self._rankings) == STABLE_FITS and len(set(self._rankings)) == 1
        return seen and agreed
