"""Accuracy (Table I), the spread of each word (figures 9, 16 and 17), and scenarios (IX and X)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from smile_core.evaluation.accuracy import Accuracy
from smile_core.evaluation.study import Part
from smile_core.evaluation.study_answer import (
    SETTINGS,
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
    telling,
    varying,
)
from smile_core.evaluation.study_plan import Run, photo_name
from smile_core.evaluation.study_plots import mean_bars, word_boxes, word_grid
from smile_core.evaluation.study_result import controls_found, words_of
from smile_core.evaluation.study_tables import Cell, Column, Table, group_by, mean_of
from smile_core.explanation import DRIVES

ACC = Column("ATT ACC", "Share of words called rightly; a word counts from a weight of 0.1.")
F1 = Column("ATT F1", "Harmonic mean of precision and recall of the keywords.")
AUROC = Column("ATT AUROC", "Chance that a keyword outweighs another word; 0.5 is guessing.")
LOO = Column("R²_w left out", "Weighted R² on edits that the model did not see; up to 1.")
COUNT = Column("Explanations")
METRICS = {"acc": ACC, "f1": F1, "auroc": AUROC}
PROMPTS, IMAGES = "different prompts", "different images"


def answer_accuracy(part: Part, pairs: Sequence[Pair]) -> Answer:
    """Return Table I of a part."""
    pairs = [pair for pair in finished(pairs) if pair[1].accuracy is not None]
    names = varying(pairs)
    condition = IMAGES if len(part.photos) > len(part.instructions) else PROMPTS
    columns = [*heads(names), COUNT]
    for column in METRICS.values():
        columns += [column, paper_column(column)]
    rows = []
    for key, group in group_by(pairs, lambda pair: row_key(pair[0], names)).items():
        scores = _scores(group)
        row: list[Cell] = [*key, len(group)]
        for name in METRICS:
            row.append(mean_of(getattr(score, name) for score in scores))
            row.append(printed("I", f"att_{name}", group[0][0], condition=condition))
        rows.append([*row, mean_of(result.figures["r2_w_loo"] for _, result in group)])
    table = make_table(
        f"Accuracy, {condition} (Table I)",
        [*columns, LOO],
        rows,
        (
            f"Ours, instructions: {len(part.instructions)}, photos: {len(part.photos)}, "
            f"perturbations: {', '.join(map(str, part.perturbations))}. Truth is 1 for keywords, a "
            "word is called relevant from a weight of 0.1, AUROC is of the signed weights. "
            "Intervals of 95 % by bootstrap over explanations, from five on.",
            nearest_note(pairs),
            *paper_notes("I"),
        ),
    )
    return Answer(
        part,
        "Do the weights point at the words that matter?",
        (table, _by_instruction(pairs, names)),
        (_auroc_figure(pairs, names),),
    )


def answer_words(part: Part, pairs: Sequence[Pair]) -> Answer:
    """Return a box plot for each instruction: its words over photos."""
    pairs = finished(pairs)
    names = varying(pairs)
    heading = ", ".join(SETTINGS[name] for name in telling(pairs, names))
    tables, figures = [], []
    for text, group in group_by(pairs, lambda pair: pair[0].config.instruction).items():
        words = [unit.text for unit in group[0][1].units]
        sets = group_by(group, lambda pair: series_name(pair[0], telling(pairs, names)))
        series = [(name, [r.weights for _, r in runs]) for name, runs in sets.items()]
        figures.append(
            Figure(
                f"“{text}”",
                word_boxes(words, series),
                "One point per photo; the box holds the middle half of them.",
            )
        )
        figures.append(
            Figure(
                f"“{text}”, photo by photo",
                word_grid([(_photo_label(run, names), words_of(r)) for run, r in group]),
                "Orange: keeping the word pulls the picture towards the full edit.",
            )
        )
        tables.append(_word_table(text, words, sets, heading))
    return Answer(
        part, "How much does a word's weight depend on the photo?", tuple(tables), tuple(figures)
    )


def answer_scenarios(part: Part, pairs: Sequence[Pair]) -> Answer:
    """Return which control words were found, by group and by instruction (Tables IX and X)."""
    pairs = [pair for pair in finished(pairs) if pair[1].truth is not None]
    names = varying(pairs)
    rows = []
    for (group_name, *key), group in group_by(
        pairs, lambda pair: (pair[0].instruction.group, *row_key(pair[0], names))
    ).items():
        found = [controls_found(result) for _, result in group]
        row: list[Cell] = [group_name or part.name, *key, len(group)]
        row += [mean_of(getattr(s, name) for s in _scores(group)) for name in METRICS]
        rows.append([*row, mean_of(found)])
    found_column = Column(
        "Control words that drive", "Share of the control words with the verdict “drives the edit”."
    )
    columns = [Column("Group"), *heads(names), COUNT, *METRICS.values(), found_column]
    table = make_table(
        "Scenarios by group (Tables IX and X)",
        columns,
        rows,
        (
            "Control words are those that the paper marks as the ones that should matter, as far "
            "as they stand in the instruction; the paper prints no figures for them.",
        ),
    )
    return Answer(
        part,
        "Are the control words of driving scenarios found?",
        (table, _by_instruction(pairs, names)),
        (_auroc_figure(pairs, names),),
    )


def _scores(group: Sequence[Pair]) -> list[Accuracy]:
    return [result.accuracy for _, result in group if result.accuracy is not None]


def _by_instruction(pairs: Sequence[Pair], names: Sequence[str]) -> Table:
    rows = []
    for (text, *key), group in group_by(
        pairs, lambda pair: (pair[0].config.instruction, *row_key(pair[0], names))
    ).items():
        units = [unit.text for unit in group[0][1].units]
        truth = group[0][1].truth or ()
        keywords = " ".join(unit for unit, is_key in zip(units, truth, strict=True) if is_key)
        weights = np.array([result.weights for _, result in group])  # (r, m)
        strongest = units[int(weights.mean(axis=0).argmax())]
        row: list[Cell] = [text, *key, keywords, strongest, len(group)]
        rows.append([*row, mean_of(score.auroc for score in _scores(group))])
    columns = [Column("Instruction"), *heads(names), Column("Keywords"), Column("Heaviest word")]
    return make_table("Instruction by instruction", [*columns, COUNT, AUROC], rows)


def _auroc_figure(pairs: Sequence[Pair], names: Sequence[str]) -> Figure:
    series = []
    names = telling(pairs, names)
    texts = list(dict.fromkeys(run.config.instruction for run, _ in pairs))
    labels = {text: f"{i}. {_short(text)}" for i, text in enumerate(texts, 1)}
    for name, runs in group_by(pairs, lambda pair: series_name(pair[0], names)).items():
        groups = group_by(runs, lambda pair: labels[pair[0].config.instruction])
        means = [(text, mean_of(s.auroc for s in _scores(own))) for text, own in groups.items()]
        series.append((name, means))
    return Figure(
        "AUROC by instruction",
        mean_bars("AUROC", series, (0.0, 1.05)),
        "1: every keyword outweighs every other word. 0.5: guessing.",
    )


def _word_table(
    text: str, words: Sequence[str], sets: dict[str, list[Pair]], heading: str
) -> Table:
    rows: list[list[Cell]] = []
    for name, runs in sets.items():
        weights = np.array([result.weights for _, result in runs])  # (r, m)
        low, middle, high = np.quantile(weights, (0.25, 0.5, 0.75), axis=0)  # (m,) each
        for index, word in enumerate(words):
            drives = np.mean([result.units[index].verdict == DRIVES for _, result in runs])
            quartiles = [float(end[index]) for end in (low, middle, high)]
            rows.append([name, word, *quartiles, float(drives), len(runs)])
    return make_table(
        f"Weights of “{text}” over photos (Figures 9, 16 and 17)",
        [
            Column(heading),
            Column("Word"),
            Column("Lower quartile"),
            Column("Median"),
            Column("Upper quartile"),
            Column("Drives the edit", "Share of the photos on which this is the verdict.", 2),
            COUNT,
        ],
        rows,
        (
            "The paper draws these figures and prints no numbers; in its Figure 9 “snowing” has "
            "the highest median.",
        ),
    )


def _photo_label(run: Run, names: Sequence[str]) -> str:
    photo = photo_name(run.photo)
    several = len(run.part.editors) > 1 or len(names) > 1
    return f"{photo}, {series_name(run, names)}" if several else photo


def _short(text: str, most: int = 22) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
