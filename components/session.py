"""What the server keeps for each open tab: stop flags, the runs that wait, and the last results.

Explain, Compare and Evaluate each have their own, so that none stops or replaces another's.

A run is stopped through a flag that the engine polls, not by cancelling the event: a cancelled
generator loses its last update, and with it the partial result.
"""

from __future__ import annotations

import shutil
import threading
import uuid
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

import gradio as gr
from PIL import Image

from components.compare_view import STRONGEST
from components.scatter import SIMILARITY
from components.served import served_folder
from smile_core.comparison import Comparison
from smile_core.config import RunConfig
from smile_core.editors import Editor
from smile_core.evaluation.study import Study
from smile_core.evaluation.study_run import StudySnapshot
from smile_core.explanation import Explanation
from smile_core.photo import Source
from smile_core.result_files import ExportError

J = TypeVar("J")

MAX_SESSIONS = 64
NOT_WRITTEN = (
    "There are no files to take away, because this server could not write them ({}). The result "
    "itself is all here."
)


@dataclass(frozen=True, kw_only=True)
class Job:
    """A run that was asked for and checked, but has not started.

    Attributes
    ----------
    photo, config, mask
        What `stream` takes.
    tool : Editor or None
        An editor that was made for this run alone, with the visitor's own key.
    photo_name : str or None
        Name of the photo if it is one of the page's own.
    """

    photo: Image.Image
    config: RunConfig
    mask: Source | None = None
    tool: Editor | None = None
    photo_name: str | None = None


@dataclass(frozen=True, kw_only=True)
class ComparisonJob:
    """A comparison that was asked for and checked, but has not started.

    Attributes
    ----------
    photo, configs, mask
        What `stream_comparison` takes.
    tools : tuple of (Editor or None)
        For each column an editor that was made for this run alone, with the visitor's own key.
    """

    photo: Image.Image
    configs: tuple[RunConfig, ...]
    mask: Source | None = None
    tools: tuple[Editor | None, ...]


@dataclass(frozen=True, kw_only=True)
class StudyJob:
    """A study that was asked for and checked, but has not started.

    Attributes
    ----------
    study, folder
        What `stream_study` takes.
    text : str
        Its YAML.
    """

    study: Study
    folder: Path
    text: str


@dataclass(eq=False)  # told apart by identity, so that sets can hold them
class Workplace(Generic[J]):
    """What a run needs besides its settings.

    Attributes
    ----------
    job : Job, ComparisonJob, StudyJob or None
        What waits for its turn.
    stop : threading.Event
        Set to end the run; cleared when a new one is asked for.
    links : str
        The links to the files of the last result, as HTML.
    folder : Path or None
        Where they lie, if they were written here; the name cannot be guessed.
    writing : threading.Lock
        Held while they are written: the queue and a restored file may both want to.
    painted : Image, bytes of a PNG, or None
        The mask that was painted or uploaded last.
    closed : bool
        Whether the tab is gone: nothing is written any more.
    """

    job: J | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    links: str = ""
    folder: Path | None = None
    writing: threading.Lock = field(default_factory=threading.Lock)
    painted: Source | None = None
    closed: bool = False

    def take_job(self) -> J | None:
        """Return what waits, which then no longer does."""
        job, self.job = self.job, None
        return job

    @property
    def running(self) -> bool:
        """Whether a run of this place has the editor."""
        return self in _running

    def new_folder(self) -> Path:
        """Return an empty folder for the files of the next result; the last one's are removed."""
        self.remove_folder()
        self.folder = served_folder("results") / uuid.uuid4().hex
        self.folder.mkdir()
        return self.folder

    @contextmanager
    def writing_files(self) -> Iterator[Path]:
        """Yield an empty folder for the files of the next result; nothing is left of half a result.

        Raises
        ------
        ExportError
            When they could not be written.
        """
        try:
            yield self.new_folder()
        except OSError as error:
            self.remove_folder()
            # An ExportError speaks of folders; its cause says what is wrong.
            cause = error.__cause__ if isinstance(error.__cause__, OSError) else error
            raise ExportError(NOT_WRITTEN.format(cause.strerror or cause)) from error

    def remove_folder(self) -> None:
        """Remove the files of the last result."""
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder = None


