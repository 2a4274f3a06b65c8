"""The Compare tab: two or three editors, instructions or settings side by side on one photo."""

from __future__ import annotations

import gradio as gr

from components import (
    advanced,
    answer,
    compare_inputs,
    compare_view,
    export,
    inputs,
    mask,
    perturbations,
)
from components.bring_back import check_photo
from components.chart import chart
from components.compare_asked import SETTINGS, SHARED, Asked
from components.compare_back import CompareBack
from components.compare_cost import say_cost
from components.compare_files import FILES
from components.compare_inputs import CompareInputs
from components.compare_runs import ComparePanels, CompareRuns
from components.explain import PRIVATE, QUIET
from components.html import html
from components.runs import EDITOR_TURN
from smile_core.editors import list_editors

RESTORE_HINT = (
    '<p class="hint">To restore a comparison, drop its <b>comparison.json</b> anywhere on this '
    "page, or choose the file:</p>"
)
BEGIN_JS = "(query) => { smile.begin(query, '#compare', '#compare-result'); }"


def build(demo: gr.Blocks, header: gr.HTML, tabs: gr.Tabs, shared_photo: gr.Image) -> None:
    """Make the tab and wire it.

    Parameters
    ----------
    demo : gr.Blocks
        The page; it says when it is opened.
    header : gr.HTML
        Sends the files that are dropped anywhere on the page.
    tabs : gr.Tabs
        The tabs of the page.
    shared_photo : gr.Image
        The photo of the Explain tab, which is taken over whenever it changes.
    """
    with gr.Row(elem_id="compare-workspace"):
        with gr.Column(elem_id="compare-inputs"):
            left = compare_inputs.build(list_editors(), shared_photo.value["path"])
        with gr.Column(elem_id="compare-result"):
            panels, restore = build_panels()
    back = CompareBack(left, panels, tabs)
    _wire_inputs(left, back, shared_photo)
    _wire_cost(left, tabs)
    _wire_mask(left, back)
    _wire_runs(left, panels)
    _wire_files(demo, header, restore, left, panels, back)


def build_panels() -> tuple[ComparePanels, gr.UploadButton]:
    """Make the right side, empty; return its panels and the restore button."""
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
            html(RESTORE_HINT)
            restore = gr.UploadButton(
                "Restore from a file…", file_types=[".json"], size="sm", elem_id="compare-restore"
            )
    panels = ComparePanels(
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
    return panels, restore


def _wire_inputs(left: CompareInputs, back: CompareBack, shared_photo: gr.Image) -> None:
    shared_photo.change(None, shared_photo, left.photo, js="(photo) => photo", **QUIET)
    left.photo_chips.click(inputs.chosen_photo, None, [left.photo, left.buttons.message], **QUIET)
    left.photo.upload(check_photo, left.photo, left.buttons.message, preprocess=False, **QUIET)
    where = [left.where.panel, left.where.drawing]
    arranged = [*left.editors, *left.instructions, left.fold, *left.rows.values()]
    arranged += [box for boxes in left.own.values() for box in boxes]
    arranged += [left.about, *left.keys]
    gr.on(
        [left.by.input, *(editor.input for editor in left.editors)],
        back.choose,
        [left.photo, *left.values],
        [*arranged, *where],
        preprocess=False,
        **QUIET,
    ).then(
        back.look_up,
        [left.photo, *left.values],
        [*arranged, *where],
        preprocess=False,
        **QUIET,
    )
    left.by.input(lambda by: gr.update(open=by == SETTINGS), left.by, left.fold, **QUIET)
    for editor, key in zip(left.editors, left.buttons.keys, strict=True):
        editor.input(lambda: "", None, key, **QUIET)  # a key is for the provider it was typed for
    left.instructions[-1].input(
        back.arrange,
        left.values,
        arranged,
        preprocess=False,
        trigger_mode="always_last",
        **QUIET,
    )
    perturbations.wire(left.amount)
    words = [left.by, *left.instructions, left.shared["granularity"]]
    looked = gr.on(
        [component.change for component in words],
        lambda *values: Asked.from_values(values).wanted,
        left.values,
        left.amount.wanted,
        preprocess=False,
        trigger_mode="always_last",
        **QUIET,
    )
    perturbations.follow(looked.then, left.amount)
    fields = [name for name in SHARED if name in advanced.FIELDS]
    left.preset.input(
        lambda name: advanced.preset_values(name, fields),
        left.preset,
        [left.shared[name] for name in fields],
        **QUIET,
    )


def _wire_cost(left: CompareInputs, tabs: gr.Tabs) -> None:
    # A run of the other tab may have told how fast an editor is.
    gr.on(
        [tabs.select, *(component.change for component in left.values)],
        say_cost,
        left.values,
        left.cost,
        preprocess=False,
        trigger_mode="always_last",
        **QUIET,
    )


def _wire_mask(left: CompareInputs, back: CompareBack) -> None:
    where, message = left.where, left.buttons.message
    left.photo.change(
        back.show_photo,
        [left.photo, *left.values],
        [where.panel, where.drawing],
        preprocess=False,
        **QUIET,
    )
    where.drawing.input(back.take_drawing, None, [message], **QUIET)
    where.upload.upload(
        back.take_mask,
        [where.upload, left.photo, *left.values],
        [where.drawing, message],
        preprocess=False,
        **QUIET,
    )
    where.whole.change(mask.show_drawing, where.whole, where.drawing, **QUIET)


def _wire_runs(left: CompareInputs, panels: ComparePanels) -> None:
    runs = CompareRuns(panels, left.buttons)
    message, compare, stop, address, amount, keys = left.buttons
    begun = compare.click(
        runs.begin,
        [left.photo, left.where.whole, amount.follows, *keys, *left.values],
        [*panels, message, compare, stop, address, amount.number, amount.slider, *keys],
        preprocess=False,  # the engine's own checks speak for every value
        **QUIET,
    )
    begun.then(None, address, None, js=BEGIN_JS, **QUIET)
    ended = begun.then(
        runs.run,
        None,
        [*panels, message],
        concurrency_limit=1,
        concurrency_id=EDITOR_TURN,
        **PRIVATE,
    )
    ended.then(runs.finish, None, [compare, stop], **QUIET).then(
        say_cost, left.values, left.cost, preprocess=False, **QUIET
    ).then(runs.write_files, None, [panels.links, message], concurrency_limit=2, **PRIVATE)
    stop.click(None, None, panels.status, js=answer.STOPPING_JS, **QUIET)
    stop.click(runs.stop, None, [*panels, compare, stop], **QUIET)
    panels.color_by.input(runs.color_map, panels.color_by, panels.map, **QUIET)


def _wire_files(
    demo: gr.Blocks,
    header: gr.HTML,
    restore: gr.UploadButton,
    left: CompareInputs,
    panels: ComparePanels,
    back: CompareBack,
) -> None:
    everything = [*panels, back.tabs, left.photo, left.buttons.message, left.fold]
    everything += [left.amount.slider, left.amount.follows]
    everything += [*left.where, *left.rows.values(), *left.values, left.about, *left.keys]
    demo.load(back.open_page, None, everything, **QUIET)
    header.upload(back.take_file, None, everything, **QUIET)
    restore.upload(back.restore, restore, everything, preprocess=False, **QUIET)
