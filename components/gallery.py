"""Every edit with the prompt that made it; sorted in the browser, so the order outlives updates."""

from __future__ import annotations

from collections.abc import Callable

import gradio as gr
from PIL import Image

from components.html import html
from smile_core.explanation import Explanation
from smile_core.gallery_html import gallery_html

# What the menu offers, and the data attribute (with a minus: descending) that it sorts by.
SORTS = {
    "order": "order of the run",
    "distance": "nearest to the full edit",
    "-distance": "farthest from the full edit",
    "-error": "worst predicted",
    "units": "fewest words",
}
_OPTIONS = "".join(f'<option value="{key}">{label}</option>' for key, label in SORTS.items())
TEMPLATE = (
    f'<label class="sorter">Sort by <select aria-label="Sort the edits by">{_OPTIONS}</select>'
    '</label><div class="gallery">${value}</div>'
)


def build() -> gr.HTML:
    """Make the empty gallery."""
    return html(
        render(None),
        html_template=TEMPLATE,
        js_on_load="smile.gallery(element, watch);",
        elem_id="gallery",
    )


def render(explanation: Explanation | None, picture_url: Callable[[Image.Image], str] = str) -> str:
    """Return the edits in the order of the run, and last the one without any instruction.

    `picture_url` gives the address of a picture.
    """
    if explanation is None:
        return '<p class="hint">The edits appear here as they are made.</p>'
    return gallery_html(explanation, picture_url)
