"""How far a study is and how long it will take: edits are counted, for they are what costs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from smile_core.result_files import write_text

SPEED_FILE = "speeds.json"
# The first call of an editor is slow; fewer edits than this say nothing about the next study.
FEWEST_EDITS = 16


def read_speeds(folder: Path | None) -> dict[str, float]:
    """Return seconds per edit by fingerprint, as measured on this machine; empty when unknown."""
    if folder is None:
        return {}
    try:
        found = json.loads((folder / SPEED_FILE).read_text(encoding="utf-8"))
        return {str(key): float(value) for key, value in found.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}  # it is an estimate only, and the first edits will tell


def write_speed(folder: Path | None, fingerprint: str | None, seconds: float) -> None:
    """Remember how fast an editor was."""
    if folder is None or fingerprint is None:
        return
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        known = read_speeds(folder) | {fingerprint: seconds}
        write_text(folder / SPEED_FILE, json.dumps(known))


def editing_seconds(to_make: Mapping[str, int], rates: Mapping[str, float | None]) -> float | None:
    """Return the time that edits take, None when the speed of no editor is known.

    Parameters
    ----------
    to_make : mapping of str to int
        Edits to make, by editor.
    rates : mapping of str to (float or None)
        Seconds per edit; an editor of unknown speed counts as the mean of the others.
    """
    waiting = {name: count for name, count in to_make.items() if count}
    if not waiting:
        return 0.0
    known = [rate for rate in rates.values() if rate is not None]
    if not known:
        return None
    mean = sum(known) / len(known)
    return sum(count * (rates.get(name) or mean) for name, count in waiting.items())


class StudyClock:
    """Counts edits and fits, and tells the time left.

    Parameters
    ----------
    edits : int
        Different edits of the study.
    to_make : mapping of str to int
        Those that have to be made, by editor.
    rows : int
        Edits of all runs that are to be fitted, shared ones counted for each.
    rates : mapping of str to float
        Seconds per edit by editor, as far as they are remembered.

    Attributes
    ----------
    fresh : int
        Edits made so far.
    """

    def __init__(
        self, edits: int, to_make: Mapping[str, int], rows: int, rates: Mapping[str, float]
    ) -> None:
        self.edits, self.fresh = edits, 0
        self._to_make = dict(to_make)
        self._remembered = dict(rates)
        self._made: dict[str, tuple[int, float]] = {}  # editor to edits and seconds
        self._rows, self._rows_done = rows, 0
        self._fit_s = 0.0
        self._now: tuple[str, int, float] = ("", 0, 0.0)
        self._most = 0

    @property
    def done(self) -> int:
        """Edits that are there."""
        return self.edits - sum(self._left().values())

    def begin(self, editor: str, most: int) -> None:
        """Begin with one group, which has `most` edits to make."""
        self._now, self._most = (editor, 0, 0.0), most

    def count(self, fresh: int, seconds: float) -> None:
        """Note how many edits this group has needed so far, and how long they took."""
        self._now = (self._now[0], fresh, seconds)

    def end(self, still_to_make: int) -> None:
        """End a group; `still_to_make` edits of its editor are left to others."""
        editor, fresh, seconds = self._now
        before = self._made.get(editor, (0, 0.0))
        self._made[editor] = (before[0] + fresh, before[1] + seconds)
        self.fresh += fresh
        self._to_make[editor] = still_to_make
        self._now = (editor, 0, 0.0)

    def fitted(self, rows: int, seconds: float) -> None:
        """Note that a run of so many edits was encoded and fitted."""
        self._rows_done += rows
        self._fit_s += seconds

    def rate(self, editor: str) -> float | None:
        """Return the seconds per edit of an editor, measured now rather than remembered."""
        fresh, seconds = self._made.get(editor, (0, 0.0))
        if editor == self._now[0]:
            fresh, seconds = fresh + self._now[1], seconds + self._now[2]
        return seconds / fresh if fresh else self._remembered.get(editor)

    def measured(self, editor: str) -> float | None:
        """Return the seconds per edit, None unless enough edits were made to remember it."""
        return self.rate(editor) if self._made.get(editor, (0, 0.0))[0] >= FEWEST_EDITS else None

    def seconds_left(self) -> float | None:
        """Return the time left, None until the speed of an editor is known."""
        left = self._left()
        edits = editing_seconds(left, {name: self.rate(name) for name in self._to_make})
        if edits is None:
            return None
        waiting = self._rows - self._rows_done
        return edits + (waiting * self._fit_s / self._rows_done if self._rows_done else 0.0)

    def _left(self) -> dict[str, int]:
        left = dict(self._to_make)
        editor, fresh, _ = self._now
        if editor:
            left[editor] = max(left.get(editor, 0) - min(fresh, self._most), 0)
        return left
