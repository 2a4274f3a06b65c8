"""One column of a comparison on its way: its run, what is known, and the time it took by itself."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

from smile_core.comparison import Column
from smile_core.config import ConfigError
from smile_core.engine import RunError
from smile_core.explanation import Explanation, Snapshot
from smile_core.word_differences import Doubt, doubt_of


@dataclass
class ColumnRun:
    """One column on its way.

    Attributes
    ----------
    column : Column
        What is known, without places on a map.
    snapshots : iterator of Snapshot
        The run.
    loading, seconds : float
        Time that this column took by itself: before its first batch, and since.
    began : float or None
        `time.perf_counter()` at its first batch.
    snapshot : Snapshot or None
        The last state of the run, its clock that of this column alone.
    planned : int
        Edits that a whole run makes.
    doubt : Doubt or None
        What moves the weights of the explanation, for the intervals of differences.
    latest : Explanation or None
        The last explanation as the engine gave it, its clock that of all columns together.
    ended : bool
        True when there is nothing more to come.
    """

    column: Column
    snapshots: Iterator[Snapshot]
    loading: float
    planned: int
    seconds: float = 0.0
    began: float | None = None
    snapshot: Snapshot | None = None
    doubt: Doubt | None = None
    latest: Explanation | None = None
    ended: bool = False

    @property
    def done(self) -> int:
        """Edits made so far."""
        return 0 if self.snapshot is None else self.snapshot.done

    @property
    def total(self) -> int:
        """Edits in all; the planned ones until the run has told, those made when it failed."""
        if self.column.failed is not None:
            return self.done
        if self.snapshot is not None:
            return self.snapshot.total
        return self.planned

    def advance(self) -> None:
        """Make one more batch; whatever ends the run for good ends this column only."""
        started = time.perf_counter()
        self.began = self.began or started
        try:
            snapshot = next(self.snapshots)
        except (ConfigError, RunError) as error:
            self.ended = True
            self.column = replace(self.column, failed=str(error))
            self._take(getattr(error, "explanation", None))
            return
        finally:
            self.seconds += time.perf_counter() - started
        self.ended = snapshot.state != "running"
        self._take(snapshot.explanation)
        self.snapshot = replace(
            snapshot,
            explanation=self.column.explanation,
            seconds_left=self._own_seconds_left(snapshot),
        )

    def _take(self, explanation: Explanation | None) -> None:
        """Keep a new explanation, with the time of this column alone."""
        if explanation is None or explanation is self.latest:
            return
        self.latest = explanation
        timing = explanation.timing
        total = self.loading + self.seconds
        rest = max(total - timing["edit_s"] - timing["encode_s"], 0.0)
        explanation = replace(explanation, timing={**timing, "total_s": total, "other_s": rest})
        self.column = replace(self.column, explanation=explanation)
        self.doubt = doubt_of(self.column)

    def _own_seconds_left(self, snapshot: Snapshot) -> float | None:
        """Return the run's estimate without the time that passed in other columns."""
        if snapshot.seconds_left is None or self.began is None or not snapshot.done:
            return snapshot.seconds_left
        foreign = max(time.perf_counter() - self.began - self.seconds, 0.0)
        left = snapshot.total - snapshot.done
        return max(snapshot.seconds_left - left * foreign / snapshot.done, 0.0)
