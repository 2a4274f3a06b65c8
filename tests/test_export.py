from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from smile_core.config import ConfigError
from smile_core.explanation import ANY_UNIT, CHANCE, UNCHANGED
from smile_core.export import load_explanation, samples_csv, save_explanation
from smile_core.result_files import ExportError
from tests.full_disk import fill_disk_after
from tests.sample_explanations import HOSTILE, masked, sample_explanation

ROOT = Path(__file__).parents[1]


def test_there_and_back_without_loss(tmp_path: Path) -> None:
    explanation = sample_explanation(n=6, failed=1, size=64)
    folder = save_explanation(explanation, tmp_path / "new" / "result")
    found = load_explanation(folder)
    assert found == explanation
    assert load_explanation(folder / "explanation.json") == explanation


@pytest.mark.parametrize("outcome", [UNCHANGED, CHANCE, ANY_UNIT])
def test_what_came_of_a_run_comes_back(outcome: str, tmp_path: Path) -> None:
    explanation = sample_explanation(n=14, size=48, outcome=outcome)
    found = load_explanation(save_explanation(explanation, tmp_path))
    assert found == explanation
    assert found.outcome == outcome
    assert (found.repeats is None) == (outcome != CHANCE)


def test_the_mask_lies_beside_the_photo(tmp_path: Path) -> None:
    explanation = masked(sample_explanation(n=4, size=64))
    save_explanation(explanation, tmp_path)
    assert load_explanation(tmp_path) == explanation
    assert Image.open(tmp_path / "mask.png").getextrema() == (0, 255)
    save_explanation(sample_explanation(n=4, size=64), tmp_path)
    assert not (tmp_path / "mask.png").exists()
    assert load_explanation(tmp_path).mask is None


def test_what_a_folder_holds(tmp_path: Path) -> None:
    explanation = sample_explanation(n=6, failed=1, size=64, compared=False)
    save_explanation(explanation, tmp_path)
    names = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")}
    assert names == {
        "explanation.json", "samples.csv", "report.html", "heatmap.png", "input.png",
        "edits/reference.png", *(f"edits/{index:04d}.png" for index in range(5)),
    }  # fmt: skip
    values = json.loads((tmp_path / "explanation.json").read_text())
    for sample in values["samples"]:
        assert (sample["image"] is None) == (sample["failed"] is not None)
    picture = Image.open(tmp_path / values["samples"][2]["image"])
    assert np.array_equal(picture, explanation.samples[2].image)


def test_the_table_holds_the_samples(tmp_path: Path) -> None:
    explanation = sample_explanation(HOSTILE, n=5, failed=1, size=64)
    save_explanation(explanation, tmp_path)
    with (tmp_path / "samples.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 6
    assert rows[0]["image"] == "edits/reference.png"
    for row, sample in zip(rows[1:], explanation.samples, strict=True):
        assert row["prompt"] == sample.prompt
        assert tuple(map(int, row["mask"].split())) == sample.mask
        known = sample.image_distance
        assert row["image_distance"] == ("" if known is None else str(known))
    assert rows[-1]["failed"]
    assert rows[-1]["image"] == ""


def test_a_shorter_result_leaves_no_edits_of_a_longer_one(tmp_path: Path) -> None:
    save_explanation(sample_explanation(n=9, size=64), tmp_path)
    assert (tmp_path / "edits" / "without-instruction.png").is_file()
    (tmp_path / "edits" / "mine.png").write_bytes(b"not ours")
    save_explanation(sample_explanation(n=4, size=64, compared=False), tmp_path)
    assert sorted(path.name for path in (tmp_path / "edits").iterdir()) == [
        "0000.png", "0001.png", "0002.png", "0003.png", "mine.png", "reference.png",
    ]  # fmt: skip


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ExportError, match="could not be written") as caught:
        save_explanation(sample_explanation(n=4, size=64), tmp_path / "file")
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(sys.platform == "win32", reason="file size limits are POSIX")
def test_a_full_disk_is_one_sentence_and_leaves_no_half_files(tmp_path: Path) -> None:
    script = (
        "import resource, sys; from tests.sample_explanations import sample_explanation\n"
        "from smile_core.export import save_explanation\n"
        "from smile_core.result_files import ExportError\n"
        "explanation = sample_explanation(n=4, size=64)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
        "try: save_explanation(explanation, sys.argv[1])\n"
        "except ExportError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        preexec_fn=lambda: signal.signal(signal.SIGXFSZ, signal.SIG_IGN),
    )
    assert "could not be written" in done.stdout
    assert not (tmp_path / "explanation.json").exists()
    assert not [path for path in tmp_path.rglob(".*") if path.is_file()]


