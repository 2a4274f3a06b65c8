"""Baselines against the packages `lime` and `shap`, and refits against runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import shap
from lime.lime_base import LimeBase
from sklearn.linear_model import BayesianRidge, LinearRegression
from sklearn.metrics import pairwise_distances

from smile_core import from_json, to_json
from smile_core.config import ConfigError
from smile_core.editors import EditorCard
from smile_core.evaluation.baselines import (
    BASELINES,
    baseline_weights,
    leave_one_out,
    leave_one_out_masks,
    refit,
)
from smile_core.explanation import Explanation
from smile_core.export import load_explanation, save_explanation
from tests.toy_editors import EFFECTS, ToyEditor, ToyEncoder, toy_card
from tests.toy_runs import WORDS, last, same, weights

# One bonus for a pair makes the response crooked, so that every fit has an answer of its own.
EDITOR = ToyEditor(pair=("very", "snowy"), bonus=30)
LIME_WIDTH = 0.25


@pytest.fixture(scope="module")
def whole() -> Explanation:
    """All 62 subsets of six words, so that every p-value is there too."""
    return last(EDITOR, perturbations=64, p_iterations=200)


def masks_of(explanation: Explanation) -> np.ndarray:
    return np.array([(1,) * len(WORDS), *(s.mask for s in explanation.samples)])  # (n + 1, m)


def responses_of(explanation: Explanation) -> np.ndarray:
    return np.array([1.0, *(sample.similarity for sample in explanation.samples)])


def kernel(distances: np.ndarray) -> np.ndarray:
    """LIME's kernel, to a mean of 1: Bayesian ridge takes the sum for the number of samples."""
    made = np.sqrt(np.exp(-(distances**2) / LIME_WIDTH**2))
    return made / made.mean()


def lime_answer(explanation: Explanation, model: object) -> np.ndarray:
    """Return what the package says of the same samples, its own distances and kernel included."""
    masks, y = masks_of(explanation), responses_of(explanation)
    distances = pairwise_distances(masks, masks[:1], metric="cosine").ravel()
    base = LimeBase(kernel)
    _, found, _, _ = base.explain_instance_with_data(
        masks, y[:, None], distances, 0, len(WORDS), feature_selection="none",
        model_regressor=model,
    )  # fmt: skip
    by_unit = dict(found)
    return np.array([by_unit[unit] for unit in range(len(WORDS))])


def test_lime_is_the_package_lime(whole: Explanation) -> None:
    width = {"kernel_width": LIME_WIDTH * 2**0.5}
    ours = refit(whole, surrogate="lime", encoder=ToyEncoder(), **width)
    np.testing.assert_allclose(weights(ours), lime_answer(ours, LinearRegression()), atol=1e-6)


def test_bay_lime_is_the_package_lime_with_bayesian_ridge(whole: Explanation) -> None:
    ours = refit(
        whole, surrogate="bayesian-ridge", image_distance="cosine", text_distance="cosine",
        kernel_width=LIME_WIDTH * 2**0.5, encoder=ToyEncoder(),
    )  # fmt: skip
    flat = dict.fromkeys(("alpha_1", "alpha_2", "lambda_1", "lambda_2"), 1e-9)
    model = BayesianRidge(tol=1e-10, max_iter=1000, **flat)
    np.testing.assert_allclose(weights(ours), lime_answer(ours, model), atol=1e-6)


def test_kernel_shap_is_the_package_shap(whole: Explanation) -> None:
    """Both know that the edit without instruction is the zero of the scale."""
    ours = refit(whole, surrogate="shapley")
    answers = {sample.mask: sample.similarity for sample in whole.samples}
    answers |= {(1,) * len(WORDS): 1.0, (0,) * len(WORDS): 0.0}
    assert ours.intercept == pytest.approx(0, abs=1e-12)
    assert weights(ours).sum() == pytest.approx(1)

    def game(masks: np.ndarray) -> np.ndarray:
        return np.array([answers[tuple(int(bit) for bit in mask)] for mask in masks])

    explainer = shap.KernelExplainer(game, np.zeros((1, len(WORDS))))
    theirs = explainer.shap_values(
        np.ones(len(WORDS)), nsamples=2 ** len(WORDS), l1_reg=0, silent=True
    )
    np.testing.assert_allclose(weights(ours), theirs, atol=1e-6)
    np.testing.assert_array_equal(baseline_weights(whole, "kernel-shap"), weights(ours))


