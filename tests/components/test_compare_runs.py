"""A comparison on the page from the click to the files, without a browser."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path

import gradio as gr
import pytest

from components import compare_files, served, session
from components.compare_asked import INSTRUCTIONS, chosen_configs
from components.compare_back import CompareBack
from components.compare_runs import CompareRuns, LiveComparison
from smile_core.comparing import ComparisonSnapshot
from smile_core.comparison_export import load_comparison, save_comparison
from smile_core.config import ConfigError
from smile_core.word_differences import compare_columns
from tests.components.compare_tab import (
    NO_KEYS,
    TEMPLE,
    TEXTS,
    asked,
    request,
    tab_parts,
    values_of,
)
from tests.sample_comparisons import sample_column, sample_comparison, unfinished


def begin(runs: CompareRuns, key: str, instructions=TEXTS, *, follows: bool = False):
    photo = {"path": str(TEMPLE), "orig_name": TEMPLE.name}
    values = values_of(asked(INSTRUCTIONS, instructions=instructions))
    return runs.begin(request(key), photo, False, follows, *NO_KEYS, *values)


def snapshot(comparison, state: str = "running") -> ComparisonSnapshot:
    return ComparisonSnapshot(
        comparison=comparison, snapshots=(None,) * len(comparison.columns), turn=0, done=2,
        total=4, seconds_left=None, stable=False, state=state,
    )  # fmt: skip


def test_a_comparison_is_restored_from_its_json_alone(tmp_path: Path) -> None:
    left, runs = tab_parts()
    back = CompareBack(left, runs.panels, gr.Tabs())
    configs = chosen_configs(asked(INSTRUCTIONS))
    columns = [
        sample_column(0, label=label, instruction=config.instruction)
        for label, config in zip("AB", configs, strict=True)
    ]
    comparison = compare_columns(columns)
    saved = save_comparison(comparison, served.served_folder("pictures") / "saved")
    alone = served.served_folder("pictures") / "comparison.json"
    (saved / "comparison.json").rename(alone)
    assert compare_files.carries_comparison(alone)
    assert not compare_files.carries_comparison(saved / "a" / "explanation.json")
    updates = back.restore({"path": str(alone)}, request("restores"))
    place = session.session_of(request("restores")).comparing
    assert place.comparison.rows == comparison.rows
    assert "Restored" in updates[runs.panels.status]
    assert updates[runs.panels.links].count("href=") == 3
    refused = back.restore({"path": str(saved / "a" / "explanation.json")}, request("restores"))
    assert "not a comparison" in refused[left.buttons.message]
    with pytest.raises(ConfigError, match="at most 3"):
        load_comparison(alone, most_edits=3)


def test_a_comparison_waits_in_its_own_place_and_stops_there() -> None:
    left, runs = tab_parts()
    updates = begin(runs, "waits")
    own = session.session_of(request("waits"))
    assert updates[left.buttons.compare]["interactive"] is False
    assert "snowy" in updates[runs.panels.heatmaps]
    assert [config.perturbations for config in own.comparing.job.configs] == [8, 8]
    assert own.job is None
    stopped = runs.stop(request("waits"))
    assert own.comparing.job is None
    assert not own.stop.is_set()
    assert "Stopped before the first edit" in stopped[runs.panels.status]
    assert list(runs.run(request("waits"))) == [{left.buttons.message: gr.skip()}]


def test_a_refused_comparison_changes_only_the_message() -> None:
    left, runs = tab_parts()
    updates = begin(runs, "refused", instructions=("make it snowy", "make it snowy", ""))
    assert list(updates) == [left.buttons.message]
    assert session.session_of(request("refused")).comparing.job is None


def test_the_number_that_follows_the_words_is_that_of_the_longest_column() -> None:
    left, runs = tab_parts()
    begin(runs, "follows", follows=True)
    configs = session.session_of(request("follows")).comparing.job.configs
    assert [config.perturbations for config in configs] == [64, 64]
    long = " ".join(f"word{i}" for i in range(40))
    updates = begin(runs, "long", ("make it snowy", long, ""), follows=True)
    configs = session.session_of(request("long")).comparing.job.configs
    assert [config.perturbations for config in configs] == [160, 160]
    assert updates[left.amount.number] == updates[left.amount.slider] == 160


def test_closing_the_tab_ends_the_comparison_and_removes_its_files() -> None:
    place = session.session_of(request("closing")).comparing
    folder = place.new_folder()
    session.close_session(request("closing"))
    assert place.stop.is_set()
    assert not folder.exists()


def test_the_map_is_drawn_once_a_second_and_the_words_every_time() -> None:
    _, runs = tab_parts()
    panels, view = runs.panels, LiveComparison(runs.panels)
    half = compare_columns([sample_column(0), unfinished(sample_column(1))])
    first, soon, other, last = (
        view.updates(snapshot(comparison, state), elapsed, -1)
        for comparison, state, elapsed in (
            (half, "running", 0.0),
            (half, "running", 0.5),
            (sample_comparison(), "running", 1.2),
            (sample_comparison(), "finished", 1.3),
        )
    )
    assert all(panels.words in updates for updates in (first, soon, other, last))
    assert [panels.map in updates for updates in (first, soon, other, last)] == [
        True, False, True, True,
    ]  # fmt: skip
    assert [panels.color_by in updates for updates in (first, soon, other, last)] == [
        True, False, False, False,
    ]  # fmt: skip
    # The pictures change only with a new full edit.
    assert [panels.pairs in updates for updates in (first, soon, other, last)] == [
        True, False, True, False,
    ]  # fmt: skip


def test_the_files_are_written_once_and_hold_everything(tmp_path: Path) -> None:
    place = session.ComparisonPlace()
    assert "href" not in compare_files.written(place)
    place.comparison = sample_comparison()
    links = compare_files.written(place)
    folder = place.folder / "comparison"
    assert links.count("href=") == 3
    written_at = (folder / "comparison.json").stat().st_mtime_ns
    assert compare_files.written(place) == links
    assert (folder / "comparison.json").stat().st_mtime_ns == written_at
    with zipfile.ZipFile(folder / "comparison.zip") as files:
        files.extractall(tmp_path / "all")
    assert load_comparison(tmp_path / "all").rows == place.comparison.rows
    before, place.comparison = place.folder, replace(place.comparison, notes=("New.",))
    compare_files.written(place)
    assert not before.exists()
