"""The charts of the report, as HTML that needs neither a script nor a library.

Plotly's script is 4.5 MB, several times the rest of a report, and three charts of bars and dots do
not need it: positions are percentages, colours follow the page, every dot is a link to its edit
with the prompt, the numbers and a small picture on hover or keyboard focus.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from smile_core.colors import axis_limit, color_limit, mark_color
from smile_core.explanation import Explanation, Sample, UnitWeight
from smile_core.heatmap import describe
from smile_core.pictures import data_uri
from smile_core.plots import numbers_line
from smile_core.sentence import interval_text, signed, unit_mark
from smile_core.together import Together, joined_units, shown_limit

TIP_SIDE = 88  # pixels


def bars_html(explanation: Explanation) -> str:
    """Return the weight of each unit as a bar with its interval, in order.

    Units that no sum of weights can tell apart have bars of what they do together.
    """
    limit = shown_limit(explanation)
    span = max(axis_limit(explanation), limit)
    together = joined_units(explanation)
    rows = [
        _bar_row(unit, limit, span, together.get(index))
        for index, unit in enumerate(explanation.units)
    ]
    axis = (
        '<div class="bar-row bar-axis" aria-hidden="true"><span></span><span class="bar-ends">'
        f"<i>{signed(-span)}</i><i>0</i><i>{signed(span)}</i></span><span></span></div>"
    )
    return f'<div class="bars">{"".join(rows)}{axis}</div>'


def _bar_row(unit: UnitWeight, limit: float, span: float, together: Together | None) -> str:
    weight = unit.weight if together is None else together.weight
    own = unit.measured and together is None
    bar = ""
    if unit.measured or together is not None:
        start, end = sorted((50.0, _percent(weight, span)))
        bar = (
            f'<i class="bar" style="left:{start:.2f}%;width:{end - start:.2f}%;'
            f'background:{mark_color(weight, limit)}"></i>'
        )
    if own and not unit.exact:
        low, high = _percent(unit.low, span), _percent(unit.high, span)
        bar += f'<i class="bar-range" style="left:{low:.2f}%;width:{high - low:.2f}%"></i>'
    number = unit_mark(unit) if together is None else together.label
    interval = interval_text(unit) if together is None else ""
    return (
        f'<div class="bar-row" title="{escape(describe(unit, together))}">'
        f'<span class="bar-label" dir="auto">{escape(unit.text)}</span>'
        f'<span class="bar-track">{bar}</span>'
        f'<span class="bar-number">{number}<small>{interval}</small></span></div>'
    )


def map_html(explanation: Explanation, unit: int) -> str:
    """Return the t-SNE map; dots are filled where `unit` was kept, the reference is a star.

    The explanation must have a projection.
    """
    places = equal_scale(explanation.projection)
    color = mark_color(explanation.units[unit].weight, color_limit(explanation))
    dots = [
        _own_dot(index, sample, place, kept=bool(sample.mask[unit]))
        for index, (sample, place) in enumerate(
            zip((explanation.reference, *explanation.samples), places, strict=True)
        )
        if sample.failed is None
    ]
    return (
        f'<div class="plot map" id="map" style="--kept:{color}"><div class="field">'
        # The reference last, so that it lies on top.
        f"{''.join(dots[1:] + dots[:1])}</div></div>"
    )


def scatter_html(explanation: Explanation) -> str:
    """Return predicted against measured similarity with the diagonal of a perfect prediction."""
    points = [
        (index, sample, sample.similarity, sample.predicted)
        for index, sample in enumerate(explanation.samples, start=1)
        if sample.similarity is not None and sample.predicted is not None
    ]
    values = [0.0, 1.0, *(value for _, _, *pair in points for value in pair)]
    dots = "".join(
        _own_dot(index, sample, (_place(x, values), _place(y, values)), kept=True)
        for index, sample, x, y in points
    )
    ticks = "".join(
        f'<i class="tick-x" style="left:{_place(t, values):.2f}%">{t:g}</i>'
        f'<i class="tick-y" style="bottom:{_place(t, values):.2f}%">{t:g}</i>'
        for t in (0, 0.5, 1)
    )
    return (
        '<div class="plot scatter"><span class="axis-y">predicted similarity</span>'
        '<div class="field"><svg viewBox="0 0 100 100" preserveAspectRatio="none" '
        'aria-hidden="true"><line x1="0" y1="100" x2="100" y2="0"/></svg>'
        f'{ticks}{dots}</div><span class="axis-x">measured similarity</span></div>'
    )


def tip_pictures_css(explanation: Explanation, prefix: str = "") -> str:
    """Return one CSS rule per edit with its small picture, shared by all the charts.

    The rules are for the classes `tip-0` (reference), `tip-1`, …, or with a `prefix` such as `b`,
    which tells several explanations apart, `tip-b0` and so on.
    """
    return "".join(
        f'.tip-{prefix}{index}{{background-image:url("{data_uri(sample.image, TIP_SIDE, 60)}")}}'
        for index, sample in enumerate((explanation.reference, *explanation.samples))
        if sample.image is not None
    )


def _own_dot(index: int, sample: Sample, place: tuple[float, float], *, kept: bool) -> str:
    """Return a dot that leads to its edit in the gallery."""
    return dot_html(
        sample,
        place,
        name="full edit" if index == 0 else f"edit {index}",
        picture=str(index),
        classes=["kept" if kept else "left-out", *(["star"] if index == 0 else [])],
        data=f'href="#edit-{index}" data-mask="{"".join(map(str, sample.mask))}"',
    )


def dot_html(
    sample: Sample,
    place: tuple[float, float],
    *,
    name: str,
    picture: str,
    classes: Sequence[str],
    data: str,
) -> str:
    """Return one edit as a dot with its picture, prompt and numbers on hover or focus.

    Parameters
    ----------
    sample : Sample
        The edit.
    place : tuple of (float, float)
        Percent of the field from the left and from below.
    name : str
        What to call it, plain text.
    picture : str
        The rule of `tip_pictures_css` that has its picture, without `tip-`.
    classes : sequence of str
        What else its element is.
    data : str
        Further attributes, written out.
    """
    left, bottom = place
    classes = ["dot", *classes, *(["to-left"] if left > 50 else [])]
    classes += ["below"] if bottom > 50 else []
    small = f'<i class="tip-picture tip-{picture}"></i>' if sample.image is not None else ""
    return (
        f'<a class="{" ".join(classes)}" {data} style="left:{left:.2f}%;bottom:{bottom:.2f}%">'
        f'<span class="tip">{small}<span><b>{escape(name)}</b>'
        f'<span dir="auto">{escape(sample.prompt)}</span>'
        f"<small>{numbers_line(sample)}</small></span></span></a>"
    )


def _percent(value: float, span: float) -> float:
    """Return where `value` lies on an axis from -span (0 %) to span (100 %)."""
    return 50 + 50 * value / span


def _place(value: float, values: list[float] | tuple[float, ...]) -> float:
    """Return where `value` lies between the extremes of `values`, 4 to 96 percent."""
    low, high = min(values), max(values)
    return 50.0 if high == low else 4 + 92 * (value - low) / (high - low)


def equal_scale(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return `points` in percent of a 4:3 field, one unit as long in x as in y."""
    xs, ys = zip(*points, strict=True)
    middle_x, middle_y = (max(xs) + min(xs)) / 2, (max(ys) + min(ys)) / 2
    # Field widths per unit, with a margin of 4 % on each side.
    scale = 92 / max(max(xs) - min(xs), 4 / 3 * (max(ys) - min(ys)), 1e-9)
    return [(50 + scale * (x - middle_x), 50 + 4 / 3 * scale * (y - middle_y)) for x, y in points]
