"""A study from the click to the files, as `compare_runs` does it for a comparison."""

from __future__ import annotations

import logging
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import gradio as gr

from components import answer, evaluate_cost, export, inputs
from components.evaluate_asked import Asked, check_edits, chosen_study
from components.evaluate_files import FILES, written
from components.evaluate_inputs import EvaluateInputs
from components.evaluate_view import EvaluatePanels, StudyView, show_study, show_waiting
from components.loading import load_for
from components.runs import WAITING
from components.session import (
    EvaluationPlace,
    StudyJob,
    has_editor,
    is_editor_taken,
    session_of,
)
from components.show import Updates
from smile_core.config import ConfigError
from smile_core.engine import RunError
from smile_core.evaluation.study_plan import plan_study
from smile_core.evaluation.study_run import stream_study
from smile_core.result_files import ExportError

log = logging.getLogger(__name__)

MOST_JOURNALS = 100


class EvaluateRuns:
    """The handlers of one page's Run and Stop buttons.

    Parameters
    ----------
    left : EvaluateInputs
        The inputs.
    panels : EvaluatePanels
        The panels.
    """

    def __init__(self, left: EvaluateInputs, panels: EvaluatePanels) -> None:
        self.left = left
        self.panels = panels

    def begin(self, request: gr.Request, *values: Any) -> Updates:
        """Check everything; put the study into the session or say what is wrong."""
        place = session_of(request).evaluating
        try:
            chosen = chosen_study(Asked(*values))
            check_edits(evaluate_cost.cost_of(chosen))
        except ConfigError as error:
            return {self.left.message: inputs.render_message(str(error))}
        folder = evaluate_cost.journal_folder(chosen)
        place.job = StudyJob(study=chosen.study, text=chosen.text, folder=folder)
        place.stop.clear()
        place.part = ""
        return {
            **show_waiting(self.panels, chosen.study),
            self.panels.status: answer.render_idle(WAITING if is_editor_taken() else "Starting…"),
            self.left.message: "",
            self.left.run: gr.update(interactive=False),
            self.left.stop: gr.update(interactive=True),
        }

    def run(self, request: gr.Request) -> Iterator[Updates]:
        """Stream the study that waits in the session, if there is one."""
        place = session_of(request).evaluating
        job = place.take_job()
        if job is None:
            yield {self.left.message: gr.skip()}
            return
        try:
            with has_editor(place):
                yield from self._stream(place, job)
        except (ConfigError, RunError, ExportError) as error:
            yield self._trouble(place, str(error))
        except Exception as error:
            log.exception("A study failed.")
            about = f"{type(error).__name__}: {error}"
            yield self._trouble(place, f"The study broke off ({about}). Run it once more.")

    def _stream(self, place: EvaluationPlace, job: StudyJob) -> Iterator[Updates]:
        stopped = place.stop.is_set
        configs = {run.config.editor: run.config for run in plan_study(job.study)}
        for config in configs.values():
            for line in load_for(config, None, stopped):
                yield {self.panels.status: line}
        if stopped():
            yield self._last_result(place, "Stopped before the first edit.")
            return
        yield {self.panels.status: answer.render_idle("Looking what is there already…")}
        keep_newest(job.folder)
        started = time.monotonic()
        view = StudyView(self.panels)
        for snapshot in stream_study(job.study, job.folder, stop=stopped):
            place.snapshot, place.text = snapshot, job.text
            updates = view.updates(snapshot, time.monotonic() - started, place.part)
            if updates:
                yield updates

    def _last_result(self, place: EvaluationPlace, status: str) -> Updates:
        """Return the last result and `status`, for a study that brought nothing new."""
        return {
            **show_study(self.panels, place.snapshot, place.part),
            self.panels.links: place.links or export.render(None, FILES),
            self.panels.status: answer.render_idle(status),
        }

    def _trouble(self, place: EvaluationPlace, sentence: str) -> Updates:
        return {
            **self._last_result(place, "The study ended early. What is done is kept."),
            self.left.message: inputs.render_message(sentence),
        }

    def stop(self, request: gr.Request) -> Updates:
        """Ask the study to end; one that still waits for its turn ends at once."""
        place = session_of(request).evaluating
        if place.take_job() is not None:
            return {**self._last_result(place, "Stopped before the first edit."), **self.finish()}
        place.stop.set()
        # The page itself says that it is stopping: from here that could overtake the study's end.
        return {self.left.stop: gr.update(interactive=False)}

    def finish(self) -> Updates:
        """Give the buttons back, however the study ended."""
        return {
            self.left.run: gr.update(interactive=True),
            self.left.stop: gr.update(interactive=False),
        }

    def write_files(self, request: gr.Request) -> Updates:
        """Write the files of the last study and show the links to them."""
        try:
            return {self.panels.links: written(session_of(request).evaluating)}
        except ExportError as error:
            return {self.left.message: inputs.render_message(str(error))}

    def choose_part(self, part: Any, request: gr.Request) -> Updates:
        """Show the tables and plots of one part, now and in the rest of the study."""
        place = session_of(request).evaluating
        place.part = str(part or "")
        return StudyView(self.panels).evidence(place.snapshot, place.part)


def keep_newest(folder: Path, most: int = MOST_JOURNALS) -> None:
    """Make the journal's folder the newest, and remove the oldest of too many beside it.

    What goes costs no edits: those are in the cache.
    """
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        os.utime(folder)
        beside = sorted(folder.parent.iterdir(), key=lambda path: path.stat().st_mtime)
        for old in beside[:-most]:
            shutil.rmtree(old)
