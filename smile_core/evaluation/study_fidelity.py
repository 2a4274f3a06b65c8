"""Fidelity by editor, perturbations, distances and surrogate (IV-VII), and cost (VIII)."""

from __future__ import annotations

from collections.abc import Sequence

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
    setting,
    telling,
    varying,
)
from smile_core.evaluation.study_plan import Run
from smile_core.evaluation.study_plots import mean_bars, mean_lines, stacked_seconds
from smile_core.evaluation.study_result import RunResult
from smile_core.evaluation.study_tables import Cell, Column, Mean, group_by, mean_of
from smile_core.fidelity import FIDELITY

# The paper's six, then those it lacks.
PRINTED = ("mse", "r2_w", "mae", "l1", "l2", "r2_w_adj")
OURS = ("r2_w_loo", "wmse")
COUNT = Column("Explanations")
AUROC = Column("AUROC", "Chance that a keyword outweighs another word; 0.5 is guessing.")
STATIONS = ("Edits", "Encoding", "Text distance", "Image distance", "Fit")
PAPER_TABLES = {
    "by editor": "IV",
    "by perturbations": "V",
    "by distances and surrogate": "VII",
}


def answer_fidelity(part: Part, pairs: Sequence[Pair]) -> Answer:
    """Return Table IV, V and VI, or VII of a part, whichever its axes make."""
    pairs = finished(pairs)
    names = varying(pairs)
    kind = _kind(names)
    number = PAPER_TABLES[kind]
    columns = [*heads(names), COUNT]
    for name in PRINTED:
        column = _column(name)
        columns += [column, paper_column(column)]
    columns += [*(_column(name) for name in OURS), AUROC]
    rows = []
    for key, group in group_by(pairs, lambda pair: row_key(pair[0], names)).items():
        row: list[Cell] = [*key, len(group)]
        for name in PRINTED:
            row.append(_mean(group, name))
            row.append(_printed(number, name, group[0][0]))
        row += [_mean(group, name) for name in OURS]
        rows.append([*row, mean_of(r.accuracy.auroc for _, r in group if r.accuracy)])
    notes = (
        "Ours: L1 and L2 are the MAE and the MSE, as the printed equations say. R²_w has weights "
        "in both of its sums. “Leave-one-out” asks the surrogate about edits that it was not "
        "fitted on; the other figures are in-sample and rise with every word of the instruction.",
        *_counts_note(part, pairs),
        nearest_note(pairs),
        *paper_notes(number),
    )
    table = make_table(f"Fidelity {kind} ({_numbers(number)})", columns, rows, notes)
    return Answer(
        part,
        "How well do the word weights reproduce what the editor did?",
        (table,),
        (_figure(pairs, names),),
    )


def answer_cost(part: Part, pairs: Sequence[Pair], everything: Sequence[Pair]) -> Answer:
    """Return Table VIII of a part: where the seconds of each method go.

    `everything` are the runs of the whole study, which tell how long edits take.
    """
    pairs = finished(pairs)
    per_edit = _rates(everything, "edit_s", "fresh_edits")
    per_picture = _rates(everything, "encode_s", "encoded_pictures")
    names = ["editor", "method"]
    rows, labels, seconds = [], [], []
    for key, group in group_by(pairs, lambda pair: row_key(pair[0], names)).items():
        run = group[0][0]
        parts = _stations(group, per_edit.get(run.config.editor), per_picture)
        known = [value for value in parts if value is not None]
        total = sum(known) if len(known) == len(parts) else None
        row: list[Cell] = [*key, mean_of(r.figures["edits"] for _, r in group), total]
        rows.append([*row, _printed("VIII", run.method, run), *parts])
        labels.append(series_name(run, telling(pairs, names)))
        seconds.append([value or 0.0 for value in parts])
    columns = [*heads(names), Column("Edits", "Of one explanation.", 0)]
    whole = Column("Seconds", "Of one explanation, edits not cached.", 2)
    columns += [whole, paper_column(whole, 2), *(Column(f"{name}, s", "", 3) for name in STATIONS)]
    table = make_table(
        "Seconds of one explanation (Table VIII)",
        columns,
        rows,
        (
            "Ours: all methods share the same edits; the seconds of an edit and of encoding a "
            "picture are those measured in this study, whatever part made them, and a dash stands "
            "where every edit came from the cache.",
            "Times depend on the machine, so compare methods within a column, not with the paper.",
            nearest_note(pairs),
            *paper_notes("VIII"),
        ),
    )
    bars = [(name, [part[i] for part in seconds]) for i, name in enumerate(STATIONS)]
    figure = Figure(
        "Where the seconds go",
        stacked_seconds(labels, bars),
        "The edits are the same for all; what a method adds lies behind them.",
    )
    return Answer(part, "What does each method cost on the same edits?", (table,), (figure,))


