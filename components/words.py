"""The weights as bars with their intervals."""

from __future__ import annotations

import gradio as gr

from components.chart import chart, figure_json
from smile_core.explanation import Explanation
from smile_core.plots import bar_chart


def build() -> gr.HTML:
    """Make the empty chart."""
    return chart("words-chart", "Bar chart: the weight of each word with its 95 % interval")


def render(explanation: Explanation | None) -> str:
    """Return the figure as the chart's value."""
    return "" if explanation is None else figure_json(bar_chart(explanation))
