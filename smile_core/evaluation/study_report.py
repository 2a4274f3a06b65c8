"""The results of a study as files: tables as CSV and Markdown, and one self-contained report.

The report holds the script of plotly, so that its plots work anywhere, offline, like the rest of
it; a content security policy forbids it to fetch anything.

References
----------
[1] SMILE for instruction-based image editing, arXiv 2412.16277, section V.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from plotly.io import to_html
from plotly.offline import get_plotlyjs

from smile_core.evaluation.study import Study
from smile_core.evaluation.study_answer import Answer, Figure, Pair
from smile_core.evaluation.study_answers import all_tables, answer_study
from smile_core.evaluation.study_result import results_csv, timings_csv
from smile_core.evaluation.study_tables import (
    Cell,
    Column,
    Mean,
    Table,
    cell_text,
    number_text,
    table_markdown,
    tables_csv,
)
from smile_core.report import STATIC, document_html, method_html
from smile_core.result_files import write_text, writing
from smile_core.versions import versions

RESULTS_FILE = "results.csv"
TIMINGS_FILE = "timings.csv"
SUMMARY_FILE = "summary.md"
SUMMARY_CSV_FILE = "summary.csv"
REPORT_FILE = "report.html"
LONGEST_NAME = 20  # characters
METHOD = """
<p>Every explanation of this study was made as on the page: the photo was edited with the full
instruction and with shortened versions of it, all from the same seed, and a weighted linear model
learned from “which words were kept” how similar the result is. Runs that differ in distances or
surrogate alone are fits of the same edits.</p>
<p>Figures of the paper stand in columns of their own, marked as the paper's. They were measured on
other editors, photos and code, so they are a yardstick, not a bar; what is known to be wrong with
them is said below each table.</p>
"""


def save_study(study: Study, pairs: Sequence[Pair], folder: Path) -> Path:
    """Write the results of a study, whole or as far as it went.

    Parameters
    ----------
    study : Study
        The study.
    pairs : sequence of (Run, RunResult)
        What is done of it, as in a `StudySnapshot`.
    folder : Path
        Gets `results.csv` (a row per word per run), `timings.csv`, `summary.csv` and `summary.md`
        (the tables) and `report.html`; files of these names are replaced.

    Raises
    ------
    ExportError
        When the disk is full or the folder cannot be written.
    """
    answers = answer_study(study, pairs)
    tables = all_tables(answers)
    with writing("study", folder):
        folder.mkdir(parents=True, exist_ok=True)
        write_text(folder / RESULTS_FILE, results_csv(pairs))
        write_text(folder / TIMINGS_FILE, timings_csv(pairs))
        write_text(folder / SUMMARY_CSV_FILE, tables_csv(tables))
        write_text(folder / SUMMARY_FILE, summary_markdown(study, answers))
        write_text(folder / REPORT_FILE, study_report_html(study, answers))
    return folder


def summary_markdown(study: Study, answers: Sequence[Answer]) -> str:
    """Return all tables as Markdown; the paper's columns are bold."""
    parts = [f"# {study.title}\n", f"{study.about}\n" if study.about else ""]
    for answer in answers:
        parts.append(f"## {answer.part.name}\n")
        parts += [f"{text}\n" for text in (answer.question, *answer.notes) if text]
        parts += [table_markdown(table) for table in answer.tables]
    return "\n".join(part for part in parts if part)


def study_report_html(study: Study, answers: Sequence[Answer]) -> str:
    """Return the report as one HTML document that fetches nothing."""
    contents = "".join(
        f'<li><a href="#part-{index}">{escape(answer.part.name)}</a> {escape(answer.question)}</li>'
        for index, answer in enumerate(answers)
    )
    sections = "".join(_section(index, answer) for index, answer in enumerate(answers))
    used = ", ".join(f"{name} {number}" for name, number in versions().items())
    about = f'<p class="facts">{escape(study.about)}</p>' if study.about else ""
    body = (
        '<header><p class="brand"><b>SMILE</b> which words drive your edit?</p>'
        f"<h1>{escape(study.title)}</h1>{about}</header>"
        f'<section><h2>What is asked</h2><ol class="contents">{contents}</ol></section>'
        f"{sections}{method_html(METHOD)}"
        f'<section><p class="hint">{escape(used)}</p></section>'
    )
    style = (STATIC / "study_report.css").read_text(encoding="utf-8")
    # The plots are drawn where they stand, so the library has to come before them.
    return document_html(study.title, f"<script>{get_plotlyjs()}</script>{body}", style)


def table_html(table: Table) -> str:
    """Return one table; the paper's columns are marked, means carry their interval."""
    head = "".join(
        _head(column, [row[place] for row in table.rows])
        for place, column in enumerate(table.columns)
    )
    rows = "".join(
        "<tr>"
        + "".join(_cell(cell, column) for cell, column in zip(row, table.columns, strict=True))
        + "</tr>"
        for row in table.rows
    )
    notes = "".join(f"<li>{escape(note)}</li>" for note in table.notes)
    return (
        f'<h3>{escape(table.title)}</h3><div class="scroll"><table class="study">'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
        f"{f'<ul class=table-notes>{notes}</ul>' if notes else ''}"
    )


def part_html(answer: Answer) -> str:
    """Return the heading of a part, its question, its notes and its tables."""
    notes = "".join(f"<li>{escape(note)}</li>" for note in answer.notes)
    return (
        f'<h2 class="part">{escape(answer.part.name)}</h2>'
        f'<p class="question">{escape(answer.question)}</p>'
        f"{f'<ul class=notes>{notes}</ul>' if notes else ''}"
        f"{''.join(table_html(table) for table in answer.tables)}"
    )


def _section(index: int, answer: Answer) -> str:
    figures = "".join(_figure(figure) for figure in answer.figures)
    return f'<section id="part-{index}">{part_html(answer)}{figures}</section>'


def _figure(figure: Figure) -> str:
    plot = to_html(
        figure.plot,
        full_html=False,
        include_plotlyjs=False,
        config={"displaylogo": False, "responsive": True},
    )
    hint = f'<p class="hint">{escape(figure.hint)}</p>' if figure.hint else ""
    return f"<figure><h3>{escape(figure.title)}</h3>{plot}{hint}</figure>"


def _head(column: Column, cells: Sequence[Cell]) -> str:
    are_texts = any(isinstance(cell, str) for cell in cells)
    kinds = [*(["paper"] if column.paper else []), *([] if are_texts else ["number"])]
    kind = f' class="{" ".join(kinds)}"' if kinds else ""
    meaning = f' title="{escape(column.meaning)}"' if column.meaning else ""
    return f'<th scope="col"{kind}{meaning}>{escape(column.title)}</th>'


def _cell(cell: Cell, column: Column) -> str:
    kinds = ["paper"] if column.paper else []
    if not isinstance(cell, str):
        kinds.append("number")
    elif len(cell) <= LONGEST_NAME:
        kinds.append("name")  # stays on one line, hyphens or not
    attributes = f' class="{" ".join(kinds)}"' if kinds else ""
    text = escape(cell_text(cell, column))
    if isinstance(cell, Mean) and cell.low is not None and cell.high is not None:
        low, high = (number_text(end, column.decimals) for end in (cell.low, cell.high))
        text = f"{number_text(cell.value, column.decimals)}<small>{low} to {high}</small>"
    return f"<td{attributes}>{text}</td>"
