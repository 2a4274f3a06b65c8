"""How long an edit takes here, by editor: learnt from every run, and once at the start."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

from components.session import is_editor_taken
from smile_core.config import BUNDLED_EDITOR, RunConfig
from smile_core.engine import stream
from smile_core.explanation import Snapshot

# The first loads and warms up everything, the second is timed: the full edit and the one without
# instruction, four edits, and a whole batch.
WARM_UP = RunConfig(instruction="make it foggy", perturbations=1)
TRIAL = RunConfig(instruction="make it a snowy evening with some lights", perturbations=12)

_seconds_per_edit: dict[str, float] = {}
_trying = threading.Event()


def seconds_per_edit(editor: str) -> float | None:
    """Return what an edit by `editor` takes with everything around it; None when not yet known."""
    return _seconds_per_edit.get(editor)


def learn(editor: str, snapshot: Snapshot) -> None:
    """Remember how fast `editor` was; a run that found all its edits in the cache tells nothing."""
    if snapshot.explanation is None or not snapshot.edits_per_second:
        return
    encoding = snapshot.explanation.timing["encode_s"] / snapshot.done
    _seconds_per_edit[editor] = 1 / snapshot.edits_per_second + encoding


def is_trying() -> bool:
    """Return whether the trial at the start of the program is still going on."""
    return _trying.is_set()


def try_out(photo: Path, editors: Sequence[str] = (BUNDLED_EDITOR,)) -> None:
    """Load what the first runs need, and time `editors` on `photo`, one after the other.

    It gives way to the first visitor, whose run then tells the same.
    """
    _trying.set()
    try:
        for editor in editors:
            for config in (WARM_UP.with_(editor=editor), TRIAL.with_(editor=editor)):
                snapshots = list(stream(photo, config, cache=None, stop=is_editor_taken))
            if snapshots[-1].state == "finished":
                learn(editor, snapshots[-1])
    finally:
        _trying.clear()
