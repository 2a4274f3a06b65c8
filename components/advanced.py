"""The settings that are folded away, each explained in a line; named as in `RunConfig`."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import gradio as gr

from components.html import html
from smile_core.config import (
    BLANKS,
    DESIGNS,
    GRANULARITIES,
    IMAGE_DISTANCES,
    PRESETS,
    RESPONSES,
    SCHEDULERS,
    SURROGATES,
    TEXT_DISTANCES,
    RunConfig,
)

ENCODERS = (
    "efficientnet-lite0",
    "facebook/dinov2-small",
    "facebook/dinov2-base",
    "facebook/dinov2-large",
)
WORD_VECTORS = ("bundled", "glove-wiki-gigaword-300", "word2vec-google-news-300")
MAX_P_ITERATIONS = 100_000  # the published number; a server is shared

# field: (label, explanation, choices); a menu each.
MENUS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "granularity": ("Unit", "What can be left out: single words, or phrases.", GRANULARITIES),
    "design": ("Which perturbations", "Balanced covers words evenly; Bernoulli is the published "
               "choice.", DESIGNS),
    "encoder": ("Image encoder", "Turns a picture into features. DINOv2 is fetched from the hub.",
                ENCODERS),
    "image_distance": ("Image distance", "How far two edits lie apart.", IMAGE_DISTANCES),
    "text_distance": ("Text distance", "How far a perturbation lies from the instruction; it "
                      "weights the sample.", TEXT_DISTANCES),
    "word_vectors": ("Word vectors", "What words mean, for the text distance.", WORD_VECTORS),
    "response": ("Scale", "1 is the full edit; 0 is no instruction or, with min-max, the published "
                 "choice, the farthest edit.", RESPONSES),
    "surrogate": ("Surrogate", "The simple model that is fitted to the edits.", SURROGATES),
}  # fmt: skip

# field: (label, explanation); a number each.
NUMBERS: dict[str, tuple[str, str]] = {
    "order": ("Wasserstein order", "Order p of the transport distances, 1 to 8."),
    "p_iterations": ("p-value iterations", "Bootstrap draws behind each p-value, 100 to "
                     f"{MAX_P_ITERATIONS:,}."),
    "seeds": ("Seeds per perturbation", "Above 1, each prompt is edited again under other seeds, "
              "and the intervals count that noise, too."),
    "negligible": ("Smallest effect that matters", "A share of the way, 0.001 to 1. What surely "
                   "lies below it counts as no effect."),
}  # fmt: skip

# field: (label, explanation, what empty means); a text box each, for a number box shows 0 for
# nothing.
OPTIONAL: dict[str, tuple[str, str, str]] = {
    "kernel_width": ("Kernel width", "Smaller counts only near perturbations; empty: chosen so "
                     "that half of the samples count.", "automatic"),
    "p_cutoff": ("p-value cutoff", "Leaves out samples with a larger p-value, as the paper does "
                 "with 0.05; empty: keeps all.", "off"),
    "steps": ("Steps", "Denoising steps; empty: the editor's own.", "editor's own"),
    "guidance_scale": ("guidance_scale", "How strongly the text steers; empty: the editor's own.",
                       "editor's own"),
    "image_guidance_scale": ("image_guidance_scale", "How strongly the photo is kept; empty: the "
                             "editor's own.", "editor's own"),
}  # fmt: skip

# The same for a menu, whose first choice means empty.
OPTIONAL_MENUS: dict[str, tuple[str, str, str, tuple[str, ...]]] = {
    "scheduler": ("Scheduler", "Takes the denoising steps. dpm-solver is made for 15 to 20 and "
                  "draws no noise on the way; not every editor takes it.", "editor's own",
                  SCHEDULERS),
    "blank": ("No instruction", "What stands for no instruction: an edit by an empty text, or the "
              "photo. Automatic takes the photo where every edit is billed.", "automatic", BLANKS),
}  # fmt: skip

# A checkbox each.
CHECKS: dict[str, tuple[str, str]] = {
    "interactions": ("Pairs of words", "Fits products of two words too (at most 10 units)."),
    "stop_when_settled": ("Stop when settled", "Ends a run early, once no word that matters is "
                          "unclear, or nothing happens."),
}  # fmt: skip
# Whether a run of the page stops when it is settled unless a visitor, a link or a file says else.
STOP_WHEN_SETTLED = True

SECTIONS = {
    "Editing": ("steps", "guidance_scale", "image_guidance_scale", "scheduler", "seeds"),
    "Perturbing": ("granularity", "design"),
    "Measuring": (
        "encoder",
        "image_distance",
        "order",
        "response",
        "blank",
        "text_distance",
        "word_vectors",
    ),
    "Fitting": ("surrogate", "negligible", "kernel_width", "p_cutoff", "p_iterations"),
}
FIELDS = (*(name for names in SECTIONS.values() for name in names), *CHECKS)


def build(
    defaults: RunConfig, *, prefix: str = "", without: Collection[str] = ()
) -> tuple[gr.Radio, dict[str, Any]]:
    """Make the folded settings; return the preset and the components by field.

    Parameters
    ----------
    defaults : RunConfig
        What they show at first.
    prefix : str
        What the ids of the components begin with.
    without : collection of str
        Fields that are not among them.
    """
    values = {**defaults.to_dict(), "stop_when_settled": STOP_WHEN_SETTLED}
    settings: dict[str, Any] = {}
    with gr.Accordion("Advanced settings", open=False, elem_id=f"{prefix}advanced"):
        preset = gr.Radio(
            PRESETS,
            value=PRESETS[0],
            label="Preset",
            info="Sets everything below. “paper” is the published choice and fetches its models.",
            elem_id=f"{prefix}preset",
        )
        for title, names in SECTIONS.items():
            html(f'<h3 class="section">{title}</h3>')
            for name in names:
                if name not in without:
                    settings[name] = _setting(name, values[name], prefix)
        for name, (label, info) in CHECKS.items():
            settings[name] = gr.Checkbox(
                value=values[name], label=label, info=info, elem_id=f"{prefix}setting-{name}"
            )
    return preset, settings


def _setting(name: str, value: Any, prefix: str) -> gr.Dropdown | gr.Number | gr.Textbox:
    elem_id = f"{prefix}setting-{name}"
    if name in MENUS:
        label, info, choices = MENUS[name]
        return gr.Dropdown(
            list(choices), value=value, label=label, info=info, filterable=False, elem_id=elem_id
        )
    if name in OPTIONAL_MENUS:
        return optional_menu(name, value, elem_id=elem_id)
    if name in NUMBERS:
        label, info = NUMBERS[name]
        step = 0.01 if value < 1 else 1
        return gr.Number(value=value, step=step, label=label, info=info, elem_id=elem_id)
    label, info, placeholder = OPTIONAL[name]
    return gr.Textbox(
        shown(name, value), label=label, info=info, placeholder=placeholder, elem_id=elem_id
    )


def optional_menu(name: str, value: Any, **options: Any) -> gr.Dropdown:
    """Make the menu of a setting that may be None; `options` are for the component."""
    label, info, empty, choices = OPTIONAL_MENUS[name]
    return gr.Dropdown(
        [(empty, ""), *((choice, choice) for choice in choices)],
        value=written(value),
        filterable=False,
        **{"label": label, "info": info, **options},
    )


def shown(name: str, value: Any) -> Any:
    """Return the value of a setting as its component shows it."""
    return written(value) if name in (*OPTIONAL, *OPTIONAL_MENUS) else value


def written(value: Any) -> str:
    """Return what a text box shows for a value that may be None."""
    return "" if value is None else str(value)


def meant(name: str, value: Any) -> Any:
    """Return the value that is meant by what a component shows; the check comes later."""
    return typed(value) if name in (*OPTIONAL, *OPTIONAL_MENUS) else value


def typed(value: Any) -> Any:
    """Return the number in a text box, None for an empty one, or else the text."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text or None


def preset_values(name: str, names: Iterable[str] = FIELDS) -> list[Any]:
    """Return what the components of the fields `names` show under the preset called `name`."""
    values = RunConfig.preset(name, instruction="any").to_dict()
    values["stop_when_settled"] = STOP_WHEN_SETTLED and name == PRESETS[0]
    return [shown(field, values[field]) for field in names]
