"""The Evaluate tab: a study from its cost to its files."""

from __future__ import annotations

import gradio as gr

from components import answer, evaluate_inputs, evaluate_view, export
from components.chart import charts
from components.evaluate_cost import COUNTING_JS, say_cost
from components.evaluate_files import FILES
from components.evaluate_inputs import EvaluateInputs
from components.evaluate_runs import EvaluateRuns
from components.evaluate_view import ALL_PARTS, EvaluatePanels
from components.explain import PRIVATE, QUIET
from components.html import html
from components.runs import EDITOR_TURN

# A phone scrolls to the result once the study is accepted, and back to what went wrong.
SHOW_RESULT_JS = """() => {
  if (window.innerWidth >= 900) return;
  const begun = document.querySelector('#evaluate').disabled;
  const shown = begun ? '#evaluate-result' : '#evaluate-message .alert';
  const block = begun ? 'start' : 'center';
  document.querySelector(shown)?.scrollIntoView({behavior: 'smooth', block});
}"""


def build(tab: gr.Tab) -> None:
    """Make the tab and wire it.

    Parameters
    ----------
    tab : gr.Tab
        The tab itself: the cost is first counted when it is opened.
    """
    with gr.Row(elem_id="evaluate-workspace"):
        with gr.Column(elem_id="evaluate-inputs"):
            left = evaluate_inputs.build()
        with gr.Column(elem_id="evaluate-result"):
            panels = build_panels()
    _wire_inputs(left, tab)
    _wire_runs(left, panels)


def build_panels() -> EvaluatePanels:
    """Make the right side, empty."""
    with gr.Column(elem_id="evaluate-answer"):
        sentence = html(evaluate_view.render_sentence(None), elem_id="evaluate-sentence")
        overview = html(elem_id="evaluate-overview")
        status = html(answer.render_idle(), elem_id="evaluate-status")
    with gr.Column(elem_id="evaluate-evidence"):
        part = gr.Dropdown(
            [("All parts", ALL_PARTS)],
            value=ALL_PARTS,
            label="Part",
            filterable=False,
            visible=False,
            elem_id="evaluate-part",
        )
        with gr.Tabs(elem_id="evaluate-tabs"):
            with gr.Tab("Tables"):
                tables = html(evaluate_view.render_tables([]), elem_id="evaluate-tables")
            with gr.Tab("Plots"):
                plots = charts("evaluate-plots", "Plots appear here, one below the other.")
            with gr.Tab("Export"):
                links = html(export.render(None, FILES), elem_id="evaluate-links")
    return EvaluatePanels(
        sentence=sentence,
        overview=overview,
        status=status,
        part=part,
        tables=tables,
        plots=plots,
        links=links,
    )


def _wire_inputs(left: EvaluateInputs, tab: gr.Tab) -> None:
    left.kind.input(evaluate_inputs.choose_kind, left.kind, [left.ready, left.grid], **QUIET)
    left.study.input(
        evaluate_inputs.choose_study,
        left.study,
        [left.about, left.parts],
        preprocess=False,
        **QUIET,
    )
    # Another study has other parts, whose change follows.
    counted = [component for component in left.values if component is not left.study]
    asked = [tab.select, *(component.change for component in counted)]
    gr.on(asked, None, None, left.cost, js=COUNTING_JS, **QUIET)
    gr.on(
        asked,
        say_cost,
        left.values,
        [left.cost, left.run],
        preprocess=False,
        trigger_mode="always_last",
        **QUIET,
    )


def _wire_runs(left: EvaluateInputs, panels: EvaluatePanels) -> None:
    runs = EvaluateRuns(left, panels)
    begun = left.run.click(
        runs.begin,
        left.values,
        [*panels, left.message, left.run, left.stop],
        preprocess=False,  # every value is checked when the study is made
        **QUIET,
    )
    begun.then(None, None, None, js=SHOW_RESULT_JS, **QUIET)
    ended = begun.then(
        runs.run,
        None,
        [*panels, left.message],
        concurrency_limit=1,
        concurrency_id=EDITOR_TURN,
        **PRIVATE,
    )
    ended.then(runs.finish, None, [left.run, left.stop], **QUIET).then(
        say_cost, left.values, [left.cost, left.run], preprocess=False, **QUIET
    ).then(runs.write_files, None, [panels.links, left.message], concurrency_limit=2, **PRIVATE)
    left.stop.click(None, None, panels.status, js=answer.STOPPING_JS, **QUIET)
    left.stop.click(runs.stop, None, [*panels, left.run, left.stop], **QUIET)
    panels.part.input(runs.choose_part, panels.part, [panels.tables, panels.plots], **QUIET)
