from __future__ import annotations

import time

import pytest

from components import pace, session
from components.inputs import PHOTOS
from smile_core.config import BUNDLED_EDITOR, RunConfig
from smile_core.edit_cache import EditCache
from smile_core.engine import stream
from tests.sample_explanations import landscape


@pytest.fixture(autouse=True)
def _nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "_seconds_per_edit", {})


def slow_editor(image, prompts, seed):
    time.sleep(0.02 * len(prompts))
    return [image.rotate(len(prompt)) for prompt in prompts]


def run(cache: EditCache):
    config = RunConfig(instruction="make it very snowy", perturbations=8)
    return list(stream(landscape(64), config, editor=slow_editor, cache=cache))


def test_a_run_tells_what_an_edit_takes_with_its_encoding():
    last = run(None)[-1]
    assert pace.seconds_per_edit("slow") is None
    pace.learn("slow", last)
    timing = last.explanation.timing
    assert pace.seconds_per_edit("slow") == pytest.approx(
        (timing["edit_s"] + timing["encode_s"]) / last.done, rel=0.25
    )
    assert pace.seconds_per_edit("slow") > 0.02
    assert pace.seconds_per_edit("other") is None


def test_the_trial_times_the_bundled_editor_and_leaves_nothing_behind(tmp_path):
    pace.try_out(PHOTOS["temple"])
    assert pace.seconds_per_edit(BUNDLED_EDITOR) > 0
    assert not pace.is_trying()
    assert not list(tmp_path.rglob("*.png"))


def test_the_trial_gives_way_to_a_visitor():
    with session.has_editor(session.Session()):
        pace.try_out(PHOTOS["temple"])
    assert pace.seconds_per_edit(BUNDLED_EDITOR) is None
