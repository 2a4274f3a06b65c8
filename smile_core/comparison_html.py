"""A comparison as HTML, for the report and for the page: heatmaps, words, numbers.

Needs `HEATMAP_CSS` and `COMPARISON_CSS` on the page. Everything the user wrote is escaped. The
columns share one scale, and each has a shape (circle, square, diamond) beside its name.
"""

from __future__ import annotations

from html import escape
from pathlib import Path

from smile_core.colors import axis_limit, color_limit
from smile_core.comparison import Column, Comparison, Difference, WordRow
from smile_core.comparison_sentence import (
    SAME,
    as_sentence,
    difference_texts,
    rank_sentences,
)
from smile_core.explanation import Explanation, UnitWeight
from smile_core.fidelity import FIDELITY
from smile_core.heatmap import (
    CSS_CLASSES,
    color_style,
    describe,
    heatmap_html,
    legend_html,
    waiting_html,
    whisker_html,
)
from smile_core.instruction import split_units
from smile_core.response import WITHOUT
from smile_core.sentence import edits_made, interval_text, no_weights, unit_mark
from smile_core.together import joined_units, shown_limit

COMPARISON_CSS = (Path(__file__).parent / "static" / "comparison.css").read_text(encoding="utf-8")

SHAPES = ("circle", "square", "diamond")
DIFFERENCE_HELP = (
    "Weight in the first column minus weight in the other, with its interval. Errors that both "
    "make on the same shortened instruction cancel. 0 means no difference."
)
RANK_HELP = (
    "Spearman's correlation of the words' weights, from −1 (reversed order) to 1 (same order)."
)
WAY = "Length of the way"
WAY_HELP = (
    "Distance from the edit without instruction to the full edit; the weights are shares of it. "
    "Longer is a larger change, where columns have one photo, one encoder and one distance."
)
SAMPLE_SIZE = "Effective sample size"
SAMPLE_SIZE_HELP = "How many edits of equal weight the weighted ones are worth; higher is better."
SECONDS_HELP = "Time of this column alone; edits found in the cache cost next to nothing."


def column_title_html(comparison: Comparison, index: int) -> str:
    """Return what a column is called, behind its shape."""
    label, name = comparison.columns[index].label, comparison.names[index]
    letter = "" if label == name else f"<b>{escape(name)}</b> "
    return (
        f'<span class="smile-column" dir="auto"><i class="smile-shape smile-{SHAPES[index]}" '
        f'aria-hidden="true"></i>{letter}{escape(label)}</span>'
    )


def heatmaps_html(comparison: Comparison, *, stable_height: bool = True) -> str:
    """Return the instruction of each column coloured by weight, under each other on one scale.

    A column without weights yet shows its words uncoloured.

    Parameters
    ----------
    comparison : Comparison
        A finished or a running one.
    stable_height : bool
        As for `heatmap_html`.
    """
    known = comparison.explanations
    parts = []
    for index, column in enumerate(comparison.columns):
        if column.explanation is None:
            units = split_units(column.config.instruction, column.config.granularity)
            words = waiting_html(units, stable_height=stable_height, legend=False)
        else:
            words = heatmap_html(
                column.explanation, stable_height=stable_height, among=known, legend=False
            )
        parts.append(f"<h3>{column_title_html(comparison, index)}</h3>{words}")
    if known and all(map(no_weights, known)):
        return f'<div class="smile-heatmaps">{"".join(parts)}</div>'
    legend = legend_html(shown_limit(*known) if known else None, *known)
    parts.append(f'<div class="smile-heatmap">{legend}</div>')
    return f'<div class="smile-heatmaps">{"".join(parts)}</div>'


def words_html(comparison: Comparison) -> str:
    """Return a table with a row per word: its weight in each column, the differences, verdicts."""
    names = comparison.names
    heads = "".join(
        f'<th scope="col">{column_title_html(comparison, index)}</th>'
        for index in range(len(comparison.columns))
    )
    heads += "".join(
        f'<th scope="col" title="{DIFFERENCE_HELP}">{escape(names[0])} − {escape(name)}</th>'
        for name in names[1:]
    )
    limit, span = color_limit(*comparison.explanations), axis_limit(*comparison.explanations)
    rows = "".join(_word_row(comparison, row, limit, span) for row in comparison.rows)
    narrow = " smile-three" if len(names) > 2 else ""
    return (
        f'<div class="smile-heatmap smile-comparison{narrow}"><table><thead><tr>'
        f'<th scope="col">Word</th>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'
    )


def numbers_html(comparison: Comparison) -> str:
    """Return a table of fidelity, edits and seconds, a column for each column."""
    heads = "".join(
        f'<th scope="col">{column_title_html(comparison, index)}</th>'
        for index in range(len(comparison.columns))
    )
    rows = "".join(
        f'<tr title="{escape(about)}"><th scope="row">{escape(label)}</th>'
        + "".join(f'<td class="number">{escape(value)}</td>' for value in values)
        + "</tr>"
        for label, about, values in _numbers(comparison)
    )
    return (
        '<div class="smile-heatmap smile-comparison"><table class="smile-numbers"><thead><tr>'
        f'<th scope="col">Number</th>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'
    )


