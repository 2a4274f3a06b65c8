"""Stability under changes that mean nothing (Table II), and consistency over seeds (Table III)."""

from __future__ import annotations

from collections.abc import Sequence

from smile_core.config import MAX_PERTURBATIONS
from smile_core.evaluation.consistency import (
    Needed,
    consistency,
    perturbations_needed,
    seeds_needed,
)
from smile_core.evaluation.stability import KeyedWeights, keyed_units, stability
from smile_core.evaluation.study import Part
from smile_core.evaluation.study_answer import (
    Answer,
    Figure,
    Pair,
    finished,
    heads,
    make_table,
    nearest_note,
    paper_column,
    paper_notes,
    printed,
    row_key,
    series_name,
    varying,
)
from smile_core.evaluation.study_plots import mean_bars, mean_lines
from smile_core.evaluation.study_tables import Cell, Column, group_by, mean_of

TOP_K = 3
TARGET_SD = 0.05
COUNT = Column("Pairs", "Explanations before and after the change.")
JACCARD = Column(f"Jaccard of the top {TOP_K}", "Shared part of the heaviest words; 1 is perfect.")
WORDS_ALONE = Column(
    "Jaccard of the words alone", "Shared part of all words, whatever they weigh: no editor needed."
)
RUZICKA = Column("Ruzicka", "Shared part of the absolute weights; 1 is perfect.")
SPEARMAN = Column("Spearman", "Rank correlation of the signed weights; 1 is perfect.")


def answer_stability(part: Part, pairs: Sequence[Pair]) -> Answer:
    """Return Table II of a part."""
    pairs = finished(pairs)
    names = varying(pairs)
    before = {_place(pair): keyed_units(pair[1].units) for pair in pairs if not pair[0].change}
    changed = [pair for pair in pairs if pair[0].change and _place(pair) in before]
    columns = [*heads(names), Column("Change"), COUNT, JACCARD, paper_column(JACCARD)]
    columns += [WORDS_ALONE, RUZICKA, SPEARMAN]
    rows, series = [], []
    for key, runs in group_by(changed, lambda pair: row_key(pair[0], names)).items():
        bars = []
        for change, group in group_by(runs, lambda pair: pair[0].change).items():
            both = [(before[_place(pair)], keyed_units(pair[1].units)) for pair in group]
            found = [stability(one, other, TOP_K) for one, other in both]
            jaccard = mean_of(value.jaccard for value in found)
            paper = printed("II", "jaccard", group[0][0]) if change == "###" else None
            row: list[Cell] = [*key, change, len(group), jaccard, paper]
            row.append(mean_of(_words_alone(one, other) for one, other in both))
            row.append(mean_of(value.ruzicka for value in found))
            rows.append([*row, mean_of(value.spearman for value in found)])
            bars.append((change, jaccard))
        series.append((series_name(runs[0][0], names), bars))
    table = make_table(
        "Stability under changes that mean nothing (Table II)",
        columns,
        rows,
        (
            "Why 0.85 says little: with “###” appended, the sets of all words of two explanations "
            "share n of n + 1 words whatever the editor does and whatever the weights are. That is "
            "0.857 for six words, and the paper prints 0.85 for three very different editors. Such "
            "an index needs no editor. The index of the heaviest words does, and Ruzicka and "
            "Spearman look at the weights themselves.",
            "A doubled space cannot change anything here, for prompts are joined from their words.",
            nearest_note(pairs),
            *paper_notes("II"),
        ),
    )
    figure = Figure(
        f"Jaccard index of the {TOP_K} heaviest words",
        mean_bars("Jaccard", series, (0.0, 1.05)),
        "1: the same words lead before and after the change.",
    )
    return Answer(
        part, "Does a change that means nothing leave the weights alone?", (table,), (figure,)
    )


def answer_consistency(part: Part, pairs: Sequence[Pair]) -> Answer:
    """Return Table III of a part, and what brings the spread under a target."""
    pairs = finished(pairs)
    names = varying(pairs)
    rest = [name for name in names if name != "perturbations"]
    variance = Column("Variance", "Of a word's weight over seeds, mean over words.", 4)
    spread = Column("Standard deviation", "Of a word's weight over seeds, mean over words.", 4)
    columns = [*heads(rest), Column("Perturbations"), Column("Seeds")]
    columns += [variance, paper_column(variance), spread, paper_column(spread)]
    rows, needs, lines = [], [], []
    for key, runs in group_by(pairs, lambda pair: row_key(pair[0], rest)).items():
        points = []
        for count, group in group_by(runs, lambda pair: pair[0].config.perturbations).items():
            repeats = _repeats(group)
            found = [consistency([r.weights for _, r in own]) for own in repeats]
            sd = mean_of(value.mean_sd for value in found)
            row: list[Cell] = [*key, count, max(map(len, repeats), default=1)]
            row += [mean_of(value.mean_variance for value in found)]
            row += [printed("III", "variance", group[0][0]), sd]
            rows.append([*row, printed("III", "sd", group[0][0])])
            points.append((count, sd))
        lines.append((series_name(runs[0][0], rest), [(float(n), sd) for n, sd in points]))
        spreads = {count: sd.value for count, sd in points if sd is not None}
        if spreads:
            enough = perturbations_needed(spreads, TARGET_SD)
            seeds = {n: _needed(seeds_needed(value, TARGET_SD)) for n, value in spreads.items()}
            listed = ", ".join(f"{told} with {n}" for n, told in seeds.items())
            needs.append([*key, _needed(enough), listed])
    table = make_table(
        "Consistency over seeds (Table III)",
        columns,
        rows,
        (
            "Ours: a new seed draws new masks and new noise for every edit. With the same seed "
            "every run repeats bit for bit, so its variance is 0 by construction. Where the seed "
            "changes nothing of an editor, only the masks differ.",
            nearest_note(pairs),
            *paper_notes("III"),
        ),
    )
    wanted = make_table(
        f"What brings the standard deviation under {TARGET_SD:g}",
        [*heads(rest), Column("Perturbations"), Column("Seeds to average, by perturbations")],
        needs,
        ("Counts with “about” are worked out from the others rather than measured.",),
    )
    figure = Figure(
        "Spread of the weights against perturbations",
        mean_lines("perturbations", "standard deviation", lines),
        "Lower is steadier.",
    )
    return Answer(part, "Does the same question get the same answer?", (table, wanted), (figure,))


def _place(pair: Pair) -> tuple[object, ...]:
    """Return what an explanation before a change has in common with the one after it."""
    run = pair[0]
    plain = run.config.with_(instruction=run.instruction.text)
    return (run.photo, run.method, plain)


def _words_alone(one: KeyedWeights, other: KeyedWeights) -> float:
    return len(one.keys() & other.keys()) / len(one.keys() | other.keys())


def _repeats(group: Sequence[Pair]) -> list[list[Pair]]:
    """Return the runs that differ in nothing but the seed; a single one repeats nothing."""
    sets = group_by(group, lambda p: (p[0].photo, p[0].method, p[0].config.with_(seed=0)))
    return [own for own in sets.values() if len(own) > 1]


def _needed(needed: Needed) -> str:
    if needed.count is None:
        return f"none up to {MAX_PERTURBATIONS:,}"
    return f"{'' if needed.measured else 'about '}{needed.count}"
