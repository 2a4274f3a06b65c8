"""A run from the click to the files.

`begin` and `begin_more` check everything at once, outside the queue, and leave the run in the
session; `run` takes its turn at the editor and streams what it learns; `finish` gives the buttons
back; and `write_files` writes what the export panel offers.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import gradio as gr
from PIL import Image

from components import (
    advanced,
    answer,
    export,
    inputs,
    key_field,
    link,
    mask,
    more,
    pace,
    perturbations,
)
from components.loading import load_for
from components.served import uploaded_path
from components.session import Job, Session, has_editor, is_editor_taken, session_of
from components.show import (
    LiveView,
    Panels,
    Updates,
    show_all,
    show_nothing,
    show_waiting,
    unit_texts,
)
from smile_core.config import ConfigError, RunConfig, check_choice
from smile_core.editors import Editor, load_api_editor
from smile_core.editors.registry import kind_of
from smile_core.engine import RunError, stream
from smile_core.export import save_explanation
from smile_core.instruction import split_units
from smile_core.mask_picture import mask_for
from smile_core.photo import Source, open_photo
from smile_core.result_files import ExportError

log = logging.getLogger(__name__)

EDITOR_TURN = "editor"  # whatever uses an editor waits for its turn under this name
NO_PHOTO = "There is no photo yet. Choose one, drop one on the page, or click one of the examples."
NO_DESCRIPTIONS = (
    "A file that describes an editor starts programs, so this page does not take one. Start the "
    "page with it: python app.py --editor FILE. Or use python -m smile_core explain --editor FILE."
)
NOTHING_TO_GO_ON = "There is no explanation with its photo to go on with. Press Explain first."
LOADING = "Loading the editor, which is done once…"
WAITING = "Waiting for another explanation to end. Each gets the editor in turn."


class Runs:
    """The handlers of one page's Explain, Stop and more buttons."""

    def __init__(self, left: inputs.Inputs, panels: Panels) -> None:
        self.left = left
        self.panels = panels

    def begin(
        self,
        request: gr.Request,
        photo: dict[str, Any] | None,
        whole: bool,
        lock: bool,
        key: object,
        follows: bool,
        *values: Any,
    ) -> Updates:
        """Check photo and settings; put the run into the session or say what is wrong."""
        session = session_of(request)
        settings = {
            name: advanced.meant(name, value)
            for name, value in zip(self.left.settings, values, strict=True)
        }
        if not lock:
            settings["seed"] = secrets.randbelow(2**32)
        if follows:
            settings["perturbations"] = perturbations.wanted_for(
                [settings["instruction"]], settings["granularity"]
            )
        try:
            perturbations.typed(settings["perturbations"])
            config = checked_config(settings)
            units = split_units(config.instruction, config.granularity)
            if photo is None:
                raise ConfigError(NO_PHOTO)
            where = mask.given(session.painted, whole)
            job = checked_job(
                open_photo(uploaded_path(photo)), config, where, key_field.revealed(key)
            )
        except ConfigError as error:
            return {self.left.message: inputs.render_message(str(error))}
        name = inputs.bundled_name(photo.get("orig_name"))
        return {
            **self._begun(session, replace(job, photo_name=name), units),
            self.left.settings["seed"]: config.seed,
            self.left.settings["perturbations"]: config.perturbations,
            self.left.amount.slider: perturbations.on_slider(config.perturbations or 0),
        }

    def begin_more(self, request: gr.Request, key: object) -> Updates:
        """Put the run that is shown into the session again, with more perturbations.

        The inputs keep what they show, for they may be of another run by now.
        """
        session = session_of(request)
        explanation = session.explanation
        try:
            if explanation is None or explanation.source is None:
                raise ConfigError(NOTHING_TO_GO_ON)
            config = offered(more.config_of(explanation))
            own_key = key_field.revealed(key)
            job = checked_job(explanation.source, config, explanation.mask, own_key)
        except ConfigError as error:
            return {self.left.message: inputs.render_message(str(error))}
        return self._begun(
            session, replace(job, photo_name=session.photo_name), unit_texts(explanation)
        )

    def _begun(self, session: Session, job: Job, units: tuple[str, ...]) -> Updates:
        """Leave a checked run in the session, and show that it has begun."""
        session.job = job
        session.stop.clear()
        session.show(units, None)
        return {
            **show_waiting(self.panels, units, job.photo, session.color_by),
            self.panels.status: answer.render_idle(WAITING if is_editor_taken() else "Starting…"),
            self.left.message: "",
            self.left.key: "",
            self.left.address: link.to_query(job.config, job.photo_name),
            self.left.explain: gr.update(interactive=False),
            self.left.stop: gr.update(interactive=True),
        }

    def run(self, request: gr.Request) -> Iterator[Updates]:
        """Stream the run that waits in the session, if there is one."""
        session = session_of(request)
        job = session.take_job()
        if job is None:
            yield {self.left.message: gr.skip()}
            return
        try:
            with has_editor(session):
                yield from self._stream(session, job)
        except ConfigError as error:
            yield self._trouble(session, str(error))
        except RunError as error:
            session.explanation = error.explanation or session.explanation
            yield self._trouble(session, str(error))
        except Exception as error:
            log.exception("A run failed.")
            about = f"{type(error).__name__}: {error}"
            yield self._trouble(session, f"The run broke off ({about}). Try it once more.")

    def _stream(self, session: Session, job: Job) -> Iterator[Updates]:
        stopped = session.stop.is_set
        for line in load_for(job.config, job.tool, stopped):
            yield {self.panels.sentence: answer.render_quiet(LOADING), self.panels.status: line}
        if stopped():
            yield self._last_result(session, "Stopped before the first edit.")
            return
        yield {self.panels.sentence: answer.render_quiet(answer.FIRST_EDIT)}
        started = time.monotonic()
        view = LiveView(self.panels)
        snapshot = None
        for snapshot in stream(job.photo, job.config, job.mask, editor=job.tool, stop=stopped):
            if snapshot.explanation is not None:
                session.explanation = session.shown = snapshot.explanation
                session.photo_name = job.photo_name
            pace.learn(job.config.editor, snapshot)
            elapsed = time.monotonic() - started
            yield view.updates(snapshot, elapsed, job.config.seed, session.color_by)
        if snapshot is not None and snapshot.explanation is None:
            yield self._last_result(session, "Stopped before the first edit.")

    def _last_result(self, session: Session, status: str) -> Updates:
        """Return the session's last result and `status`, for a run that brought no new one."""
        if session.explanation is None:
            session.show((), None)
            shown = show_nothing(self.panels)
        else:
            session.show(unit_texts(session.explanation), session.explanation)
            shown = show_all(self.panels, session.explanation, session.color_by)
        return {
            **shown,
            self.panels.links: session.links or export.render(None),
            self.panels.status: answer.render_idle(status),
        }

    def _trouble(self, session: Session, sentence: str) -> Updates:
        status = "The run ended early."
        if session.explanation is not None:
            status += " This is the last result."
        return {
            **self._last_result(session, status),
            self.left.message: inputs.render_message(sentence),
        }

    def stop(self, request: gr.Request) -> Updates:
        """Ask the run to end; one that still waits for its turn ends at once."""
        session = session_of(request)
        if session.take_job() is not None:
            return {
                **self._last_result(session, "Stopped before the first edit."),
                self.left.explain: gr.update(interactive=True),
                self.left.stop: gr.update(interactive=False),
            }
        session.stop.set()
        return {self.left.stop: gr.update(interactive=False)}

    def finish(self) -> Updates:
        """Give the buttons back, however the run ended."""
        return {
            self.left.explain: gr.update(interactive=True),
            self.left.stop: gr.update(interactive=False),
        }

    def write_files(self, request: gr.Request) -> Updates:
        """Write the files of the session's result and show the links to them."""
        try:
            return {self.panels.links: written(session_of(request))}
        except ExportError as error:
            return {self.left.message: inputs.render_message(str(error))}


