"""The instruction as the picture of the answer: as HTML and as a table for the terminal.

Every unit stands in its place, coloured by its weight, with the number, the interval and the
verdict beside the colour. Units that no sum of weights can tell apart share the colour and the
number of what they do together. Where nothing happened nothing is coloured. The PNG is drawn in
`heatmap_png`.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from smile_core.colors import DARK_PAGE, LIGHT_PAGE, axis_limit, weight_color
from smile_core.explanation import (
    AGAINST,
    DRIVES,
    NO_EFFECT,
    NOTHING_HAPPENED,
    ONE_IS_ENOUGH,
    UNCLEAR,
    Explanation,
    UnitWeight,
)
from smile_core.heatmap_png import read_heatmap_png, save_heatmap_png
from smile_core.sentence import interval_text, is_right_to_left, signed, unit_mark, unit_noun
from smile_core.terminal_text import columns, pad, shorten
from smile_core.together import Together, joined_units, shown_limit

__all__ = [
    "HEATMAP_CSS",
    "heatmap_html",
    "heatmap_text",
    "read_heatmap_png",
    "save_heatmap_png",
    "waiting_html",
]

HEATMAP_CSS = (Path(__file__).parent / "static" / "heatmap.css").read_text(encoding="utf-8")

CSS_CLASSES = {
    DRIVES: "smile-drives",
    AGAINST: "smile-against",
    NO_EFFECT: "smile-no-effect",
    UNCLEAR: "smile-unclear",
    NOTHING_HAPPENED: "smile-waiting",
    ONE_IS_ENOUGH: "smile-joined",
}
SHORT_VERDICTS = {
    DRIVES: "drives",
    AGAINST: "against",
    NO_EFFECT: "no effect",
    UNCLEAR: "unclear",
    NOTHING_HAPPENED: "–",
    ONE_IS_ENOUGH: "one is enough",
}
WEIGHT_HELP = (
    "The share of the way from no instruction (0) to the full edit (1) that is gained by keeping "
    "this word; usually between −1 and 1."
)


def heatmap_html(
    explanation: Explanation,
    *,
    stable_height: bool = True,
    among: Sequence[Explanation] = (),
    legend: bool = True,
) -> str:
    """Return the instruction with each unit in a box coloured by its weight.

    Needs `HEATMAP_CSS` on the page. Everything the user wrote is escaped.

    Parameters
    ----------
    explanation : Explanation
        A finished or a running one.
    stable_height : bool
        Keep the height of a short instruction, so that nothing below jumps while results come in.
    among : sequence of Explanation
        Those that are shown beside it: all share one scale.
    legend : bool
        Whether the scale is explained below.
    """
    limit = shown_limit(explanation, *among)
    span = axis_limit(explanation, *among)
    together = joined_units(explanation)
    boxes = "".join(
        _unit_html(unit, limit, span, together.get(index))
        for index, unit in enumerate(explanation.units)
    )
    below = legend_html(limit, explanation) if legend and explanation.happened else ""
    return _frame(boxes, [unit.text for unit in explanation.units], stable_height, below)


def waiting_html(units: Sequence[str], *, stable_height: bool = True, legend: bool = True) -> str:
    """Return the heatmap of a run without weights yet: the same boxes, no colour, a dash each.

    Parameters
    ----------
    units : sequence of str
        The units of the instruction in order.
    stable_height, legend : bool
        As for `heatmap_html`.
    """
    boxes = "".join(
        f'<div role="listitem" class="smile-unit smile-waiting" aria-label="{escape(unit)}: '
        f'not measured yet"><span class="smile-word" dir="auto">{escape(unit)}</span>'
        '<span class="smile-whisker"></span><span class="smile-number">–</span></div>'
        for unit in units
    )
    return _frame(boxes, units, stable_height, legend_html(None) if legend else "")


def heatmap_text(explanation: Explanation, width: int = 80) -> str:
    """Return a table for the terminal: unit, weight, interval, verdict and a bar.

    Parameters
    ----------
    explanation : Explanation
    width : int
        Columns to use, at least 60; long units are shortened.
    """
    names = [shorten(unit.text, 24) for unit in explanation.units]
    name_width = max([columns(name) for name in names] + [6])
    reach = max(4, (width - name_width - 41) // 2)  # columns on each side of zero
    limit = shown_limit(explanation)
    scale = f"{signed(-limit):<{reach}}0{signed(limit):>{reach}}"
    known = any(unit.measured for unit in explanation.units)
    lines = [
        f"{pad(unit_noun(explanation), name_width)}   weight  interval          verdict    "
        f"{scale if known else ''}".rstrip()
    ]
    for name, unit in zip(names, explanation.units, strict=True):
        bar = _bar(unit.weight / limit, reach) if unit.measured else ""
        lines.append(
            f"{pad(name, name_width)}  {unit_mark(unit):>7}  {interval_text(unit):<16}  "
            f"{SHORT_VERDICTS[unit.verdict]:<9}  {bar}".rstrip()
        )
    if known:  # else all of them say the same
        together = joined_units(explanation)
        lines += [f"{names[index]} {found.about}" for index, found in together.items()]
    return "\n".join(lines)


def describe(unit: UnitWeight, together: Together | None = None) -> str:
    """Return the whole finding about one unit as plain text, for tooltips and screen readers.

    Parameters
    ----------
    unit : UnitWeight
    together : Together or None
        What it does only together with others, see `joined_units`.
    """
    if unit.verdict == UNCLEAR and not unit.measured:
        return f"{unit.text}: never left out, so nothing is known"
    if unit.verdict == ONE_IS_ENOUGH and together is not None:
        return f"{unit.text}: {together.about}"
    told = unit.verdict
    if unit.measured:
        interval = "exact" if unit.exact else f"interval {interval_text(unit)}"
        told = f"weight {unit_mark(unit)}, {interval}, {unit.verdict}"
    return f"{unit.text}: {told}" + (f"; {together.about}" if together is not None else "")


def color_style(weight: float, limit: float) -> str:
    """Return the colours of a box for `weight` as CSS, for light pages and for dark ones."""
    color = weight_color(weight, limit)
    return (
        f"background:light-dark({color.light},{color.dark});"
        f"color:light-dark({color.text_on_light},{color.text_on_dark})"
    )


def whisker_html(low: float, value: float, high: float, span: float) -> str:
    """Return an interval with its value as a line, on an axis from -span to span."""
    left, right, dot = (50 + 50 * x / span for x in (low, high, value))  # percent
    return (
        f'<span class="smile-whisker"><i class="smile-range" style="left:{left:.1f}%;'
        f'width:{right - left:.1f}%"></i><i class="smile-dot" style="left:{dot:.1f}%"></i></span>'
    )


def _unit_html(unit: UnitWeight, limit: float, span: float, together: Together | None) -> str:
    about = escape(describe(unit, together))
    weight = unit.weight if together is None else together.weight
    colored = unit.measured or together is not None
    style = f' style="{color_style(weight, limit)}"' if colored else ""
    kind = CSS_CLASSES[unit.verdict] if together is None else "smile-joined"
    if unit.verdict == UNCLEAR and not unit.measured:
        kind = "smile-unknown"
    line = (
        whisker_html(unit.low, unit.weight, unit.high, span)
        if unit.measured and together is None
        else '<span class="smile-whisker smile-bare"></span>'
    )
    number = unit_mark(unit) if together is None else together.label
    return (
        f'<div role="listitem" tabindex="0" class="smile-unit {kind}" '
        f'title="{about}" aria-label="{about}">'
        f'<span class="smile-word" dir="auto"{style}>'
        f"{escape(unit.text)}</span>{line}"
        f'<span class="smile-number">{number}</span></div>'
    )


def _frame(boxes: str, units: Sequence[str], stable_height: bool, legend: str) -> str:
    direction = "rtl" if is_right_to_left(" ".join(units)) else "ltr"
    return (
        f'<div class="smile-heatmap{" smile-steady" if stable_height else ""}">'
        f'<div class="smile-units" role="list" dir="{direction}" '
        f'aria-label="The instruction, each word with its weight">{boxes}</div>{legend}</div>'
    )


def legend_html(limit: float | None, *explanations: Explanation) -> str:
    """Return what colours and lines mean.

    Parameters
    ----------
    limit : float or None
        The weight at full colour, if it is known.
    *explanations : Explanation
        What is shown; without any everything that may come is explained.
    """
    stops = ", ".join(f"light-dark({a}, {b})" for a, b in zip(LIGHT_PAGE, DARK_PAGE, strict=True))
    low, high = ("", "") if limit is None else (f"{signed(-limit)} ", f" {signed(limit)}")
    units = [unit for explanation in explanations for unit in explanation.units]
    parts = [
        f'<span title="{WEIGHT_HELP}">{low}against'
        f'<i class="smile-scale" style="background:linear-gradient(90deg, {stops})"></i>'
        f"drives{high}</span>"
    ]
    if not units or any(unit.verdict == UNCLEAR and unit.measured for unit in units):
        parts.append('<span><i class="smile-dashed"></i>unclear: needs more edits</span>')
    if any(unit.verdict == UNCLEAR and not unit.measured for unit in units):
        parts.append('<span><i class="smile-hatched"></i>never left out: nothing is known</span>')
    if not units or any(unit.measured and not unit.exact for unit in units):
        parts.append("<span>line: interval, 95 % for all words at once</span>")
    if any(unit.exact for unit in units):
        parts.append("<span>all shortened instructions were run: the numbers are exact</span>")
    return f'<div class="smile-legend">{"".join(parts)}</div>'


def _bar(position: float, reach: int) -> str:
    """Return a bar from the zero column to `position` (-1 to 1), `reach` columns a side."""
    halves = min(2 * reach, round(abs(position) * 2 * reach))
    whole, half = divmod(halves, 2)
    if position < 0:
        return f"{'▐' * half + '█' * whole:>{reach}}│"
    return f"{' ' * reach}│{'█' * whole}{'▌' * half}"
