"""What one part of a study leads to, and what all protocols need to tell it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from smile_core.evaluation.paper_tables import PaperTable, nearest_editor, paper_table
from smile_core.evaluation.study import Part
from smile_core.evaluation.study_plan import Run
from smile_core.evaluation.study_result import RunResult
from smile_core.evaluation.study_tables import Cell, Column, Table, group_by

Pair = tuple[Run, RunResult]

# Settings that set rows of a table apart, with their headings.
SETTINGS = {
    "editor": "Editor",
    "method": "Method",
    "perturbations": "Perturbations",
    "text_distance": "Text distance",
    "image_distance": "Image distance",
    "surrogate": "Surrogate",
}


@dataclass(frozen=True)
class Figure:
    """A plot of a study with its heading and what to read from it."""

    title: str
    plot: go.Figure
    hint: str = ""


@dataclass(frozen=True)
class Answer:
    """What one part of a study leads to.

    Attributes
    ----------
    part : Part
        The part.
    question : str
        What it asks, in a sentence.
    tables : tuple of Table
    figures : tuple of Figure
    notes : tuple of str
        What went wrong, and what is missing so far.
    """

    part: Part
    question: str
    tables: tuple[Table, ...] = ()
    figures: tuple[Figure, ...] = ()
    notes: tuple[str, ...] = ()


def setting(run: Run, name: str) -> str | int:
    """Return a setting of a run by its name in `SETTINGS`."""
    return run.method if name == "method" else getattr(run.config, name)


def varying(pairs: Sequence[Pair]) -> list[str]:
    """Return the editor, and the other `SETTINGS` that differ between the runs.

    Distances and surrogate that only follow from the method are left out.
    """
    names = [name for name in SETTINGS if len({setting(run, name) for run, _ in pairs}) > 1]
    by_method = {}
    if "method" in names:
        for name in ("text_distance", "image_distance", "surrogate"):
            values = {(run.method, setting(run, name)) for run, _ in pairs}
            by_method[name] = len(values) == len({run.method for run, _ in pairs})
    return ["editor", *(n for n in names if n != "editor" and not by_method.get(n, False))]


def row_key(run: Run, names: Sequence[str]) -> tuple[str | int, ...]:
    """Return what a run is filed under."""
    return tuple(setting(run, name) for name in names)


def heads(names: Sequence[str]) -> list[Column]:
    """Return the columns of `names`."""
    return [Column(SETTINGS[name]) for name in names]


def series_name(run: Run, names: Sequence[str]) -> str:
    """Return what to call a run in a legend or beside a bar."""
    return ", ".join(str(setting(run, name)) for name in names)


def telling(pairs: Sequence[Pair], names: Sequence[str]) -> list[str]:
    """Return those of `names` that differ between the runs, or the editor where none does."""
    differ = [name for name in names if len({setting(run, name) for run, _ in pairs}) > 1]
    return differ or ["editor"]


def beside(
    cells: Sequence[Cell], columns: Sequence[Column], papers: Sequence[Cell]
) -> tuple[list[Cell], list[Column]]:
    """Put the paper's figure behind each of ours, in a column of its own."""
    row: list[Cell] = []
    head: list[Column] = []
    for cell, column, printed in zip(cells, columns, papers, strict=True):
        row += [cell, printed]
        head += [column, paper_column(column)]
    return row, head


def paper_column(column: Column, decimals: int | None = None) -> Column:
    """Return the column of the paper's figures for one of ours; it prints four decimals mostly."""
    decimals = max(column.decimals, 4) if decimals is None else decimals
    meaning = "Printed in the paper, for its own editor."
    return Column(f"{column.title}, paper", meaning, decimals, True)


def paper_notes(number: str) -> tuple[str, ...]:
    """Return how the paper measured a table, and what is known to be wrong with it."""
    table = paper_table(number)
    return (
        f"The paper's table {number}: {table.protocol}",
        *(f"In the paper: {problem}" for problem in table.problems),
    )


def printed(number: str, figure: str, run: Run, **where: object) -> float | None:
    """Return the paper's figure for the editor that is nearest in kind to that of a run."""
    table: PaperTable = paper_table(number)
    return table.figure(figure, editor=nearest_editor(run.config.editor), **where)


def nearest_note(pairs: Sequence[Pair]) -> str:
    """Say which of the paper's editors stands beside which of ours."""
    names = dict.fromkeys(run.config.editor for run, _ in pairs)
    kin = group_by(names, nearest_editor)
    listed = "; ".join(f"{paper} beside {' and '.join(ours)}" for paper, ours in kin.items())
    return (
        "Columns named “paper” are its own figures, measured on its photos with the editor that "
        f"is nearest in kind: {listed}."
    )


def finished(pairs: Sequence[Pair]) -> list[Pair]:
    """Return the runs that led to weights."""
    return [pair for pair in pairs if pair[1].failed is None]


def measured(pairs: Sequence[Pair]) -> tuple[list[Pair], tuple[str, ...]]:
    """Return the runs with the measures of their protocol, and a note where some have none."""
    every = finished(pairs)
    found = [pair for pair in every if pair[1].measures]
    if len(found) == len(every):
        return found, ()
    left = len(every) - len(found)
    return found, (
        f"{left} of {len(every)} explanations are not in the table: their instruction changed "
        "nothing, whichever words were left out, so no word can be the right one.",
    )


def make_table(
    title: str,
    columns: Sequence[Column],
    rows: Sequence[Sequence[Cell]],
    notes: Sequence[str] = (),
) -> Table:
    """Return a table of lists."""
    return Table(title, tuple(columns), tuple(tuple(row) for row in rows), tuple(notes))
