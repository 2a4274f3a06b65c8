"""The Compare tab without a browser: its components, and what its inputs may show."""

from __future__ import annotations

from types import SimpleNamespace

import gradio as gr

from components import compare, compare_inputs, inputs
from components.compare_asked import OWN, SHARED, Asked
from components.compare_runs import CompareRuns
from smile_core.config import RunConfig
from smile_core.editors import list_editors

TEMPLE = inputs.PHOTOS["temple"]
TEXTS = ("make it snowy", "make it foggy", "")
NO_KEYS = ("", "", "")
TOOLS = ("scene-pix2pix", "sd-turbo", "")


def request(key: str) -> SimpleNamespace:
    return SimpleNamespace(session_hash=key)


def tab_parts() -> tuple[compare_inputs.CompareInputs, CompareRuns]:
    gr.set_static_paths(list(inputs.PHOTOS.values()))  # which the Explain tab does on the page
    with gr.Blocks():
        left = compare_inputs.build(list_editors(), str(TEMPLE))
        panels, _ = compare.build_panels()
        return left, CompareRuns(panels, left.buttons)


def asked(by: str, *, editors=TOOLS, instructions=TEXTS, own=None, **shared: object) -> Asked:
    defaults = RunConfig(instruction="any").to_dict()
    settings = {**{name: defaults[name] for name in SHARED}, "perturbations": 8.0, "seed": 3}
    texts = {**dict.fromkeys(OWN, ("", "", "")), **(own or {})}
    return Asked(
        by=by, editors=editors, instructions=instructions, own=texts, shared={**settings, **shared}
    )


def values_of(asked: Asked) -> list[object]:
    own = [text for name in OWN for text in asked.own[name]]
    shared = [asked.shared[name] for name in SHARED]
    return [asked.by, *asked.editors, *asked.instructions, *own, *shared]
