"""The map of all edits: near means alike.

Principal components while a run goes on, t-SNE once it has ended.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import gradio as gr
from PIL import Image

from components.chart import chart, figure_json, message_json
from smile_core.explanation import Explanation
from smile_core.plots import tsne_map
from smile_core.sentence import no_weights

SIMILARITY = -1  # colour by similarity to the full edit; 0 and up: by whether that unit was kept
BY_SIMILARITY = ("Similarity to the full edit", SIMILARITY)


class Scatter(NamedTuple):
    """The components of the map."""

    color_by: gr.Dropdown
    plot: gr.HTML


def build() -> Scatter:
    """Make the empty map."""
    color_by = gr.Dropdown(
        [BY_SIMILARITY],
        value=SIMILARITY,
        label="Colour by",
        filterable=False,
        elem_id="map-color",
    )
    plot = chart("map-chart", "Map of the edits: near points are pictures that look alike")
    return Scatter(color_by=color_by, plot=plot)


def render_choices(units: Sequence[str], color_by: int = SIMILARITY) -> dict[str, Any]:
    """Return the update of the menu: by similarity, or by whether one of the words was kept."""
    words = [(f"Kept “{text}”", index) for index, text in enumerate(units)]
    return gr.update(choices=[BY_SIMILARITY, *words], value=color_by)


def render(
    explanation: Explanation | None,
    picture_url: Callable[[Image.Image], str],
    color_by: int = SIMILARITY,
) -> str:
    """Return the map as the chart's value; empty until there is an edit.

    Where nothing happened there is no similarity to colour it by, and it says so.
    """
    if explanation is None or not explanation.projection:
        return ""
    if not explanation.happened:
        return message_json(no_weights(explanation))
    pictures = [sample.image for sample in (explanation.reference, *explanation.samples)]
    thumbnails = [None if picture is None else picture_url(picture) for picture in pictures]
    return figure_json(
        tsne_map(explanation, None if color_by == SIMILARITY else color_by), thumbnails
    )
