"""The answer: a sentence, the instruction coloured by weight, the progress, before and after."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from html import escape
from typing import NamedTuple

import gradio as gr
from PIL import Image

from components import more
from components.html import html
from smile_core.explanation import AGAINST, DRIVES, Explanation, Snapshot
from smile_core.heatmap import heatmap_html, waiting_html
from smile_core.mask_picture import before_picture
from smile_core.sentence import sentence_html, summarize

PictureUrl = Callable[[Image.Image], str]
NO_HEATMAP = (
    "Your instruction appears here, each word coloured by how much of the edit it drives, with a "
    "number and how sure it is."
)
FIRST_EDIT = "Editing the photo with the whole instruction first…"
SHOWN_SIDE = 1024  # pixels; a larger photo is shown at this size


class Answer(NamedTuple):
    """The components of the answer."""

    sentence: gr.HTML
    heatmap: gr.HTML
    status: gr.HTML
    more: gr.Button


def build() -> Answer:
    """Make the top of the right side, empty."""
    with gr.Column(elem_id="answer"):
        sentence = html(render_sentence(None), elem_id="sentence")
        heatmap = html(render_heatmap(None), elem_id="heatmap")
        html('<p role="status"></p>', elem_id="said")  # by the script, at the end of a run
        with gr.Row(elem_id="status-row"):
            status = html(render_idle(), elem_id="status")
            button = more.build()
    return Answer(sentence=sentence, heatmap=heatmap, status=status, more=button)


def build_pair() -> gr.HTML:
    """Make the empty before/after slider."""
    return html(render_pair(None), elem_id="pair")


def render_sentence(explanation: Explanation | None) -> str:
    """Return what the explanation says, in plain words."""
    if explanation is None:
        return render_quiet("Choose a photo, write an instruction and press Explain.")
    notes = "".join(f"<li>{escape(note)}</li>" for note in explanation.notes)
    listed = f'<ul class="notes">{notes}</ul>' if notes else ""
    return f'<p class="sentence" dir="auto">{sentence_html(summarize(explanation))}</p>{listed}'


def render_quiet(text: str) -> str:
    """Return a sentence that says what to do or what is going on."""
    return f'<p class="sentence quiet">{escape(text)}</p>'


def render_waiting(units: Sequence[str]) -> tuple[str, str]:
    """Return sentence and heatmap of a run that has begun and knows nothing yet."""
    return render_quiet(FIRST_EDIT), waiting_html(tuple(units))


def render_heatmap(explanation: Explanation | None) -> str:
    """Return the instruction with its words coloured by weight."""
    if explanation is None:
        return f'<p class="hint">{NO_HEATMAP}</p>'
    return heatmap_html(explanation)


def render_idle(text: str = "") -> str:
    """Return a status line without progress."""
    return f'<div class="status"><span>{escape(text)}&nbsp;</span>{progress_bar(0, 1)}</div>'


def render_status(snapshot: Snapshot, seed: int, seconds: float) -> str:
    """Return k of n, the rate, the time left and the seed, over a thin bar.

    Parameters
    ----------
    snapshot : Snapshot
        The state of the run.
    seed : int
        The seed it uses.
    seconds : float
        How long it has been running.
    """
    done, total = snapshot.done, snapshot.total
    if snapshot.state == "stopped":
        parts = [f"Stopped after {done} of {total} edits; all of them are kept"]
    elif snapshot.state == "finished":
        source = "" if snapshot.edits_per_second else ", all from the cache,"
        parts = [f"{done} of {total} edits{source} in {say_seconds(seconds)}"]
    else:
        parts = [f"{done} of {total} edits"]
    if snapshot.edits_per_second and snapshot.state == "running":
        parts.append(f"{snapshot.edits_per_second:.1f} edits/s")
    if snapshot.seconds_left is not None and snapshot.state == "running":
        parts.append(f"{say_about(snapshot.seconds_left)} left")
    if is_ranking_steady(snapshot):
        parts.append("ranking steady")
    parts.append(f"seed {seed}")
    text = " · ".join(parts)
    return f'<div class="status"><span>{text}</span>{progress_bar(done, total)}</div>'


def is_ranking_steady(snapshot: Snapshot) -> bool:
    """Return whether there are words with an effect, in an order that has stopped moving."""
    units = () if snapshot.explanation is None else snapshot.explanation.units
    return snapshot.stable and any(unit.verdict in (DRIVES, AGAINST) for unit in units)


def progress_bar(done: int, total: int, label: str = "Edits made") -> str:
    """Return a thin bar that is filled by `done` of `total`, edits if nothing else is said."""
    share = 100 * done / max(total, 1)
    return (
        f'<div class="bar" role="progressbar" aria-label="{label}" aria-valuemin="0" '
        f'aria-valuemax="{total}" aria-valuenow="{done}"><i style="width:{share:.1f}%"></i></div>'
    )


def say_about(seconds: float) -> str:
    """Return an estimate of a duration."""
    return say_seconds(seconds) if seconds < 1 else f"about {say_seconds(seconds)}"


def say_seconds(seconds: float) -> str:
    """Return a duration the way one says it."""
    if seconds < 1:
        return "less than a second"
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def render_photo(photo: Image.Image, picture_url: PictureUrl) -> str:
    """Return the photo alone, in the place that before and after will take."""
    small = photo.copy()
    small.thumbnail((SHOWN_SIDE, SHOWN_SIDE))
    return (
        f'<div class="pair alone" style="--ratio:{small.width}/{small.height}">'
        f'<img src="{picture_url(small)}" alt="The photo">'
        '<span class="tag left">before</span></div>'
    )


def render_pair(explanation: Explanation | None, picture_url: PictureUrl | None = None) -> str:
    """Return photo and full edit, one over the other, with a slider between them."""
    after = explanation.reference.image if explanation else None
    before = before_picture(explanation) if explanation else None
    if explanation is None or before is None or after is None or picture_url is None:
        text = "Before and after appear here."
        if explanation is not None:
            text = "This explanation was restored without its pictures."
        return f'<div class="pair empty"><p>{text}</p></div>'
    width, height = after.size
    prompt = escape(explanation.reference.prompt)
    # With the slider in the middle both halves show; the script keeps --at at the slider's value.
    return (
        f'<div class="pair" style="--ratio:{width}/{height}">'
        f'<img src="{picture_url(after)}" alt="After: the photo edited by “{prompt}”">'
        f'<img class="before" src="{picture_url(before)}" alt="Before: the photo">'
        '<span class="tag left">before</span><span class="tag right">after</span>'
        '<input type="range" min="0" max="100" value="50" step="1" '
        'aria-label="Show more of the photo before or after the edit"></div>'
    )


# What the page itself says at a click on Stop: sent by the server it could overtake the last word.
STOPPING_JS = f"() => {json.dumps(render_idle('Stopping…'))}"
