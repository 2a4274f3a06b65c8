"""Interactive figures of an explanation, for the page and for notebooks.

The figures have no background of their own and grey letters, so they sit on light and dark pages
alike. Heights and margins are fixed: nothing moves while results come in. The first `customdata` of
a point is its place among the edits: 0 is the reference, i + 1 is sample i.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import plotly.graph_objects as go

from smile_core.colors import NEUTRAL, POSITIVE, axis_limit, color_limit, mark_color
from smile_core.explanation import Explanation, Sample, UnitWeight
from smile_core.gallery_html import sample_numbers
from smile_core.heatmap import describe
from smile_core.sentence import no_weights
from smile_core.together import Together, joined_units, shown_limit

INK = "#767c86"  # contrast above 4:1 on white and on near-black
GRID = "rgba(118, 124, 134, 0.22)"
HEIGHT = 380  # pixels
LONGEST_TICK = 24  # letters of a unit beside an axis

HOVER = "%{customdata[1]}<extra></extra>"


def bar_chart(explanation: Explanation) -> go.Figure:
    """Draw the weight of each unit, in the order of the instruction, with its interval.

    Units that no sum of weights can tell apart have bars of what they do together, without an
    interval; a unit that was never left out has none.
    """
    units = explanation.units
    reason = no_weights(explanation)
    if reason:
        return message_figure(reason)
    rows = list(range(len(units)))
    together = joined_units(explanation)
    weights = [
        together[row].weight if row in together else unit.weight if unit.measured else None
        for row, unit in zip(rows, units, strict=True)
    ]
    own = [unit.measured and row not in together for row, unit in zip(rows, units, strict=True)]
    limit = shown_limit(explanation)
    bars = go.Bar(
        x=weights,
        y=rows,
        orientation="h",
        width=0.62,
        marker_color=[mark_color(weight or 0.0, limit) for weight in weights],
        error_x={
            "type": "data",
            "array": [u.high - u.weight if o else 0 for u, o in zip(units, own, strict=True)],
            "arrayminus": [u.weight - u.low if o else 0 for u, o in zip(units, own, strict=True)],
            "color": INK,
            "thickness": 1.5,
            "width": 4,
        },
        customdata=[
            [row, _hover_of_unit(unit, together.get(row))]
            for row, unit in zip(rows, units, strict=True)
        ],
        hovertemplate=HOVER,
    )
    figure = bare_figure(70 + 30 * len(units), [bars])
    reach = 1.05 * max(axis_limit(explanation), limit)
    figure.update_xaxes(range=[-reach, reach], title_text="weight", zeroline=True)
    figure.update_yaxes(
        tickvals=rows,
        ticktext=[short_text(unit.text) for unit in units],
        range=[len(units) - 0.5, -0.5],
        showgrid=False,
    )
    return figure


def tsne_map(explanation: Explanation, unit: int | None = None) -> go.Figure:
    """Draw the t-SNE map of the edits; the reference is a star.

    Parameters
    ----------
    explanation : Explanation
        Without a projection (a run without edits), or where nothing happened, the figure only
        says so.
    unit : int or None
        Colour the points by whether this unit was kept; None colours them by similarity to the
        full edit.

    Raises
    ------
    IndexError
        When `unit` is no index of a unit.
    """
    if not explanation.happened:
        return message_figure(no_weights(explanation))
    if not explanation.projection:
        return message_figure("The map is drawn when the run ends.")
    points = [
        (index, sample, place)
        for index, (sample, place) in enumerate(
            zip(explanation.samples, explanation.projection[1:], strict=True), start=1
        )
        if sample.failed is None
    ]
    if unit is None:
        traces = [_cloud("edit", points, marker=_similarity_marker([p[1] for p in points]))]
    else:
        word = short_text(explanation.units[unit].text)
        color = mark_color(explanation.units[unit].weight, color_limit(explanation))
        kept = [point for point in points if point[1].mask[unit]]
        left_out = [point for point in points if not point[1].mask[unit]]
        open_ring = {"color": INK, "symbol": "circle-open", "size": 9, "line_width": 1.5}
        traces = [
            _cloud(f"“{word}” kept", kept, marker={"color": color, "size": 10}),
            _cloud(f"“{word}” left out", left_out, marker=open_ring),
        ]
    star = {"symbol": "star", "size": 17, "color": POSITIVE, "line": {"width": 1, "color": INK}}
    reference = (0, explanation.reference, explanation.projection[0])
    traces.append(_cloud("full edit", [reference], marker=star))
    return map_figure(traces)


def map_figure(traces: Sequence[go.Scatter]) -> go.Figure:
    """Return a figure in which only closeness means something: no ticks, one scale, a legend."""
    figure = bare_figure(HEIGHT, traces)
    figure.update_layout(showlegend=True)
    for update in (figure.update_xaxes, figure.update_yaxes):
        update(showgrid=False, showticklabels=False, ticks="", title_text="")
    figure.update_yaxes(scaleanchor="x")
    return figure


def predicted_vs_measured(explanation: Explanation) -> go.Figure:
    """Draw what the surrogate predicts against what was measured; larger points count more."""
    if no_weights(explanation):
        return message_figure(no_weights(explanation))
    points = [
        (index, sample, (sample.similarity, sample.predicted))
        for index, sample in enumerate(explanation.samples, start=1)
        if sample.similarity is not None and sample.predicted is not None
    ]
    if not points:
        return message_figure("There is nothing to compare yet.")
    values = [value for _, _, pair in points for value in pair]
    low, high = min(0.0, *values) - 0.04, max(1.0, *values) + 0.04
    diagonal = go.Scatter(
        x=[low, high],
        y=[low, high],
        mode="lines",
        line={"color": INK, "width": 1, "dash": "dot"},
        hoverinfo="skip",
    )
    weights = [sample.sample_weight or 0.0 for _, sample, _ in points]
    sizes = [6 + 8 * weight for weight in weights]
    cloud = _cloud("edit", points, marker={"color": POSITIVE, "size": sizes, "opacity": 0.75})
    figure = bare_figure(HEIGHT, [diagonal, cloud])
    figure.update_xaxes(range=[low, high], title_text="measured similarity")
    figure.update_yaxes(range=[low, high], title_text="predicted similarity")
    return figure


def numbers_line(sample: Sample) -> str:
    """Return the numbers of one edit in a line: distance, similarity, prediction."""
    return " · ".join(f"{name} {value}" for name, value in sample_numbers(sample).items())


def _cloud(
    name: str,
    points: Sequence[tuple[int, Sample, tuple[float, float]]],
    marker: dict[str, object],
) -> go.Scatter:
    return go.Scatter(
        x=[x for _, _, (x, _) in points],
        y=[y for _, _, (_, y) in points],
        mode="markers",
        name=name,
        marker=marker,
        customdata=[[index, sample_hover(index, sample)] for index, sample, _ in points],
        hovertemplate=HOVER,
    )


def _similarity_marker(samples: list[Sample]) -> dict[str, object]:
    return {
        "size": 10,
        "color": [sample.similarity for sample in samples],
        "cmin": 0,
        "cmax": 1,
        "colorscale": [[0, NEUTRAL], [1, POSITIVE]],
        "colorbar": {
            "title": {"text": "similarity", "side": "right", "font": {"size": 13}},
            "thickness": 8,
            "len": 0.8,
            "outlinewidth": 0,
        },
    }


def _hover_of_unit(unit: UnitWeight, together: Together | None) -> str:
    return _wrapped(describe(unit, together))


def sample_hover(index: int, sample: Sample) -> str:
    """Return what hovering over an edit tells: which one, its prompt and its numbers."""
    title = "full edit" if index == 0 else f"edit {index}"
    return f"<b>{title}</b><br>{_wrapped(sample.prompt)}<br>{numbers_line(sample)}"


def _wrapped(text: str, width: int = 48) -> str:
    """Return `text` escaped for plotly, which reads tags, in lines of `width` letters at most."""
    lines = [""]
    for word in text[:400].split():
        if lines[-1] and len(lines[-1]) + len(word) >= width:
            lines.append("")
        lines[-1] += (" " if lines[-1] else "") + word
    return "<br>".join(escape(line, quote=False) for line in lines)


def short_text(text: str) -> str:
    """Return `text` for a legend or an axis: cut, and escaped for plotly, which reads tags."""
    cut = text if len(text) <= LONGEST_TICK else text[: LONGEST_TICK - 1] + "…"
    return escape(cut, quote=False)


def message_figure(text: str) -> go.Figure:
    """Return an empty figure that says why it is empty."""
    figure = bare_figure(HEIGHT, [])
    figure.add_annotation(text=text, x=0.5, y=0.5, xref="paper", yref="paper", showarrow=False)
    return figure.update_xaxes(visible=False).update_yaxes(visible=False)


def bare_figure(height: int, traces: Sequence[go.Bar | go.Scatter]) -> go.Figure:
    """Return a transparent figure of fixed height and margins around `traces`."""
    axis = {
        "gridcolor": GRID,
        "zerolinecolor": INK,
        "zeroline": False,
        "linecolor": GRID,
        "fixedrange": False,
        "automargin": True,
        "title_standoff": 10,
    }
    return go.Figure(
        list(traces),
        layout={
            # An empty template: the default one would be 7 kB of every update.
            "template": go.layout.Template(),
            "height": height,
            "margin": {"l": 56, "r": 16, "t": 28, "b": 44},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "font": {"color": INK, "size": 13, "family": "inherit"},
            "legend": {"orientation": "h", "x": 0, "y": 1.01, "yanchor": "bottom"},
            "showlegend": False,
            "hoverlabel": {"align": "left"},
            "xaxis": axis,
            "yaxis": axis,
        },
    )
