"""A comparison from the click to the files, as `runs` does it for one explanation."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import gradio as gr

from components import answer, compare_link, compare_view, export, inputs, key_field, mask, pace
from components.compare_asked import Asked, checked_comparison, chosen_configs
from components.compare_files import FILES, written
from components.loading import load_for
from components.perturbations import Perturbations, on_slider
from components.runs import NO_PHOTO, WAITING
from components.served import picture_url, uploaded_path
from components.session import (
    ComparisonJob,
    ComparisonPlace,
    has_editor,
    is_editor_taken,
    session_of,
)
from components.show import Updates
from smile_core.columns import empty_comparison
from smile_core.comparing import ComparisonSnapshot, stream_comparison
from smile_core.comparison import Comparison
from smile_core.config import ConfigError
from smile_core.engine import RunError
from smile_core.result_files import ExportError

log = logging.getLogger(__name__)

LOADING = "Loading the editors, which is done once…"


class ComparePanels(NamedTuple):
    """All components that show a comparison."""

    sentence: gr.HTML
    heatmaps: gr.HTML
    status: gr.HTML
    words: gr.HTML
    pairs: gr.HTML
    color_by: gr.Dropdown
    map: gr.HTML
    numbers: gr.HTML
    links: gr.HTML


class CompareButtons(NamedTuple):
    """What else a run changes on the page."""

    message: gr.HTML
    compare: gr.Button
    stop: gr.Button
    address: gr.Textbox
    amount: Perturbations
    keys: tuple[gr.Textbox, ...]


class CompareRuns:
    """The handlers of one page's Compare and Stop buttons."""

    def __init__(self, panels: ComparePanels, buttons: CompareButtons) -> None:
        self.panels = panels
        self.buttons = buttons

    def begin(
        self,
        request: gr.Request,
        photo: dict[str, Any] | None,
        whole: bool,
        follows: bool,
        *values: Any,
    ) -> Updates:
        """Check everything; put the comparison into the session or say what is wrong.

        The `values` are those of the keys, and then those that `Asked` reads.
        """
        place = session_of(request).comparing
        count = len(self.buttons.keys)
        typed, asked = values[:count], Asked.from_values(values[count:])
        if follows:
            asked = replace(asked, shared={**asked.shared, "perturbations": asked.wanted})
        try:
            configs = chosen_configs(asked)
            if photo is None:
                raise ConfigError(NO_PHOTO)
            where = mask.given(place.painted, whole)
            keys = [key_field.revealed(key) for key in typed]
            own = [asked.key(index, keys) for index in range(len(configs))]
            job = checked_comparison(uploaded_path(photo), configs, where, own)
        except ConfigError as error:
            return {self.buttons.message: inputs.render_message(str(error))}
        place.stop.clear()
        place.job = job
        return {
            **show_comparison(self.panels, empty_comparison(configs), place.color_by),
            self.panels.links: export.render(None, FILES),
            self.panels.status: answer.render_idle(WAITING if is_editor_taken() else "Starting…"),
            self.buttons.message: "",
            **dict.fromkeys(self.buttons.keys, ""),
            self.buttons.amount.number: asked.shared["perturbations"],
            self.buttons.amount.slider: on_slider(asked.shared["perturbations"]),
            self.buttons.address: compare_link.to_query(
                configs, inputs.bundled_name(photo.get("orig_name"))
            ),
            self.buttons.compare: gr.update(interactive=False),
            self.buttons.stop: gr.update(interactive=True),
        }

    def run(self, request: gr.Request) -> Iterator[Updates]:
        """Stream the comparison that waits in the session, if there is one."""
        place = session_of(request).comparing
        job = place.take_job()
        if job is None:
            yield {self.buttons.message: gr.skip()}
            return
        try:
            with has_editor(place):
                yield from self._stream(place, job)
        except (ConfigError, RunError) as error:
            yield self._trouble(place, str(error))
        except Exception as error:
            log.exception("A comparison failed.")
            about = f"{type(error).__name__}: {error}"
            yield self._trouble(place, f"The run broke off ({about}). Try it once more.")

    def _stream(self, place: ComparisonPlace, job: ComparisonJob) -> Iterator[Updates]:
        stopped = place.stop.is_set
        for config, tool in zip(job.configs, job.tools, strict=True):
            for line in load_for(config, tool, stopped):
                yield {
                    self.panels.sentence: answer.render_quiet(LOADING),
                    self.panels.status: line,
                }
        if stopped():
            yield self._last_result(place, "Stopped before the first edit.")
            return
        waiting = compare_view.render_sentence(empty_comparison(job.configs))
        yield {self.panels.sentence: waiting}
        started = time.monotonic()
        view = LiveComparison(self.panels)
        snapshot = None
        for snapshot in stream_comparison(
            job.photo, job.configs, job.mask, editors=job.tools, stop=stopped
        ):
            if snapshot.comparison.explanations:
                place.comparison = snapshot.comparison
            last = snapshot.snapshots[snapshot.turn]
            if last is not None:
                pace.learn(job.configs[snapshot.turn].editor, last)
            yield view.updates(snapshot, time.monotonic() - started, place.color_by)
        if snapshot is None or not snapshot.comparison.explanations:
            yield self._last_result(place, "Stopped before the first edit.")

    def _last_result(self, place: ComparisonPlace, status: str) -> Updates:
        """Return the last result and `status`, for a comparison that brought no new one."""
        return {
            **show_comparison(self.panels, place.comparison, place.color_by),
            self.panels.links: place.links or export.render(None, FILES),
            self.panels.status: answer.render_idle(status),
        }

    def _trouble(self, place: ComparisonPlace, sentence: str) -> Updates:
        status = "The comparison ended early."
        if place.comparison is not None:
            status += " This is the last result."
        return {
            **self._last_result(place, status),
            self.buttons.message: inputs.render_message(sentence),
        }

    def stop(self, request: gr.Request) -> Updates:
        """Ask the comparison to end; one that still waits for its turn ends at once."""
        place = session_of(request).comparing
        if place.take_job() is not None:
            return {**self._last_result(place, "Stopped before the first edit."), **self.finish()}
        place.stop.set()
        return {self.buttons.stop: gr.update(interactive=False)}

    def finish(self) -> Updates:
        """Give the buttons back, however the comparison ended."""
        return {
            self.buttons.compare: gr.update(interactive=True),
            self.buttons.stop: gr.update(interactive=False),
        }

    def write_files(self, request: gr.Request) -> Updates:
        """Write the files of the last comparison and show the links to them."""
        try:
            return {self.panels.links: written(session_of(request).comparing)}
        except ExportError as error:
            return {self.buttons.message: inputs.render_message(str(error))}

    def color_map(self, color_by: int, request: gr.Request) -> str:
        """Colour the map by another word, now and in the rest of the run."""
        place = session_of(request).comparing
        place.color_by = color_by
        return compare_view.render_map(place.comparison, picture_url, color_by)


