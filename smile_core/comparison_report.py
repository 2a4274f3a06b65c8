"""One self-contained HTML file with a comparison; it opens anywhere, offline.

It is made of the pieces of the single report: before and after of each column, the heatmaps under
each other on one scale, a table of words, one map of all edits, fidelity and seconds.
"""

from __future__ import annotations

from html import escape
from pathlib import Path

from smile_core.colors import color_limit, mark_color
from smile_core.comparison import LETTERS, Column, Comparison
from smile_core.comparison_html import (
    COMPARISON_CSS,
    SHAPES,
    column_title_html,
    heatmaps_html,
    numbers_html,
    ranks_html,
    words_html,
)
from smile_core.comparison_sentence import summarize_comparison
from smile_core.explanation import Sample
from smile_core.report import (
    STATIC,
    before_after_html,
    document_html,
    method_html,
    settings_html,
)
from smile_core.report_charts import dot_html, equal_scale, tip_pictures_css
from smile_core.sentence import is_right_to_left, sentence_html

METHOD = """
<p>Each column was explained by itself. The photo was edited with the full instruction, without any
instruction, and with shortened versions of the instruction; a linear model learns from “which words
were kept” how much of the way each edit has come, from the edit without instruction (0) to the full
edit (1) of its own column. A weight is the share of this way that is gained by keeping a word. So a
difference says which column listens more to a word relative to everything it does, not which one
changes more of the picture. That is what the length of the way says, where the columns have one
encoder and one distance.</p>
<p>A column in which nothing happened has no weights: its full edit looks the same as its edit
without instruction, or the two differ no more than repeats of one of them. Nothing is said of its
words.</p>
<p>The intervals of a column hold together with 95 % confidence, and so do those of its differences.
Where two columns ran the same shortened instruction, errors that both make on it cancel in the
difference. A word matters more to one column when the whole interval of the difference lies beyond
the smallest effect that matters ({negligible}). That a word is clear in one column and unclear in
the other proves no difference.</p>
"""


def write_comparison_report(comparison: Comparison, path: str | Path) -> None:
    """Write `comparison_report_html` to `path` as UTF-8."""
    Path(path).write_text(comparison_report_html(comparison), encoding="utf-8")


def comparison_report_html(comparison: Comparison) -> str:
    """Return the report as one HTML document; everything the user wrote is escaped."""
    columns = enumerate(comparison.columns)
    negligible = max(column.config.negligible for column in comparison.columns)
    style = COMPARISON_CSS + (STATIC / "comparison_report.css").read_text(encoding="utf-8")
    style += "".join(
        tip_pictures_css(column.explanation, SHAPES[index])
        for index, column in columns
        if column.explanation is not None
    )
    body = "".join(
        (
            _header(comparison),
            f'<section><h2>Before and after</h2><div class="smile-pairs">{_pairs(comparison)}'
            "</div></section>",
            "<section><h2>The instruction, coloured by weight</h2>"
            f"{heatmaps_html(comparison, stable_height=False)}</section>",
            f"<section><h2>Word by word</h2>{words_html(comparison)}{ranks_html(comparison)}"
            "</section>",
            _map_section(comparison),
            f"<section><h2>Fidelity and seconds</h2>{numbers_html(comparison)}</section>",
            _settings(comparison),
            method_html(METHOD.format(negligible=negligible)),
        )
    )
    title = " and ".join(column.label for column in comparison.columns)
    return document_html(title, body, style)


def _header(comparison: Comparison) -> str:
    instructions = dict.fromkeys(column.config.instruction for column in comparison.columns)
    written = "".join(
        f'<p class="instruction" dir="{"rtl" if is_right_to_left(text) else "ltr"}">'
        f"{escape(text)}</p>"
        for text in instructions
    )
    seeds = dict.fromkeys(f"seed {column.config.seed}" for column in comparison.columns)
    titles = "".join(
        f"<span>{column_title_html(comparison, index)}</span>"
        for index in range(len(comparison.columns))
    )
    notes = "".join(f"<li>{escape(note)}</li>" for note in comparison.all_notes)
    sentence = sentence_html(summarize_comparison(comparison))
    return (
        '<header><p class="brand"><b>SMILE</b> which words drive your edit?</p>'
        f"<h1>{sentence}</h1>{written}"
        f'<p class="facts">{titles}<span>{escape(" · ".join(seeds))}</span></p>'
        f"{f'<ul class=notes>{notes}</ul>' if notes else ''}</header>"
    )


