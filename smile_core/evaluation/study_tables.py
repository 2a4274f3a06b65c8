"""Tables of a study: cells with intervals, ours and the paper's, as Markdown and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from smile_core.result_files import csv_text

DRAWS = 2000
# A bootstrap of fewer values hardly reaches beyond them, and would promise too much.
FEWEST = 5
_SEED = 20_241_216
T = TypeVar("T")
K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True)
class Mean:
    """A mean over explanations with its 95 % interval.

    Attributes
    ----------
    value : float
        The mean.
    low, high : float or None
        Percentile bootstrap over explanations; None for fewer than `FEWEST`.
    count : int
        Explanations behind it.
    """

    value: float
    low: float | None
    high: float | None
    count: int


Cell = str | int | float | Mean | None


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes
    ----------
    title : str
        Its heading.
    meaning : str
        One plain sentence, for a hover.
    decimals : int
        Of its numbers.
    paper : bool
        True for figures that the paper printed.
    """

    title: str
    meaning: str = ""
    decimals: int = 3
    paper: bool = False


@dataclass(frozen=True)
class Table:
    """A table of a study.

    Attributes
    ----------
    title : str
        What it shows, with the paper's number of it.
    columns : tuple of Column
    rows : tuple of tuple of Cell
    notes : tuple of str
        The protocol, what differs from the paper's, and what is wrong with the paper's.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()


def mean_of(values: Iterable[float | None]) -> Mean | None:
    """Return the mean of what is known with its interval; None when nothing is.

    The interval is the percentile bootstrap over the values, the same at every call.
    """
    known = np.array([value for value in values if value is not None], dtype=float)  # (n,)
    if not len(known):
        return None
    if len(known) < FEWEST:
        return Mean(float(known.mean()), None, None, len(known))
    picks = np.random.default_rng(_SEED).integers(0, len(known), (DRAWS, len(known)))
    low, high = np.quantile(known[picks].mean(axis=1), (0.025, 0.975))
    return Mean(float(known.mean()), float(low), float(high), len(known))


def group_by(items: Iterable[T], key: Callable[[T], K]) -> dict[K, list[T]]:
    """Return the items by their key, in order of their first."""
    groups: dict[K, list[T]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups


def cell_text(cell: Cell, column: Column) -> str:
    """Return a cell as plain text: `0.912 (0.88 to 0.94)`, a dash for what is not known."""
    if cell is None:
        return "–"
    if isinstance(cell, Mean):
        value = number_text(cell.value, column.decimals)
        if cell.low is None or cell.high is None:
            return value
        low, high = (number_text(end, column.decimals) for end in (cell.low, cell.high))
        return f"{value} ({low} to {high})"
    if isinstance(cell, float):
        return number_text(cell, column.decimals)
    return str(cell)


def number_text(value: float, decimals: int) -> str:
    """Return a number with a true minus sign, and without one before zero."""
    text = f"{value:.{decimals}f}"
    return text.replace("-", "−") if float(text) else text.removeprefix("-")


def table_markdown(table: Table) -> str:
    """Return a table as Markdown with its title and notes."""
    head = [f"**{c.title}**" if c.paper else c.title for c in table.columns]
    lines = [
        f"### {table.title}",
        "",
        f"| {' | '.join(head)} |",
        f"|{'---|' * len(head)}",
        *(
            "| "
            + " | ".join(
                cell_text(cell, column).replace("|", "\\|")
                for cell, column in zip(row, table.columns, strict=True)
            )
            + " |"
            for row in table.rows
        ),
        "",
        *(f"- {note}" for note in table.notes),
    ]
    return "\n".join(lines).rstrip() + "\n"


def table_text(table: Table) -> str:
    """Return a table in columns of spaces, for a terminal.

    Intervals and notes are left to the report.
    """
    grid = [[column.title for column in table.columns]]
    for row in table.rows:
        plain = [cell.value if isinstance(cell, Mean) else cell for cell in row]
        grid.append([cell_text(c, column) for c, column in zip(plain, table.columns, strict=True)])
    widths = [max(len(row[i]) for row in grid) for i in range(len(table.columns))]
    lines = [
        "  ".join(
            text.ljust(width) if i == 0 else text.rjust(width)
            for i, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in grid
    ]
    return "\n".join([table.title, *lines])


def tables_csv(tables: Sequence[Table]) -> str:
    """Return all figures of all tables, one a row: table, what the row is about, figure, ours."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("table", "row", "column", "source", "value", "low", "high", "explanations"))
    for table in tables:
        for row in table.rows:
            about = " · ".join(cell for cell in row if isinstance(cell, str))
            for cell, column in zip(row, table.columns, strict=True):
                if isinstance(cell, str) or cell is None:
                    continue
                mean = cell if isinstance(cell, Mean) else Mean(float(cell), None, None, 0)
                ends = ("" if end is None else f"{end:.6f}" for end in (mean.low, mean.high))
                writer.writerow(
                    (
                        csv_text(table.title),
                        csv_text(about),
                        csv_text(column.title),
                        "paper" if column.paper else "ours",
                        f"{mean.value:.6f}",
                        *ends,
                        mean.count or "",
                    )
                )
    return text.getvalue()
