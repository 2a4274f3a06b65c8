"""The instruction as the picture of the answer: as HTML, for the terminal and as a PNG."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from smile_core.explanation import Explanation

HEATMAP_CSS = ""


def heatmap_html(explanation: Explanation, *, stable_height: bool = True) -> str:
    """Return the instruction with each unit in a box coloured by its weight."""
    raise NotImplementedError


def waiting_html(units: list[str] | tuple[str, ...], *, stable_height: bool = True) -> str:
    """Return the heatmap of a run that has no weights yet: same size, no colours, no numbers."""
    raise NotImplementedError


def heatmap_text(explanation: Explanation, width: int = 80) -> str:
    """Return a table with bars for the terminal, at most `width` columns wide."""
    raise NotImplementedError


def save_heatmap_png(explanation: Explanation, path: str | Path) -> None:
    """Draw the heatmap as a PNG that carries its settings and numbers."""
    raise NotImplementedError


def read_heatmap_png(path: str | Path) -> dict[str, Any]:
    """Read back what `save_heatmap_png` put into the PNG."""
    raise NotImplementedError
