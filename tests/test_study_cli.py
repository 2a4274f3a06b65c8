"""`python -m smile_core study` on registered editors whose answers are known, and a kill -9."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from smile_core import run_study
from smile_core.__main__ import main
from smile_core.commands.study import cost_sentence, duration, progress_line
from smile_core.edit_cache import EditCache
from smile_core.editors import EditorCard, register_editor, registry
from smile_core.evaluation.study_file import load_study
from smile_core.evaluation.study_plan import StudyCost
from smile_core.evaluation.study_run import StudySnapshot
from tests.command_line import check_refused
from tests.toy_editors import INSTRUCTION, ToyEditor, ToyEncoder, photo

STUDY = f"""
title: Two seeds
editors: [toy-study]
photos: [photo.png]
perturbations: 12
parts:
  - name: twice
    protocol: accuracy
    seeds: [0, 1, 2, 3]
    instructions:
      - {{text: {INSTRUCTION}, keywords: [snowy, foggy]}}
  - name: fits
    protocol: cost
    methods: [smile, lime]
    instructions: [{INSTRUCTION}]
"""
# A study with an editor that takes its time, in a process of its own that is then killed.
SLOW = """
import sys
from smile_core import run_study
from tests.toy_editors import ToyEditor, ToyEncoder
editor = ToyEditor(name="toy-study", delay_s=0.1)
run_study(sys.argv[1], sys.argv[2], editors={"toy-study": editor}, encoder=ToyEncoder())
"""


class Interrupting(ToyEditor):
    """Somebody presses Ctrl+C while its fifth batch is made."""

    def edit(self, image, prompts, **knobs):
        if len(self.calls) == 4:
            os.kill(os.getpid(), signal.SIGINT)
        return super().edit(image, prompts, **knobs)


@pytest.fixture(autouse=True)
def _toy() -> Iterator[None]:
    before = dict(registry._REGISTRY)
    card = EditorCard(name="toy-study", title="Toy", family="test")
    register_editor(card)(lambda: ToyEditor(name="toy-study"))
    yield
    registry._REGISTRY.clear()
    registry._REGISTRY.update(before)
    registry._load.cache_clear()


@pytest.fixture
def study(tmp_path: Path) -> Path:
    photo().save(tmp_path / "photo.png")
    path = tmp_path / "study.yaml"
    path.write_text(STUDY)
    return path


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is POSIX")
def test_a_study_killed_in_the_middle_ends_with_the_same_bytes(study: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    root = Path(__file__).parents[1]
    command = [sys.executable, "-c", SLOW, str(study), str(out)]
    child = subprocess.Popen(command, cwd=root, env={**os.environ, "PYTHONPATH": str(root)})
    journal, deadline = out / "journal.jsonl", time.monotonic() + 120
    cache = EditCache()  # that of the test, which the child has too
    while not (journal.exists() and len(list(cache.folder.glob("??/*.png"))) >= 18):
        assert child.poll() is None, "the study ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    child.send_signal(signal.SIGKILL)
    child.wait()
    kept = len(list(cache.folder.glob("??/*.png")))
    assert not (out / "results.csv").exists()

    editor = ToyEditor(name="toy-study")
    tools = {"editors": {"toy-study": editor}, "encoder": ToyEncoder()}
    last = run_study(study, out, **tools)
    assert kept + editor.made == last.edits == 4 * 14
    run_study(study, tmp_path / "at-once", **tools, cache=None)
    same = [(folder / "results.csv").read_bytes() for folder in (out, tmp_path / "at-once")]
    assert same[0] == same[1]


def test_a_study_from_the_shell(study: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    command = ["study", str(study), "--out", str(tmp_path / "out")]
    assert main(command) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith("Two seeds: 6 explanations of 56 edits, 56 to make at most")
    assert "56/56 edits · 6/6 explanations · finished" in printed.err
    assert "twice: Accuracy, different prompts (Table I)" in printed.out
    for name in ("report.html", "summary.md", "summary.csv", "results.csv", "timings.csv"):
        assert (tmp_path / "out" / name).stat().st_size > 0
    before = (tmp_path / "out" / "results.csv").read_bytes()
    assert main([*command, "--only", "twice"]) == 0
    printed = capsys.readouterr()
    assert "4 explanations of 56 edits, 56 of them there already, 0 to make" in printed.out
    assert before.startswith((tmp_path / "out" / "results.csv").read_bytes()[:500])


@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT is POSIX")
def test_ctrl_c_keeps_what_there_is(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    card = EditorCard(name="toy-interrupting", title="Toy", family="test")
    register_editor(card)(lambda: Interrupting(name="toy-interrupting"))
    study.write_text(STUDY.replace("toy-study", "toy-interrupting"))
    command = ["study", str(study), "--out", str(tmp_path / "out")]
    assert main(command) == 130
    assert "the same command goes on where it was" in capsys.readouterr().err
    words = len(INSTRUCTION.split())
    rows = (tmp_path / "out" / "results.csv").read_text().splitlines()[1:]
    assert 0 < len(rows) < 6 * words
    assert (tmp_path / "out" / "report.html").exists()
    assert main(command) == 0
    assert len((tmp_path / "out" / "results.csv").read_text().splitlines()[1:]) == 6 * words


def test_a_dry_run_leaves_nothing(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    assert main(["study", str(study), "--out", str(tmp_path / "out"), "--dry-run"]) == 0
    assert "56 to make" in capsys.readouterr().out
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"toy-study": "toy-studi"}, "Did you mean 'toy-study'"),
        ({"protocol: accuracy": "protocol: acuracy"}, "Did you mean 'accuracy'"),
        ({"photo.png": "photo.pgn"}, "There is no photo 'photo.pgn'"),
    ],
)
def test_bad_studies_are_one_line_and_code_2(
    changes: dict[str, str], words: str, study: Path, capsys: pytest.CaptureFixture
) -> None:
    text = STUDY
    for old, new in changes.items():
        text = text.replace(old, new)
    study.write_text(text)
    check_refused(["study", str(study), "--out", str(study.parent / "out")], words, capsys)


def test_what_is_not_there_is_refused(study: Path, capsys: pytest.CaptureFixture) -> None:
    check_refused(["study", "missing.yaml"], "or one of: accuracy,", capsys)
    check_refused(["study", str(study), "--only", "twise"], "Did you mean 'twice'", capsys)


def test_the_lines(study: Path) -> None:
    snapshot = StudySnapshot(
        study=load_study(study), pairs=(), runs=6, done=26, edits=52, fresh=20,
        edits_per_second=8.06, seconds_left=125.0, now="", state="running",
    )  # fmt: skip
    assert progress_line(snapshot) == (
        f"[{'█' * 12}{'·' * 12}] 26/52 edits · 0/6 explanations · 8.1 edits/s · 2 min left"
    )
    cost = StudyCost(runs=6, edits=1500, to_make={"toy-study": 1400}, seconds=175.0)
    assert cost_sentence(load_study(study), cost) == (
        "Two seeds: 6 explanations of 1,500 edits, 100 of them there already, 1,400 to make at "
        "most, about 3 min of editing, as fast as the last time."
    )
    assert [duration(s) for s in (0.4, 45, 720, 12000)] == ["0 s", "45 s", "12 min", "3 h 20 min"]
