"""Deletion and insertion by hand on an editor whose words are known."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from smile_core.config import ConfigError
from smile_core.edit_cache import EditCache
from smile_core.editors import StopRequested
from smile_core.evaluation.baselines import baseline_weights, refit
from smile_core.evaluation.faithfulness import Curves, Faithfulness, faithfulness, order_masks
from smile_core.evaluation.mask_edits import Tools
from tests.toy_editors import EFFECTS, INSTRUCTION, ToyEditor, ToyEncoder, photo
from tests.toy_runs import WORDS, last, weights


def tools(editor: ToyEditor, cache: EditCache | None = None, **more: object) -> Tools:
    return Tools(editor=editor, encoder=ToyEncoder(), cache=cache, **more)


def by_hand(order: list[int], scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Closeness falls by the effect of every word that is missing."""
    effects = np.array([EFFECTS[WORDS[unit]] for unit in order])
    gone = np.concatenate([[0], np.cumsum(effects)])
    return 1 - gone / scale, 1 - (effects.sum() - gone) / scale


def test_the_masks_of_an_order() -> None:
    np.testing.assert_array_equal(
        order_masks([2, 0, 1]),
        [[1, 1, 1], [1, 1, 0], [0, 1, 0], [0, 0, 0], [0, 0, 0], [0, 0, 1], [1, 0, 1], [1, 1, 1]],
    )


def test_areas_by_hand() -> None:
    """Trapezoids: deletion 1, 0.2, 0 has mean height 0.35; insertion 0, 0.8, 1 has 0.65."""
    curves = Curves((0, 1), np.array([1, 0.2, 0]), np.array([0, 0.8, 1]))
    assert curves.deletion_area == pytest.approx(0.65)
    assert curves.insertion_area == pytest.approx(0.65)
    assert curves.between == pytest.approx(0.3)
    holed = Curves((0, 1), np.array([1, np.nan, 0]), np.array([np.nan, np.nan, 1]))
    assert holed.deletion_area == pytest.approx(0.5)
    assert np.isnan(holed.insertion_area)
    worse = Curves((1, 0), np.array([1, 0.8, 0]), np.array([0, 0.2, 1]))
    assert Faithfulness(curves, (curves, worse, worse, worse), 0).beats == pytest.approx(0.875)
    assert Faithfulness(worse, (curves,), 0).beats == 0
    assert np.isnan(Faithfulness(curves, (worse, holed), 0).beats)  # unknown is not lost
    assert np.isnan(Faithfulness(holed, (worse,), 0).beats)


def test_heights_between_words_by_hand() -> None:
    curves = Curves((0, 1), np.array([1, 0.2, 0]), np.array([0, 0.8, 1]))
    holed = Curves((1, 0), np.array([1, np.nan, 0]), np.array([np.nan, np.nan, 1]))
    heights = Faithfulness(curves, (curves, holed), 0).heights()
    assert heights["deletion_at_0.5"] == pytest.approx(0.2)
    assert heights["deletion_at_0.3"] == pytest.approx(1 - 0.8 * 0.6)
    assert heights["insertion_at_0.9"] == pytest.approx(0.8 + 0.2 * 0.8)
    assert heights["random_deletion_at_0.5"] == pytest.approx((0.2 + 0.5) / 2)
    assert np.isnan(heights["random_insertion_at_0.5"])
    assert len(heights) == 44


def test_curves_of_a_known_editor_by_hand() -> None:
    editor = ToyEditor()
    found = last(editor, perturbations=30)
    scale = max(sample.image_distance for sample in found.samples)
    result = faithfulness(photo(), found, tools=tools(editor), random_orders=5)
    assert [WORDS[unit] for unit in result.curves.order[:3]] == ["snowy", "foggy", "make"]
    for curves in (result.curves, *result.random):
        deletion, insertion = by_hand(list(curves.order), scale)
        np.testing.assert_allclose(curves.deletion, deletion, atol=1e-9)
        np.testing.assert_allclose(curves.insertion, insertion, atol=1e-9)
    assert len({curves.order for curves in result.random}) == 5
    assert result.beats == 1
    areas = result.to_dict()
    assert areas["deletion_area"] > areas["random_deletion_area"]
    assert areas["insertion_area"] > areas["random_insertion_area"]
    assert areas["failed_on_curves"] == 0


