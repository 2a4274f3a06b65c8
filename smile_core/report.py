"""One self-contained HTML file with the whole explanation; it opens anywhere, offline."""

from __future__ import annotations

from pathlib import Path

from .explanation import Explanation


def report_html(explanation: Explanation) -> str:
    """Return the report as one HTML document."""
    raise NotImplementedError


def write_report(explanation: Explanation, path: str | Path) -> None:
    """Write `report_html` to `path` as UTF-8."""
    Path(path).write_text(report_html(explanation), encoding="utf-8")
