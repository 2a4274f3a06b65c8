"""The interactive map of a comparison, for the page and for notebooks; see `plots`."""

from __future__ import annotations

import plotly.graph_objects as go

from smile_core.colors import color_limit, mark_color
from smile_core.comparison import LETTERS, Comparison
from smile_core.comparison_html import SHAPES
from smile_core.explanation import Sample
from smile_core.plots import HOVER, INK, map_figure, message_figure, sample_hover, short_text

Spot = tuple[int, int, Sample, tuple[float, float]]  # number of all, number of its column, …


def all_edits(comparison: Comparison) -> list[Sample]:
    """Return the edits of all columns in a row, each column's reference first.

    The first `customdata` of a point of `joint_map` is its place in this list.
    """
    return [
        sample for found in comparison.explanations for sample in (found.reference, *found.samples)
    ]


def joint_map(comparison: Comparison, row: int | None = None) -> go.Figure:
    """Draw the edits of all columns on one map: shape by column, colour by a word.

    Parameters
    ----------
    comparison : Comparison
        Without places (another encoder in each column, or no edit yet), or where nothing happened
        in any column, the figure only says so.
    row : int or None
        Fill the points where the word of this row was kept; the others, and those of a column
        that has no such word, are open. None takes the word that weighs most.

    Raises
    ------
    IndexError
        When `row` is no index of a row.
    """
    if not any(column.places for column in comparison.columns):
        return message_figure("There is no map that all columns share yet.")
    if not comparison.happened:
        return message_figure("Nothing happened in any column, so there is nothing to explain.")
    chosen = comparison.rows[comparison.strongest if row is None else row]
    color = mark_color(chosen.peak, color_limit(*comparison.explanations))
    traces: list[go.Scatter] = []
    for column, spots in enumerate(_spots(comparison)):
        position, name = chosen.positions[column], short_text(comparison.names[column])
        kept = [spot for spot in spots[1:] if position is not None and spot[2].mask[position]]
        left_out = [spot for spot in spots[1:] if position is None or not spot[2].mask[position]]
        filled = {"symbol": SHAPES[column], "color": color, "size": 10}
        hollow = {"symbol": f"{SHAPES[column]}-open", "color": INK, "size": 9, "line_width": 1.5}
        word = short_text(chosen.text)
        traces.append(_trace(f"{name}: “{word}” kept", comparison, column, kept, filled))
        traces.append(_trace(f"{name}: left out", comparison, column, left_out, hollow))
        full = {
            "symbol": SHAPES[column],
            "color": color if position is not None else "white",
            "size": 20,
            "line": {"width": 1.5, "color": INK},
        }
        star = _trace(f"{name}: full edit", comparison, column, spots[:1], full)
        star.update(
            mode="markers+text",
            text=[LETTERS[column]] * len(spots[:1]),
            textfont={"color": "#111827", "size": 12},
            showlegend=False,
        )
        traces.append(star)
    traces.sort(key=lambda trace: trace.mode != "markers")  # full edits on top
    return map_figure(traces)


def _spots(comparison: Comparison) -> list[list[Spot]]:
    """Return the edits that have a place, by column; the reference of a column comes first."""
    before = 0
    found: list[list[Spot]] = []
    for column in comparison.columns:
        explanation = column.explanation
        samples = () if explanation is None else (explanation.reference, *explanation.samples)
        found.append(
            [
                (before + index, index, sample, place)
                for index, (sample, place) in enumerate(zip(samples, column.places, strict=False))
                if place is not None
            ]
        )
        before += len(samples)
    return found


def _trace(
    name: str, comparison: Comparison, column: int, spots: list[Spot], marker: dict[str, object]
) -> go.Scatter:
    title = short_text(comparison.names[column])
    return go.Scatter(
        x=[place[0] for *_, place in spots],
        y=[place[1] for *_, place in spots],
        mode="markers",
        name=name,
        marker=marker,
        customdata=[
            [number, f"{title}, {sample_hover(index, sample)}"]
            for number, index, sample, _ in spots
        ],
        hovertemplate=HOVER,
    )
