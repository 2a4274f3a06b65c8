"""What the Evaluate tab shows of a study: how far it is, its tables and its plots."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from html import escape
from typing import Any, NamedTuple

import gradio as gr

from components import answer, export
from components.evaluate_asked import runs_of
from components.evaluate_files import FILES
from components.show import Updates
from smile_core.evaluation.study import Study
from smile_core.evaluation.study_answer import Answer
from smile_core.evaluation.study_answers import answer_part
from smile_core.evaluation.study_report import part_html
from smile_core.evaluation.study_run import StudySnapshot

ALL_PARTS = ""
NOTHING = (
    "Choose a study and press Run study. Its tables and plots fill here while it runs, with the "
    "figures that the paper printed beside ours."
)


class EvaluatePanels(NamedTuple):
    """All components that show a study."""

    sentence: gr.HTML
    overview: gr.HTML
    status: gr.HTML
    part: gr.Dropdown
    tables: gr.HTML
    plots: gr.HTML
    links: gr.HTML


def render_sentence(study: Study | None) -> str:
    """Return title and subject of a study."""
    if study is None:
        return answer.render_quiet(NOTHING)
    about = f'<p class="hint">{escape(study.about)}</p>' if study.about else ""
    return f'<p class="sentence">{escape(study.title)}</p>{about}'


def render_overview(study: Study | None, snapshot: StudySnapshot | None) -> str:
    """Return the parts of a study with how many of their explanations are done."""
    if study is None:
        return ""
    pairs = () if snapshot is None else snapshot.pairs
    rows = []
    for part in study.parts:
        done, total = sum(run.part is part for run, _ in pairs), runs_of(part)
        kind = "done" if done == total else "begun" if done else "waiting"
        rows.append(
            f'<li class="{kind}"><span>{escape(part.name)}</span>'
            f"<small>{done} of {total}</small></li>"
        )
    return f'<ul class="study-parts" aria-label="Explanations by part">{"".join(rows)}</ul>'


def render_status(snapshot: StudySnapshot, seconds: float) -> str:
    """Return how far a study is, how fast it goes and what is left, over a thin bar.

    Parameters
    ----------
    snapshot : StudySnapshot
        Its state.
    seconds : float
        How long it has been running.
    """
    ended = snapshot.state != "running"
    parts = [f"{snapshot.done:,} of {snapshot.edits:,} edits"]
    parts.append(f"{len(snapshot.pairs):,} of {snapshot.runs:,} explanations")
    if ended:
        word = "Finished in" if snapshot.state == "finished" else "Stopped after"
        parts.insert(0, f"{word} {answer.say_seconds(seconds)}")
        parts.append(f"{snapshot.fresh:,} edits made now")
    elif snapshot.edits_per_second is not None:
        parts.append(f"{snapshot.edits_per_second:.1f} edits/s")
    if not ended and snapshot.seconds_left is not None:
        parts.append(f"{answer.say_about(snapshot.seconds_left)} left")
    now = f'<p class="hint">{escape(snapshot.now)}</p>' if not ended else _ending(snapshot)
    bar = answer.progress_bar(snapshot.done, snapshot.edits)
    return f'<div class="status"><span>{" · ".join(parts)}</span>{bar}</div>{now}'


def _ending(snapshot: StudySnapshot) -> str:
    if snapshot.state == "stopped":
        text = "All that is done is kept. Resume goes on from here and makes no edit twice."
    else:
        failed = sum(result.failed is not None for _, result in snapshot.pairs)
        text = f"{failed} explanations failed; their parts say why." if failed else ""
    return f'<p class="hint">{text}&nbsp;</p>'


def render_tables(answers: Sequence[Answer]) -> str:
    """Return the tables of some parts, the paper's figures in columns of their own."""
    if not answers:
        return '<p class="hint">Tables appear here once the first explanation is done.</p>'
    legend = (
        '<p class="hint legend"><span class="study"><b class="paper">Columns like this</b></span> '
        "are the paper’s own figures, for its editors and photos.</p>"
    )
    has_paper = any(c.paper for a in answers for table in a.tables for c in table.columns)
    return (legend if has_paper else "") + "".join(map(part_html, answers))