def checked_job(photo: Image.Image, config: RunConfig, given: Source | None, key: str = "") -> Job:
    """Return the run, its mask and its key checked; an editor that takes none gets none.

    Raises
    ------
    ConfigError
        When the mask or the key cannot be used, or is missing.
    """
    card = mask.card_of(config.editor)
    masked = card is not None and card.needs_mask
    if card is not None and masked:
        mask_for(given, photo, card)
    return Job(
        photo=photo,
        config=config,
        mask=given if masked else None,
        tool=own_editor(config, key if card is not None and card.key_variable else ""),
    )


def own_editor(config: RunConfig, key: str) -> Editor | None:
    """Return the editor behind an API for a single run, with the visitor's key if there is one.

    Raises
    ------
    ConfigError
        When there is no key, or the editor takes none.
    """
    card = mask.card_of(config.editor)
    if card is None or not (key or card.key_variable):
        return None
    return load_api_editor(card, key)


def written(session: Session) -> str:
    """Write the files of the session's result unless they are there; return the links to them.

    Raises
    ------
    ExportError
        When they cannot be written.
    """
    with session.writing:
        explanation = session.explanation
        if session.closed or explanation is None or not explanation.samples:
            return export.render(None)
        if explanation is not session.exported:
            with session.writing_files() as folder:
                save_explanation(explanation, folder)
            session.exported, session.links = explanation, export.render(folder)
        return session.links


def checked_config(settings: dict[str, Any]) -> RunConfig:
    """Return the settings of the page or of the endpoint, checked.

    Raises
    ------
    ConfigError
        When one of them cannot be used, or the page does not offer it.
    """
    for name, what in inputs.REQUIRED_NUMBERS.items():
        if name in settings and settings[name] is None:
            raise ConfigError(f"{what} is empty. Type a number.")
    # JSON has one kind of number, and some clients write 64 as 64.0.
    whole: dict[str, Any] = {
        name: int(value) if isinstance(value, float) and value.is_integer() else value
        for name, value in settings.items()
    }
    return offered(RunConfig.from_dict(whole))


def offered(config: RunConfig) -> RunConfig:
    """Return `config` if the page offers all of it, wherever it came from.

    A public server loads its own list of editors only, and nobody may keep it for hours. A file
    that describes an editor starts programs, and is never taken from a page that others may reach.

    Raises
    ------
    ConfigError
        When the page does not offer one of the settings.
    """
    if kind_of(config.editor) == "description":
        raise ConfigError(NO_DESCRIPTIONS)
    check_choice("image encoder", config.encoder, advanced.ENCODERS)
    check_choice("word vectors", config.word_vectors, advanced.WORD_VECTORS)
    if config.p_iterations > advanced.MAX_P_ITERATIONS:
        raise ConfigError(
            f"The number of p-value iterations must be at most {advanced.MAX_P_ITERATIONS:,} on "
            f"this page, not {config.p_iterations:,}."
        )
    return config
