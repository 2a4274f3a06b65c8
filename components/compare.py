"""The Compare tab: two or three editors or instructions side by side on one photo."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import gradio as gr

from components import answer, compare_view, export, inputs, mask
from components.chart import chart
from components.compare_files import FILES
from components.compare_runs import (
    EDITORS,
    INSTRUCTIONS,
    CompareButtons,
    ComparePanels,
    CompareRuns,
)
from components.explain import FIRST_INSTRUCTION, PRIVATE, QUIET
from components.html import html
from components.runs import EDITOR_TURN
from smile_core.comparison import LETTERS, MOST_COLUMNS
from smile_core.config import BUNDLED_EDITOR, RunConfig
from smile_core.editors import EditorCard, list_editors

SECOND_EDITOR = "one-step"  # needs no network either
SECOND_INSTRUCTION = "Make it a snowy day with gentle snow."
NO_THIRD = ("No third one", "")
# A phone scrolls to the result once a comparison has begun.
SCROLL_JS = """() => {
  if (window.innerWidth < 900 && document.querySelector('#compare').disabled) {
    document.querySelector('#compare-result').scrollIntoView({behavior: 'smooth'});
  }
}"""
CHOICES = [("Editors", EDITORS), ("Instructions", INSTRUCTIONS)]


class CompareInputs(NamedTuple):
    """The components of the left side; editors and instructions are one for each column."""

    photo: gr.Image
    photo_chips: gr.HTML
    by: gr.Radio
    editors: list[gr.Dropdown]
    instructions: list[gr.Textbox]
    perturbations: gr.Slider
    seed: gr.Number
    whole: gr.Checkbox
    buttons: CompareButtons


def build(shared_photo: gr.Image) -> None:
    """Make the tab and wire it.

    Parameters
    ----------
    shared_photo : gr.Image
        The photo of the Explain tab, which is taken over whenever it changes.
    """
    with gr.Row(elem_id="compare-workspace"):
        with gr.Column(elem_id="compare-inputs"):
            left = build_inputs(list_editors(), shared_photo.value["path"])
        with gr.Column(elem_id="compare-result"):
            panels = build_panels()
    _wire_inputs(left, shared_photo)
    _wire_runs(left, panels)


def build_inputs(cards: Sequence[EditorCard], photo: str) -> CompareInputs:
    """Make the inputs; `photo` is what is shown at first."""
    has_second = any(card.name == SECOND_EDITOR for card in cards)
    by = EDITORS if has_second else INSTRUCTIONS
    photo_box = gr.Image(
        value=photo,
        type="filepath",
        image_mode=None,
        sources=["upload", "clipboard"],
        label="Photo",
        height=200,
        buttons=["fullscreen"],
        placeholder="Drop a photo here, or click to choose",
        elem_id="compare-photo",
    )
    chips = html(inputs.render_photo_chips(), js_on_load=inputs.CHIP_JS)
    choice = gr.Radio(CHOICES, value=by, label="Compare", elem_id="compare-by")
    instructions = [_instruction(index, by) for index in range(MOST_COLUMNS)]
    second = SECOND_EDITOR if has_second else cards[1].name
    editors = [
        _editor(index, by, cards, value)
        for index, value in enumerate((BUNDLED_EDITOR, second, NO_THIRD[1]))
    ]
    whole = gr.Checkbox(
        label="Edit the whole picture",
        info="For the editors that edit inside a mask.",
        visible=by == EDITORS and mask.needs_mask(second),
        elem_id="compare-whole",
    )
    defaults = RunConfig(instruction=FIRST_INSTRUCTION)
    perturbations = gr.Slider(
        inputs.SLIDER_LOW,
        inputs.SLIDER_HIGH,
        value=defaults.perturbations,
        step=8,
        label="Perturbations of each",
        buttons=[],
        elem_id="compare-perturbations",
    )
    seed = gr.Number(value=defaults.seed, label="Seed of all", elem_id="compare-seed")
    with gr.Column(elem_id="compare-actions"):
        message = html(elem_id="compare-message")
        with gr.Row(elem_id="compare-buttons"):
            compare = gr.Button("Compare", variant="primary", elem_id="compare", scale=3)
            stop = gr.Button(
                "Stop", interactive=False, elem_id="compare-stop", scale=1, min_width=90
            )
    return CompareInputs(
        photo=photo_box,
        photo_chips=chips,
        by=choice,
        editors=editors,
        instructions=instructions,
        perturbations=perturbations,
        seed=seed,
        whole=whole,
        buttons=CompareButtons(message=message, compare=compare, stop=stop),
    )


def _instruction(index: int, by: str) -> gr.Textbox:
    return gr.Textbox(
        value=(FIRST_INSTRUCTION, SECOND_INSTRUCTION, "")[index],
        label=column_label("Instruction", index, by == INSTRUCTIONS),
        placeholder="Leave it empty for two columns" if index == MOST_COLUMNS - 1 else "",
        lines=2,
        max_lines=6,
        visible=index == 0 or by == INSTRUCTIONS,
        elem_id=f"compare-instruction-{LETTERS[index].lower()}",
        elem_classes="compare-instruction",
    )


def _editor(index: int, by: str, cards: Sequence[EditorCard], value: str) -> gr.Dropdown:
    choices = [(card.title, card.name) for card in cards]
    return gr.Dropdown(
        choices=[NO_THIRD, *choices] if index == MOST_COLUMNS - 1 else choices,
        value=value,
        label=column_label("Editor", index, by == EDITORS),
        filterable=False,
        visible=index == 0 or by == EDITORS,
        elem_id=f"compare-editor-{LETTERS[index].lower()}",
    )


def column_label(what: str, index: int, several: bool) -> str:
    """Return the label of an input: with a letter where the columns differ in it."""
    return f"{what} {LETTERS[index]}" if several else what


def show_columns(by: str, *editors: str) -> list[dict[str, Any]]:
    """Return the updates of instructions, editors and the mask for what is to be compared."""
    updates = []
    for what, mode in (("Instruction", INSTRUCTIONS), ("Editor", EDITORS)):
        updates += [
            gr.update(visible=index == 0 or by == mode, label=column_label(what, index, by == mode))
            for index in range(MOST_COLUMNS)
        ]
    used = editors if by == EDITORS else editors[:1]
    return [*updates, gr.update(visible=any(mask.needs_mask(name) for name in used))]


def build_panels() -> ComparePanels:
    """Make the right side, empty."""
    with gr.Column(elem_id="compare-answer"):
        sentence = html(compare_view.render_sentence(None), elem_id="compare-sentence")
        heatmaps = html(compare_view.render_heatmaps(None), elem_id="compare-heatmaps")
        status = html(answer.render_idle(), elem_id="compare-status")
    with gr.Column(elem_id="compare-evidence"), gr.Tabs(elem_id="compare-tabs"):
        with gr.Tab("Words"):
            words = html(compare_view.render_words(None), elem_id="compare-words")
        with gr.Tab("Pictures"):
            pairs = html(compare_view.render_pairs(None, str), elem_id="compare-pairs")
        with gr.Tab("Map"):
            color_by = gr.Dropdown(
                [compare_view.BY_STRONGEST],
                value=compare_view.STRONGEST,
                label="Colour by",
                filterable=False,
                elem_id="compare-color",
            )
            points = chart("compare-map", "Map of the edits of all columns: near means alike")
        with gr.Tab("Numbers"):
            numbers = html(compare_view.render_numbers(None), elem_id="compare-numbers")
        with gr.Tab("Export"):
            links = html(export.render(None, FILES), elem_id="compare-links")
    return ComparePanels(
        sentence=sentence,
        heatmaps=heatmaps,
        status=status,
        words=words,
        pairs=pairs,
        color_by=color_by,
        map=points,
        numbers=numbers,
        links=links,
    )


def _wire_inputs(left: CompareInputs, shared_photo: gr.Image) -> None:
    shared_photo.change(None, shared_photo, left.photo, js="(photo) => photo", **QUIET)
    left.photo_chips.click(inputs.chosen_photo, None, [left.photo, left.buttons.message], **QUIET)
    choosing: list[Any] = [left.by, *left.editors]
    for component in choosing:
        component.input(
            show_columns,
            choosing,
            [*left.instructions, *left.editors, left.whole],
            **QUIET,
        )


def _wire_runs(left: CompareInputs, panels: ComparePanels) -> None:
    runs = CompareRuns(panels, left.buttons)
    message, compare, stop = left.buttons
    begun = compare.click(
        runs.begin,
        [
            left.photo,
            left.by,
            left.perturbations,
            left.seed,
            left.whole,
            *left.editors,
            *left.instructions,
        ],
        [*panels, message, compare, stop],
        preprocess=False,  # the engine's own checks speak for every value
        **QUIET,
    )
    begun.then(None, None, None, js=SCROLL_JS, **QUIET)
    ended = begun.then(
        runs.run,
        None,
        [*panels, message],
        concurrency_limit=1,
        concurrency_id=EDITOR_TURN,
        **PRIVATE,
    )
    ended.then(runs.finish, None, [compare, stop], **QUIET).then(
        runs.write_files, None, [panels.links, message], concurrency_limit=2, **PRIVATE
    )
    stop.click(runs.stop, None, [*panels, compare, stop], **QUIET)
    panels.color_by.input(runs.color_map, panels.color_by, panels.map, **QUIET)