@dataclass(eq=False)
class ComparisonPlace(Workplace[ComparisonJob]):
    """The Compare tab of one open tab.

    Attributes
    ----------
    comparison : Comparison or None
        The last one that has a result.
    color_by : int
        What the visitor chose in the map's menu.
    exported : Comparison or None
        The one whose files are there for download.
    """

    comparison: Comparison | None = None
    color_by: int = STRONGEST
    exported: Comparison | None = None


@dataclass(eq=False)
class EvaluationPlace(Workplace[StudyJob]):
    """The Evaluate tab of one open tab.

    Attributes
    ----------
    snapshot : StudySnapshot or None
        The last state of the last study.
    text : str
        The YAML of that study.
    part : str
        What the visitor chose in the menu of parts; empty for all.
    exported : StudySnapshot or None
        The one whose files are there for download.
    """

    snapshot: StudySnapshot | None = None
    text: str = ""
    part: str = ""
    exported: StudySnapshot | None = None


@dataclass(eq=False)
class Session(Workplace[Job]):
    """One open tab.

    Attributes
    ----------
    explanation : Explanation or None
        The last result, for the files and for a run that brings no new one.
    photo_name : str or None
        Name of its photo if it is one of the page's own.
    shown : Explanation or None
        The result that the panels show; None while a run has none yet.
    units : tuple of str
        The words that the map's menu offers.
    color_by : int
        What the visitor chose there; kept through the updates of a run, and as long as the words
        stay the same.
    exported : Explanation or None
        The result whose files are there for download.
    comparing : ComparisonPlace
        The same for the Compare tab.
    evaluating : EvaluationPlace
        And for the Evaluate tab.
    """

    explanation: Explanation | None = None
    photo_name: str | None = None
    shown: Explanation | None = None
    units: tuple[str, ...] = ()
    color_by: int = SIMILARITY
    exported: Explanation | None = None
    comparing: ComparisonPlace = field(default_factory=ComparisonPlace)
    evaluating: EvaluationPlace = field(default_factory=EvaluationPlace)

    @property
    def places(self) -> tuple[Session, ComparisonPlace, EvaluationPlace]:
        """Everything of this tab that runs by itself."""
        return self, self.comparing, self.evaluating

    def show(self, units: tuple[str, ...], explanation: Explanation | None) -> None:
        """Note what the panels show from now on."""
        if units != self.units:
            self.color_by = SIMILARITY
        self.units, self.shown = units, explanation

    def close(self) -> None:
        """End the runs and remove the files."""
        for place in self.places:
            place.take_job()
            place.stop.set()
            with place.writing:  # files that are being written just now go as well
                place.closed = True
                place.remove_folder()


_sessions: OrderedDict[str, Session] = OrderedDict()
_running: set[Workplace[Any]] = set()  # whose run has the editor
_lock = threading.Lock()


@contextmanager
def has_editor(place: Workplace[Any]) -> Iterator[None]:
    """Count `place` as running meanwhile."""
    _running.add(place)
    try:
        yield
    finally:
        _running.discard(place)


def is_editor_taken() -> bool:
    """Return whether a run of any tab or program has the editor."""
    return bool(_running)


def session_of(request: gr.Request) -> Session:
    """Return the session of the tab that sent `request`.

    Of too many, the longest unused is let go: an idle one if there is any, and never one whose
    run is going on.
    """
    key = request.session_hash or ""
    with _lock:
        if key not in _sessions:
            while len(_sessions) >= MAX_SESSIONS:
                _sessions.pop(min(_sessions, key=_need)).close()
            _sessions[key] = Session()
        _sessions.move_to_end(key)
        return _sessions[key]


def _need(key: str) -> int:
    places = _sessions[key].places
    if any(place.running for place in places):
        return 2
    return int(any(place.job is not None for place in places))


def close_session(request: gr.Request) -> None:
    """Stop what a closed tab was running and forget it."""
    with _lock:
        session = _sessions.pop(request.session_hash or "", None)
    if session is not None:
        session.close()