def test_no_order_is_better_than_the_true_one_and_chance_is_nothing() -> None:
    scale = sum(EFFECTS.values())
    gaps = {
        order: Curves(order, *by_hand(list(order), scale)).between
        for order in permutations(range(6))
    }
    true = tuple(sorted(range(6), key=lambda unit: -EFFECTS[WORDS[unit]]))
    assert gaps[true] == pytest.approx(max(gaps.values()))
    assert np.mean(list(gaps.values())) == pytest.approx(0, abs=1e-12)


def test_nothing_is_made_twice(tmp_path) -> None:
    """What the run made is known, and asking again finds all of it in the cache."""
    editor = ToyEditor()
    found = last(editor, perturbations=30)
    before = {prompt for call in editor.calls for prompt in call}
    editor.calls.clear()
    cache = EditCache(tmp_path)
    once = faithfulness(photo(), found, tools=tools(editor, cache), random_orders=3)
    made = [prompt for call in editor.calls for prompt in call]
    assert len(made) == len(set(made)) > 0
    assert not before & set(made)
    editor.calls.clear()
    again = faithfulness(photo(), found, tools=tools(editor, cache), random_orders=3)
    assert editor.made == 0
    assert again.to_dict() == once.to_dict()


def test_a_run_fitted_anew_keeps_its_edit_without_words() -> None:
    editor = ToyEditor()
    found = refit(last(editor, perturbations=62), encoder=ToyEncoder(), image_distance="cosine")
    # Of the toy's two coordinates one is always 100; 86 levels against 20.
    (full, blank) = (np.array([level, 100]) / np.hypot(level, 100) for level in (86, 20))
    assert found.without_instruction.image_distance == pytest.approx(1 - full @ blank)
    editor.calls.clear()
    walk = faithfulness(photo(), found, tools=tools(editor), random_orders=1).curves
    assert editor.made == 0
    farthest = max(sample.image_distance for sample in found.samples)
    assert walk.deletion[-1] == pytest.approx(1 - (1 - full @ blank) / farthest)


def test_a_baseline_is_judged_on_the_same_curves() -> None:
    editor = ToyEditor()
    found = last(editor, perturbations=30)
    same = faithfulness(
        photo(), found, weights=baseline_weights(found, "leave-one-out"), tools=tools(editor)
    )
    wrong = faithfulness(photo(), found, weights=-weights(found), tools=tools(editor))
    assert same.curves.between > 0 > wrong.curves.between
    assert wrong.beats == 0


def test_a_failed_edit_is_left_out_and_counted() -> None:
    editor = ToyEditor(fails=("make it very and",))  # without snowy and foggy, the second step
    result = faithfulness(photo(), last(editor, perturbations=20), tools=tools(editor))
    assert np.isnan(result.curves.deletion[2])
    assert result.failed == 1
    assert np.isfinite(result.curves.deletion_area)


def test_an_editor_that_wants_words_is_walked_to_the_photo() -> None:
    """It stands in for the edit without instruction: 168 levels, where the full edit has 86."""
    for seeds in (1, 2):
        editor = ToyEditor(fails=("",))
        found = last(editor, perturbations=20, seeds=seeds)
        result = faithfulness(photo(), found, tools=tools(editor), random_orders=1)
        scale = max(sample.image_distance for sample in found.samples)
        assert result.curves.deletion[-1] == pytest.approx(1 - 82 / scale)
        assert result.curves.insertion[0] == pytest.approx(1 - 82 / scale)
        assert result.failed == 0


def test_several_seeds_are_averaged() -> None:
    editor = ToyEditor(seed_step=1)
    found = last(editor, perturbations=12, seeds=2)
    result = faithfulness(photo(), found, tools=tools(editor), random_orders=1)
    scale = max(sample.image_distance for sample in found.samples)
    np.testing.assert_allclose(
        result.curves.deletion, by_hand(list(result.curves.order), scale)[0], atol=1e-9
    )


def test_refusals_and_stop() -> None:
    for effects in ({}, {"snowy": 1}):  # one level is nothing that anybody sees
        deaf = ToyEditor(effects=effects)
        with pytest.raises(ConfigError, match="changed nothing"):
            faithfulness(photo(), last(deaf, perturbations=12), tools=tools(deaf))
    found = last(perturbations=12)
    with pytest.raises(ConfigError, match="one weight for each of the 6 words"):
        faithfulness(photo(), found, weights=[1.0], tools=tools(ToyEditor()))
    with pytest.raises(StopRequested):
        faithfulness(photo(), found, tools=tools(ToyEditor(), stop=lambda: True))
    assert found.instruction == INSTRUCTION
