"""An HTML block in the page's own style."""

from __future__ import annotations

from typing import Any

import gradio as gr


def html(value: str = "", **options: Any) -> gr.HTML:
    """Make a `gr.HTML` without Gradio's prose style; `options` are handed on."""
    return gr.HTML(value, apply_default_css=False, **options)
