"""Faithfulness of a study: deletion and insertion beside random orders."""

from __future__ import annotations

from collections.abc import Sequence

from smile_core.evaluation.faithfulness import SHARES, height_name
from smile_core.evaluation.study import Part
from smile_core.evaluation.study_answer import (
    Answer,
    Figure,
    Pair,
    heads,
    make_table,
    measured,
    row_key,
    series_name,
    varying,
)
from smile_core.evaluation.study_plots import mean_bars, mean_lines
from smile_core.evaluation.study_tables import Cell, Column, group_by, mean_of

DELETION = Column(
    "Deletion area",
    "Area above the curve when words go, heaviest first: 0 stays, about 1 leaves at once.",
)
INSERTION = Column("Insertion area", "Area under the curve when words come, heaviest first.")
BETWEEN = Column(
    "Area between", "Between dropping the least and the most important words first; 0 is chance."
)
BEATS = Column("Beats random", "Share of random orders with a smaller area between.", 2)
COUNT = Column("Explanations")
CURVES = {
    "deletion": "deletion, heaviest first",
    "random_deletion": "deletion, random order",
    "insertion": "insertion, heaviest first",
    "random_insertion": "insertion, random order",
}
AREAS = {"deletion_area": DELETION, "insertion_area": INSERTION, "between": BETWEEN}


def answer_faithfulness(part: Part, pairs: Sequence[Pair]) -> Answer:
    """Return deletion and insertion of a part, ours beside random orders; the paper has none."""
    pairs, unmeasured = measured(pairs)
    names = varying(pairs)
    columns = [*heads(names), COUNT]
    for column in AREAS.values():
        columns += [column, Column(f"{column.title}, random order", column.meaning)]
    rows, series, figures = [], [], []
    for key, group in group_by(pairs, lambda pair: row_key(pair[0], names)).items():
        row: list[Cell] = [*key, len(group)]
        bars = []
        for name, column in AREAS.items():
            ours = mean_of(result.measures[name] for _, result in group)
            chance = mean_of(result.measures[f"random_{name}"] for _, result in group)
            row += [ours, chance]
            bars += [(column.title, ours), (f"{column.title}, random", chance)]
        rows.append([*row, mean_of(result.measures["beats"] for _, result in group)])
        label = series_name(group[0][0], names)
        series.append((label, bars))
        figures.append(_curves(label, group))
    table = make_table(
        "Faithfulness",
        [*columns, BEATS],
        rows,
        (
            "The words are dropped from the heaviest to the lightest and the picture is edited "
            "anew at every step; insertion adds them in the same order. Random orders of the same "
            "words say what can be had without knowing anything.",
            "The paper has no such test, so there is no figure of it.",
        ),
    )
    figure = Figure(
        "Areas beside those of random orders",
        mean_bars("area", series, None),
        "An order that knows the editor is above its random neighbour.",
    )
    question = "Do the words that rank first matter most?"
    return Answer(part, question, (table,), (*figures, figure), unmeasured)


def _curves(label: str, group: Sequence[Pair]) -> Figure:
    """Return deletion and insertion against the share of the words, means over explanations."""
    lines = []
    for curve, name in CURVES.items():
        heights = [
            (share, mean_of(result.measures.get(height_name(curve, share)) for _, result in group))
            for share in SHARES
        ]
        lines.append((name, heights))
    return Figure(
        f"{label}: deletion and insertion",
        mean_lines("share of the words dropped or added", "closeness to the full edit", lines),
        "1 is the full edit. Heaviest words first, deletion should fall sooner than in random "
        "order, and insertion rise sooner.",
    )
