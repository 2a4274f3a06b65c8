"""One photo, many wordings (Table XI, figures 11, 12, 14 and 15): which form is followed best."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from smile_core.evaluation.study import Part
from smile_core.evaluation.study_answer import (
    Answer,
    Figure,
    Pair,
    finished,
    heads,
    make_table,
    row_key,
    series_name,
    varying,
)
from smile_core.evaluation.study_plots import mean_bars, word_grid
from smile_core.evaluation.study_result import control_weight, controls_found, words_of
from smile_core.evaluation.study_tables import Cell, Column, Mean, Table, group_by, mean_of

CONTROL = Column(
    "Weight of the control words",
    "Sum of their weights: how much of the edit is lost without them.",
)
AUROC = Column("AUROC", "Chance that a control word outweighs another word; 0.5 is guessing.")
DRIVEN = Column("Drives", "Share of the control words with the verdict “drives the edit”.", 2)
SPREAD = Column(
    "Spread", "Standard deviation of the control weight over subjects and photos; lower is steadier"
)
COUNT = Column("Explanations")


def answer_wordings(part: Part, pairs: Sequence[Pair]) -> Answer:
    """Return how well each form of an instruction is followed."""
    pairs = [pair for pair in finished(pairs) if pair[1].truth is not None]
    names = varying(pairs)
    columns = [*heads(names), Column("Form"), COUNT, CONTROL, AUROC, DRIVEN, SPREAD]
    rows, series, best = [], [], []
    for key, runs in group_by(pairs, lambda pair: row_key(pair[0], names)).items():
        bars: list[tuple[str, Mean | None]] = []
        for form, group in group_by(runs, lambda pair: pair[0].instruction.form).items():
            weights = [control_weight(result) for _, result in group]
            mean = mean_of(weights)
            row: list[Cell] = [*key, form or "–", len(group), mean]
            row.append(mean_of(r.accuracy.auroc for _, r in group if r.accuracy))
            row.append(mean_of(controls_found(result) for _, result in group))
            rows.append([*row, float(np.std(weights, ddof=1)) if len(weights) > 1 else None])
            bars.append((form or "–", mean))
        name = series_name(runs[0][0], names)
        series.append((name, bars))
        best.append(_best(name, bars))
    table = make_table(
        "Which form of an instruction is followed best (Table XI, Figures 11 and 12)",
        columns,
        rows,
        (
            *best,
            "Control words are those that name the wanted result in each wording. Wordings have "
            "different numbers of words, so a weight is a share of each instruction's own edit.",
            "The paper draws these figures and prints no numbers; it finds nouns and adjectives "
            "steadier than “-ing” forms and directives.",
        ),
    )
    figure = Figure(
        "Weight of the control words by form",
        mean_bars("sum of control weights", series, None),
        "Higher: more of the edit hangs on the words that name the result.",
    )
    return Answer(
        part,
        "Which form of an instruction does the editor follow best?",
        (table, _by_wording(pairs, names)),
        (figure, _grid(pairs, names)),
    )


def _best(name: str, bars: Sequence[tuple[str, Mean | None]]) -> str:
    """Say which form leads, and whether its lead is beyond doubt."""
    known = [(form, mean) for form, mean in bars if mean is not None]
    if len(known) < 2:
        return f"{name}: there are not two forms to compare."
    (first, top), (second, next_) = sorted(known, key=lambda item: -item[1].value)[:2]
    if top.low is None or next_.high is None:
        sure = "there are too few explanations to be sure"
    else:
        sure = "their intervals " + ("do not overlap" if top.low > next_.high else "overlap")
    return (
        f"{name} follows the form “{first}” best: its control words weigh {top.value:.2f}, those "
        f"of “{second}”, the next, {next_.value:.2f}; {sure}."
    )


def _grid(pairs: Sequence[Pair], names: Sequence[str]) -> Figure:
    """Return the wordings as rows of coloured words, on the first photo of each (Figure 15)."""
    first: dict[tuple[object, ...], Pair] = {}
    for pair in pairs:
        key = (pair[0].instruction.group, pair[0].config.instruction, row_key(pair[0], names))
        first.setdefault(key, pair)
    several = len({row_key(run, names) for run, _ in pairs}) > 1
    rows = []
    for run, result in first.values():
        label = f"{run.instruction.group} {run.instruction.form}".strip()
        if several:
            label = f"{label}, {series_name(run, names)}"
        rows.append((label, words_of(result)))
    hint = "Orange: keeping the word pulls the picture towards the full edit. First photo only."
    return Figure("Word weights of each wording", word_grid(rows), hint)


def _by_wording(pairs: Sequence[Pair], names: Sequence[str]) -> Table:
    rows = []
    for (subject, form, text, *key), group in group_by(
        pairs,
        lambda pair: (
            pair[0].instruction.group,
            pair[0].instruction.form,
            pair[0].config.instruction,
            *row_key(pair[0], names),
        ),
    ).items():
        weights = mean_of(control_weight(result) for _, result in group)
        auroc = mean_of(r.accuracy.auroc for _, r in group if r.accuracy)
        rows.append([subject, form, text, *key, len(group), weights, auroc])
    columns = [Column("Subject"), Column("Form"), Column("Wording"), *heads(names)]
    return make_table("Wording by wording", [*columns, COUNT, CONTROL, AUROC], rows)