def render_plots(answers: Sequence[Answer]) -> str:
    """Return the plots of some parts as the value of `smile.charts`; empty without any."""
    drawn = [
        {
            "title": figure.title if len(answers) == 1 else f"{found.part.name}: {figure.title}",
            "hint": figure.hint,
            "figure": json.loads(figure.plot.to_json()),
        }
        for found in answers
        for figure in found.figures
    ]
    return json.dumps(drawn).replace("<", "\\u003c") if drawn else ""


def render_parts(study: Study | None, part: str) -> dict[str, Any]:
    """Return the update of the menu of parts, which is there when there are several."""
    names = [] if study is None else [one.name for one in study.parts]
    value = part if part in names else ALL_PARTS
    choices = [("All parts", ALL_PARTS), *((name, name) for name in names)]
    return gr.update(choices=choices, value=value, visible=len(names) > 1)


class StudyView:
    """Turns the snapshots of a study into updates.

    The status is redrawn several times a second, the tables and plots about once a second and
    seldom enough to leave most of the time to the study.

    Parameters
    ----------
    panels : EvaluatePanels
        The components.
    seconds : float
        Least time between two drawings of the tables.
    """

    def __init__(self, panels: EvaluatePanels, seconds: float = 1.0) -> None:
        self.panels = panels
        self.seconds = seconds
        self._status_due = self._tables_due = 0.0  # by the monotonic clock
        self._kept: dict[str, tuple[int, Answer]] = {}  # by part, with its runs that were done

    def updates(self, snapshot: StudySnapshot, elapsed: float, part: str) -> Updates:
        """Return the updates for `snapshot`, `elapsed` seconds after the study began."""
        ended, now = snapshot.state != "running", time.monotonic()
        if now < self._status_due and not ended:
            return {}
        self._status_due = now + 0.1
        updates: Updates = {
            self.panels.status: render_status(snapshot, elapsed),
            self.panels.overview: render_overview(snapshot.study, snapshot),
        }
        if now >= self._tables_due or ended:
            updates |= self.evidence(snapshot, part)
            spent = time.monotonic() - now
            self._tables_due = now + spent + max(self.seconds, 5 * spent)
        return updates

    def evidence(self, snapshot: StudySnapshot | None, part: str) -> Updates:
        """Return tables and plots of one part, or of all."""
        answers = [] if snapshot is None else self._answers(snapshot, part)
        return {
            self.panels.tables: render_tables(answers),
            self.panels.plots: render_plots(answers),
        }

    def _answers(self, snapshot: StudySnapshot, name: str) -> list[Answer]:
        """Return the answers of the parts that have begun; what did not change is kept."""
        found = []
        for part in snapshot.study.parts:
            done = sum(run.part is part for run, _ in snapshot.pairs)
            if not done or name not in (ALL_PARTS, part.name):
                continue
            before, kept = self._kept.get(part.name, (0, None))
            if kept is None or before != done or snapshot.state != "running":
                kept = answer_part(part, snapshot.pairs)
                self._kept[part.name] = done, kept
            found.append(kept)
        return found


def show_study(panels: EvaluatePanels, snapshot: StudySnapshot | None, part: str) -> Updates:
    """Return everything about one study but its status and its files."""
    study = None if snapshot is None else snapshot.study
    return {
        panels.sentence: render_sentence(study),
        panels.overview: render_overview(study, snapshot),
        panels.part: render_parts(study, part),
        **StudyView(panels).evidence(snapshot, part),
    }


def show_waiting(panels: EvaluatePanels, study: Study) -> Updates:
    """Return everything for a study that has begun and knows nothing yet."""
    return {
        panels.sentence: render_sentence(study),
        panels.overview: render_overview(study, None),
        panels.part: render_parts(study, ALL_PARTS),
        **StudyView(panels).evidence(None, ALL_PARTS),
        panels.links: export.render(None, FILES),
    }
