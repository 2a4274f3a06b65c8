"""Which edits enter the fit of a run, and with what weight."""

from __future__ import annotations

import numpy as np
import pytest

from smile_core.explanation import DRIVES, Explanation
from smile_core.kernel import effective_sample_size, kernel_weights
from tests.toy_editors import BASE, ToyEditor
from tests.toy_runs import WORDS, last, run, weights

# So weak that an edit four times as far away still has a grey level of its own.
FAINT = {"make": 2, "it": 1, "very": 0, "snowy": 16, "and": 1, "foggy": 10}
WAY = sum(FAINT.values())
TRUTH = np.array([FAINT[word] / WAY for word in WORDS])


class Glitching(ToyEditor):
    """Paints one prompt far brighter than all others."""

    prompt: str = ""
    farther: float = 4.0  # than the edit without instruction

    def level(self, prompt: str, seed: int = 0) -> int:
        if prompt and prompt == self.prompt:
            return BASE + WAY + round(self.farther * WAY)
        return super().level(prompt)


def with_glitch(prompt: str, farther: float = 4.0, **settings: object) -> Explanation:
    editor = Glitching(effects=FAINT)
    editor.prompt, editor.farther = prompt, farther
    return last(editor, p_iterations=100, **settings)


def test_one_far_glitch_moves_no_weight_whichever_edit_it_is() -> None:
    plain = last(ToyEditor(effects=FAINT), perturbations=14)
    assert np.abs(weights(plain) - TRUTH).max() < 1e-6
    for row, sample in enumerate(plain.samples):
        found = with_glitch(sample.prompt, perturbations=14)
        assert np.abs(weights(found) - TRUTH).max() < 1e-6, row  # far below the 0.1 that matters
        left_out = found.samples[row]
        assert left_out.sample_weight is None
        assert left_out.image_distance == pytest.approx(4 * WAY)
        assert left_out.similarity == -1
        (note,) = found.notes
        assert f"“{sample.prompt}”" in note
        assert "more than three times as far" in note
        assert sum(other.sample_weight is None for other in found.samples) == 1


def test_one_far_glitch_in_a_run_of_everything() -> None:
    prompt = "make it snowy and foggy"
    found = with_glitch(prompt)
    assert len(found.samples) == 62
    assert np.abs(weights(found) - TRUTH).max() < 1e-6


def test_what_is_not_that_far_is_an_answer() -> None:
    """A fit through it is moved, as by any other edit, but the scale is not."""
    prompt = last(ToyEditor(effects=FAINT), perturbations=24).samples[3].prompt
    for farther, left_out in ((2.9, False), (3.1, True)):
        found = with_glitch(prompt, farther, perturbations=24)
        assert (found.samples[3].sample_weight is None) == left_out
        assert (np.abs(weights(found) - TRUTH).max() < 1e-6) == left_out
        assert found.scale.value == pytest.approx(WAY)
        assert found.samples[3].similarity == -1  # no farther than that


def test_two_glitches_are_the_editor() -> None:
    plain = last(ToyEditor(effects=FAINT), perturbations=24)
    prompts = [plain.samples[row].prompt for row in (3, 7)]

    class Twice(ToyEditor):
        def level(self, prompt: str, seed: int = 0) -> int:
            far = BASE + 5 * WAY if prompt in prompts else 0
            return far or super().level(prompt)

    found = last(Twice(effects=FAINT), perturbations=24)
    assert not any(sample.sample_weight is None for sample in found.samples)
    assert found.notes == ()


def test_a_glitch_is_told_apart_while_the_run_goes() -> None:
    prompt = last(ToyEditor(effects=FAINT), perturbations=24).samples[0].prompt
    editor = Glitching(effects=FAINT)
    editor.prompt = prompt
    for snapshot in run(editor, perturbations=24, batch_size=1)[2:]:
        assert snapshot.explanation.samples[0].sample_weight is None
        assert all(unit.weight < 1 for unit in snapshot.explanation.units)


def test_the_kernel_width_is_that_of_the_edits_in_the_fit() -> None:
    """Half of those that the cutoff leaves count, not half of all that were made."""
    whole = last(perturbations=40)
    assert whole.effective_sample_size == pytest.approx(41 / 2)
    values = sorted(sample.p_value for sample in whole.samples)
    cutoff = (values[14] + values[20]) / 2
    found = last(perturbations=40, p_cutoff=cutoff)
    kept = [sample for sample in found.samples if sample.sample_weight is not None]
    assert 10 < len(kept) < 35
    assert found.effective_sample_size == pytest.approx((len(kept) + 1) / 2)
    texts = np.array([0.0, *(sample.text_distance for sample in kept)])
    expected, _ = kernel_weights(texts, None)
    found_weights = [sample.sample_weight for sample in kept]
    np.testing.assert_allclose(found_weights, expected[1:], rtol=1e-9)
    assert effective_sample_size(expected) == pytest.approx(found.effective_sample_size)


def test_the_smallest_effect_that_matters_is_what_is_set() -> None:
    """Of 66 levels "snowy" has 40 and "foggy" 20, which is 30 %."""
    strict = last(perturbations=40, negligible=0.4)
    assert [unit.text for unit in strict.units if unit.verdict == DRIVES] == ["snowy"]
    fine = last(perturbations=40, negligible=0.02)
    drivers = [unit.text for unit in fine.units if unit.verdict == DRIVES]
    assert drivers == ["make", "snowy", "and", "foggy"]
    assert [unit.weight for unit in strict.units] == [unit.weight for unit in fine.units]
