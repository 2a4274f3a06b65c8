"""Interactive figures of a study, for the page and the report; they look like those of `plots`."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import plotly.graph_objects as go

from smile_core.colors import (
    LIGHT_PAGE,
    NEGATIVE,
    POSITIVE,
    SMALLEST_LIMIT,
    TEXT_ON_LIGHT,
)
from smile_core.evaluation.study_tables import Mean
from smile_core.plots import GRID, HEIGHT, INK, bare_figure, message_figure, short_text

# One per editor or method, apart from each other in lightness as well as in hue.
SERIES = (POSITIVE, NEGATIVE, "#5b9279", "#8f5fa8", "#9c6b3c", "#5d6470")

# Above so many labels bars lie, for labels that stand on end eat the plot.
MOST_UPRIGHT = 6

Series = tuple[str, Sequence[tuple[str, Mean | None]]]


def _label(text: str) -> str:
    """Return a name for a legend or an axis; one that is cut might be that of another bar."""
    return escape(text, quote=False)


def word_boxes(
    words: Sequence[str], series: Sequence[tuple[str, Sequence[Sequence[float]]]]
) -> go.Figure:
    """Draw the spread of the weight of every word over explanations (figures 9, 16 and 17).

    Parameters
    ----------
    words : sequence of str, length m
        In order.
    series : sequence of (str, sequence of sequence of float)
        A name, for example an editor, and its weights, explanations × m.
    """
    if not series:
        return message_figure("There are no explanations yet.")
    places = list(range(len(words)))
    traces = [
        go.Box(
            x=[place for _ in rows for place in places],
            y=[weight for row in rows for weight in row],
            name=_label(name),
            boxpoints="all",
            jitter=0.4,
            pointpos=0,
            marker={"color": SERIES[index % len(SERIES)], "size": 4},
            line={"width": 1.5},
            hovertemplate="%{y:.2f}<extra></extra>",
        )
        for index, (name, rows) in enumerate(series)
    ]
    figure = bare_figure(HEIGHT, traces)
    figure.update_layout(boxmode="group", showlegend=len(series) > 1)
    figure.update_xaxes(tickvals=places, ticktext=[short_text(word) for word in words])
    figure.update_yaxes(title_text="weight", zeroline=True)
    return figure


def word_grid(rows: Sequence[tuple[str, Sequence[tuple[str, float]]]]) -> go.Figure:
    """Draw instructions as rows of words, coloured by weight (figures 15 to 17).

    Parameters
    ----------
    rows : sequence of (str, sequence of (str, float))
        A label, for example a photo or a form, and its words with their weights.
    """
    longest = max((len(words) for _, words in rows), default=0)
    if not longest:
        return message_figure("There are no explanations yet.")
    limit = max(SMALLEST_LIMIT, *(abs(weight) for _, words in rows for _, weight in words))
    padded = [[*words, *[(None, None)] * (longest - len(words))] for _, words in rows]
    grid = go.Heatmap(
        z=[[weight for _, weight in words] for words in padded],
        text=[[short_text(word) if word else "" for word, _ in words] for words in padded],
        texttemplate="%{text}",
        textfont={"color": TEXT_ON_LIGHT},
        hovertemplate="%{text}: %{z:.2f}<extra></extra>",
        hoverongaps=False,
        colorscale=[[0.0, LIGHT_PAGE[0]], [0.5, LIGHT_PAGE[1]], [1.0, LIGHT_PAGE[2]]],
        zmin=-limit,
        zmax=limit,
        xgap=2,
        ygap=2,
        colorbar={"title": {"text": "weight", "side": "top"}, "thickness": 8, "outlinewidth": 0},
    )
    figure = bare_figure(90 + 34 * len(rows), [])
    figure.add_trace(grid)
    figure.update_xaxes(showticklabels=False, showgrid=False)
    figure.update_yaxes(
        tickvals=list(range(len(rows))),
        ticktext=[_label(label) for label, _ in rows],
        range=[len(rows) - 0.5, -0.5],
        showgrid=False,
    )
    return figure


def mean_bars(axis: str, series: Sequence[Series], reach: tuple[float, float] | None) -> go.Figure:
    """Draw means with their intervals, the series side by side.

    Parameters
    ----------
    axis : str
        What is drawn.
    series : sequence of (str, sequence of (str, Mean or None))
        A name, and a mean for each label; None where there is none.
    reach : (float, float) or None
        Ends of the axis.
    """
    labels = list(dict.fromkeys(label for _, points in series for label, _ in points))
    lying = len(labels) > MOST_UPRIGHT
    traces = []
    for index, (name, points) in enumerate(series):
        known = [(label, mean) for label, mean in points if mean is not None]
        names, values = [_label(label) for label, _ in known], [mean.value for _, mean in known]
        error = _interval([mean for _, mean in known])
        traces.append(
            go.Bar(
                **({"x": values, "y": names} if lying else {"x": names, "y": values}),
                **({"error_x": error} if lying else {"error_y": error}),
                orientation="h" if lying else "v",
                name=_label(name),
                marker_color=SERIES[index % len(SERIES)],
                hovertemplate=("%{y}: %{x:.3f}" if lying else "%{x}: %{y:.3f}") + "<extra></extra>",
            )
        )
    height = 100 + 18 * len(labels) * max(len(series), 2) if lying else HEIGHT
    figure = bare_figure(height, traces)
    figure.update_layout(barmode="group", showlegend=len(series) > 1)
    figure.update_layout(bargap=0.25 if len(labels) > 2 else 0.7)
    values_axis = figure.update_xaxes if lying else figure.update_yaxes
    values_axis(title_text=axis, **({"range": reach} if reach else {}))
    if lying:
        figure.update_yaxes(autorange="reversed")
    return figure


def mean_lines(
    across: str, axis: str, series: Sequence[tuple[str, Sequence[tuple[float, Mean | None]]]]
) -> go.Figure:
    """Draw means with their intervals against a number, for example of perturbations."""
    traces = []
    for index, (name, points) in enumerate(series):
        known = sorted(((x, m) for x, m in points if m is not None), key=lambda point: point[0])
        traces.append(
            go.Scatter(
                x=[x for x, _ in known],
                y=[mean.value for _, mean in known],
                mode="lines+markers",
                name=_label(name),
                line={"color": SERIES[index % len(SERIES)], "width": 2},
                error_y=_interval([mean for _, mean in known]),
                hovertemplate="%{x}: %{y:.3f}<extra></extra>",
            )
        )
    figure = bare_figure(HEIGHT, traces)
    figure.update_layout(showlegend=len(series) > 1)
    figure.update_xaxes(title_text=across)
    figure.update_yaxes(title_text=axis)
    return figure


def stacked_seconds(
    labels: Sequence[str], stations: Sequence[tuple[str, Sequence[float]]]
) -> go.Figure:
    """Draw where the seconds go: one bar for each label, one part for each station."""
    traces = [
        go.Bar(
            y=[_label(label) for label in labels],
            x=list(seconds),
            name=name,
            orientation="h",
            marker_color=SERIES[index % len(SERIES)],
            hovertemplate="%{x:.2f} s<extra>" + name + "</extra>",
        )
        for index, (name, seconds) in enumerate(stations)
    ]
    figure = bare_figure(110 + 34 * len(labels), traces)
    figure.update_layout(barmode="stack", showlegend=True)
    figure.update_xaxes(title_text="seconds", gridcolor=GRID)
    figure.update_yaxes(autorange="reversed")
    return figure


def _interval(means: Sequence[Mean]) -> dict[str, object]:
    return {
        "type": "data",
        "array": [0.0 if m.high is None else m.high - m.value for m in means],
        "arrayminus": [0.0 if m.low is None else m.value - m.low for m in means],
        "color": INK,
        "thickness": 1.5,
        "width": 4,
    }
