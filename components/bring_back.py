"""What comes from outside: links, dropped photos, and saved results to restore."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from components import (
    advanced,
    answer,
    compare_link,
    export,
    inputs,
    link,
    perturbations,
    scatter,
)
from components.compare_files import carries_comparison
from components.runs import offered, written
from components.served import is_uploaded, picture_url, uploaded_path
from components.session import Session, session_of
from components.show import Panels, Updates, show_all, show_waiting, unit_texts
from smile_core.config import ConfigError, RunConfig
from smile_core.explanation import Explanation
from smile_core.instruction import split_units
from smile_core.photo import open_photo
from smile_core.result_files import ExportError

RESTORED = "Restored from a file: all numbers. The pictures come back when you press Explain."
NOT_UPLOADED = (
    "The file could not be uploaded: it is larger than 25 MB, or this server has no room left."
)


def check_photo(photo: dict[str, Any] | None) -> str:
    """Return a sentence when the photo just chosen cannot be used."""
    try:
        if photo is not None:
            open_photo(uploaded_path(photo))
    except ConfigError as error:
        return inputs.render_message(str(error))
    return ""


class BringBack:
    """The handlers of one page's address, drops, uploads and restore button."""

    def __init__(
        self,
        left: inputs.Inputs,
        panels: Panels,
        example: Explanation | None,
        folder: Path | None,
    ) -> None:
        self.left = left
        self.panels = panels
        self.example = example
        self.folder = folder

    def open_page(self, request: gr.Request) -> Updates:
        """Fill in the settings that the address carries; without any, the example stays."""
        session = session_of(request)
        try:
            is_other = compare_link.is_comparison(request.query_params)  # the other tab's
            config = None if is_other else link.from_query(request.query_params)
            if config is None:
                self._start(session)
                return {self.left.message: gr.skip()}
            offered(config)
            units = split_units(config.instruction, config.granularity)
        except ConfigError as error:
            self._start(session)
            sentence = f"The address holds settings that cannot be used. {error}"
            return {self.left.message: inputs.render_message(sentence)}
        session.show(units, None)
        updates = {
            **show_waiting(self.panels, units),
            **self._filled(config),
            self.panels.sentence: answer.render_quiet(
                "Opened from a link. Press Explain to run it."
            ),
            self.panels.status: answer.render_idle(),
        }
        photo = inputs.PHOTOS.get(request.query_params.get("photo", ""))
        if photo is not None:
            updates[self.left.photo] = str(photo)
        return updates

    def _start(self, session: Session) -> None:
        """Let the session begin with the example, whose files lie in its folder."""
        session.explanation = session.exported = self.example
        session.photo_name = None if self.folder is None else export.photo_name(self.folder)
        session.show(() if self.example is None else unit_texts(self.example), self.example)
        session.links = export.render(self.folder)

    def take_file(self, event: gr.EventData, request: gr.Request) -> Updates:
        """Take a file that was dropped or pasted on the page: a result to restore, or a photo."""
        data = event._data or {}
        path, name = Path(str(data.get("path", ""))), str(data.get("name", ""))
        if not is_uploaded(path):
            return self._refused(NOT_UPLOADED)
        if carries_comparison(path):
            return {self.left.message: gr.skip()}  # the other tab takes it
        if name.lower().endswith(".json") or export.carries_result(path):
            return self.restore_path(path, request)
        try:
            open_photo(path)
        except ConfigError as error:
            return self._refused(str(error))
        return {self.left.photo: str(path), self.left.message: ""}

    def restore(self, file: dict[str, Any] | None, request: gr.Request) -> Updates:
        """Restore from the file that was chosen in the export panel."""
        if file is None:
            return {self.left.message: gr.skip()}
        try:
            return self.restore_path(uploaded_path(file), request)
        except ConfigError as error:
            return self._refused(str(error))

    def restore_path(self, path: Path, request: gr.Request) -> Updates:
        """Show the result in the file at `path` and fill in its settings."""
        session = session_of(request)
        if session.running or session.job is not None:
            return self._refused("An explanation is running. Stop it before you restore another.")
        try:
            explanation = export.read_result(path)
            config = RunConfig.from_dict(explanation.config)
        except ConfigError as error:
            return self._refused(str(error))
        try:
            filled = {**self._filled(offered(config)), self.left.message: ""}
        except ConfigError as error:
            filled = self._refused(f"The result is here, but this page cannot repeat it. {error}")
        session.explanation, session.photo_name = explanation, None
        try:
            links = written(session)
        except ExportError as error:
            links, filled = export.render(None), {**filled, **self._refused(str(error))}
        session.show(unit_texts(explanation), explanation)
        return {
            **show_all(self.panels, explanation, session.color_by),
            **filled,
            self.panels.status: answer.render_idle(RESTORED),
            self.panels.links: links,
        }

    def _filled(self, config: RunConfig) -> Updates:
        number = perturbations.set_in(config)
        values = {**config.to_dict(), "perturbations": number}
        filled = {
            component: advanced.shown(name, values[name])
            for name, component in self.left.settings.items()
        }
        wanted = perturbations.wanted_for([config.instruction], config.granularity)
        return {
            **filled,
            self.left.amount.slider: perturbations.on_slider(number),
            self.left.amount.follows: number == wanted,
            self.left.lock: True,
        }

    def _refused(self, sentence: str) -> Updates:
        return {self.left.message: inputs.render_message(sentence)}

    def color_map(self, color_by: int, request: gr.Request) -> str:
        """Draw the map in the chosen colours, now and in the updates to come."""
        session = session_of(request)
        if color_by < len(session.units):  # else a choice from a menu that is gone
            session.color_by = color_by
        return scatter.render(session.shown, picture_url, session.color_by)
