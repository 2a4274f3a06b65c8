"""Robustness of a study: what each method still finds under attack, on identical edits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from smile_core.evaluation.study import METHODS, Part
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
from smile_core.evaluation.study_measures import attacks_measured, robustness_name
from smile_core.evaluation.study_plots import mean_bars
from smile_core.evaluation.study_tables import Cell, Column, Mean, group_by, mean_of

FOUND = Column("Keyword found", "Share of explanations in which a keyword weighs most.", 2)
RANK = Column("Place of the keyword", "Mean place of the best keyword by weight; 1 is first.", 2)
JACCARD = Column("Jaccard of the top 3", "Shared part of the heaviest words with no attack.")
COUNT = Column("Explanations")


def answer_robustness(part: Part, pairs: Sequence[Pair]) -> Answer:
    """Return what each method finds under each attack; the paper has no such test."""
    pairs, unmeasured = measured(pairs)
    names = varying(pairs)
    rows, series, told = [], [], []
    for key, group in group_by(pairs, lambda pair: row_key(pair[0], names)).items():
        attacks = attacks_measured(group[0][1].measures)
        bars: dict[str, list[tuple[str, Mean | None]]] = {name: [] for name in METHODS}
        for attack in attacks:
            for method in METHODS:
                ranks = _values(group, "rank", attack, method)
                found = mean_of(None if rank is None else float(rank == 1) for rank in ranks)
                jaccard = mean_of(_values(group, "jaccard", attack, method))
                row: list[Cell] = [*key, attack, method, len(group)]
                rows.append([*row, found, mean_of(ranks), jaccard])
                bars[method].append((attack, found))
        label = series_name(group[0][0], names)
        prefix = f"{label}, " if len(pairs) > len(group) else ""
        series += [(f"{prefix}{method}", points) for method, points in bars.items()]
        told += [_verdict(label, attack, group) for attack in attacks]
    table = make_table(
        "Robustness under attack",
        [*heads(names), Column("Attack"), Column("Method"), COUNT, FOUND, RANK, JACCARD],
        rows,
        (
            *told,
            "Padded: words that mean nothing before and behind the instruction. Reordered: its "
            "words in another order. Two-faced: an editor that edits honestly only when a prompt "
            "keeps at least so much of the instruction, and otherwise shows the full edit if a "
            "decoy word is there and the untouched photo if not (after Slack et al., Fooling LIME "
            "and SHAP, 2020). At 100 % it knows every shortened instruction, and no method that "
            "shortens instructions can see behind it.",
            "All methods judge the same edits. The paper has no such test.",
        ),
    )
    figure = Figure(
        "Explanations in which a keyword still weighs most",
        mean_bars("share", series, (0.0, 1.05)),
        "Higher is more robust.",
    )
    question = "Is the word that does the work found under attack?"
    return Answer(part, question, (table,), (figure,), unmeasured)


def _values(group: Sequence[Pair], name: str, attack: str, method: str) -> list[float | None]:
    return [result.measures.get(robustness_name(name, attack, method)) for _, result in group]


def _verdict(label: str, attack: str, group: Sequence[Pair]) -> str:
    """Say how SMILE does against LIME under one attack, whichever way it falls, and how surely.

    Both judge the same edits, so the difference is taken explanation by explanation.
    """
    places = zip(*(_values(group, "rank", attack, name) for name in ("smile", "lime")), strict=True)
    known = [(smile, lime) for smile, lime in places if smile is not None and lime is not None]
    gap = mean_of(smile - lime for smile, lime in known)
    if gap is None:
        return f"{label}, {attack}: SMILE and LIME were not both measured."
    smile, lime = np.mean(known, axis=0)
    if abs(gap.value) < 0.005:
        return f"{label}, {attack}: SMILE and LIME put the keyword at the same place, {smile:.2f}."
    if gap.low is None or gap.high is None:
        sure = "there are too few explanations to be sure"
    else:
        sure = "beyond chance" if gap.low > 0 or gap.high < 0 else "which may be chance"
    better, worse = ("SMILE", "LIME") if gap.value < 0 else ("LIME", "SMILE")
    low, high = sorted((smile, lime))
    return (
        f"{label}, {attack}: {better} does better, with the keyword at place {low:.2f} on average; "
        f"{worse} has it at {high:.2f}; {sure}."
    )
