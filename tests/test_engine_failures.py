"""Runs in which edits fail."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from smile_core.edit_cache import EditCache
from smile_core.engine import RunError
from tests.toy_editors import EFFECTS, INSTRUCTION, ToyEditor
from tests.toy_runs import WORDS, last, run, weights


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
    truth = np.array([EFFECTS[word] for word in WORDS]) / sum(EFFECTS.values())
    assert np.abs(weights(found) - truth).max() < 1e-6
    assert len(found.projection) == 31


@pytest.mark.parametrize("index", [1, 9])  # in the first batch of shortened ones, and in a later
def test_a_prompt_that_breaks_its_batch_fails_alone(index: int) -> None:
    bad = last(perturbations=30).samples[index].prompt
    found = last(ToyEditor(fails=(bad,), raises=True), perturbations=30)
    (failed,) = [sample for sample in found.samples if sample.failed]
    assert failed.prompt == bad
    assert failed.failed == "RuntimeError: the toy broke"


def test_stop_answers_while_a_broken_batch_is_run_one_by_one() -> None:
    bad = last(perturbations=30).samples[9].prompt
    editor = ToyEditor(fails=(bad,), raises=True)
    # Two first edits, four shortened ones, then eight of which the sixth is to blame; of these each
    # alone, and the third is stopped before it is painted.
    end = run(editor, perturbations=30, stop=lambda: len(editor.calls) > 5)[-1]
    assert end.state == "stopped"
    assert [len(prompts) for prompts in editor.calls] == [2, 4, 8, 1, 1, 1]
    assert end.done == 2 + 4 + 2


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
    assert len(list(tmp_path.rglob("*.png"))) == 6  # the full edit and that without instruction


def test_without_a_reference_there_is_nothing_to_explain() -> None:
    with pytest.raises(RunError, match="nothing to compare with: the toy refused"):
        run(ToyEditor(fails=(INSTRUCTION,)))
