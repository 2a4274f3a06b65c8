"""How far to believe the answer: each number with its meaning, and prediction against truth."""

from __future__ import annotations

from html import escape
from typing import NamedTuple

import gradio as gr

from components.chart import chart, figure_json, message_json
from components.html import html
from smile_core.evaluation.baselines import refit
from smile_core.explanation import Explanation
from smile_core.fidelity import FIDELITY
from smile_core.plots import predicted_vs_measured
from smile_core.sentence import no_weights, quote_units, signed

ORDER = ("r2_w_loo", "r2_w", "r2_w_adj", "r2", "wmae", "mae", "wmse", "mse", "l1", "l2")
SAMPLE_SIZE_HELP = (
    "How many equally weighted edits the weighted ones are worth; "
    "fewer than twice the number of words is thin."
)
PUBLISHED_CUTOFF = 0.05


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
    if no_weights(explanation):
        return ""  # the plot above says why
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
    if explanation.config.get("kernel_width") is not None:  # or it is half of them by choice
        size = f"{explanation.effective_sample_size:.1f} of {len(explanation.samples) + 1}"
        rows.append(_row("Effective sample size", size, "Higher is better.", SAMPLE_SIZE_HELP, ""))
    if explanation.noise_floor is not None:
        about = (
            "Mean distance between edits of the same text that differ by chance alone (by the "
            "seed, where the editor takes one); smaller is steadier."
        )
        rows.append(_row("Noise floor", f"{explanation.noise_floor:.3g}", "", about, ""))
    return _table(rows) + _cutoffs(explanation)


def render_plot(explanation: Explanation | None) -> str:
    """Return the scatter plot as the chart's value, or why there is none."""
    if explanation is None:
        return ""
    reason = no_weights(explanation)
    return message_json(reason) if reason else figure_json(predicted_vs_measured(explanation))


def _cutoffs(explanation: Explanation) -> str:
    """Return what a p-value cutoff does to the fit; nothing until there are p-values."""
    if all(sample.p_value is None for sample in explanation.samples):
        return ""
    labels = quote_units([unit.text for unit in explanation.units])
    known = sum(sample.image_distance is not None for sample in explanation.samples)
    rows = []
    cutoffs = sorted({PUBLISHED_CUTOFF, explanation.config.get("p_cutoff") or PUBLISHED_CUTOFF})
    for cutoff in (None, *reversed(cutoffs)):
        fit = refit(explanation, p_cutoff=cutoff)
        used = sum(sample.sample_weight is not None for sample in fit.samples)
        first = max(range(len(labels)), key=lambda k: fit.units[k].weight)
        moves = (
            abs(a.weight - b.weight) for a, b in zip(fit.units, explanation.units, strict=True)
        )
        told = (
            f"Leave-one-out R² on {used} of {known} edits; {labels[first]} weighs most, "
            f"{signed(fit.units[first].weight)}; weights move by {signed(max(moves))} at most."
        )
        rows.append(
            _row(
                "No cutoff" if cutoff is None else f"p ≤ {cutoff:g}",
                _value(fit.fidelity.get("r2_w_loo") if used else None),
                "",
                told if used else "Leaves no edit to fit: each may be chance.",
                "",
            )
        )
    return f'<h3 class="section">What a p-value cutoff does to the fit</h3>{_table(rows)}'


def _table(rows: list[str]) -> str:
    return f'<table class="numbers"><tbody>{"".join(rows)}</tbody></table>'


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
