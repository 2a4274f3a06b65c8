from __future__ import annotations

from components import scatter, show
from components.served import picture_url
from smile_core.explanation import Snapshot
from tests.sample_explanations import sample_explanation

PANELS = show.Panels(*show.Panels._fields)  # names in the place of components


def snapshot(done: int, state: str = "running") -> Snapshot:
    return Snapshot(
        explanation=sample_explanation(n=8) if done else None,
        done=done,
        total=25,
        edits_per_second=None,
        seconds_left=None,
        stable=False,
        state=state,
    )


def test_charts_are_drawn_at_most_once_a_second_and_at_the_end():
    view = show.LiveView(PANELS, seconds=1.0)
    times = [0.0, 0.3, 0.9, 1.1, 1.5, 2.2]
    drawn = [t for t in times if "words" in view.updates(snapshot(8), t, 0)]
    assert drawn == [0.0, 1.1, 2.2]
    assert "words" in view.updates(snapshot(25, "finished"), 2.3, 0)


def test_heatmap_follows_every_snapshot_and_the_pair_comes_once():
    view = show.LiveView(PANELS)
    assert set(view.updates(snapshot(0), 0.0, 0)) == {"status"}
    first = view.updates(snapshot(1), 0.1, 0)
    second = view.updates(snapshot(8), 0.2, 0)
    assert {"sentence", "heatmap", "status"} <= set(first) & set(second)
    assert "more" not in first
    assert view.updates(snapshot(25, "stopped"), 0.3, 0)["more"]["visible"]
    assert "pair" in first
    assert "pair" not in second


def test_a_new_run_clears_everything_of_the_last_one():
    cleared = show.show_waiting(PANELS, ("make", "it"))
    assert set(cleared) | {"status"} == set(show.Panels._fields)


def test_the_map_keeps_the_colours_that_were_chosen_during_the_run():
    view = show.LiveView(PANELS, seconds=0.0)
    before = view.updates(snapshot(8), 0.0, 0)
    after = view.updates(snapshot(16), 1.0, 0, color_by=2)
    assert "color_by" not in after  # the menu stays as it is
    assert after["map"] == scatter.render(snapshot(16).explanation, picture_url, 2)
    assert after["map"] != before["map"]
