"""The command line, on a real pipeline with random weights."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from smile_core import export
from smile_core.__main__ import main
from smile_core.commands.explain import progress_line
from smile_core.editors import registry
from smile_core.explanation import Explanation, Snapshot
from smile_core.export import load_explanation, save_explanation
from tests.command_line import check_refused
from tests.loopback_api import LoopbackApi
from tests.toy_editors import photo

ROOT = Path(__file__).parents[1]


@pytest.fixture
def picture(tmp_path: Path) -> str:
    path = tmp_path / "photo.png"
    photo().save(path)
    return str(path)


@pytest.fixture
def command(picture: str, tiny_pipeline: Path, tmp_path: Path) -> list[str]:
    return [
        "explain", "--image", picture, "--instruction", "a snow b fog",
        "--editor", str(tiny_pipeline), "--steps", "1", "--out", str(tmp_path / "out"),
    ]  # fmt: skip


def test_explain_writes_a_result_and_prints_it(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    assert main([*command, "--seed", "3", "--image-distance", "cosine"]) == 0
    printed = capsys.readouterr()
    for word in ("a", "snow", "b", "fog"):
        assert any(line.split()[:1] == [word] for line in printed.out.splitlines())
    assert "█" in printed.out
    assert "16/16" in printed.err  # 14 shortened ones, the full edit and that without words
    assert "edits/s" in printed.err
    found = load_explanation(tmp_path / "out")
    assert found.seed == 3
    assert found.config["image_distance"] == "cosine"
    assert len(found.samples) == 14
    assert (tmp_path / "out" / "report.html").stat().st_size > 10_000


def test_presets_and_options_reach_the_run(command: list[str], tmp_path: Path) -> None:
    options = ["--perturbations", "6", "--surrogate", "ridge", "--interactions"]
    options += ["--response", "min-max", "--blank", "photo", "--negligible", "0.2"]
    assert main([*command, *options, "--granularity", "word", "--kernel-width", "0.5"]) == 0
    config = json.loads((tmp_path / "out" / "explanation.json").read_text())["config"]
    assert config["perturbations"] == 6
    assert config["surrogate"] == "ridge"
    assert config["interactions"] is True
    assert config["kernel_width"] == 0.5
    assert (config["response"], config["blank"], config["negligible"]) == ("min-max", "photo", 0.2)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (["--image", "missing.png"], "cannot be read"),
        (["--image", __file__], "not a picture"),
        (["--instruction", "  "], "instruction is empty"),
        (["--instruction", "snow"], "single word"),
        (["--instruction", "word " * 65], "65 words"),
        (["--instruction", "a" * 5000], "5,000 characters"),
        (["--instruction", "a b c d e f g h i j k l m n o p q"], "tokens"),
        (["--perturbations", "0"], "from 1 to 4096"),
        (["--perturbations", "-1"], "from 1 to 4096"),
        (["--perturbations", "1000000"], "from 1 to 4096"),
        (["--perturbations", "many"], "invalid int value"),
        (["--editor", "scene-pixpix"], "Did you mean"),
        (["--editor", "nobody/never-downloaded"], "not on this machine"),
        (["--encoder", "nobody/never-downloaded"], "never-downloaded"),
        (["--image-distance", "wasserstien"], "Did you mean"),
        (["--preset", "papr"], "Unknown preset"),
        (["--response", "shares"], "Did you mean 'share'"),
        (["--blank", "none"], "Choose one of: edit, photo"),
        (["--negligible", "2"], "from 0.001 to 1"),
        (["--colour", "red"], "Unrecognized arguments"),
        (["--out", f"{__file__}/out"], "cannot be made"),
        (["--mask", "whole"], "takes no mask"),
        (["--editor", "sd15-inpainting"], "edits only inside a mask"),
    ],
)
def test_bad_input_is_one_line_and_code_2(
    changes: list[str], words: str, command: list[str], capsys: pytest.CaptureFixture
) -> None:
    check_refused([*command, *changes], words, capsys)


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackApi]:
    with LoopbackApi() as running:
        monkeypatch.setenv("OPENAI_BASE_URL", f"{running.url}/v1")
        monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
        registry._load.cache_clear()
        yield running
        registry._load.cache_clear()


def test_what_a_provider_bills_is_said_before_the_first_edit(
    service: LoopbackApi, picture: str, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    words = ["--instruction", "make it snowy", "--editor", "gpt-image-2.5-flare"]
    out = ["--image", picture, "--out", str(tmp_path / "out")]
    assert main(["explain", *words, *out]) == 0
    first, *_ = capsys.readouterr().err.splitlines()
    assert first.startswith("GPT Image 2.5 Flare, faster (OpenAI) bills every edit, and this run")
    # Six shortened ones and three full edits; the photo stands in for the one without words.
    assert sum(asked.prompt == "make it snowy" for asked in service.asked) == 3
    assert "" not in {asked.prompt for asked in service.asked}
    assert len(service.asked) == 9
    assert "makes up to 9." in first
    texts = ["--instructions", "make it snowy", "let snow", "--editors", "gpt-image-2.5-flare"]
    assert main(["compare", *texts, *out]) == 0
    bills = [line for line in capsys.readouterr().err.splitlines() if "bills every edit" in line]
    assert [line.split("makes up to ")[1].split(".")[0] for line in bills] == ["9", "5"]


def test_a_result_that_cannot_be_written_is_code_2(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "edits").write_text("in the way")
    assert main(command) == 2
    printed = capsys.readouterr()
    assert "The result could not be written" in printed.err.splitlines()[-1]
    assert "Written to" not in printed.out


def test_editors_lists_the_cards(capsys: pytest.CaptureFixture) -> None:
    assert main(["editors"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("scene-pix2pix")
    assert "timbrooks/instruct-pix2pix" in printed
    assert "guidance_scale 7.5" in printed
    assert "any hub id or local folder" in printed.splitlines()[-1]
    assert printed.splitlines()[1].startswith("    Does weather, time of day, season, ")
    silent = printed.split("\nqwen-image-2.1: ")[1].splitlines()
    assert silent[1].startswith("    Qwen/Qwen-Image-2.1 · licence")


def test_the_progress_line() -> None:
    state = {"explanation": None, "total": 64, "stable": False}
    running = Snapshot(done=24, edits_per_second=3.14, seconds_left=12.7, state="running", **state)
    assert progress_line(running) == "24/64 · 3.1 edits/s · 13 s left"
    ended = Snapshot(done=64, edits_per_second=None, seconds_left=None, state="finished", **state)
    assert progress_line(ended) == "64/64 · finished"


@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT is POSIX")
def test_ctrl_c_saves_what_was_done(command: list[str], tmp_path: Path) -> None:
    options = ["--perturbations", "4000", "--batch-size", "2", "--steps", "20"]
    instruction = ["--instruction", "a b c d e f g h i j k l"]
    process = subprocess.Popen(
        [sys.executable, "-m", "smile_core", *command, *instruction, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stderr is not None
    first = process.stderr.readline()
    assert first.startswith("2/4002 ")  # before the first shortened instruction
    assert "/4002" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "stopped" in err
    assert "Traceback" not in err
    assert "Written to" in out
    found = load_explanation(tmp_path / "out")
    assert 1 <= len(found.samples) < 4000
    assert any("Stopped after" in note for note in found.notes)


@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT is POSIX")
def test_ctrl_c_while_the_result_is_saved_keeps_it(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted_save(explanation: Explanation, out: str) -> Path:
        os.kill(os.getpid(), signal.SIGINT)
        return save_explanation(explanation, out)

    monkeypatch.setattr(export, "save_explanation", interrupted_save)
    assert main(command) == 0
    assert len(load_explanation(tmp_path / "out").samples) == 14
