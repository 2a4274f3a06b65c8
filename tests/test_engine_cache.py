"""Runs that find edits of earlier runs, killed ones among them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from smile_core import load_editor
from smile_core.edit_cache import EditCache
from tests.toy_editors import INSTRUCTION, ToyEditor
from tests.toy_runs import last, same

ROOT = Path(__file__).parents[1]


def test_asking_again_makes_nothing_new(tmp_path: Path) -> None:
    cache, editor = EditCache(tmp_path), ToyEditor()
    first = last(editor, cache=cache, perturbations=20)
    again = ToyEditor()
    assert same(first, last(again, cache=cache, perturbations=20))
    assert again.made == 0


def test_more_perturbations_make_only_the_new_ones(tmp_path: Path) -> None:
    cache = EditCache(tmp_path)
    last(cache=cache, perturbations=20)
    more = ToyEditor()
    grown = last(more, cache=cache, perturbations=40)
    assert more.made == 20
    assert same(grown, last(perturbations=40))


@pytest.mark.parametrize(
    ("change", "made"),
    [
        ({"seed": 1}, 6),  # the full instruction, four shortened ones, and without any
        ({"instruction": "make it snowy"}, 5),  # without any instruction it is the same edit
        ({"fingerprint": "toy-2"}, 6),
    ],
)
def test_what_is_different_is_made_anew(change: dict, made: int, tmp_path: Path) -> None:
    cache = EditCache(tmp_path)
    last(cache=cache, perturbations=4)
    fingerprint = change.pop("fingerprint", "toy-1")
    other = ToyEditor(fingerprint=fingerprint)
    last(other, cache=cache, perturbations=4, **change)
    assert other.made == made


def test_an_editor_without_a_fingerprint_is_not_cached(tmp_path: Path) -> None:
    last(ToyEditor(fingerprint=None), cache=EditCache(tmp_path), perturbations=4)
    assert not list(tmp_path.rglob("*.png"))


def test_a_damaged_edit_is_made_again(tmp_path: Path) -> None:
    cache = EditCache(tmp_path)
    first = last(cache=cache, perturbations=10)
    victim = sorted(tmp_path.rglob("*.png"))[3]
    victim.write_bytes(victim.read_bytes()[:40])
    again = ToyEditor()
    assert same(first, last(again, cache=cache, perturbations=10))
    assert again.made == 1


def test_a_full_disk_costs_the_cache_and_not_the_run(tmp_path: Path) -> None:
    (tmp_path / "in-the-way").write_text("a file where the folder should be")
    found = last(cache=EditCache(tmp_path / "in-the-way"), perturbations=10)
    assert any("could not be kept on disk" in note for note in found.notes)
    assert len(found.samples) == 10


SLOW_RUN = """
import json, sys
from pathlib import Path
from tests.toy_editors import *
from smile_core import RunConfig, load_editor, stream
from smile_core.edit_cache import EditCache
folder, name, settings = sys.argv[1:]
editor = ToyEditor(delay_s=0.05) if name == "toy" else load_editor(name)
config = RunConfig(**json.loads(settings))
cache = EditCache(Path(folder))
for snapshot in stream(photo(), config, editor=editor, encoder=ToyEncoder(), cache=cache):
    print(snapshot.done, flush=True)
"""


def kill_a_run(folder: Path, editor: str, settings: dict[str, object]) -> int:
    """Kill a run in a process of its own after some twelve edits, and return how many it told."""
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW_RUN, str(folder), editor, json.dumps(settings)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert process.stdout is not None
    done = 0
    for line in process.stdout:
        done = int(line)
        if done >= 12:
            break
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    return done


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")
def test_kill_9_loses_nothing_and_a_second_run_resumes(tmp_path: Path) -> None:
    settings = {"instruction": INSTRUCTION, "perturbations": 40, "batch_size": 4}
    done = kill_a_run(tmp_path, "toy", settings)
    resumed = ToyEditor()
    found = last(resumed, cache=EditCache(tmp_path), **settings)
    assert resumed.made <= 42 - done
    assert same(found, last(**settings))


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")
def test_a_killed_diffusion_run_ends_with_the_pixels_it_would_have_had(
    tiny_pipeline: Path, tmp_path: Path
) -> None:
    # Six at a time does not divide into the calls of the pipeline, nor where the run is killed.
    settings = {"instruction": "a b c d e f", "perturbations": 40, "batch_size": 6, "steps": 20}
    done = kill_a_run(tmp_path, str(tiny_pipeline), settings)
    kept = {path: path.stat().st_ino for path in tmp_path.rglob("*.png")}
    assert done <= len(kept) < 42
    editor = load_editor(str(tiny_pipeline))
    resumed = last(editor, cache=EditCache(tmp_path), **settings)
    files = {path: path.stat().st_ino for path in tmp_path.rglob("*.png")}
    assert len(files) == 42  # the full instruction, forty shortened ones, and without any
    assert kept.items() <= files.items()  # an edit that is made again is another file
    assert same(resumed, last(editor, **settings))
