"""Taking a result away, and bringing one back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import NamedTuple

import gradio as gr

from components.html import html
from components.served import file_url
from smile_core.config import ConfigError
from smile_core.explanation import Explanation
from smile_core.explanation_json import from_json
from smile_core.export import load_explanation
from smile_core.heatmap import read_heatmap_png

FILES = {
    "report.html": ("Report", "One page that opens anywhere: everything you see here."),
    "explanation.json": ("Data", "All numbers and settings; drop it on the page to restore it."),
    "samples.csv": ("Table", "One row per edit, for a spreadsheet."),
    "heatmap.png": ("Picture", "The coloured instruction, all numbers inside; it restores, too."),
}


class Export(NamedTuple):
    """The components of the export panel."""

    links: gr.HTML
    restore: gr.UploadButton


def build() -> Export:
    """Make the panel without links."""
    links = html(render(None), elem_id="export-links")
    html(
        '<p class="hint">To restore an explanation, drop its <b>heatmap.png</b> or '
        "<b>explanation.json</b> anywhere on this page, or choose the file:</p>"
    )
    restore = gr.UploadButton(
        "Restore from a file…", file_types=[".png", ".json"], size="sm", elem_id="restore"
    )
    return Export(links=links, restore=restore)


def render(folder: Path | None, files: Mapping[str, tuple[str, str]] = FILES) -> str:
    """Return the links to the files in `folder`; None stands for a result yet to come."""
    rows = []
    for name, (title, about) in files.items():
        text = f"<b>{title}</b><small>{name}</small><span>{about}</span>"
        if folder is not None and (folder / name).exists():
            url = escape(file_url(folder / name))
            rows.append(f'<a class="export" href="{url}" download="{name}">{text}</a>')
        else:
            rows.append(f'<div class="export off" aria-disabled="true">{text}</div>')
    return f'<div class="exports">{"".join(rows)}</div>'


def read_result(path: Path) -> Explanation:
    """Return the explanation inside a heatmap PNG, an `explanation.json`, or a result's folder.

    A PNG and a JSON file hold every number and no picture; a folder holds the pictures, too.

    Raises
    ------
    ConfigError
        When the file holds no explanation.
    """
    if path.is_dir():
        return load_explanation(path)
    if path.suffix.lower() == ".png":
        return from_json(json.dumps(read_heatmap_png(path)))
    if path.suffix.lower() == ".json":
        return from_json(path.read_bytes())
    raise ConfigError(
        f"{path.name} restores nothing. Drop a heatmap.png or an explanation.json saved here."
    )


def photo_name(folder: Path) -> str:
    """Return which of the page's own photos a stored example is of."""
    return (folder / "photo.txt").read_text(encoding="utf-8").strip()


def carries_result(path: Path) -> bool:
    """Return whether the file is a PNG with an explanation inside."""
    try:
        read_heatmap_png(path)
    except ConfigError:
        return False
    return True
