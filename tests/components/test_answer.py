from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from components import answer
from smile_core.explanation import UNCHANGED, Snapshot
from tests.parsed_html import Page
from tests.sample_explanations import HOSTILE, masked, sample_explanation


def snapshot(**changes: object) -> Snapshot:
    values = {
        "explanation": sample_explanation(),
        "done": 24,
        "total": 65,
        "edits_per_second": 3.14,
        "seconds_left": 13.2,
        "stable": False,
        "state": "running",
    }
    return Snapshot(**{**values, **changes})


def test_status_of_a_running_run_says_how_far_how_fast_and_how_long():
    html = answer.render_status(snapshot(), seed=7, seconds=8.0)
    assert "24 of 65 edits · 3.1 edits/s · about 13 s left · seed 7" in html
    assert 'aria-valuenow="24"' in html
    assert "width:36.9%" in html


def test_status_of_an_ended_run_says_no_rate():
    html = answer.render_status(snapshot(state="finished", done=65), seed=7, seconds=21.4)
    assert "65 of 65 edits in 21 s · seed 7" in html
    assert "edits/s" not in html
    known = snapshot(state="finished", done=65, edits_per_second=None)
    html = answer.render_status(known, seed=7, seconds=0.4)
    assert "65 of 65 edits, all from the cache, in less than a second · seed 7" in html
    html = answer.render_status(snapshot(state="stopped", stable=True), seed=7, seconds=21.4)
    assert "Stopped after 24 of 65 edits; all of them are kept · ranking steady" in html


def test_a_ranking_of_no_words_is_not_called_steady():
    said = "ranking steady"
    assert said in answer.render_status(snapshot(stable=True), seed=7, seconds=8.0)
    for found in (None, sample_explanation(n=4), sample_explanation(outcome=UNCHANGED)):
        state = snapshot(stable=True, explanation=found)
        assert said not in answer.render_status(state, seed=7, seconds=8.0)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "less than a second"), (13.2, "13 s"), (89.6, "90 s"), (600, "10 min"), (9000, "2.5 h")],
)
def test_durations_are_said_as_people_say_them(seconds: float, text: str):
    assert answer.say_seconds(seconds) == text


def test_sentence_escapes_what_the_user_wrote_and_lists_notes():
    explanation = replace(sample_explanation(HOSTILE), notes=("One <edit> failed.",))
    html = answer.render_sentence(explanation)
    assert "<script" not in html
    assert "<li>One &lt;edit&gt; failed.</li>" in html


def test_pair_shows_photo_and_full_edit_in_their_ratio():
    explanation = sample_explanation()
    html = answer.render_pair(explanation, lambda picture: f"/{picture.size[0]}.webp")
    assert "--ratio:160/160" in html
    assert html.count("<img") == 2
    assert 'type="range"' in html


def test_the_mask_is_outlined_on_the_photo():
    shown = []
    answer.render_pair(masked(sample_explanation()), lambda picture: shown.append(picture) or "p")
    before = np.asarray(shown[-1], dtype=int)
    changed = np.abs(before - np.asarray(sample_explanation().source, dtype=int)).max(axis=2) > 0
    middle = changed.shape[1] // 2
    assert changed[:, middle - 1 : middle + 1].mean() > 0.9
    assert not changed[:, : middle - 8].any()


def test_pair_without_pictures_says_so():
    bare = replace(sample_explanation(), source=None)
    assert "without its pictures" in answer.render_pair(bare, lambda picture: "x")
    assert "appear here" in answer.render_pair(None)


def test_waiting_shows_every_unit_without_a_number():
    sentence, heatmap = answer.render_waiting(("make", "<b>"))
    assert "whole instruction first" in sentence
    assert "<b>" not in heatmap
    assert Page(heatmap).elements