def test_nothing_changed_gives_the_same_to_the_last_bit(whole: Explanation) -> None:
    assert same(refit(whole), whole)


NO_SEED, UNSURE = toy_card(takes_seed=False), toy_card(repeatable=False)
DRAWS = (0, 0, 3, 1, 6, 2, *np.random.default_rng(2).integers(0, 3, 40).tolist())
GLITCH = "make it very snowy and"
FAINT = {"make": 2, "it": 1, "snowy": 16, "and": 1, "foggy": 10}


class Either(ToyEditor):
    """Does the same by any word."""

    def level(self, prompt: str, seed: int = 0) -> int:
        return 20 + 40 * bool(prompt)


class Glitching(ToyEditor):
    """Paints one prompt far brighter than all others."""

    def level(self, prompt: str, seed: int = 0) -> int:
        return 170 if prompt == GLITCH else super().level(prompt)


KINDS = {
    "plain": (ToyEditor(), {}),
    "seeds": (ToyEditor(seed_step=2), {"seeds": 3}),
    "seeds, one word heeded more under some": (ToyEditor(chance=DRAWS), {"seeds": 3}),
    "no seed": (ToyEditor(chance=DRAWS, card=NO_SEED), {}),
    "no seed, found out": (ToyEditor(chance=DRAWS, card=UNSURE), {}),
    "no seed, photo": (ToyEditor(chance=DRAWS, card=NO_SEED), {"blank": "photo"}),
    "photo": (ToyEditor(), {"blank": "photo"}),
    "wants words": (ToyEditor(fails=("",)), {}),
    "failures": (ToyEditor(fails=("make it very snowy and", "it very snowy and foggy")), {}),
    "glitch": (Glitching(effects=FAINT), {}),
    "glitch and cutoff": (Glitching(effects=FAINT), {"p_cutoff": 0.5}),
    "published scale": (ToyEditor(), {"response": "min-max"}),
    "published scale and seeds": (ToyEditor(chance=DRAWS), {"response": "min-max", "seeds": 3}),
    "published scale and no seed": (
        ToyEditor(chance=DRAWS, card=NO_SEED),
        {"response": "min-max"},
    ),
    "published scale, nothing, ended": (
        ToyEditor(effects={}),
        {"response": "min-max", "stop_when_settled": True},
    ),
    "nothing": (ToyEditor(effects={}), {}),
    "nothing, ended": (ToyEditor(effects={}), {"stop_when_settled": True}),
    "nothing, ended, cutoff": (
        ToyEditor(effects={}),
        {"stop_when_settled": True, "p_cutoff": 0.5},
    ),
    "chance": (ToyEditor(effects={}, chance=(0, 10, 20, 30, 10, 0), card=NO_SEED), {}),
    "any word": (Either(), {}),
    "shapley": (ToyEditor(), {"surrogate": "shapley"}),
    "interactions": (ToyEditor(pair=("very", "snowy"), bonus=30), {"interactions": True}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_run_is_fitted_again_to_the_last_bit(kind: str, tmp_path: Path) -> None:
    editor, settings = KINDS[kind]
    found = last(replace(editor, calls=[], seeds=[], painted=0), perturbations=30, **settings)
    assert same(refit(found), found)
    save_explanation(found, tmp_path)
    assert same(refit(load_explanation(tmp_path)), found)
    bare = from_json(to_json(found))
    assert bare.source is None  # no picture is in it
    assert refit(bare).units == found.units
    assert refit(bare).scale == found.scale


def test_a_glitch_is_told_once_and_is_none_of_the_cutoffs(tmp_path: Path) -> None:
    found = last(Glitching(effects=FAINT), perturbations=30, p_iterations=200)
    (note,) = found.notes
    assert "glitch" in note
    cut = refit(found, p_cutoff=0.4)
    left_out = sum(sample.sample_weight is None for sample in cut.samples) - 1
    assert left_out > 0
    assert cut.notes == (note, f"{left_out} of 30 edits have a p-value above 0.4 and were left "
                         "out of the fit.")  # fmt: skip
    assert same(refit(cut, p_cutoff=None), found)


@pytest.mark.parametrize("card", [NO_SEED, UNSURE])
def test_measured_anew_an_edit_by_chance_is_still_a_draw(card: EditorCard) -> None:
    """Everything was run, yet a draw is no certainty; another fit of it must know that too."""
    editor = ToyEditor(chance=(*DRAWS, *DRAWS), card=card)
    found = last(editor, perturbations=62)
    measured = refit(found, encoder=ToyEncoder(), image_distance="cosine")
    for explanation in (found, measured, refit(measured, surrogate="ridge")):
        assert not any(unit.exact for unit in explanation.units)
    assert all(unit.exact for unit in last(perturbations=62).units)


@pytest.mark.parametrize(
    "changes",
    [
        {"surrogate": "ridge", "kernel_width": 0.4},
        {"surrogate": "lime"},
        {"text_distance": "wmd+cosine", "interactions": True},
        {"image_distance": "cosine"},
        {"image_distance": "transport-cost", "order": 1.0, "surrogate": "shapley"},
        {"p_cutoff": 0.4},
        {"response": "min-max"},
        {"response": "min-max", "surrogate": "shapley"},
        {"negligible": 0.3},
    ],
)
def test_a_refit_is_what_a_run_with_these_settings_gives(whole: Explanation, changes: dict) -> None:
    ours = refit(whole, encoder=ToyEncoder(), **changes)
    run = last(EDITOR, **({"perturbations": 64, "p_iterations": 200} | changes))
    np.testing.assert_allclose(weights(ours), weights(run), rtol=0, atol=1e-12)
    assert ours.config == run.config
    assert ours.units == run.units
    assert ours.fidelity == run.fidelity
    assert ours.scale == run.scale
    assert ours.outcome == run.outcome
    assert ours.without_instruction.image_distance == run.without_instruction.image_distance
    for mine, theirs in zip(ours.samples, run.samples, strict=True):
        assert replace(mine, p_value=None, image=None) == replace(theirs, p_value=None, image=None)
    assert [note for note in run.notes if "p-value" in note] == [
        note for note in ours.notes if "p-value" in note
    ]


def test_a_cutoff_comes_and_goes(whole: Explanation) -> None:
    cut = refit(whole, p_cutoff=0.4)
    assert sum(sample.sample_weight is None for sample in cut.samples) > 0
    assert len(cut.notes) == len(whole.notes) + 1
    assert same(refit(cut, p_cutoff=None), whole)


def test_leave_one_out_by_hand() -> None:
    found = leave_one_out(last(perturbations=64))
    np.testing.assert_allclose(found.weights * 66, [EFFECTS[word] for word in WORDS], atol=1e-9)
    assert found.missing == ()
    np.testing.assert_array_equal(leave_one_out_masks(3), [[0, 1, 1], [1, 0, 1], [1, 1, 0]])


def test_leave_one_out_says_what_it_lacks() -> None:
    prompt = "make it very and foggy"
    found = last(ToyEditor(fails=(prompt,)), perturbations=20)
    assert leave_one_out(found).missing == (WORDS.index("snowy"),)
    assert np.isnan(leave_one_out(found).weights[WORDS.index("snowy")])
    with pytest.raises(ConfigError, match="only this left out: snowy"):
        baseline_weights(found, "leave-one-out")


@pytest.mark.parametrize("name", BASELINES)
def test_every_baseline_finds_the_word_of_a_linear_editor(name: str) -> None:
    found = baseline_weights(last(perturbations=30), name, encoder=ToyEncoder())
    assert np.argmax(found) == WORDS.index("snowy")


def test_refusals(whole: Explanation) -> None:
    with pytest.raises(ConfigError, match="perturbations cannot be changed"):
        refit(whole, perturbations=3)
    with pytest.raises(ConfigError, match="Did you mean 'lime'"):
        baseline_weights(whole, "lyme")
    with pytest.raises(ConfigError, match="no p-values"):
        refit(whole, image_distance="cosine", p_cutoff=0.05, encoder=ToyEncoder())
    bare = replace(whole, samples=tuple(replace(s, image=None) for s in whole.samples))
    with pytest.raises(ConfigError, match="are not loaded"):
        refit(bare, image_distance="cosine", encoder=ToyEncoder())
    with pytest.raises(ConfigError, match="one seed only"):
        refit(last(seeds=2, perturbations=8), image_distance="cosine", encoder=ToyEncoder())