def test_a_disk_that_fills_up_leaves_no_mixture_of_two_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = sample_explanation(n=5, size=48, seed=1)
    newer = sample_explanation(n=3, size=48, seed=2, compared=False)
    with monkeypatch.context() as patch:
        files = fill_disk_after(10**6, patch)
        save_explanation(newer, tmp_path / "new")
    assert len(files) > 5 + len(newer.samples)  # JSON, CSV, heatmap, report and photo
    for room in range(len(files)):
        folder = save_explanation(older, tmp_path / f"{room}")
        with monkeypatch.context() as patch:
            fill_disk_after(room, patch)
            with pytest.raises(ExportError, match="No space left on device"):
                save_explanation(newer, folder)
        assert not (folder / "explanation.json").exists()
    assert load_explanation(save_explanation(newer, folder)) == newer


@pytest.mark.parametrize("name", ["/etc/hostname", "../outside.png", "edits/../../x.png"])
def test_a_picture_elsewhere_is_not_opened(name: str, tmp_path: Path) -> None:
    save_explanation(sample_explanation(n=4, size=64), tmp_path / "result")
    path = tmp_path / "result" / "explanation.json"
    values = json.loads(path.read_text())
    values["reference"]["image"] = name
    path.write_text(json.dumps(values))
    with pytest.raises(ConfigError, match="outside its folder"):
        load_explanation(path)


def test_pictures_that_are_gone_are_none_and_damaged_ones_are_refused(tmp_path: Path) -> None:
    save_explanation(sample_explanation(n=4, size=64), tmp_path)
    os.unlink(tmp_path / "edits" / "0001.png")
    found = load_explanation(tmp_path)
    assert found.samples[1].image is None
    assert found.samples[2].image is not None
    (tmp_path / "edits" / "0002.png").write_bytes(b"\x89PNG")
    with pytest.raises(ConfigError, match=r"0002\.png"):
        load_explanation(tmp_path)


@pytest.mark.parametrize("path", ["missing", "nul\0name"])
def test_no_such_explanation(path: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_explanation(tmp_path / path)


@pytest.mark.parametrize(
    ("sign", "written"),
    [
        *((sign, sign) for sign in "=+-@\t\n"),
        ("\t=", "\t="),
        ("\r", "\n"),
        ("\r\n=", "\n="),
    ],
)
def test_a_spreadsheet_runs_no_text_as_a_formula(sign: str, written: str) -> None:
    found = sample_explanation(n=2)
    hostile = replace(found.samples[0], prompt=f"{sign}1+1", failed=f"{sign}2")
    rows = list(csv.DictReader(io.StringIO(samples_csv(replace(found, samples=(hostile,))))))
    assert len(rows) == 2
    assert rows[1]["prompt"] == f"'{written}1+1"
    assert rows[1]["failed"] == f"'{written}2"
    assert rows[0]["prompt"] == found.reference.prompt


def test_nothing_in_a_text_begins_another_row() -> None:
    found = sample_explanation(n=2)
    hostile = replace(found.samples[0], failed="first\r=1+1\r\n=2,=3")
    text = samples_csv(replace(found, samples=(hostile,)))
    assert "\r" not in text
    assert list(csv.DictReader(io.StringIO(text)))[1]["failed"] == "first\n=1+1\n=2,=3"
