"""The left side of the Evaluate tab: a ready-made study, or a grid to tick."""

from __future__ import annotations

from html import escape
from typing import Any, NamedTuple

import gradio as gr

from components.evaluate_asked import GRID, MOST_EDITS, QUESTIONS, READY, offered_editors
from components.html import html
from smile_core.config import BUNDLED_EDITOR, IMAGE_DISTANCES, SURROGATES, TEXT_DISTANCES
from smile_core.editors.registry import is_public_server
from smile_core.evaluation.study import METHODS
from smile_core.evaluation.study_file import bundled_photos, bundled_studies, load_study

FIRST_INSTRUCTIONS = (
    "Transform the weather to make it *snowing*.\nTurn it to *night* with *snowy* weather."
)
FIRST_QUESTIONS = ["accuracy", "fidelity"]
KINDS = [("Ready-made", READY), ("Your own grid", GRID)]
RUN, RESUME = "Run study", "Resume"
KEPT_HINT = (
    '<p class="hint">Keep this page open: closing it stops the study. Asked for again, it goes on '
    "where it was.</p>"
)


class EvaluateInputs(NamedTuple):
    """The components of the left side."""

    kind: gr.Radio
    ready: gr.Column
    grid: gr.Column
    study: gr.Dropdown
    about: gr.HTML
    parts: gr.CheckboxGroup
    axes: list[Any]
    cost: gr.HTML
    message: gr.HTML
    run: gr.Button
    stop: gr.Button

    @property
    def values(self) -> list[Any]:
        """The components that `Asked` takes, in its order."""
        return [self.kind, self.study, self.parts, *self.axes]


def build() -> EvaluateInputs:
    """Make the inputs, filled with a study."""
    kind = gr.Radio(KINDS, value=READY, label="Study", elem_id="evaluate-kind")
    first = "accuracy" if is_public_server() else "quick"
    with gr.Column(elem_id="evaluate-ready") as ready:
        study = gr.Dropdown(
            [(load_study(name).title, name) for name in bundled_studies()],
            value=first,
            label="Ready-made study",
            filterable=False,
            elem_id="evaluate-study",
        )
        about = html(render_about(first), elem_id="evaluate-about")
        names = part_names(first)
        parts = gr.CheckboxGroup(
            names,
            value=[name for _, name in names],
            label="Parts",
            info="Each with the kind of question that it asks.",
            elem_id="evaluate-parts",
        )
    with gr.Column(elem_id="evaluate-grid", visible=False) as grid:
        axes = _build_grid()
    with gr.Group(elem_id="evaluate-cost-group"):
        cost = html(elem_id="evaluate-cost")
        html(KEPT_HINT)
        if is_public_server():
            html(
                f'<p class="hint">On this public server a study may make {MOST_EDITS:,} edits. '
                "On a machine of your own there is no limit.</p>"
            )
    with gr.Column(elem_id="evaluate-actions"):
        message = html(elem_id="evaluate-message")
        with gr.Row(elem_id="evaluate-buttons"):
            run = gr.Button(RUN, variant="primary", elem_id="evaluate", scale=3)
            stop = gr.Button(
                "Stop", interactive=False, elem_id="evaluate-stop", scale=1, min_width=90
            )
    return EvaluateInputs(
        kind=kind,
        ready=ready,
        grid=grid,
        study=study,
        about=about,
        parts=parts,
        axes=axes,
        cost=cost,
        message=message,
        run=run,
        stop=stop,
    )


def _build_grid() -> list[Any]:
    """Make the axes of a grid, in the order of `Asked`."""
    questions = gr.CheckboxGroup(
        [(f"{name}: {about}", key) for key, (name, about) in QUESTIONS.items()],
        value=FIRST_QUESTIONS,
        label="What to ask",
        info="All of them of the same edits.",
        elem_id="evaluate-questions",
    )
    photos = gr.CheckboxGroup(
        list(bundled_photos()),
        value=["meadow"],
        label="Photos",
        info="Photos of your own: from the command line.",
        elem_id="evaluate-photos",
    )
    instructions = gr.Textbox(
        FIRST_INSTRUCTIONS,
        label="Instructions",
        info="One a line. Words that ought to matter stand between asterisks.",
        lines=3,
        max_lines=10,
        elem_id="evaluate-instructions",
    )
    editors = gr.Dropdown(
        [(card.title, card.name) for card in offered_editors()],
        value=[BUNDLED_EDITOR],
        multiselect=True,
        label="Editors",
        info="One that needs a mask edits the whole picture.",
        elem_id="evaluate-editors",
    )
    with gr.Row(elem_classes="pair-row"):
        perturbations = gr.Textbox(
            "30", label="Perturbations", min_width=100, elem_id="evaluate-perturbations"
        )
        seeds = gr.Textbox("0", label="Seeds", min_width=100, elem_id="evaluate-seeds")
    html('<p class="hint">One number, or several: 16, 30, 64.</p>')
    with gr.Accordion("Distances, surrogates, methods", open=False, elem_id="evaluate-more"):
        html('<p class="hint">All combinations are fitted to the same edits.</p>')
        fits = [
            gr.Dropdown(
                list(choices),
                value=[],
                multiselect=True,
                label=label,
                info="Empty: the default.",
                elem_id=f"evaluate-{label.lower().replace(' ', '-')}",
            )
            for label, choices in (
                ("Image distances", IMAGE_DISTANCES),
                ("Text distances", TEXT_DISTANCES),
                ("Surrogates", SURROGATES),
            )
        ]
        methods = gr.CheckboxGroup(
            list(METHODS), value=["smile"], label="Methods", elem_id="evaluate-methods"
        )
    return [questions, photos, instructions, editors, perturbations, seeds, *fits, methods]


def part_names(study: str) -> list[tuple[str, str]]:
    """Return the labels and the names of the parts of a ready-made study."""
    parts = load_study(study).parts
    return [(f"{part.name} · {part.protocol}", part.name) for part in parts]


def render_about(study: str) -> str:
    """Return what a ready-made study is about."""
    return f'<p class="hint">{escape(load_study(study).about)}</p>'


def choose_kind(kind: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Show the ready-made studies or the grid."""
    return gr.update(visible=kind != GRID), gr.update(visible=kind == GRID)


def choose_study(study: Any) -> tuple[str, dict[str, Any]]:
    """Show what another ready-made study is about, with all of its parts ticked."""
    if study not in bundled_studies():
        return "", gr.update(choices=[], value=[])
    names = part_names(study)
    return render_about(study), gr.update(choices=names, value=[name for _, name in names])