def ranks_html(comparison: Comparison) -> str:
    """Return the rank correlation of each column with the first, a line each."""
    lines = "".join(
        f'<span title="{RANK_HELP}">{escape(text)}</span>' for text in rank_sentences(comparison)
    )
    return f'<p class="smile-ranks">{lines}</p>' if lines else ""


def _word_row(comparison: Comparison, row: WordRow, limit: float, span: float) -> str:
    cells = "".join(
        _unit_cell(column, unit, place, limit, span)
        for column, unit, place in zip(comparison.columns, row.units, row.positions, strict=True)
    )
    cells += "".join(_difference_cell(difference, span) for difference in row.differences)
    return f'<tr><th scope="row" dir="auto">{escape(row.text)}</th>{cells}</tr>'


def _unit_cell(
    column: Column, unit: UnitWeight | None, place: int | None, limit: float, span: float
) -> str:
    if unit is None or place is None or column.explanation is None:
        about = "not measured yet" if column.explanation is None else "has no such word"
        return f'<td class="smile-none" title="{escape(column.label)}: {about}">–</td>'
    about = escape(describe(unit, joined_units(column.explanation).get(place)))
    if not unit.measured:
        return f'<td class="smile-none" title="{about}">{unit_mark(unit)}</td>'
    return (
        f'<td title="{about}"><span class="smile-cell {CSS_CLASSES[unit.verdict]}">'
        f'<b class="smile-word" style="{color_style(unit.weight, limit)}">{unit_mark(unit)}</b>'
        f"{whisker_html(unit.low, unit.weight, unit.high, span)}"
        f"<small>{interval_text(unit)}</small></span></td>"
    )


def _difference_cell(difference: Difference | None, span: float) -> str:
    if difference is None:
        return '<td class="smile-none" title="No weight in one of the two columns">–</td>'
    number, interval = difference_texts(difference)
    low, high = (max(-2 * span, min(2 * span, end)) for end in (difference.low, difference.high))
    kind = "smile-alike" if difference.kind in SAME else "smile-apart"
    return (
        f'<td class="{kind}"><span class="smile-cell">'
        f"<b>{number}</b>"
        f"{whisker_html(low, difference.value, high, 2 * span)}"
        f"<small>{interval}</small></span>"
        f'<span class="smile-verdict" dir="auto">{escape(as_sentence(difference.verdict))}'
        "</span></td>"
    )


def _numbers(comparison: Comparison) -> list[tuple[str, str, list[str]]]:
    """Return label, meaning and a text per column for every row of the numbers."""
    honest_first = sorted(FIDELITY, key=lambda name: name != "r2_w_loo")
    rows = [
        (
            FIDELITY[name].label,
            f"{FIDELITY[name].meaning} {FIDELITY[name].direction.capitalize()} is better.",
            [_fidelity(found, name) for found in _each(comparison)],
        )
        for name in honest_first
    ]
    rows.append((WAY, WAY_HELP, [_way(found) for found in _each(comparison)]))
    if any(column.config.kernel_width is not None for column in comparison.columns):
        rows.append((SAMPLE_SIZE, SAMPLE_SIZE_HELP, [_sample_size(f) for f in _each(comparison)]))
    rows.append(
        (
            "Edits",
            "Shortened instructions that were edited, of those that a whole run tries.",
            ["–" if found is None else edits_made(found) for found in _each(comparison)],
        )
    )
    for key, label in (("total_s", "Seconds"), ("edit_s", "of them editing")):
        rows.append((label, SECONDS_HELP, [_seconds(found, key) for found in _each(comparison)]))
    return rows


def _each(comparison: Comparison) -> list[Explanation | None]:
    return [column.explanation for column in comparison.columns]


def _way(found: Explanation | None) -> str:
    if found is None or found.scale is None or found.scale.value is None:
        return "–"
    rests_on = "" if found.scale.rests_on == WITHOUT else f" ({found.scale.rests_on})"
    return f"{found.scale.value:.3g}{rests_on}"


def _sample_size(found: Explanation | None) -> str:
    if found is None or found.config.get("kernel_width") is None:
        return "–"
    return f"{found.effective_sample_size:.1f}"


def _fidelity(found: Explanation | None, name: str) -> str:
    value = None if found is None or no_weights(found) else found.fidelity.get(name)
    return "–" if value is None else f"{value:.3g}".replace("-", "−")


def _seconds(found: Explanation | None, key: str) -> str:
    value = None if found is None else found.timing.get(key)
    return "–" if value is None else f"{value:.1f}"
