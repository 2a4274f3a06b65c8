"""The engine against toy editors whose truth is known, and against runs that go wrong."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from smile_core import __version__, explain, stream, to_json
from smile_core.config import SURROGATES, ConfigError, RunConfig
from smile_core.edit_cache import EditCache
from smile_core.editing import FIRST_BATCH
from smile_core.editors import EditFailure
from smile_core.engine import RunError
from smile_core.explanation import DRIVES, NOTHING, Explanation, Snapshot
from tests.toy_editors import BASE, EFFECTS, INSTRUCTION, ToyEditor, ToyEncoder, photo

ROOT = Path(__file__).parents[1]
WORDS = INSTRUCTION.split()


def run(
    editor: object = None, *, cache: EditCache | None = None, stop=None, **settings: object
) -> list[Snapshot]:
    config = RunConfig(instruction=settings.pop("instruction", INSTRUCTION), **settings)
    tool = ToyEditor() if editor is None else editor
    return list(stream(photo(), config, editor=tool, encoder=ToyEncoder(), cache=cache, stop=stop))


def last(*args: object, **settings: object) -> Explanation:
    explanation = run(*args, **settings)[-1].explanation
    assert explanation is not None
    return explanation


def weights(explanation: Explanation) -> np.ndarray:
    return np.array([unit.weight for unit in explanation.units])


def same(one: Explanation, other: Explanation) -> bool:
    """Say whether two results agree to the last bit, their clocks aside."""
    pictures = [
        [sample.image and sample.image.tobytes() for sample in (e.reference, *e.samples)]
        for e in (one, other)
    ]
    return pictures[0] == pictures[1] and to_json(replace(one, timing={})) == to_json(
        replace(other, timing={})
    )


# Known answers


@pytest.mark.parametrize("surrogate", [name for name in SURROGATES if name != "lime"])
@pytest.mark.parametrize("perturbations", [24, 64])
def test_a_linear_editor_gets_its_weights_back(surrogate: str, perturbations: int) -> None:
    found = last(surrogate=surrogate, perturbations=perturbations)
    # y = 1 - d/max d, and leaving a word out moves the picture by exactly its effect.
    largest = max(sample.image_distance for sample in found.samples)
    truth = np.array([EFFECTS[word] for word in WORDS]) / largest
    assert np.abs(weights(found) - truth).max() < 1e-6
    assert found.fidelity["r2_w"] == pytest.approx(1, abs=1e-9)
    assert [unit.verdict for unit in found.units if unit.text == "snowy"] == [DRIVES]
    assert [unit.verdict for unit in found.units if unit.text == "very"] == [NOTHING]


def test_every_number_can_be_worked_out_by_hand() -> None:
    found = last()
    for sample in found.samples:
        missing = sum(EFFECTS[w] for w, kept in zip(WORDS, sample.mask, strict=True) if not kept)
        assert sample.prompt == " ".join(
            w for w, kept in zip(WORDS, sample.mask, strict=True) if kept
        )
        assert sample.image_distance == pytest.approx(missing)
        assert sample.similarity == pytest.approx(1 - missing / 66)
        assert sample.predicted == pytest.approx(sample.similarity)
        assert sample.image.getpixel((0, 0))[0] == BASE + 66 - missing
        assert 0 < sample.sample_weight <= 1
        assert 0 <= sample.p_value <= 1
    total = np.array([1.0, *(s.sample_weight for s in found.samples)])
    assert found.effective_sample_size == pytest.approx(total.sum() ** 2 / (total**2).sum())
    assert found.reference.mask == (1,) * 6
    assert found.reference.image_distance == 0
    assert found.source.tobytes() == photo().tobytes()
    assert len(found.projection) == len(found.samples) + 1


def test_an_interacting_editor_shows_its_interaction() -> None:
    editor = ToyEditor(pair=("very", "snowy"), bonus=30)
    found = last(editor, interactions=True)
    strongest = max(found.interactions, key=lambda entry: abs(entry[2]))
    assert strongest[:2] == (WORDS.index("very"), WORDS.index("snowy"))
    assert strongest[2] == pytest.approx(30 / 96, abs=1e-6)
    others = [c for *pair, c in found.interactions if tuple(pair) != strongest[:2]]
    assert np.abs(others).max() < 1e-6
    assert found.fidelity["r2_w"] > last(editor).fidelity["r2_w"] + 0.01


def test_lime_is_cosine_everywhere() -> None:
    found = last(surrogate="lime")
    assert found.config["image_distance"] == found.config["text_distance"] == "cosine"
    kept = np.array([sum(sample.mask) for sample in found.samples]) / 6
    measured = [sample.text_distance for sample in found.samples]
    assert np.allclose(measured, 1 - np.sqrt(kept))
    assert any("LIME" in note for note in found.notes)


def test_the_order_of_the_words_moves_the_weights_along() -> None:
    turned = "foggy and snowy very it make"
    found, other = last(), last(instruction=turned)
    by_word = {unit.text: unit.weight for unit in found.units}
    assert all(unit.weight == pytest.approx(by_word[unit.text]) for unit in other.units)


def test_a_word_that_comes_twice_is_two_units() -> None:
    editor = ToyEditor(effects={"very": 10, "cold": 20})
    found = last(editor, instruction="very very cold")
    assert [unit.text for unit in found.units] == ["very", "very", "cold"]
    # The same prompt from two masks is made once and counted twice.
    assert editor.made == len({sample.prompt for sample in found.samples}) + 1 < 7
    assert weights(found) == pytest.approx([10 / 30, 10 / 30, 20 / 30], abs=1e-6)


@pytest.mark.parametrize("distance", ["cosine", "sliced-wasserstein", "gaussian-w2", "energy"])
def test_other_distances_run(distance: str) -> None:
    found = last(image_distance=distance, perturbations=16)
    assert weights(found).argmax() == WORDS.index("snowy")


# Live


def test_the_first_snapshot_comes_early_and_the_rest_batch_by_batch() -> None:
    editor = ToyEditor()
    snapshots = run(editor, perturbations=32)
    assert [len(call) for call in editor.calls] == [FIRST_BATCH, 8, 8, 8, 5]
    assert editor.calls[0][0] == INSTRUCTION
    assert [s.done for s in snapshots] == [4, 12, 20, 28, 33, 33]
    assert {s.total for s in snapshots} == {33}
    assert [s.state for s in snapshots] == ["running"] * 5 + ["finished"]
    assert snapshots[0].explanation.units[0].text == "make"
    assert snapshots[0].edits_per_second > 0
    assert snapshots[0].seconds_left > 0
    assert not snapshots[0].stable
    assert snapshots[-1].stable
    for snapshot in snapshots:
        assert len(snapshot.explanation.projection) == snapshot.done
        assert snapshot.explanation.projection[0] == (0, 0)


def test_the_rate_is_that_of_new_edits_and_cached_ones_cost_no_editing(tmp_path: Path) -> None:
    cache = EditCache(tmp_path)
    last(perturbations=20, cache=cache)
    editor = ToyEditor(delay_s=0.05)
    snapshots = run(editor, perturbations=30, cache=cache)
    assert editor.painted == 10
    assert snapshots[-1].edits_per_second == pytest.approx(20, rel=0.5)
    begun = next(snapshot for snapshot in snapshots if snapshot.edits_per_second is not None)
    assert begun.seconds_left < 31 * 0.05
    assert snapshots[-2].seconds_left == 0


def test_what_was_never_left_out_is_said_to_be_unknown() -> None:
    first = run(perturbations=32)[0].explanation
    left_out = ~np.array([sample.mask for sample in first.samples], dtype=bool).all(axis=0)
    for unit, known in zip(first.units, left_out, strict=True):
        if not known:
            assert (unit.weight, unit.low, unit.high) == pytest.approx((0, -1, 1))
            assert unit.verdict == NOTHING
            assert any("Never left out" in note and unit.text in note for note in first.notes)


def test_the_result_does_not_depend_on_the_batches() -> None:
    one, other = last(batch_size=1), last(batch_size=64)
    assert np.allclose(weights(one), weights(other), atol=0)
    assert same(replace(one, config={}), replace(other, config={}))


def test_the_same_seed_gives_the_same_bytes_and_another_does_not() -> None:
    assert same(last(perturbations=20), last(perturbations=20))
    assert not same(last(perturbations=20), last(perturbations=20, seed=1))


def test_every_picture_is_encoded_once() -> None:
    eyes = ToyEncoder()
    config = RunConfig(instruction=INSTRUCTION, perturbations=20)
    *_, end = stream(photo(), config, editor=ToyEditor(), encoder=eyes, cache=None)
    samples = (end.explanation.reference, *end.explanation.samples)
    assert eyes.seen == len({sample.image.tobytes() for sample in samples}) <= 21


def test_timing_and_versions_are_told() -> None:
    found = last(ToyEditor(delay_s=0.002), perturbations=16)
    timing = found.timing
    assert timing["edit_s"] > 17 * 0.002
    assert timing["edit_s"] + timing["encode_s"] + timing["other_s"] == pytest.approx(
        timing["total_s"]
    )
    assert found.versions["smile"] == __version__
    assert {"python", "torch", "diffusers", "transformers", "numpy", "sklearn", "pot", "gensim"} < (
        found.versions.keys()
    )
    assert "unknown" not in found.versions.values()


def test_the_version_is_that_of_the_package() -> None:
    assert f'version = "{__version__}"' in (ROOT / "pyproject.toml").read_text()


# Stop


def test_stop_keeps_what_there_is() -> None:
    editor = ToyEditor()
    snapshots = run(editor, perturbations=62, stop=lambda: editor.painted >= 20)
    assert [s.state for s in snapshots[:-1]] == ["running"] * (len(snapshots) - 1)
    end = snapshots[-1]
    assert end.state == "stopped"
    assert end.done == 20  # in the middle of a batch
    assert len(end.explanation.samples) == end.done - 1
    assert any(f"Stopped after {end.done} of 63" in note for note in end.explanation.notes)
    assert len(end.explanation.projection) == end.done
    assert end.explanation.samples[0].p_value is None


def test_stop_before_the_first_edit() -> None:
    (end,) = run(stop=lambda: True)
    assert (end.state, end.explanation, end.done) == ("stopped", None, 0)


def test_stop_answers_while_p_values_are_computed() -> None:
    editor = ToyEditor()
    asked_at_the_end: list[float] = []

    def stop() -> bool:
        if editor.painted < 31:
            return False
        asked_at_the_end.append(time.perf_counter())
        return len(asked_at_the_end) > 20

    settings = {"p_iterations": 1_000_000, "p_cutoff": 0.05, "image_distance": "wasserstein-1d"}
    end = run(editor, perturbations=30, stop=stop, **settings)[-1]
    assert end.state == "stopped"
    assert end.done == end.total == 31
    assert all(sample.p_value is None for sample in end.explanation.samples)
    assert len(end.explanation.projection) == 31
    assert any("p-values were computed" in note for note in end.explanation.notes)
    assert any("cutoff was not applied" in note for note in end.explanation.notes)
    assert np.diff(asked_at_the_end).max() < 1


def test_a_large_run_that_is_stopped_keeps_a_map() -> None:
    editor = ToyEditor(effects={letter: i for i, letter in enumerate("abcdefgh")})
    settings = {"instruction": "a b c d e f g h", "perturbations": 254, "batch_size": 64}
    end = run(editor, stop=lambda: editor.painted >= 150, **settings)[-1]
    assert end.state == "stopped"
    assert 128 < len(end.explanation.projection) == end.done
    assert any("principal components" in note for note in end.explanation.notes)


def test_stop_in_the_middle_of_a_batch_is_quick() -> None:
    editor = ToyEditor(delay_s=0.05)
    pressed = threading.Event()
    stamps = {}

    def press() -> None:
        pressed.set()
        stamps["pressed"] = time.perf_counter()

    threading.Timer(0.3, press).start()
    snapshots = run(editor, perturbations=62, batch_size=64, stop=pressed.is_set)
    assert time.perf_counter() - stamps["pressed"] < 1
    assert snapshots[-1].state == "stopped"
    assert snapshots[-1].explanation is not None


# The cache


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
    "change", [{"seed": 1}, {"instruction": "make it snowy"}, {"fingerprint": "toy-2"}]
)
def test_what_is_different_is_made_anew(change: dict, tmp_path: Path) -> None:
    cache = EditCache(tmp_path)
    last(cache=cache, perturbations=4)
    fingerprint = change.pop("fingerprint", "toy-1")
    other = ToyEditor(fingerprint=fingerprint)
    last(other, cache=cache, perturbations=4, **change)
    assert other.made == 5


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
import sys
from pathlib import Path
from tests.toy_editors import *
from smile_core import RunConfig, stream
from smile_core.edit_cache import EditCache
config = RunConfig(instruction=INSTRUCTION, perturbations=40, batch_size=4)
editor, cache = ToyEditor(delay_s=0.05), EditCache(Path(sys.argv[1]))
for snapshot in stream(photo(), config, editor=editor, encoder=ToyEncoder(), cache=cache):
    print(snapshot.done, flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")
def test_kill_9_loses_nothing_and_a_second_run_resumes(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW_RUN, str(tmp_path)],
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
    resumed = ToyEditor()
    settings = {"perturbations": 40, "batch_size": 4}
    found = last(resumed, cache=EditCache(tmp_path), **settings)
    assert resumed.made <= 41 - done
    assert same(found, last(**settings))


# Failures


@pytest.mark.parametrize("raises", [False, True])
def test_a_failure_is_recorded_and_left_out(raises: bool) -> None:
    whole = last(perturbations=30)
    fails = tuple(sample.prompt for sample in whole.samples[5:8])
    found = last(ToyEditor(fails=fails, raises=raises), perturbations=30, batch_size=1)
    failed = [sample for sample in found.samples if sample.failed]
    assert {sample.prompt for sample in failed} == set(fails)
    for sample in failed:
        assert "toy" in sample.failed
        assert "\n" not in sample.failed
        for name in ("image", "image_distance", "similarity", "sample_weight", "p_value"):
            assert getattr(sample, name) is None
    assert any("3 of 30 edits failed" in note for note in found.notes)
    largest = max(sample.image_distance or 0 for sample in found.samples)
    truth = np.array([EFFECTS[word] for word in WORDS]) / largest
    assert np.abs(weights(found) - truth).max() < 1e-6
    assert len(found.projection) == 31


@pytest.mark.parametrize("index", [1, 9])  # in the batch of the reference, and in a later one
def test_a_prompt_that_breaks_its_batch_fails_alone(index: int) -> None:
    bad = last(perturbations=30).samples[index].prompt
    found = last(ToyEditor(fails=(bad,), raises=True), perturbations=30)
    (failed,) = [sample for sample in found.samples if sample.failed]
    assert failed.prompt == bad
    assert failed.failed == "RuntimeError: the toy broke"


def test_stop_answers_while_a_broken_batch_is_run_one_by_one() -> None:
    bad = last(perturbations=30).samples[9].prompt
    editor = ToyEditor(fails=(bad,), raises=True)
    end = run(editor, perturbations=30, stop=lambda: len(editor.calls) > 4)[-1]
    assert end.state == "stopped"
    assert 4 < end.done < 31
    assert all(len(prompts) == 1 for prompts in editor.calls[3:])


def test_failures_are_not_cached(tmp_path: Path) -> None:
    prompt = last(perturbations=10).samples[3].prompt
    last(ToyEditor(fails=(prompt,)), cache=EditCache(tmp_path), perturbations=10)
    mended = ToyEditor()
    found = last(mended, cache=EditCache(tmp_path), perturbations=10)
    assert mended.made == 1
    assert not any(sample.failed for sample in found.samples)


def test_too_many_failures_end_the_run_and_keep_the_edits(tmp_path: Path) -> None:
    whole = last(perturbations=30)
    fails = tuple(sample.prompt for sample in whole.samples[4:])
    with pytest.raises(RunError, match="more than half") as caught:
        last(ToyEditor(fails=fails), cache=EditCache(tmp_path), perturbations=30)
    assert "the toy refused" in str(caught.value)
    assert sum(s.image is not None for s in caught.value.explanation.samples) == 4
    assert len(list(tmp_path.rglob("*.png"))) == 5


def test_without_a_reference_there_is_nothing_to_explain() -> None:
    with pytest.raises(RunError, match="nothing to compare with: the toy refused"):
        run(ToyEditor(fails=(INSTRUCTION,)))


def test_an_instruction_that_changes_nothing() -> None:
    found = last(ToyEditor(effects={}), perturbations=20)
    assert any("changed nothing" in note for note in found.notes)
    assert not weights(found).any()
    assert {unit.verdict for unit in found.units} == {NOTHING}
    assert found.fidelity["r2"] is None
    assert {sample.similarity for sample in found.samples} == {1.0}
    assert "NaN" not in to_json(found)


def test_the_p_value_cutoff_leaves_samples_out() -> None:
    whole = last(perturbations=30)
    values = sorted(sample.p_value for sample in whole.samples)
    cutoff = (values[9] + values[20]) / 2
    found = last(perturbations=30, p_cutoff=cutoff)
    kept = [sample.sample_weight is not None for sample in found.samples]
    assert kept == [sample.p_value <= cutoff for sample in found.samples]
    assert any("p-value above" in note for note in found.notes)


def test_a_cutoff_that_nothing_passes() -> None:
    found = last(perturbations=10, p_cutoff=0.0)
    assert not weights(found).any()
    assert any("10 of 10 edits have a p-value above 0" in note for note in found.notes)


# Seeds


def test_several_seeds_are_averaged_and_the_noise_floor_is_told() -> None:
    editor = ToyEditor(seed_step=2)
    found = last(editor, seeds=3, perturbations=16)
    assert editor.made == 3 * 17
    # Every picture moves by 2 levels a seed: against the first seed by 2 and by 4.
    assert found.noise_floor == pytest.approx(3)
    largest = max(sample.image_distance for sample in found.samples)
    truth = np.array([EFFECTS[word] for word in WORDS]) / largest
    assert np.abs(weights(found) - truth).max() < 1e-6
    assert last(editor, perturbations=16).noise_floor is None


def test_more_seeds_reuse_the_first(tmp_path: Path) -> None:
    cache = EditCache(tmp_path)
    last(cache=cache, perturbations=8)
    more = ToyEditor()
    last(more, cache=cache, perturbations=8, seeds=2)
    assert more.made == 9


# What editors may be, and may not return


def test_three_lines_are_enough(tmp_path: Path) -> None:
    def paint(image: Image.Image, prompts: list[str], seed: int) -> list[Image.Image]:
        toy = ToyEditor(effects={"red": 90})
        return [Image.new("RGB", image.size, (toy.level(p), 60, 60)) for p in prompts]

    path = tmp_path / "photo.png"
    photo().save(path)
    result = explain(path, "make it red", editor=paint, perturbations=6)
    assert result.editor == "paint"
    assert [unit.text for unit in result.units] == ["make", "it", "red"]
    assert weights(result).argmax() == 2


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        (lambda image, prompts, seed: [image], "returned 1 pictures for 4 prompts"),
        (lambda image, prompts, seed: [np.zeros((4, 4, 3))] * len(prompts), "returned a ndarray"),
    ],
)
def test_an_editor_that_breaks_the_contract(answers: object, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        run(answers)


def test_a_run_asks_for_nothing_when_a_setting_is_wrong() -> None:
    editor = ToyEditor()
    for settings in (
        {"instruction": "snowy"},
        {"instruction": " ".join(["word"] * 65)},
        {"steps": 4},
        {"instruction": "a b c d e f g h i j k", "interactions": True},
        {"word_vectors": "no-such-vectors"},
    ):
        with pytest.raises(ConfigError):
            run(editor, **settings)
    with pytest.raises(ConfigError):
        stream(b"not a picture", RunConfig(instruction=INSTRUCTION), editor=editor)
    assert editor.made == 0


def test_an_editor_without_a_seed_says_so() -> None:
    editor = ToyEditor()
    editor.card = replace(editor.card, takes_seed=False)
    assert any("takes no seed" in note for note in last(editor, perturbations=8).notes)


def test_a_failure_is_no_picture() -> None:
    found = last(
        lambda image, prompts, seed: [
            EditFailure("no") if prompt == "snowy" else Image.new("L", image.size, len(prompt))
            for prompt in prompts
        ],
        instruction="make snowy",
    )
    assert [sample.failed for sample in found.samples if sample.prompt == "snowy"] == ["no"]
    assert found.reference.image.mode == "RGB"


# The house


def test_the_engine_never_imports_gradio_and_starts_quickly() -> None:
    script = (
        "import sys, time; started = time.perf_counter(); import smile_core\n"
        "quick = not {'torch', 'diffusers', 'sklearn', 'plotly'} & sys.modules.keys()\n"
        "for name in smile_core.__all__: getattr(smile_core, name)\n"
        "import smile_core.engine, smile_core.export, smile_core.__main__\n"
        "import smile_core.editors.instruct_pix2pix\n"
        "print(quick, 'gradio' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.split() == ["True", "False"]


def _open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts through /proc")
def test_fifty_runs_leave_memory_threads_and_files_where_they_were(tmp_path: Path) -> None:
    cache = EditCache(tmp_path)

    def once() -> None:
        run(cache=cache, perturbations=12, p_iterations=100)

    for _ in range(3):
        once()
    gc.collect()
    before = _open_files(), threading.active_count(), _resident_mb()
    for _ in range(50):
        once()
    gc.collect()
    after = _open_files(), threading.active_count(), _resident_mb()
    assert after[:2] == before[:2]
    assert after[2] - before[2] < 20
