"""The button that goes on with the explanation that is shown."""

from __future__ import annotations

from dataclasses import replace

import pytest

from components import more
from components.bring_back import BringBack
from components.runs import Runs
from components.session import session_of
from smile_core.config import MAX_PERTURBATIONS, RunConfig
from smile_core.explanation import ANY_UNIT, CHANCE, UNCHANGED, Explanation
from smile_core.export import save_explanation
from smile_core.planning import shorten
from tests.components.explain_tab import page_parts, request
from tests.sample_explanations import masked, sample_explanation

SEVEN = "make it snowy and gently foggy today"  # 126 shortened versions


@pytest.mark.parametrize(
    ("found", "count"),
    [
        (sample_explanation(SEVEN, n=24), 64),
        (sample_explanation(SEVEN, n=24, planned=120), 64),  # it was ended early
        (sample_explanation(SEVEN, n=24, failed=4), 64),
        (sample_explanation(SEVEN, n=100), 26),
        (sample_explanation("make it snowy", n=6), 0),
        (sample_explanation("make it snowy", n=5), 1),
        (sample_explanation(SEVEN, outcome=ANY_UNIT), 64),
        (sample_explanation(SEVEN, outcome=UNCHANGED), 0),
        (sample_explanation(SEVEN, outcome=CHANCE), 0),
        (replace(sample_explanation(SEVEN), source=None), 0),  # restored from numbers alone
        (replace(sample_explanation(SEVEN), samples=()), 0),
    ],
)
def test_there_are_64_more_while_there_are_so_many(found: Explanation, count: int):
    assert more.more_to_try(found) == count
    button = more.render(found)
    assert button["visible"] is (count > 0)
    assert count == 0 or button["value"] == f"{count} more"
    assert more.render(None)["visible"] is False


def test_there_are_never_more_than_a_run_may_have():
    one = sample_explanation(SEVEN, n=2).samples[0]
    many = replace(
        sample_explanation(" ".join(f"word{index}" for index in range(20)), n=2),
        samples=(one,) * (MAX_PERTURBATIONS - 10),
    )
    assert more.more_to_try(many) == 10
    assert more.config_of(many).perturbations == MAX_PERTURBATIONS


def test_a_billed_editor_says_that_more_is_billed():
    found = replace(sample_explanation(SEVEN), editor="gpt-image-2.5-flare")
    assert more.render(found)["value"] == "64 more, billed by the provider"


def test_more_are_the_same_run_to_its_end_and_the_inputs_stay():
    left, panels = page_parts()
    found = masked(sample_explanation(SEVEN, n=24, planned=40, stop_when_settled=True, seed=3))
    tab = session_of(request("more"))
    tab.explanation, tab.photo_name = found, "temple"
    updates = Runs(left, panels).begin_more(request("more"), "")
    config = tab.job.config
    assert config == RunConfig.from_dict(found.config).with_(
        perturbations=88, stop_when_settled=False
    )
    before = RunConfig.from_dict(found.config).with_(perturbations=24)
    assert shorten(config)[2][:25] == shorten(before)[2]
    assert tab.job.photo.tobytes() == found.source.tobytes()
    assert tab.job.mask is None  # this editor takes none
    assert updates[panels.more]["visible"] is False
    assert "photo=temple" in updates[left.address]
    assert "perturbations=88" in updates[left.address]
    assert not set(updates) & {*left.settings.values(), *left.amount, left.photo}


def test_without_a_photo_there_is_nothing_to_go_on_with():
    left, panels = page_parts()
    runs = Runs(left, panels)
    for found in (None, replace(sample_explanation(SEVEN), source=None)):
        tab = session_of(request("nothing"))
        tab.explanation = found
        updates = runs.begin_more(request("nothing"), "")
        assert set(updates) == {left.message}
        assert "Press Explain first" in updates[left.message]
        assert tab.job is None


def test_what_the_page_does_not_offer_is_not_gone_on_with():
    left, panels = page_parts()
    found = sample_explanation(SEVEN)
    tab = session_of(request("other"))
    tab.explanation = replace(found, config={**found.config, "editor": "my-editor.toml"})
    updates = Runs(left, panels).begin_more(request("other"), "")
    assert "starts programs" in updates[left.message]


def test_a_restored_result_has_no_photo_of_the_page(tmp_path):
    left, panels = page_parts()
    tab = session_of(request("restored"))
    tab.photo_name = "temple"
    folder = save_explanation(sample_explanation(SEVEN), tmp_path / "saved")
    updates = BringBack(left, panels, None, None).restore_path(
        folder / "explanation.json", request("restored")
    )
    assert tab.photo_name is None
    assert updates[panels.more]["visible"] is False
