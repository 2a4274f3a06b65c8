"""The weights as bars with their intervals."""

from __future__ import annotations

import gradio as gr

from components.chart import chart, figure_json, message_json
from smile_core.explanation import Explanation
from smile_core.plots import bar_chart
from smile_core.sentence import no_weights


def build() -> gr.HTML:
    """Make the empty chart."""
    return chart("words-chart", "Bar chart: the weight of each word with its interval")


def render(explanation: Explanation | None) -> str:
    """Return the figure as the chart's value, or why there is none."""
    if explanation is None:
        return ""
    reason = no_weights(explanation)
    return message_json(reason) if reason else figure_json(bar_chart(explanation))