class LiveComparison:
    """Turns the snapshots of one comparison into updates, drawing the map about once a second.

    Parameters
    ----------
    panels : ComparePanels
        The components.
    seconds : float
        Least time between two drawings of the map and the numbers.
    """

    def __init__(self, panels: ComparePanels, seconds: float = 1.0) -> None:
        self.panels = panels
        self.seconds = seconds
        self._last_map = float("-inf")
        self._pairs: list[bool] = []
        self._rows: list[str] = []

    def updates(self, snapshot: ComparisonSnapshot, elapsed: float, color_by: int) -> Updates:
        """Return the updates for `snapshot`, `elapsed` seconds after the comparison began."""
        panels, comparison = self.panels, snapshot.comparison
        updates: Updates = {
            panels.sentence: compare_view.render_sentence(comparison),
            panels.heatmaps: compare_view.render_heatmaps(comparison),
            panels.words: compare_view.render_words(comparison),
            panels.status: compare_view.render_status(snapshot, elapsed),
        }
        # A column's pair changes when its full edit is there, or when it fails.
        pairs = [column.explanation is not None for column in comparison.columns]
        pairs += [column.failed is not None for column in comparison.columns]
        if pairs != self._pairs:
            self._pairs = pairs
            updates[panels.pairs] = compare_view.render_pairs(comparison, picture_url)
        rows = [row.label for row in comparison.rows]
        if rows != self._rows:
            self._rows = rows
            updates[panels.color_by] = compare_view.render_choices(comparison, color_by)
        if snapshot.state != "running" or elapsed - self._last_map >= self.seconds:
            self._last_map = elapsed
            updates[panels.map] = compare_view.render_map(comparison, picture_url, color_by)
            updates[panels.numbers] = compare_view.render_numbers(comparison)
        return updates


def show_comparison(panels: ComparePanels, comparison: Comparison | None, color_by: int) -> Updates:
    """Return everything about one comparison but its status and its files."""
    return {
        panels.sentence: compare_view.render_sentence(comparison),
        panels.heatmaps: compare_view.render_heatmaps(comparison),
        panels.words: compare_view.render_words(comparison),
        panels.pairs: compare_view.render_pairs(comparison, picture_url),
        panels.color_by: compare_view.render_choices(comparison, color_by),
        panels.map: compare_view.render_map(comparison, picture_url, color_by),
        panels.numbers: compare_view.render_numbers(comparison),
    }
