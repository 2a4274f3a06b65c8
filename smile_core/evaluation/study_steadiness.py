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
from smile_core.evaluation.study_plots import mean_bars, mean_lines, word_boxes
from smile_core.evaluation.study_tables import Cell, Column, Table, group_by, mean_of

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
            "Why 0.85 for every editor can be reached by the words alone: append “###” to an "
            "instruction of n words, and of the n + 1 words of both instructions n are the same. "
            "The Jaccard index of the two sets of words is then n/(n + 1), whatever the editor "
            "does and whatever the words weigh: 0.857 for six words, 0.875 for seven. The paper "
            "prints 0.85 for three very different editors. The column “words alone” is that "
            "index, and no editor can move it; the index of the heaviest words, Ruzicka and "
            "Spearman depend on the weights.",
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
    variance = Column("Variance", "Of a word's weight over seeds, mean over words.", 6)
    spread = Column("Standard deviation", "Of a word's weight over seeds, mean over words.", 4)
    columns = [*heads(rest), Column("Perturbations"), Column("Seeds")]
    columns += [variance, paper_column(variance, 4), spread, paper_column(spread)]
    rows, needs, lines = [], [], []
    for key, runs in group_by(pairs, lambda pair: row_key(pair[0], rest)).items():
        points = []
        for count, group in group_by(runs, lambda pair: pair[0].perturbations).items():
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
    words, boxes = _by_word(pairs, rest)
    figure = Figure(
        "Spread of the weights against perturbations",
        mean_lines("perturbations", "standard deviation", lines),
        "Lower is steadier.",
    )
    return Answer(
        part,
        "Does the same question get the same answer?",
        (table, wanted, words),
        (figure, *boxes),
    )


def _by_word(pairs: Sequence[Pair], rest: Sequence[str]) -> tuple[Table, list[Figure]]:
    """Return variance and SD of every word, and its weights over seeds as boxes."""
    counts = sorted({run.perturbations for run, _ in pairs})
    texts = {run.config.instruction for run, _ in pairs}
    columns = [Column("Instruction")] if len(texts) > 1 else []
    columns += [*heads(rest), Column("Word")]
    columns.append(Column("Mean weight", f"Over seeds, with {counts[-1]} perturbations."))
    for count in counts:
        about = f"Of the word's weight over seeds, with {count} perturbations, mean over photos."
        columns += [Column(f"Variance, {count}", about, 6), Column(f"SD, {count}", about, 4)]
    rows, figures = [], []
    for text, group in group_by(pairs, lambda pair: pair[0].config.instruction).items():
        series = []
        for key, runs in group_by(group, lambda pair: row_key(pair[0], rest)).items():
            by_count = group_by(runs, lambda pair: pair[0].perturbations)
            spreads = {
                count: [consistency([r.weights for _, r in own]) for own in _repeats(found)]
                for count, found in by_count.items()
            }
            most = [result.weights for _, result in by_count.get(counts[-1], ())]
            for place, unit in enumerate(runs[0][1].units):
                row: list[Cell] = [*([text] if len(texts) > 1 else []), *key, unit.text]
                row.append(mean_of(w[place] for w in most))
                for count in counts:
                    known = spreads.get(count, [])
                    row.append(mean_of(float(value.variance[place]) for value in known))
                    row.append(mean_of(float(value.sd[place]) for value in known))
                rows.append(row)
            series.append((series_name(runs[0][0], rest), most))
        words = [unit.text for unit in group[0][1].units]
        title = f"Weights over seeds, {counts[-1]} perturbations: “{text}”"
        hint = "One point per seed and photo; the box holds the middle half of them."
        figures.append(Figure(title, word_boxes(words, series), hint))
    note = (
        "SD is the standard deviation; the number behind a heading is that of the perturbations. "
        "Each is over seeds, and a mean over photos where there are several."
    )
    return make_table("Word by word", columns, rows, (note,)), figures


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
