"""The Explain tab without a browser."""

from __future__ import annotations

from types import SimpleNamespace

import gradio as gr

from components import explain, inputs
from components.show import Panels
from smile_core.config import RunConfig
from smile_core.editors import list_editors

CONFIG = RunConfig(instruction="make it snowy")


def request(key: str) -> SimpleNamespace:
    return SimpleNamespace(session_hash=key)


def page_parts(config: RunConfig = CONFIG) -> tuple[inputs.Inputs, Panels]:
    with gr.Blocks():
        left = inputs.build(list_editors(), inputs.PHOTOS["temple"], config)
        panels, _ = explain.build_result()
    return left, panels
