"""A comparison as a folder: each column's result, one report of all, and the JSON that ties them.

The folders `a`, `b` and `c` are ordinary results (see `export`). `comparison.json` is written
last, and that of an earlier comparison is removed before anything else, so a folder that holds one
is complete and of one piece. It holds all explanations besides, without their pictures, so that it
restores the comparison where it travels alone.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from smile_core.comparison import (
    FEWEST_COLUMNS,
    LETTERS,
    MOST_COLUMNS,
    Column,
    Comparison,
    Point,
    WordRow,
)
from smile_core.comparison_report import write_comparison_report
from smile_core.config import ConfigError, RunConfig
from smile_core.explanation import Explanation
from smile_core.explanation_json import from_json, plain_unit, to_json
from smile_core.export import load_explanation, save_explanation
from smile_core.result_files import read_file, write_file, write_text, writing
from smile_core.strict_json import (
    read_mapping,
    read_number,
    read_object,
    read_optional_text,
    read_text,
    refusing_damage,
)
from smile_core.word_differences import compare_columns

SCHEMA = 1
JSON_FILE = "comparison.json"
REPORT_FILE = "report.html"


def save_comparison(comparison: Comparison, folder: str | Path) -> Path:
    """Write a comparison into `folder`, which is made when it is not there.

    Parameters
    ----------
    comparison : Comparison
        What to write; a column without an explanation is written without a folder.
    folder : str or Path
        Gets `a`, `b` and `c`, `report.html` and `comparison.json`; files of these names are
        replaced. When that fails half way there is no `comparison.json`.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    ExportError
        When the disk is full or the folder cannot be written.
    """
    folder = Path(folder)
    text = comparison_json(comparison, whole=True)
    with writing("comparison", folder):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / JSON_FILE).unlink(missing_ok=True)
    for index, column in enumerate(comparison.columns):
        if column.explanation is not None:
            save_explanation(column.explanation, folder / column_folder(index))
    with writing("comparison", folder):
        write_file(folder / REPORT_FILE, lambda path: write_comparison_report(comparison, path))
        write_text(folder / JSON_FILE, text)
    return folder


def column_folder(index: int) -> str:
    """Return the name of the folder with the result of a column."""
    return LETTERS[index].lower()


def comparison_json(comparison: Comparison, *, whole: bool = False) -> str:
    """Write a comparison as strict JSON.

    The explanations are named by their folders; if it is to be `whole`, they are in it as well,
    without their pictures.
    """
    columns: list[dict[str, Any]] = [
        {
            "label": column.label,
            "folder": None if column.explanation is None else column_folder(index),
            "failed": column.failed,
            "config": column.config.to_dict(),
            "places": column.places,
        }
        for index, column in enumerate(comparison.columns)
    ]
    if whole:
        for column, found in zip(columns, comparison.columns, strict=True):
            known = found.explanation
            column["explanation"] = None if known is None else json.loads(to_json(known))
    values = {
        "schema": SCHEMA,
        "columns": columns,
        "rows": [_plain_row(row) for row in comparison.rows],
        "contrasts": [None if c is None else asdict(c) for c in comparison.contrasts],
        "notes": comparison.notes,
    }
    return json.dumps(values, allow_nan=False, indent=1)


def _plain_row(row: WordRow) -> dict[str, Any]:
    """Return a row as plain values; a word that was not measured has no numbers."""
    units = [None if unit is None else plain_unit(unit) for unit in row.units]
    return {**asdict(row), "units": units}


def load_comparison(path: str | Path, *, most_edits: int | None = None) -> Comparison:
    """Read a comparison back.

    The rows are computed anew from the explanations, which gives the same numbers, so a file
    cannot claim what its samples do not say.

    Parameters
    ----------
    path : str or Path
        The folder that `save_comparison` wrote, or its `comparison.json`; pictures that are not
        beside it are None.
    most_edits : int or None
        Refuse a larger column, before its intervals are computed.

    Raises
    ------
    ConfigError
        When there is no such file, it is not a comparison, or it is too large.
    """
    folder, data = read_file(path, "comparison", JSON_FILE)
    with refusing_damage("a comparison", JSON_FILE):
        values = read_object(data, "a comparison", SCHEMA)
        given = values["columns"]
        if not isinstance(given, list) or not FEWEST_COLUMNS <= len(given) <= MOST_COLUMNS:
            raise ValueError("it does not have two or three columns")
        columns = [
            _read_column(folder, index, read_mapping(column, "a column"))
            for index, column in enumerate(given)
        ]
        notes = tuple(read_text(note) for note in values["notes"])
    largest = max((len(c.explanation.samples) for c in columns if c.explanation), default=0)
    if most_edits is not None and largest > most_edits:
        raise ConfigError(
            f"A column of this comparison has {largest:,} edits, and here at most {most_edits:,} "
            "are restored. Read it with smile_core.load_comparison on your own machine."
        )
    return replace(compare_columns(columns), notes=notes)


def _read_column(parent: Path, index: int, values: dict[str, Any]) -> Column:
    folder = read_optional_text(values["folder"])
    if folder not in (None, column_folder(index)):  # never a folder from elsewhere
        raise ValueError(f"column {LETTERS[index]} names the folder {folder!r}")
    explanation = None if folder is None else _read_explanation(parent / folder, values)
    config = RunConfig.from_dict(read_mapping(values["config"], "config"))
    places = _read_places(values["places"])
    edits = 0 if explanation is None else 1 + len(explanation.samples)
    if len(places) not in (0, edits):
        raise ValueError(f"there are {len(places)} places on the map for {edits} edits")
    if explanation is not None and explanation.instruction != config.instruction:
        raise ValueError(f"the explanation of column {LETTERS[index]} is of another instruction")
    return Column(
        label=read_text(values["label"]),
        config=config,
        explanation=explanation,
        failed=read_optional_text(values["failed"]),
        places=places,
    )


def _read_explanation(folder: Path, values: dict[str, Any]) -> Explanation:
    """Read the folder of a column, with its pictures, or else what the JSON itself holds."""
    if folder.is_dir() or values.get("explanation") is None:  # as in files of earlier versions
        return load_explanation(folder)
    return from_json(json.dumps(read_mapping(values["explanation"], "an explanation")))


def _read_places(values: Sequence[Any]) -> tuple[Point | None, ...]:
    return tuple(
        None if place is None else (read_number(place[0]), read_number(place[1]))
        for place in values
    )
