"""The clock of a run, its rate, and whether its ranking still moves."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import replace

import numpy as np

from smile_core.editing import EditMaker
from smile_core.explanation import NOTHING, Explanation, Snapshot
from smile_core.measuring import Measurements
from smile_core.versions import versions

# The ranking counts as stable when this many snapshots in a row agree on it.
STABLE_SNAPSHOTS = 3


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
        self._rankings: deque[tuple[int, ...]] = deque(maxlen=STABLE_SNAPSHOTS)

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
        return replace(explanation, timing=timing, versions=versions())

    def snapshot(self, explanation: Explanation | None, state: str) -> Snapshot:
        """Return the state of the run now."""
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
            stable=explanation is not None and self._is_stable(explanation),
            state=state,
        )

    def _is_stable(self, explanation: Explanation) -> bool:
        """Say whether the units that do something have kept their order for some snapshots."""
        units = explanation.units
        telling = [index for index, unit in enumerate(units) if unit.verdict != NOTHING]
        self._rankings.append(tuple(sorted(telling, key=lambda index: -units[index].weight)))
        left_out = np.array([sample.mask for sample in explanation.samples])
        seen = (
            len(left_out) > 0 and not left_out.all(axis=0).any()
        )  # every unit was left out at least once
        agreed = len(self._rankings) == STABLE_SNAPSHOTS and len(set(self._rankings)) == 1
        return seen and agreed
