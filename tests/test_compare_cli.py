"""`python -m smile_core compare` on registered editors whose answers are known."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from smile_core.__main__ import main
from smile_core.commands.compare import progress_line
from smile_core.comparing import ComparisonSnapshot
from smile_core.comparison_export import load_comparison
from smile_core.editors import EditorCard, register_editor, registry
from smile_core.explanation import Snapshot
from tests.command_line import check_refused
from tests.sample_comparisons import sample_comparison
from tests.toy_editors import INSTRUCTION, ToyEditor, photo


class Interrupting(ToyEditor):
    """Somebody presses Ctrl+C while its third batch is made, the second of shortened prompts."""

    def edit(self, image, prompts, **knobs):
        if len(self.calls) == 2:
            os.kill(os.getpid(), signal.SIGINT)
        return super().edit(image, prompts, **knobs)


class AnyWord(ToyEditor):
    """Any one word is enough for it."""

    def level(self, prompt, seed=0):
        return 120 if prompt else 20


OTHER_EFFECTS = {"make": 3, "it": 1, "snowy": 60, "foggy": 0}
EDITORS = {
    "toy-a": lambda: ToyEditor(name="toy-a", fingerprint="a"),
    "toy-b": lambda: ToyEditor(OTHER_EFFECTS, name="toy-b", fingerprint="b"),
    "toy-idle": lambda: ToyEditor({}, name="toy-idle", fingerprint="e"),
    "toy-any": lambda: AnyWord(name="toy-any", fingerprint="f"),
    "toy-interrupting": lambda: Interrupting(name="toy-interrupting", fingerprint="d"),
    "toy-broken": lambda: ToyEditor(name="toy-broken", fingerprint="c", fails=(INSTRUCTION,)),
}


@pytest.fixture(autouse=True)
def _toys() -> Iterator[None]:
    before = dict(registry._REGISTRY)
    for name, make in EDITORS.items():
        card = EditorCard(name=name, title=name, family="test")
        register_editor(card)(make)
    yield
    registry._REGISTRY.clear()
    registry._REGISTRY.update(before)
    registry._load.cache_clear()


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    photo().save(tmp_path / "photo.png")
    return [
        "compare", "--image", str(tmp_path / "photo.png"), "--out", str(tmp_path / "out"),
        "--perturbations", "12", "--image-distance", "cosine",
    ]  # fmt: skip


def test_two_editors(command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    options = ["--instruction", INSTRUCTION, "--editors", "toy-a", "toy-b", "--seed", "3"]
    assert main([*command, *options]) == 0
    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    for word in INSTRUCTION.split():
        assert any(line.split()[:1] == [word] for line in lines)
    assert "toy-b: leave-one-out R²" in printed.out
    assert "report.html, comparison.json, a/, b/" in lines[-1]
    assert "toy-a 14/14 · toy-b 14/14 · finished" in printed.err
    found = load_comparison(tmp_path / "out")
    assert [column.label for column in found.columns] == ["toy-a", "toy-b"]
    assert {column.config.seed for column in found.columns} == {3}
    assert [len(e.samples) for e in found.explanations] == [12, 12]
    assert (tmp_path / "out" / "report.html").stat().st_size > 10_000


def test_of_an_editor_without_weights_no_fit_is_printed(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    options = ["--instruction", INSTRUCTION, "--editors", "toy-a", "toy-idle", "toy-any"]
    assert main([*command, *options]) == 0
    lines = capsys.readouterr().out.splitlines()
    told = {line.split(":")[0]: line.split(": ")[1].split(",")[0] for line in lines[-4:-1]}
    assert told["toy-idle"] == "nothing happened"
    assert told["toy-any"] == "any one is enough"
    assert told["toy-a"].startswith("leave-one-out R²")
    assert any("toy-idle changed nothing: " in line for line in lines)


def test_two_instructions_of_one_editor(command: list[str], tmp_path: Path) -> None:
    texts = ["make it snowy", "make it foggy"]
    assert main([*command, "--instructions", *texts, "--editor", "toy-a"]) == 0
    values = json.loads((tmp_path / "out" / "comparison.json").read_text())
    assert [column["config"]["instruction"] for column in values["columns"]] == texts
    assert [row["text"] for row in values["rows"]] == ["make", "it", "snowy", "foggy"]


def test_two_settings_of_one_editor(command: list[str], tmp_path: Path) -> None:
    options = ["--instruction", "very snowy fog", "--editor", "toy-a", "--surrogate"]
    assert main([*command, *options, "linear", "ridge", "shapley"]) == 0
    found = load_comparison(tmp_path / "out")
    assert [column.label for column in found.columns] == [
        "surrogate linear", "surrogate ridge", "surrogate shapley",
    ]  # fmt: skip


def test_a_failing_column_costs_the_code_but_not_the_result(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    options = ["--instruction", INSTRUCTION, "--editors", "toy-a", "toy-broken"]
    assert main([*command, *options]) == 2
    assert "toy-broken ended early: The edit by the full instruction" in capsys.readouterr().err
    found = load_comparison(tmp_path / "out")
    assert len(found.explanations) == 1
    assert found.columns[1].failed


@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT is POSIX")
def test_ctrl_c_keeps_both_columns(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    options = ["--instruction", INSTRUCTION, "--editors", "toy-a", "toy-interrupting"]
    assert main([*command, *options, "--batch-size", "4"]) == 130
    assert "stopped" in capsys.readouterr().err
    found = load_comparison(tmp_path / "out")
    assert [0 < len(e.samples) < 12 for e in found.explanations] == [True, True]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--editor", "toy-a"], "two or three columns, not 1"),
        (["--editors", "toy-a", "toy-b", "toy-a", "toy-b"], "not 4"),
        (["--editors", "toy-a", "toy-a"], "A and B are the same"),
        (["--editors", "toy-a", "toyb"], "Did you mean 'toy-b'"),
        (["--editors", "toy-a", "toy-b", "--seed", "1", "2", "3"], "2 of editor, 3 of seed"),
        (["--editors", "toy-a", "toy-b", "--strength", "0.5"], "has no strength"),
        (["--editor", "toy-a", "--scheduler", "own", "dpm-solver"], "no scheduler but its own"),
        (["--editor", "toy-a", "--scheduler", "own", "dpm++"], "Choose one of: dpm-solver"),
        (["--editors"], "expected at least one argument"),
        (["--editors", "toy-a", "toy-b", "--image", "missing.png"], "cannot be read"),
        (["--editors", "toy-a", "toy-b", "--out", f"{__file__}/out"], "cannot be made"),
    ],
)
def test_bad_input_is_one_line_and_code_2(
    options: list[str], words: str, command: list[str], capsys: pytest.CaptureFixture
) -> None:
    check_refused([*command, "--instruction", INSTRUCTION, *options], words, capsys)


def test_the_progress_line() -> None:
    one = Snapshot(
        explanation=None, done=24, total=65, edits_per_second=3.1, seconds_left=8.0,
        stable=False, state="running",
    )  # fmt: skip
    state = ComparisonSnapshot(
        comparison=sample_comparison(), snapshots=(one, None), turn=0, done=24, total=130,
        seconds_left=41.2, stable=False, state="running",
    )  # fmt: skip
    assert progress_line(state) == "first 24/65 · second – · 41 s left"
