"""How far to believe the answer: each number with its meaning, and prediction against truth."""

from __future__ import annotations

from html import escape
from typing import NamedTuple

import gradio as gr

from components.chart import chart, figure_json
from components.html import html
from smile_core.explanation import Explanation
from smile_core.fidelity import FIDELITY
from smile_core.plots import predicted_vs_measured
from smile_core.sentence import signed

ORDER = ("r2_w_loo", "r2_w", "r2_w_adj", "r2", "wmae", "mae", "wmse", "mse", "l1", "l2")
SAMPLE_SIZE_HELP = (
    "How many equally weighted edits the weighted ones are worth; "
    "fewer than twice the number of words is thin."
)


class Fidelity(NamedTuple):
    """The components of the panel."""

    numbers: gr.HTML
    plot: gr.HTML


def build() -> Fidelity:
    """Make the panel without numbers."""
    with gr.Column(elem_id="fidelity"):
        plot = chart("fidelity-chart", "Scatter plot: predicted against measured similarity")
        numbers = html(render_numbers(None), elem_id="fidelity-numbers")
    return Fidelity(numbers=numbers, plot=plot)


def render_numbers(explanation: Explanation | None) -> str:
    """Return a table: name, value, which way is better, meaning; the honest number first."""
    if explanation is None:
        return '<p class="hint">The numbers appear here once enough edits are made.</p>'
    rows = [
        _row(
            metric.label,
            _value(explanation.fidelity.get(name)),
            f"{metric.direction.capitalize()} is better.",
            metric.meaning,
            metric.range,
        )
        for name, metric in ((name, FIDELITY[name]) for name in ORDER)
    ]
    size = f"{explanation.effective_sample_size:.1f} of {len(explanation.samples) + 1}"
    rows.append(_row("Effective sample size", size, "Higher is better.", SAMPLE_SIZE_HELP, ""))
    if explanation.noise_floor is not None:
        about = "Mean distance between edits that differ in the seed alone; smaller is steadier."
        rows.append(_row("Noise floor", f"{explanation.noise_floor:.3g}", "", about, ""))
    return f'<table class="numbers"><tbody>{"".join(rows)}</tbody></table>'


def render_plot(explanation: Explanation | None) -> str:
    """Return the scatter plot as the chart's value."""
    return "" if explanation is None else figure_json(predicted_vs_measured(explanation))


def _value(value: float | None) -> str:
    if value is None:
        return "–"
    return signed(value) if abs(value) >= 0.1 else f"{value:.3f}".replace("-", "−")


def _row(label: str, value: str, direction: str, meaning: str, span: str) -> str:
    tip = escape(f"{meaning} Range: {span}." if span else meaning)
    return (
        f'<tr title="{tip}"><th scope="row">{escape(label)}</th><td>{escape(value)}</td>'
        f"<td><span>{escape(meaning)}</span> <small>{escape(direction)}</small></td></tr>"
    )
