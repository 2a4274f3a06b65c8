"""What a comparison looks like on the page: functions from its state to HTML, without components.

The table of words and the heatmaps are those of the report; the charts are redrawn in place.
"""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

import gradio as gr
from PIL import Image

from components import answer
from components.chart import figure_json
from smile_core.comparing import ComparisonSnapshot
from smile_core.comparison import Comparison
from smile_core.comparison_html import (
    column_title_html,
    heatmaps_html,
    numbers_html,
    ranks_html,
    words_html,
)
from smile_core.comparison_plots import all_edits, joint_map
from smile_core.comparison_sentence import summarize_comparison
from smile_core.sentence import sentence_html

PictureUrl = Callable[[Image.Image], str]
STRONGEST = -1  # colour the map by the word that weighs most; 0 and up: by the word of that row
BY_STRONGEST = ("The word that weighs most", STRONGEST)


def render_sentence(comparison: Comparison | None) -> str:
    """Return what sets the columns apart, in plain words, and what must be said about them."""
    if comparison is None:
        return answer.render_quiet(
            "Choose two or three editors, instructions or settings and press Compare."
        )
    if not comparison.explanations:
        return answer.render_quiet("Editing the photo with the whole instruction first…")
    notes = "".join(f"<li>{escape(note)}</li>" for note in comparison.all_notes)
    listed = f'<ul class="notes">{notes}</ul>' if notes else ""
    sentence = sentence_html(summarize_comparison(comparison))
    return f'<p class="sentence" dir="auto">{sentence}</p>{listed}'


def render_heatmaps(comparison: Comparison | None) -> str:
    """Return the instruction of each column, its words coloured by weight on one scale."""
    if comparison is None:
        return (
            '<p class="hint">The instruction appears here once for each column, its words coloured '
            "by how much of that edit they drive.</p>"
        )
    return heatmaps_html(comparison)


def render_words(comparison: Comparison | None) -> str:
    """Return the table of words: weights next to each other, differences, verdicts, ranks."""
    if comparison is None or not comparison.rows:
        return '<p class="hint">A row per word appears here, with every column beside it.</p>'
    return words_html(comparison) + ranks_html(comparison)


def render_numbers(comparison: Comparison | None) -> str:
    """Return fidelity, edits and seconds side by side."""
    if comparison is None or not comparison.explanations:
        return '<p class="hint">The numbers appear here once enough edits are made.</p>'
    return numbers_html(comparison)


def render_pairs(comparison: Comparison | None, picture_url: PictureUrl) -> str:
    """Return before and after of each column next to each other."""
    if comparison is None:
        return answer.render_pair(None)
    parts = []
    for index, column in enumerate(comparison.columns):
        pair = answer.render_pair(column.explanation, picture_url)
        if column.explanation is None and column.failed is not None:
            pair = f'<div class="pair empty"><p>{escape(column.failed)}</p></div>'
        parts.append(f"<div><h3>{column_title_html(comparison, index)}</h3>{pair}</div>")
    return f'<div class="smile-pairs">{"".join(parts)}</div>'


def render_map(
    comparison: Comparison | None, picture_url: PictureUrl, color_by: int = STRONGEST
) -> str:
    """Return the map of all edits as a chart's value; empty until there is one."""
    if comparison is None or not any(column.places for column in comparison.columns):
        return ""
    # A word chosen for an earlier comparison may be one that this one does not have.
    row = color_by if 0 <= color_by < len(comparison.rows) else None
    thumbnails = [
        None if sample.image is None else picture_url(sample.image)
        for sample in all_edits(comparison)
    ]
    return figure_json(joint_map(comparison, row), thumbnails)


def render_choices(comparison: Comparison | None, color_by: int = STRONGEST) -> dict[str, Any]:
    """Return the update of the map's menu: the strongest word, or one of all words."""
    rows = () if comparison is None else comparison.rows
    words = [(f"Kept {row.label}", index) for index, row in enumerate(rows)]
    value = color_by if color_by < len(words) else STRONGEST
    return gr.update(choices=[BY_STRONGEST, *words], value=value)


def render_status(snapshot: ComparisonSnapshot, seconds: float) -> str:
    """Return how far each column is, with a bar each, and the time left of all.

    Parameters
    ----------
    snapshot : ComparisonSnapshot
        The state of the comparison.
    seconds : float
        How long it has been running.
    """
    comparison = snapshot.comparison
    lines = []
    for index, (column, one) in enumerate(zip(comparison.columns, snapshot.snapshots, strict=True)):
        done, total = (0, 1) if one is None else (one.done, one.total)
        parts = [column_title_html(comparison, index)]
        parts.append("waiting" if one is None else f"{done} of {total} edits")
        if column.failed is not None:
            parts.append("ended early")
        elif one is not None and one.state == "running" and one.edits_per_second:
            parts.append(f"{one.edits_per_second:.1f} edits/s")
        if one is not None and answer.is_ranking_steady(one):
            parts.append("ranking steady")
        lines.append(
            f'<div class="status"><span>{" · ".join(parts)}</span>'
            f"{answer.progress_bar(done, total)}</div>"
        )
    if snapshot.state == "running":
        left = snapshot.seconds_left
        said = "" if left is None else f"{answer.say_about(left)} left"
    else:
        said = f"Finished in {answer.say_seconds(seconds)}"
        if snapshot.state == "stopped":
            said = f"Stopped after {answer.say_seconds(seconds)}; all edits are kept"
    return f'{"".join(lines)}<div class="status"><span>{said}&nbsp;</span></div>'
