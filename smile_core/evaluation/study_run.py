"""Running a study, and asking what it will cost: the two doors for programs and the page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from smile_core.editors.protocol import Stop
from smile_core.encoders import Encoder
from smile_core.evaluation.study import Study
from smile_core.evaluation.study_file import load_study
from smile_core.evaluation.study_plan import StudyCost
from smile_core.evaluation.study_running import (
    Cache,
    Editors,
    RunningStudy,
    StudySnapshot,
)
from smile_core.result_files import writing

__all__ = ["StudyCost", "StudySnapshot", "run_study", "stream_study", "study_cost"]


def run_study(
    study: Study | str | Path,
    out: str | Path | None = None,
    *,
    editors: Editors | None = None,
    encoder: Encoder | None = None,
    cache: Cache = "default",
) -> StudySnapshot:
    """Run a study to its end, and write its results when a folder is given.

    Parameters
    ----------
    study : Study, str or Path
        A study, a YAML file, or the name of a study that ships.
    out : str, Path or None
        Folder for journal, `results.csv`, `timings.csv`, `summary.md` and `report.html`. Runs
        that its journal has are not run again.
    editors : mapping of str to (Editor or callable), or None
        Used for these names in the place of registered editors.
    encoder, cache
        As in `engine.stream`.

    Returns
    -------
    StudySnapshot
        The last one.

    Raises
    ------
    ConfigError
        When something given cannot be used.
    ExportError
        When the folder cannot be made or written.

    Examples
    --------
    >>> from smile_core import run_study
    >>> last = run_study("accuracy", "results")
    """
    loaded = study if isinstance(study, Study) else load_study(study)
    folder = None if out is None else Path(out)
    *_, last = stream_study(loaded, folder, editors=editors, encoder=encoder, cache=cache)
    if folder is not None:
        from smile_core.evaluation.study_report import save_study

        save_study(last.study, last.pairs, folder)
    return last


def stream_study(
    study: Study,
    out: Path | None = None,
    *,
    editors: Editors | None = None,
    encoder: Encoder | None = None,
    cache: Cache = "default",
    stop: Stop | None = None,
) -> Iterator[StudySnapshot]:
    """Run a study and yield what is known after every batch of edits and every run.

    Everything that can be checked is checked before this returns.

    Parameters
    ----------
    study, out, editors, encoder, cache
        As in `run_study`; only the journal is written.
    stop : callable or None
        Asked between batches; when it answers True the study ends with what there is.

    Yields
    ------
    StudySnapshot
        A run that fails is among the results with its reason, and is tried again when the study
        is resumed.

    Raises
    ------
    ConfigError
        When something given cannot be used.
    ExportError
        When the folder cannot be made.
    """
    if out is not None:
        with writing("study", out):
            out.mkdir(parents=True, exist_ok=True)
    running = RunningStudy(study, out, editors or {}, encoder, cache)
    return running.snapshots(stop or (lambda: False))


def study_cost(
    study: Study,
    out: Path | None = None,
    *,
    editors: Editors | None = None,
    cache: Cache = "default",
) -> StudyCost:
    """Say what a study needs before it is begun; loads its editors, and makes no edit.

    Runs that the journal in `out` has cost nothing.

    Raises
    ------
    ConfigError
        When something given cannot be used.
    """
    return RunningStudy(study, out, editors or {}, None, cache).cost()