def _kind(names: Sequence[str]) -> str:
    if "perturbations" in names:
        return "by perturbations"
    others = {"text_distance", "image_distance", "surrogate", "method"}
    return "by distances and surrogate" if others & set(names) else "by editor"


def _numbers(number: str) -> str:
    return "Tables V and VI" if number == "V" else f"Table {number}"


def _column(name: str) -> Column:
    metric = FIDELITY[name]
    return Column(metric.label, f"{metric.meaning} {metric.direction.capitalize()} is better.", 4)


def _mean(group: Sequence[Pair], name: str) -> Mean | None:
    return mean_of(result.figures[name] for _, result in group)


def _printed(number: str, figure: str, run: Run) -> float | None:
    if number == "VII":
        where = {name: setting(run, name) for name in ("text_distance", "surrogate")}
        # The paper's Wasserstein distance is the one-dimensional one, order 1.
        image = str(run.config.image_distance).replace("wasserstein-1d", "wasserstein")
        if run.config.image_distance == "wasserstein" or run.method != "smile":
            return None
        return printed(number, figure, run, image_distance=image, **where)
    if number == "V":
        return printed(number, figure, run, perturbations=run.config.perturbations)
    return printed(number, figure, run)


def _counts_note(part: Part, pairs: Sequence[Pair]) -> tuple[str, ...]:
    """Say where an instruction has fewer shortened versions than were asked for."""
    counts = dict.fromkeys((run.perturbations, _shortened(run, result)) for run, result in pairs)
    return tuple(
        f"Of {asked} perturbations only {there} are run where the instruction has no more "
        "shortened versions; repeating one adds nothing."
        for asked, there in counts
        if there < asked
    )


def _shortened(run: Run, result: RunResult) -> int:
    """Return how many shortened instructions a finished run has."""
    return run.config.perturbations_for(len(result.units))


def _figure(pairs: Sequence[Pair], names: Sequence[str]) -> Figure:
    hint = "Leave-one-out is the honest figure: 1 is perfect, below 0 worse than the mean."
    if "perturbations" in names:
        rest = telling(pairs, [name for name in names if name != "perturbations"])
        lines = []
        for metric in ("r2_w", "r2_w_loo"):
            for name, runs in group_by(pairs, lambda pair: series_name(pair[0], rest)).items():
                counts = group_by(runs, lambda pair: _shortened(*pair))
                points = [(float(n), _mean(own, metric)) for n, own in counts.items()]
                lines.append((f"{name}: {FIDELITY[metric].label}", points))
        return Figure("Fidelity against perturbations", mean_lines("perturbations", "R²", lines),
                      hint)  # fmt: skip
    series = []
    names = telling(pairs, names)
    for metric in ("r2_w", "r2_w_loo"):
        groups = group_by(pairs, lambda pair: series_name(pair[0], names))
        bars = [(name, _mean(own, metric)) for name, own in groups.items()]
        series.append((FIDELITY[metric].label, bars))
    return Figure("Fidelity in-sample and leave-one-out", mean_bars("R²", series, None), hint)


def _rates(pairs: Sequence[Pair], seconds: str, count: str) -> dict[str, float]:
    """Return seconds per edit, or per picture, by editor, of what was really done."""
    rates = {}
    for editor, group in group_by(pairs, lambda pair: pair[0].config.editor).items():
        done = sum(result.timing.get(count, 0.0) for _, result in group)
        if done:
            rates[editor] = sum(r.timing.get(seconds, 0.0) for _, r in group) / done
    return rates


def _stations(
    group: Sequence[Pair], per_edit: float | None, per_picture: dict[str, float]
) -> list[float | None]:
    """Return the seconds of one explanation by station, as in `STATIONS`."""
    edits = sum(result.figures["edits"] or 0.0 for _, result in group) / len(group)
    picture = per_picture.get(group[0][0].config.editor)
    own = [
        sum(result.timing[name] for _, result in group) / len(group)
        for name in ("text_distance_s", "image_distance_s", "fit_s")
    ]
    return [
        None if per_edit is None else edits * per_edit,
        None if picture is None else edits * picture,
        *own,
    ]
