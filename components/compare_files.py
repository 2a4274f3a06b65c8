"""Taking a comparison away."""

from __future__ import annotations

import json
import shutil
from contextlib import suppress
from pathlib import Path

from components import export
from components.session import ComparisonPlace
from smile_core.comparison_export import JSON_FILE, REPORT_FILE, save_comparison

ZIP_FILE = "comparison.zip"
FILES = {
    REPORT_FILE: ("Report", "One page that opens anywhere: everything you see here."),
    JSON_FILE: (
        "Data",
        "All numbers and settings; drop it on the page to restore it.",
    ),
    ZIP_FILE: ("Everything", "Report, data, and each column's own result with its pictures."),
}


def carries_comparison(path: Path) -> bool:
    """Return whether a file is the JSON of a comparison, whole or damaged."""
    with suppress(OSError, ValueError, RecursionError):
        values = json.loads(path.read_bytes())
        return isinstance(values, dict) and "columns" in values
    return False


def written(place: ComparisonPlace) -> str:
    """Write the files of the last comparison unless they are there; return the links to them.

    Raises
    ------
    ExportError
        When they cannot be written.
    """
    with place.writing:
        comparison = place.comparison
        if place.closed or comparison is None:
            return export.render(None, FILES)
        if comparison is not place.exported:
            with place.writing_files() as empty:
                folder = save_comparison(comparison, empty / "comparison")
                shutil.make_archive(str(folder), "zip", folder)
                (folder.parent / ZIP_FILE).replace(folder / ZIP_FILE)
            place.exported, place.links = comparison, export.render(folder, FILES)
        return place.links
