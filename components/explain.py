"""The Explain tab: its panels side by side, and which handler each control calls."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from components import (
    advanced,
    answer,
    editor_card,
    export,
    fidelity,
    gallery,
    inputs,
    key_field,
    mask,
    perturbations,
    scatter,
    words,
)
from components.bring_back import BringBack, check_photo
from components.runs import EDITOR_TURN, Runs
from components.session import session_of
from components.show import Panels, show_all
from smile_core.config import RunConfig
from smile_core.editors import list_editors
from smile_core.explanation import Explanation

FIRST_INSTRUCTION = "Make it a snowy day with heavy snow."
# Only what `api` makes is public; these are the page's own events.
PRIVATE: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
# A screen reader is told the answer. A phone has scrolled to it, and what went wrong stands above.
END_JS = """() => {
  const [said, sentence] = ['#said p', '#sentence'].map((name) => document.querySelector(name));
  said.textContent = sentence.innerText;
  if (window.innerWidth < 900) {
    const alert = document.querySelector('#message .alert');
    alert?.scrollIntoView({behavior: 'smooth', block: 'center'});
  }
}"""
QUIET: dict[str, Any] = {"queue": False, **PRIVATE}


def build(demo: gr.Blocks, header: gr.HTML, example: Path | None) -> inputs.Inputs:
    """Make the tab and wire it; return its inputs.

    Parameters
    ----------
    demo : gr.Blocks
        The page; it says when it is opened.
    header : gr.HTML
        Sends the files that are dropped anywhere on the page.
    example : Path or None
        Folder of a finished explanation that a newcomer sees first; None shows empty panels.
    """
    stored = None if example is None else export.read_result(example)
    with gr.Row(elem_id="workspace"):
        with gr.Column(elem_id="inputs"):
            left = inputs.build(list_editors(), *_first_inputs(stored, example))
        with gr.Column(elem_id="result"):
            panels, restore = build_result()
    if stored is not None and example is not None:
        _fill(panels, stored, example)
    _wire_inputs(left)
    _wire_runs(left, panels)
    back = BringBack(left, panels, stored, example)
    _wire_files(demo, header, restore, left, panels, back)
    return left


def _first_inputs(stored: Explanation | None, example: Path | None) -> tuple[Path, RunConfig]:
    if stored is None or example is None:
        return inputs.PHOTOS["temple"], RunConfig(instruction=FIRST_INSTRUCTION)
    return inputs.PHOTOS[export.photo_name(example)], RunConfig.from_dict(stored.config)


def build_result() -> tuple[Panels, gr.UploadButton]:
    """Make the right side; return its panels and the restore button."""
    top = answer.build()
    with gr.Row(elem_id="evidence"):
        with gr.Column(elem_id="pair-column"):
            pair = answer.build_pair()
        with gr.Column(elem_id="tabs-column"), gr.Tabs(elem_id="evidence-tabs"):
            with gr.Tab("Words"):
                bars = words.build()
            with gr.Tab("Gallery"):
                pictures = gallery.build()
            with gr.Tab("Map"):
                points = scatter.build()
            with gr.Tab("Fidelity"):
                numbers = fidelity.build()
            with gr.Tab("Export"):
                files = export.build()
    panels = Panels(
        sentence=top.sentence,
        heatmap=top.heatmap,
        status=top.status,
        more=top.more,
        pair=pair,
        words=bars,
        gallery=pictures,
        color_by=points.color_by,
        map=points.plot,
        numbers=numbers.numbers,
        prediction=numbers.plot,
        links=files.links,
    )
    return panels, files.restore


def _fill(panels: Panels, stored: Explanation, example: Path) -> None:
    """Put the stored example into the panels before the page is served."""
    gr.set_static_paths([example])
    for component, value in show_all(panels, stored).items():
        if component is panels.color_by:
            component.choices = [tuple(choice) for choice in value["choices"]]
        elif component is panels.more:
            component.visible = value["visible"]
            component.value = value.get("value", "")
        else:
            component.value = value
    panels.links.value = export.render(example)
    panels.status.value = answer.render_idle("An example. Press Explain to run it here.")


def _wire_inputs(left: inputs.Inputs) -> None:
    settings = left.settings
    left.photo_chips.click(inputs.chosen_photo, None, [left.photo, left.message], **QUIET)
    left.instruction_chips.click(inputs.chosen_instruction, None, settings["instruction"], **QUIET)
    costly = _cost_inputs(left)
    for component in costly:
        component.change(
            inputs.say_cost,
            costly,
            left.cost,
            preprocess=False,
            trigger_mode="always_last",
            **QUIET,
        )
    _wire_words(left)
    _wire_editor(left)
    _wire_mask(left)
    left.preset.input(
        advanced.preset_values,
        left.preset,
        [settings[name] for name in advanced.FIELDS],
        **QUIET,
    )


def _wire_words(left: inputs.Inputs) -> None:
    """Let the number of perturbations follow the words, and offer phrases in place of many."""
    instruction, granularity = left.settings["instruction"], left.settings["granularity"]
    seen = [instruction, granularity]
    perturbations.wire(left.amount)
    # A menu in the folded settings may be set without a change that is heard.
    turned = left.unit.click(None, granularity, granularity, js=inputs.OTHER_UNIT_JS, **QUIET)
    for listener in (instruction.change, granularity.change, turned.then):
        looked = listener(
            inputs.look_at_words,
            seen,
            [left.amount.wanted, left.unit],
            preprocess=False,
            trigger_mode="always_last",
            **QUIET,
        )
        perturbations.follow(looked.then, left.amount)


def _wire_editor(left: inputs.Inputs) -> None:
    """Show what is known of a chosen editor at once, and of a typed one when it was looked up."""
    editor, where = left.settings["editor"], left.where
    editor.change(_show_editor, editor, [left.card, left.key], preprocess=False, **QUIET).then(
        editor_card.say_about, editor, left.card, preprocess=False, **QUIET
    ).then(
        _show_mask,
        [editor, left.photo],
        [where.panel, where.drawing],
        preprocess=False,
        **QUIET,
    )


def _show_editor(editor: str | None) -> tuple[str, dict[str, Any]]:
    card = editor_card.known_card(editor or "")
    return editor_card.say_at_once(editor), key_field.show(card)


def _wire_mask(left: inputs.Inputs) -> None:
    where, editor = left.where, left.settings["editor"]
    shown = [where.panel, where.drawing]
    left.photo.change(_show_mask, [editor, left.photo], shown, preprocess=False, **QUIET)
    where.drawing.input(_take_drawing, None, left.message, **QUIET)
    where.upload.upload(
        _take_mask_file,
        [where.upload, left.photo, editor],
        [where.drawing, left.message],
        preprocess=False,
        **QUIET,
    )
    where.whole.change(mask.show_drawing, where.whole, where.drawing, **QUIET)


def _show_mask(editor: str, photo: Any, request: gr.Request) -> tuple[dict[str, Any], str]:
    return mask.show(session_of(request), mask.needs_mask(editor), photo)


def _take_drawing(event: gr.EventData, request: gr.Request) -> str:
    return inputs.render_message(mask.take_drawing(session_of(request), event))


def _take_mask_file(file: Any, photo: Any, editor: str, request: gr.Request) -> tuple[Any, str]:
    drawing, sentence = mask.take_upload(session_of(request), file, photo, mask.card_of(editor))
    return drawing, inputs.render_message(sentence)


def _cost_inputs(left: inputs.Inputs) -> list[Any]:
    names = (
        "instruction",
        "perturbations",
        "granularity",
        "seeds",
        "editor",
        "stop_when_settled",
        "blank",
    )
    return [left.settings[name] for name in names]


def _wire_runs(left: inputs.Inputs, panels: Panels) -> None:
    runs = Runs(left, panels)
    anew = left.explain.click(
        runs.begin,
        [
            left.photo,
            left.where.whole,
            left.lock,
            left.key,
            left.amount.follows,
            *left.settings.values(),
        ],
        [
            *panels,
            left.message,
            left.key,
            left.amount.slider,
            left.amount.number,
            left.settings["seed"],
            left.address,
            left.explain,
            left.stop,
        ],
        preprocess=False,  # the engine's own checks speak for every value
        **QUIET,
    )
    going_on = panels.more.click(
        runs.begin_more,
        left.key,
        [*panels, left.message, left.key, left.address, left.explain, left.stop],
        preprocess=False,
        **QUIET,
    )
    for begun in (anew, going_on):
        _wire_run(begun, runs, left, panels)
    left.stop.click(None, None, panels.status, js=answer.STOPPING_JS, **QUIET)
    left.stop.click(runs.stop, None, [*panels, left.explain, left.stop], **QUIET)


def _wire_run(begun: Any, runs: Runs, left: inputs.Inputs, panels: Panels) -> None:
    """Do what follows the click, to the files."""
    begun.then(None, left.address, None, js="(query) => { smile.begin(query); }", **QUIET)
    ended = begun.then(
        runs.run,
        None,
        [*panels, left.message],
        concurrency_limit=1,
        concurrency_id=EDITOR_TURN,
        **PRIVATE,
    )
    ended.then(None, None, None, js=END_JS, **QUIET)
    ended.then(runs.finish, None, [left.explain, left.stop], **QUIET).then(
        inputs.say_cost, _cost_inputs(left), left.cost, preprocess=False, **QUIET
    ).then(runs.write_files, None, [panels.links, left.message], concurrency_limit=2, **PRIVATE)


def _wire_files(
    demo: gr.Blocks,
    header: gr.HTML,
    restore: gr.UploadButton,
    left: inputs.Inputs,
    panels: Panels,
    back: BringBack,
) -> None:
    everything = [*panels, left.photo, left.message, left.lock, *left.settings.values()]
    everything += [left.amount.slider, left.amount.follows]
    demo.load(back.open_page, None, everything, **QUIET)
    timer = gr.Timer(1, active=False)
    for event in (demo.load, timer.tick):
        event(
            inputs.say_cost_at_first,
            _cost_inputs(left),
            [left.cost, timer],
            preprocess=False,
            **QUIET,
        )
    header.upload(back.take_file, None, everything, **QUIET)
    restore.upload(back.restore, restore, everything, preprocess=False, **QUIET)
    left.photo.upload(check_photo, left.photo, left.message, preprocess=False, **QUIET)
    panels.color_by.input(back.color_map, panels.color_by, panels.map, **QUIET)
