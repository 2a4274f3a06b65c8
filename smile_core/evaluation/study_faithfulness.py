"""Faithfulness of a study: deletion and insertion beside random orders."""

from __future__ import annotations

from collections.abc import Sequence

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
from smile_core.evaluation.study_plots import mean_bars
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
AREAS = {"deletion_area": DELETION, "insertion_area": INSERTION, "between": BETWEEN}


def answer_faithfulness(part: Part, pairs: Sequence[Pair]) -> Answer:
    """Return deletion and insertion of a part, ours beside random orders; the paper has none."""
    pairs, unmeasured = measured(pairs)
    names = varying(pairs)
    columns = [*heads(names), COUNT]
    for column in AREAS.values():
        columns += [column, Column(f"{column.title}, random order", column.meaning)]
    rows, series = [], []
    for key, group in group_by(pairs, lambda pair: row_key(pair[0], names)).items():
        row: list[Cell] = [*key, len(group)]
        bars = []
        for name, column in AREAS.items():
            ours = mean_of(result.measures[name] for _, result in group)
            chance = mean_of(result.measures[f"random_{name}"] for _, result in group)
            row += [ours, chance]
            bars += [(column.title, ours), (f"{column.title}, random", chance)]
        rows.append([*row, mean_of(result.measures["beats"] for _, result in group)])
        series.append((series_name(group[0][0], names), bars))
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
    return Answer(part, question, (table,), (figure,), unmeasured)
