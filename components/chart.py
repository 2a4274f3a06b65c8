"""A plotly figure on the page that is redrawn in place.

`gr.Plot` mounts a new plot for every update: it flickers, forgets the zoom, and offers no hook for
pictures on hover. This one hands the figure to `Plotly.react`, takes plotly.js from the installed
plotly package (so figure and renderer are of one version, and nothing is fetched from elsewhere),
and paints text and lines in the colours of the page, light or dark.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import gradio as gr
import plotly
import plotly.graph_objects as go

from components.html import html
from components.served import file_url

PLOTLY_JS = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"


def chart(elem_id: str, description: str) -> gr.HTML:
    """Make an empty chart; `description` is what a screen reader says it shows."""
    gr.set_static_paths([PLOTLY_JS])
    return html(
        value="",
        html_template=(
            f'<div class="chart empty" role="img" aria-label="{description}"></div>'
            '<p class="nothing">Drawn as soon as there is enough to draw.</p>'
        ),
        js_on_load="smile.chart(element, props, watch);",
        head=f'<script src="{file_url(PLOTLY_JS)}"></script>',
        elem_id=elem_id,
        elem_classes="chart-panel",
    )


def charts(elem_id: str, description: str) -> gr.HTML:
    """Make a place for any number of charts, one below the other.

    Its value is JSON: a list of `title`, `hint` and `figure`; empty shows `description`.
    """
    gr.set_static_paths([PLOTLY_JS])
    return html(
        value="",
        html_template=f'<div class="charts"></div><p class="hint">{description}</p>',
        js_on_load="smile.charts(element, props, watch);",
        head=f'<script src="{file_url(PLOTLY_JS)}"></script>',
        elem_id=elem_id,
        elem_classes="chart-panel",
    )


def message_json(text: str) -> str:
    """Return what a chart takes as its value to say `text` in the place of a figure."""
    return json.dumps({"message": text}).replace("<", "\\u003c")


def figure_json(figure: go.Figure, thumbnails: Sequence[str | None] = ()) -> str:
    """Return what a chart takes as its value.

    Parameters
    ----------
    figure : plotly.graph_objects.Figure
        What to draw.
    thumbnails : sequence of str or None
        Addresses of pictures; a point whose first `customdata` is i shows the i-th on hover.
    """
    data = json.loads(figure.to_json())
    text = json.dumps({"figure": data, "thumbnails": list(thumbnails)})
    return text.replace("<", "\\u003c")
