"""The pure parts of the Compare tab."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import pytest

from components import compare, compare_files, inputs, session
from components.compare_runs import (
    EDITORS,
    INSTRUCTIONS,
    CompareRuns,
    LiveComparison,
    checked_comparison,
    chosen_configs,
)
from smile_core.comparing import ComparisonSnapshot
from smile_core.comparison_export import load_comparison
from smile_core.config import ConfigError
from smile_core.editors import list_editors
from smile_core.mask_picture import WHOLE
from smile_core.word_differences import compare_columns
from tests.sample_comparisons import sample_column, sample_comparison, unfinished

TEMPLE = inputs.PHOTOS["temple"]
MASKED = "sd2-inpainting"
TEXTS = ("make it snowy", "make it foggy", "")
TOOLS = ("scene-pix2pix", "sd-turbo", "")


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "gradio"))


def request(key: str) -> SimpleNamespace:
    return SimpleNamespace(session_hash=key)


def tab_parts() -> tuple[compare.CompareInputs, CompareRuns]:
    gr.set_static_paths(list(inputs.PHOTOS.values()))  # which the Explain tab does on the page
    with gr.Blocks():
        left = compare.build_inputs(list_editors(), str(TEMPLE))
        return left, CompareRuns(compare.build_panels(), left.buttons)


def begin(runs: CompareRuns, key: str, texts=TEXTS, perturbations=8.0, seed=3):
    photo = {"path": str(TEMPLE), "orig_name": TEMPLE.name}
    return runs.begin(request(key), photo, INSTRUCTIONS, perturbations, seed, False, *TOOLS, *texts)


def snapshot(comparison, state: str = "running") -> ComparisonSnapshot:
    return ComparisonSnapshot(
        comparison=comparison, snapshots=(None,) * len(comparison.columns), turn=0, done=2,
        total=4, seconds_left=None, stable=False, state=state,
    )  # fmt: skip


def test_editors_share_the_first_instruction_and_instructions_the_first_editor() -> None:
    by_editor = chosen_configs(EDITORS, TOOLS, TEXTS, perturbations=8.0, seed=3)
    assert [(c.editor, c.instruction) for c in by_editor] == [
        ("scene-pix2pix", "make it snowy"),
        ("sd-turbo", "make it snowy"),
    ]
    assert {(c.perturbations, c.seed) for c in by_editor} == {(8, 3)}
    three = (*TEXTS[:2], "make it night")
    by_text = chosen_configs(INSTRUCTIONS, TOOLS, three, perturbations=8, seed=3)
    assert [(c.editor, c.instruction) for c in by_text] == [
        ("scene-pix2pix", text) for text in three
    ]


@pytest.mark.parametrize(
    ("by", "editors", "texts", "settings", "message"),
    [
        (INSTRUCTIONS, TOOLS, ("make it snowy", "make it snowy", ""), {}, "A and B are the same"),
        (EDITORS, ("scene-pix2pix", "/etc/weights", ""), TEXTS, {}, "editor"),
        (INSTRUCTIONS, TOOLS, ("make it snowy", "", ""), {}, "instruction"),
        (EDITORS, TOOLS, TEXTS, {"perturbations": None}, "perturbations is empty"),
        (EDITORS, TOOLS, TEXTS, {"seed": None}, "seed is empty"),
    ],
)
def test_what_cannot_be_compared_is_refused(by, editors, texts, settings, message) -> None:
    with pytest.raises(ConfigError, match=message):
        chosen_configs(by, editors, texts, **{"perturbations": 8, "seed": 0, **settings})


def test_an_editor_that_needs_a_mask_takes_the_whole_picture_or_says_so() -> None:
    masked = chosen_configs(EDITORS, (TOOLS[0], MASKED, ""), TEXTS, perturbations=8, seed=0)
    with pytest.raises(ConfigError, match="mask"):
        checked_comparison(TEMPLE, masked, whole=False)
    assert checked_comparison(TEMPLE, masked, whole=True).mask == WHOLE
    plain = chosen_configs(EDITORS, TOOLS, TEXTS, perturbations=8, seed=0)
    assert checked_comparison(TEMPLE, plain, whole=True).mask is None


def test_the_inputs_follow_what_is_compared() -> None:
    *shown, whole = compare.show_columns(INSTRUCTIONS, TOOLS[0], MASKED, "")
    assert [update["visible"] for update in shown] == [True, True, True, True, False, False]
    assert [update["label"] for update in shown[2:4]] == ["Instruction C", "Editor"]
    assert not whole["visible"]
    *shown, whole = compare.show_columns(EDITORS, TOOLS[0], MASKED, "")
    assert [update["visible"] for update in shown] == [True, False, False, True, True, True]
    assert whole["visible"]


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
    updates = begin(runs, "refused", texts=("make it snowy", "make it snowy", ""))
    assert list(updates) == [left.buttons.message]
    assert session.session_of(request("refused")).comparing.job is None


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
