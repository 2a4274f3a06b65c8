"""The journal of a study: one line for every finished run, so that it need not be run again.

A line is written whole and flushed to the disk before the next run begins. What a kill left
half-written at the end is passed over, and cut off before the next line is written; that run is
fitted again, from edits that the cache has. Reading alone changes nothing, for another study may be
writing.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from smile_core.config import ConfigError
from smile_core.evaluation.study_result import RunResult

JOURNAL_FILE = "journal.jsonl"


class Journal:
    """Results by the key of their run (`study_plan.run_key`).

    Parameters
    ----------
    folder : Path or None
        Where the journal lies; None keeps it in memory only.

    Raises
    ------
    ConfigError
        When the file cannot be read or written, or is no journal.
    """

    def __init__(self, folder: Path | None) -> None:
        self._path = None if folder is None else folder / JOURNAL_FILE
        self._known: dict[str, RunResult] = {}
        self._whole: int | None = None  # bytes to keep where the end is half-written
        if self._path is not None and self._path.exists():
            self._read(self._path)

    def __len__(self) -> int:
        return len(self._known)

    def get(self, key: str) -> RunResult | None:
        """Return the result of a run, None when it has not been finished."""
        return self._known.get(key)

    def put(self, key: str, result: RunResult) -> None:
        """Keep a result for good."""
        self._known[key] = result
        if self._path is None:
            return
        line = json.dumps({"key": key, **result.to_dict()}, allow_nan=False)
        try:
            if self._whole is not None:
                os.truncate(self._path, self._whole)
                self._whole = None
            with self._path.open("a", encoding="utf-8") as file:
                file.write(f"{line}\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise ConfigError(
                f"The journal {str(self._path)!r} cannot be written: {error.strerror or error}. "
                "Make room, or choose another folder; the edits are in the cache."
            ) from error

    def _read(self, path: Path) -> None:
        try:
            data = path.read_bytes()
            whole = data[: data.rfind(b"\n") + 1]
            if len(whole) < len(data):  # killed in the middle of a line
                self._whole = len(whole)
            for line in whole.decode().splitlines():
                values = json.loads(line)
                self._known[values.pop("key")] = RunResult.from_dict(values)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ConfigError(
                f"The journal {str(path)!r} cannot be read ({error}). Delete it to run the study "
                "anew; edits that the cache has are not made again."
            ) from error