def _pairs(comparison: Comparison) -> str:
    return "".join(
        f"<div><h3>{column_title_html(comparison, index)}</h3>{_pair(column)}</div>"
        for index, column in enumerate(comparison.columns)
    )


def _pair(column: Column) -> str:
    if column.explanation is not None:
        return before_after_html(column.explanation)
    reason = escape(column.failed or "It was stopped before its first edit.")
    return f'<div class="no-picture"><p>{reason}</p></div>'


def _settings(comparison: Comparison) -> str:
    parts = "".join(
        f"<details><summary>{column_title_html(comparison, index)}</summary>"
        f"{settings_html(column.explanation)}</details>"
        for index, column in enumerate(comparison.columns)
        if column.explanation is not None
    )
    return f"<section><h2>How it was made</h2>{parts}</section>" if parts else ""


def _map_section(comparison: Comparison) -> str:
    """Return the map of all edits: shape by column, filled where the chosen word was kept."""
    if not any(column.places for column in comparison.columns):
        return (
            '<section><h2>Map of all edits</h2><p class="hint">There is no map that all columns '
            "share.</p></section>"
        )
    if not comparison.happened:
        return (
            '<section><h2>Map of all edits</h2><p class="hint">Nothing happened in any column, so '
            "there is nothing to explain.</p></section>"
        )
    limit = color_limit(*comparison.explanations)
    chosen = comparison.strongest
    colors = [mark_color(row.peak, limit) for row in comparison.rows]
    choices = "".join(
        f'<option value="{index}" data-color="{colors[index]}"'
        f"{' selected' if index == chosen else ''}>{escape(row.text)}</option>"
        for index, row in enumerate(comparison.rows)
    )
    return (
        '<section><div class="head"><h2>Map of all edits</h2>'
        f'<label>Colour by <select id="color-by">{choices}</select></label></div>'
        f'<div class="plot map" id="map" style="--kept:{colors[chosen]}">'
        f'<div class="field">{_dots(comparison, chosen)}</div></div>'
        f'<p class="hint">{_shapes(comparison)} Near points are pictures that look alike, '
        "whichever column made them (t-SNE of all together). Filled: the word was kept; open: it "
        "was left out, or is not in this instruction; large, with a letter: the full edit.</p>"
        "</section>"
    )


def _shapes(comparison: Comparison) -> str:
    return " ".join(
        column_title_html(comparison, index) for index in range(len(comparison.columns))
    )


def _dots(comparison: Comparison, chosen: int) -> str:
    """Return the edits of all columns as dots, the full edits last, so that they lie on top."""
    spots = [
        (column, index, sample, place)
        for column, found in enumerate(comparison.columns)
        if found.explanation is not None
        for index, (sample, place) in enumerate(
            zip(
                (found.explanation.reference, *found.explanation.samples), found.places, strict=True
            )
        )
        if place is not None
    ]
    spots.sort(key=lambda spot: spot[1] == 0)
    places = equal_scale([place for *_, place in spots])
    return "".join(
        _dot(comparison, chosen, column, index, sample, place)
        for (column, index, sample, _), place in zip(spots, places, strict=True)
    )


def _dot(
    comparison: Comparison,
    chosen: int,
    column: int,
    index: int,
    sample: Sample,
    place: tuple[float, float],
) -> str:
    positions = [row.positions[column] for row in comparison.rows]
    kept = [0 if position is None else sample.mask[position] for position in positions]
    name = "full edit" if index == 0 else f"edit {index}"
    letter = f' data-letter="{LETTERS[column]}"' if index == 0 else ""
    return dot_html(
        sample,
        place,
        name=f"{comparison.names[column]}: {name}",
        picture=f"{SHAPES[column]}{index}",
        classes=[
            "kept" if kept[chosen] else "left-out",
            f"dot-{SHAPES[column]}",
            *(["full"] if index == 0 else []),
        ],
        data=f'tabindex="0" data-mask="{"".join(map(str, kept))}"{letter}',
    )
