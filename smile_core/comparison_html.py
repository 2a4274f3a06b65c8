"""A comparison as HTML, for the report and for the page: heatmaps, words, numbers.

Needs `HEATMAP_CSS` and `COMPARISON_CSS` on the page. Everything the user wrote is escaped. The
columns share one scale, and each has a shape (circle, square, diamond) beside its name.
"""

from __future__ import annotations

from html import escape
from pathlib import Path

from smile_core.colors import axis_limit, color_limit
from smile_core.comparison import Column, Comparison, Difference, WordRow
from smile_core.comparison_sentence import BOTH, NEITHER, UNCLEAR, as_sentence, rank_sentences
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
from smile_core.sentence import edits_made, signed

COMPARISON_CSS = (Path(__file__).parent / "static" / "comparison.css").read_text(encoding="utf-8")

SHAPES = ("circle", "square", "diamond")
DIFFERENCE_HELP = (
    "Weight in the first column minus weight in the other, with its 95 % interval; both columns "
    "are resampled together where they ran the same masks. 0 means no difference."
)
RANK_HELP = (
    "Spearman's correlation of the words' weights, from −1 (reversed order) to 1 (same order)."
)
SECONDS_HELP = "Time of this column alone; edits that the cache had cost next to nothing."


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
    limit = color_limit(*known) if known else None
    return (
        f'<div class="smile-heatmaps">{"".join(parts)}'
        f'<div class="smile-heatmap">{legend_html(limit)}</div></div>'
    )


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
        _unit_cell(column, unit, limit, span)
        for column, unit in zip(comparison.columns, row.units, strict=True)
    )
    cells += "".join(_difference_cell(difference, span) for difference in row.differences)
    return f'<tr><th scope="row" dir="auto">{escape(row.text)}</th>{cells}</tr>'


def _unit_cell(column: Column, unit: UnitWeight | None, limit: float, span: float) -> str:
    if unit is None:
        about = "not measured yet" if column.explanation is None else "has no such word"
        return f'<td class="smile-none" title="{escape(column.label)}: {about}">–</td>'
    return (
        f'<td title="{escape(describe(unit))}"><span class="smile-cell '
        f'{CSS_CLASSES[unit.verdict]}"><b class="smile-word" '
        f'style="{color_style(unit.weight, limit)}">{signed(unit.weight)}</b>'
        f"{whisker_html(unit.low, unit.weight, unit.high, span)}"
        f"<small>{signed(unit.low)} to {signed(unit.high)}</small></span></td>"
    )


def _difference_cell(difference: Difference | None, span: float) -> str:
    if difference is None:
        return '<td class="smile-none" title="Not in both columns, or not measured yet">–</td>'
    alike = difference.kind in (BOTH, NEITHER, UNCLEAR)
    low, high = (max(-2 * span, min(2 * span, end)) for end in (difference.low, difference.high))
    return (
        f'<td class="{"smile-alike" if alike else "smile-apart"}"><span class="smile-cell">'
        f"<b>{signed(difference.value)}</b>"
        f"{whisker_html(low, difference.value, high, 2 * span)}"
        f"<small>{signed(difference.low)} to {signed(difference.high)}</small></span>"
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
    rows.append(
        (
            "Effective sample size",
            "How many equally weighted edits the weighted ones are worth; higher is better.",
            [
                "–" if found is None else f"{found.effective_sample_size:.1f}"
                for found in _each(comparison)
            ],
        )
    )
    rows.append(
        (
            "Edits",
            "Shortened instructions that were edited, of those that a whole run has.",
            ["–" if found is None else edits_made(found) for found in _each(comparison)],
        )
    )
    for key, label in (("total_s", "Seconds"), ("edit_s", "of them editing")):
        rows.append((label, SECONDS_HELP, [_seconds(found, key) for found in _each(comparison)]))
    return rows


def _each(comparison: Comparison) -> list[Explanation | None]:
    return [column.explanation for column in comparison.columns]


def _fidelity(found: Explanation | None, name: str) -> str:
    value = None if found is None else found.fidelity.get(name)
    return "–" if value is None else f"{value:.3g}".replace("-", "−")


def _seconds(found: Explanation | None, key: str) -> str:
    value = None if found is None else found.timing.get(key)
    return "–" if value is None else f"{value:.1f}"
