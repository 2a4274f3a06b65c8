"""What a run tells while it goes, and how it answers Stop."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from smile_core import to_json
from smile_core.config import RunConfig
from smile_core.edit_cache import EditCache
from smile_core.editing import FIRST_BATCH, REFERENCE, Ask, EditMaker
from smile_core.explanation import DRIVES, NO_EFFECT, UNCLEAR, Explanation
from smile_core.measuring import Measurements
from smile_core.progress import Progress, is_fit_due
from tests.toy_editors import INSTRUCTION, ToyEditor, ToyEncoder, photo
from tests.toy_runs import last, run

# Live


def test_the_first_snapshot_comes_early_and_the_rest_batch_by_batch() -> None:
    editor = ToyEditor()
    snapshots = run(editor, perturbations=32)
    assert [len(call) for call in editor.calls] == [2, FIRST_BATCH, 8, 8, 8, 4]
    assert editor.calls[0] == [INSTRUCTION, ""]
    assert [s.done for s in snapshots] == [2, 6, 14, 22, 30, 34, 34]
    assert {s.total for s in snapshots} == {34}
    assert [s.state for s in snapshots] == ["running"] * 6 + ["finished"]
    assert snapshots[0].explanation.units[0].text == "make"
    assert snapshots[0].edits_per_second > 0
    assert snapshots[0].seconds_left > 0
    assert not snapshots[0].stable
    assert snapshots[-1].stable
    for snapshot in snapshots:
        assert len(snapshot.explanation.projection) == snapshot.done - 1  # no point for no words
        assert snapshot.explanation.projection[0] == (0, 0)


def test_the_rate_is_that_of_new_edits_and_cached_ones_cost_no_editing(tmp_path: Path) -> None:
    cache = EditCache(tmp_path)
    last(perturbations=20, cache=cache)
    editor = ToyEditor(delay_s=0.05)
    snapshots = run(editor, perturbations=30, cache=cache)
    assert editor.painted == 10
    assert snapshots[-1].edits_per_second == pytest.approx(20, rel=0.5)
    begun = next(snapshot for snapshot in snapshots if snapshot.edits_per_second is not None)
    assert begun.seconds_left < 32 * 0.05
    assert snapshots[-2].seconds_left == 0


def test_what_was_never_left_out_is_said_to_be_unknown() -> None:
    early = run(perturbations=32)[1].explanation
    left_out = ~np.array([sample.mask for sample in early.samples], dtype=bool).all(axis=0)
    assert 0 < left_out.sum() < 6
    for unit, known in zip(early.units, left_out, strict=True):
        named = any("Never left out" in note and f'"{unit.text}"' in note for note in early.notes)
        assert (unit.measured, named) == (known, not known)
        if not known:
            assert (unit.weight, unit.low, unit.high) == (0, -1, 1)
            assert unit.verdict == UNCLEAR


def test_no_verdict_before_there_are_two_edits_for_each_word() -> None:
    snapshots = run(perturbations=20, batch_size=1)
    for snapshot in snapshots[1:-1]:
        found = snapshot.explanation
        judged = len(found.samples) >= 2 * 6
        for unit in found.units:
            assert (unit.low == -1 and unit.high == 1 and unit.verdict == UNCLEAR) != judged
    assert len(snapshots) == 20 + 2 + 1


def test_where_there_are_fewer_shortened_instructions_all_of_them_give_verdicts() -> None:
    *_, before, end = (s.explanation for s in run(instruction="make snowy", batch_size=1)[:-1])
    assert [unit.verdict for unit in before.units] == [UNCLEAR] * 2
    assert [unit.verdict for unit in end.units] == [DRIVES] * 2  # 3 and 40 of 43


def test_a_large_run_counts_every_batch_and_fits_ever_more_rarely() -> None:
    editor = ToyEditor(effects={letter: i for i, letter in enumerate("abcdefghi")})
    settings = {"instruction": "a b c d e f g h i", "perturbations": 511, "batch_size": 4}
    *live, end = run(editor, stop=lambda: editor.painted >= 500, **settings)
    assert [s.done for s in live] == [2, *range(6, 501, 4), 500]
    fitted = {len(s.explanation.samples) + 2: s.explanation for s in live}
    assert len({id(s.explanation) for s in live}) == len(fitted)
    assert sorted(fitted)[:34] == [2, *range(6, 127, 4), 134, 142]
    assert len(fitted) < 33 + math.log(500 / 126) / math.log(1.05)
    for snapshot in live:
        behind = snapshot.done / (len(snapshot.explanation.samples) + 2)
        assert behind == 1 if snapshot.done <= 128 else behind < 1.05
    assert len(end.explanation.samples) + 2 == end.done == 500


def test_live_fits_cost_a_bounded_multiple_of_the_last_one() -> None:
    fits = [0]
    for answers in range(4, 4098, 4):
        if is_fit_due(answers, fits[-1]):
            fits.append(answers)
    assert sum(fits) < 22 * 4097
    assert 4097 / fits[-1] < 1.05


def new_progress() -> Progress:
    asks = [Ask(REFERENCE, "a", 0, 0)]
    maker = EditMaker(ToyEditor(), photo(), asks, knobs={}, batch_size=1, cache=None)
    config = RunConfig(instruction=INSTRUCTION)
    return Progress(maker, Measurements(1, config, ToyEncoder()), time.perf_counter())


def test_the_same_fit_shown_again_does_not_make_the_ranking_steady() -> None:
    progress = new_progress()
    settled = run(perturbations=32)[-1].explanation
    shown = [progress.snapshot(settled, "running").stable for _ in range(4)]
    assert not any(shown)
    again = [progress.snapshot(replace(settled), "running").stable for _ in range(2)]
    assert again == [False, True]


def with_weights(explanation: Explanation, **weights: float) -> Explanation:
    """Return a copy in which some words have another weight, and the verdict that goes with it."""
    units = [
        replace(
            unit,
            weight=weights.get(unit.text, unit.weight),
            verdict=DRIVES if weights.get(unit.text, unit.weight) > 0.05 else NO_EFFECT,
        )
        for unit in explanation.units
    ]
    return replace(explanation, units=tuple(units))


def test_only_words_with_an_effect_have_to_keep_their_order() -> None:
    """The weights of words without one are noise, and would never stand still."""
    found = last(perturbations=32)
    noise = [with_weights(found, make=0.01, it=0.02), with_weights(found, make=0.02, it=0.01)]
    turned = with_weights(found, foggy=0.7, snowy=0.3)
    progress = new_progress()

    def stable(*shown: Explanation) -> list[bool]:
        return [progress.snapshot(explanation, "running").stable for explanation in shown]

    assert stable(found, *noise, *map(replace, noise)) == [False, False, True, True, True]
    assert stable(turned, replace(turned), replace(turned)) == [False, False, True]


# Stop


def test_stop_keeps_what_there_is() -> None:
    editor = ToyEditor()
    snapshots = run(editor, perturbations=62, stop=lambda: editor.painted >= 20)
    assert [s.state for s in snapshots[:-1]] == ["running"] * (len(snapshots) - 1)
    end = snapshots[-1]
    assert end.state == "stopped"
    assert end.done == 20  # in the middle of a batch
    assert len(end.explanation.samples) == end.done - 2
    assert any(f"Stopped after {end.done} of 64" in note for note in end.explanation.notes)
    assert len(end.explanation.projection) == end.done - 1
    assert end.explanation.samples[0].p_value is None


def test_stop_before_the_first_edit() -> None:
    (end,) = run(stop=lambda: True)
    assert (end.state, end.explanation, end.done) == ("stopped", None, 0)


def test_stop_before_the_edit_without_instruction() -> None:
    editor = ToyEditor()
    end = run(editor, perturbations=20, batch_size=1, stop=lambda: editor.painted >= 1)[-1]
    assert (end.state, end.done, end.total) == ("stopped", 1, 22)
    found = end.explanation
    assert found.without_instruction is None
    assert found.samples == ()
    assert (found.scale.value, found.scale.visible) == (None, None)
    assert {(unit.weight, unit.low, unit.high) for unit in found.units} == {(0, -1, 1)}
    assert {unit.verdict for unit in found.units} == {UNCLEAR}
    assert "NaN" not in to_json(found)


# With a cutoff most samples are done with after the first thousand iterations.
@pytest.mark.parametrize(("cutoff", "answers"), [(None, 20), (0.05, 1)])
def test_stop_answers_while_p_values_are_computed(cutoff: float | None, answers: int) -> None:
    editor = ToyEditor()
    asked_at_the_end: list[float] = []

    def stop() -> bool:
        if editor.painted < 32:
            return False
        asked_at_the_end.append(time.perf_counter())
        return len(asked_at_the_end) > answers

    settings = {"p_iterations": 1_000_000, "p_cutoff": cutoff, "image_distance": "wasserstein-1d"}
    end = run(editor, perturbations=30, stop=stop, **settings)[-1]
    assert end.state == "stopped"
    assert end.done == end.total == 32
    assert all(sample.p_value is None for sample in end.explanation.samples)
    assert len(end.explanation.projection) == 31
    assert any("p-values were computed" in note for note in end.explanation.notes)
    said = any("cutoff was not applied" in note for note in end.explanation.notes)
    assert said == (cutoff is not None)
    assert np.diff(asked_at_the_end).max() < 1


def test_a_large_run_that_is_stopped_keeps_a_map() -> None:
    editor = ToyEditor(effects={letter: i for i, letter in enumerate("abcdefgh")})
    settings = {"instruction": "a b c d e f g h", "perturbations": 254, "batch_size": 64}
    end = run(editor, stop=lambda: editor.painted >= 150, **settings)[-1]
    assert end.state == "stopped"
    assert 128 < len(end.explanation.projection) == end.done - 1
    assert any("principal components" in note for note in end.explanation.notes)


# Two first edits, one of them again, then four and eight at a time.
@pytest.mark.parametrize(("lazy", "made"), [(True, 9), (False, 15)])
def test_a_function_that_yields_its_pictures_is_stopped_between_two(lazy: bool, made: int) -> None:
    painted: list[str] = []

    def paint(image: Image.Image, prompts: list[str], seed: int) -> Iterator[Image.Image]:
        for prompt in prompts:
            painted.append(prompt)
            yield Image.new("RGB", image.size, (ToyEditor().level(prompt),) * 3)

    def paint_all(image: Image.Image, prompts: list[str], seed: int) -> list[Image.Image]:
        return list(paint(image, prompts, seed))

    editor = paint if lazy else paint_all
    end = run(editor, perturbations=62, stop=lambda: len(painted) >= 9)[-1]
    assert end.state == "stopped"
    assert end.done == len(painted) == made
    whole = last(paint, perturbations=62)
    assert [s.image_distance for s in end.explanation.samples] == [
        s.image_distance for s in whole.samples[: made - 3]
    ]


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
