from __future__ import annotations

import json
from pathlib import Path

import pytest

from smile_core.comparison import Comparison
from smile_core.comparison_export import load_comparison, save_comparison
from smile_core.config import ConfigError
from smile_core.explanation import NOTHING_HAPPENED, UNCHANGED
from smile_core.export import load_explanation
from smile_core.result_files import ExportError
from smile_core.word_differences import compare_columns
from tests.full_disk import fill_disk_after
from tests.parsed_html import Page
from tests.sample_comparisons import sample_column, sample_comparison, unfinished
from tests.toy_runs import same


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    return sample_comparison(failed=1)


@pytest.fixture
def saved(comparison: Comparison, tmp_path: Path) -> Path:
    return save_comparison(comparison, tmp_path / "new" / "out")


def test_a_comparison_comes_back_as_it_was(comparison: Comparison, saved: Path) -> None:
    found = load_comparison(saved)
    assert found.rows == comparison.rows
    assert found.contrasts == comparison.contrasts
    assert found.notes == comparison.notes
    for one, other in zip(found.columns, comparison.columns, strict=True):
        assert (one.label, one.config, one.failed) == (other.label, other.config, other.failed)
        assert one.places == other.places
        assert same(one.explanation, other.explanation)
    assert load_comparison(saved / "comparison.json").rows == comparison.rows


def test_the_folder_holds_ordinary_results_and_one_report(comparison, saved: Path) -> None:
    assert sorted(path.name for path in saved.iterdir()) == [
        "a",
        "b",
        "comparison.json",
        "report.html",
    ]
    for letter, found in zip("ab", comparison.explanations, strict=True):
        assert same(load_explanation(saved / letter), found)
        assert (saved / letter / "report.html").is_file()
    Page((saved / "report.html").read_text(encoding="utf-8"))


def test_the_json_has_the_rows_for_other_programs(comparison, saved: Path) -> None:
    values = json.loads((saved / "comparison.json").read_text())
    assert values["schema"] == 1
    assert [column["folder"] for column in values["columns"]] == ["a", "b"]
    assert [column["label"] for column in values["columns"]] == ["first", "second"]
    for row, written in zip(comparison.rows, values["rows"], strict=True):
        assert written["text"] == row.text
        assert [unit["weight"] for unit in written["units"]] == [u.weight for u in row.units]
        assert written["differences"][0]["verdict"] == row.differences[0].verdict
        assert written["differences"][0]["low"] == row.differences[0].low


def test_a_column_in_which_nothing_happened_has_no_number_in_the_json(tmp_path: Path) -> None:
    comparison = compare_columns([sample_column(0), sample_column(1, outcome=UNCHANGED)])
    folder = save_comparison(comparison, tmp_path)
    rows = json.loads((folder / "comparison.json").read_text())["rows"]
    nothing = dict.fromkeys(("weight", "low", "high"))
    for row, written in zip(comparison.rows, rows, strict=True):
        assert written["units"][0]["weight"] == row.units[0].weight
        assert written["units"][1] == {"text": row.text, "verdict": NOTHING_HAPPENED, **nothing}
        assert written["differences"] == [None]
    assert load_comparison(folder).rows == comparison.rows


def test_a_column_without_a_result_comes_back_too(tmp_path: Path) -> None:
    comparison = compare_columns([sample_column(0), unfinished(sample_column(1), "it broke.")])
    found = load_comparison(save_comparison(comparison, tmp_path))
    assert not (tmp_path / "b").exists()
    assert found.columns[1].explanation is None
    assert found.columns[1].failed == "it broke."
    assert found.notes == comparison.notes


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda v: v.pop("schema"), "no schema number"),
        (lambda v: v.update(schema=9), "schema 9"),
        (lambda v: v.pop("columns"), "'columns' is missing"),
        (lambda v: v["columns"].pop(), "two or three columns"),
        (lambda v: v["columns"][0].update(folder="../a"), "names the folder"),
        (lambda v: v["columns"][0].update(folder="b"), "names the folder"),
        (lambda v: v["columns"][0].update(label=7), "7 is not text"),
        (lambda v: v["columns"][0]["places"].pop(), "30 places on the map for 31 edits"),
        (lambda v: v["columns"][0]["places"].__setitem__(0, ["x", 1]), "'x' is not a number"),
        (lambda v: v["columns"][0]["config"].update(instruction="be red"), "another instruction"),
        (lambda v: v["columns"][0]["config"].update(steps=-4), "from 1 to 1000"),
    ],
)  # fmt: skip
def test_damaged_files_are_refused_in_a_sentence(saved: Path, change, words: str) -> None:
    path = saved / "comparison.json"
    values = json.loads(path.read_text())
    change(values)
    path.write_text(json.dumps(values))
    with pytest.raises(ConfigError, match=words):
        load_comparison(saved)


def test_what_is_not_there_is_said(saved: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_comparison(tmp_path / "nowhere")
    (saved / "b" / "explanation.json").unlink()
    with pytest.raises(ConfigError, match=r"explanation\.json"):
        load_comparison(saved)


def test_a_folder_that_cannot_be_written_is_said(comparison: Comparison) -> None:
    with pytest.raises(ExportError, match="could not be written"):
        save_comparison(comparison, Path(__file__) / "out")


def test_a_disk_that_fills_up_leaves_no_mixture_of_two_comparisons(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = compare_columns([sample_column(index, n=7, seed=1) for index in range(2)])
    newer = compare_columns([sample_column(index, n=6, seed=2) for index in range(2)])
    with monkeypatch.context() as patch:
        files = fill_disk_after(10**6, patch)
        save_comparison(newer, tmp_path / "new")
    one = (len(files) - 2) // 2  # files of a column
    for room in (0, 1, one - 1, one, one + 1, 2 * one, 2 * one + 1):
        folder = save_comparison(older, tmp_path / f"{room}")
        with monkeypatch.context() as patch:
            fill_disk_after(room, patch)
            with pytest.raises(ExportError, match="No space left on device"):
                save_comparison(newer, folder)
        assert not (folder / "comparison.json").exists()
    found = load_comparison(save_comparison(newer, folder))
    assert found.rows == newer.rows
