"""Which panel shows what of a result, as updates by component."""

from __future__ import annotations

from typing import Any, NamedTuple

import gradio as gr
from PIL import Image

from components import answer, export, fidelity, gallery, more, scatter, words
from components.served import picture_url
from smile_core.explanation import Explanation, Snapshot

Updates = dict[Any, Any]


class Panels(NamedTuple):
    """All components that show a result."""

    sentence: gr.HTML
    heatmap: gr.HTML
    status: gr.HTML
    more: gr.Button
    pair: gr.HTML
    words: gr.HTML
    gallery: gr.HTML
    color_by: gr.Dropdown
    map: gr.HTML
    numbers: gr.HTML
    prediction: gr.HTML
    links: gr.HTML


def show_answer(panels: Panels, explanation: Explanation) -> Updates:
    """Return what changes with every batch of edits: sentence and heatmap."""
    return {
        panels.sentence: answer.render_sentence(explanation),
        panels.heatmap: answer.render_heatmap(explanation),
    }


def show_evidence(
    panels: Panels, explanation: Explanation | None, color_by: int = scatter.SIMILARITY
) -> Updates:
    """Return what is redrawn about once a second: charts, gallery and numbers."""
    return {
        panels.words: words.render(explanation),
        panels.gallery: gallery.render(explanation, picture_url),
        panels.map: scatter.render(explanation, picture_url, color_by),
        panels.numbers: fidelity.render_numbers(explanation),
        panels.prediction: fidelity.render_plot(explanation),
    }


def show_all(
    panels: Panels, explanation: Explanation, color_by: int = scatter.SIMILARITY
) -> Updates:
    """Return everything about one result but its status and its files."""
    return {
        **show_answer(panels, explanation),
        **show_evidence(panels, explanation, color_by),
        panels.more: more.render(explanation),
        panels.pair: answer.render_pair(explanation, picture_url),
        panels.color_by: scatter.render_choices(unit_texts(explanation), color_by),
    }


def unit_texts(explanation: Explanation) -> tuple[str, ...]:
    """Return the words of the instruction, as the map's menu names them."""
    return tuple(unit.text for unit in explanation.units)


def show_nothing(panels: Panels) -> Updates:
    """Return everything for a page without a result."""
    return {
        panels.sentence: answer.render_sentence(None),
        panels.heatmap: answer.render_heatmap(None),
        **show_evidence(panels, None),
        panels.more: more.render(None),
        panels.pair: answer.render_pair(None),
        panels.color_by: scatter.render_choices(()),
    }


def show_waiting(
    panels: Panels,
    units: tuple[str, ...],
    photo: Image.Image | None = None,
    color_by: int = scatter.SIMILARITY,
) -> Updates:
    """Return everything for a run that has begun and knows nothing yet."""
    sentence, heatmap = answer.render_waiting(units)
    return {
        panels.sentence: sentence,
        panels.heatmap: heatmap,
        **show_evidence(panels, None),
        panels.more: more.render(None),
        panels.pair: (
            answer.render_photo(photo, picture_url) if photo else answer.render_pair(None)
        ),
        panels.color_by: scatter.render_choices(units, color_by),
        panels.links: export.render(None),
    }


class LiveView:
    """Turns the snapshots of one run into updates, drawing charts about once a second.

    Parameters
    ----------
    panels : Panels
        The components.
    seconds : float
        Least time between two drawings of the charts.
    """

    def __init__(self, panels: Panels, seconds: float = 1.0) -> None:
        self.panels = panels
        self.seconds = seconds
        self._last_chart = float("-inf")
        self._has_pair = False

    def updates(
        self, snapshot: Snapshot, elapsed: float, seed: int, color_by: int = scatter.SIMILARITY
    ) -> Updates:
        """Return the updates for `snapshot`, `elapsed` seconds after the run began."""
        panels, explanation = self.panels, snapshot.explanation
        updates: Updates = {panels.status: answer.render_status(snapshot, seed, elapsed)}
        if explanation is None:
            return updates
        updates |= show_answer(panels, explanation)
        if not self._has_pair:
            self._has_pair = True
            updates[panels.pair] = answer.render_pair(explanation, picture_url)
        if snapshot.state != "running" or elapsed - self._last_chart >= self.seconds:
            self._last_chart = elapsed
            updates |= show_evidence(panels, explanation, color_by)
        if snapshot.state != "running":
            updates[panels.more] = more.render(explanation)
        return updates
