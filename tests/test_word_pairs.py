from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from smile_core import explain
from smile_core.explanation import ANY_UNIT
from smile_core.fidelity import fidelity
from smile_core.masks import design_masks
from smile_core.sentence import summarize
from smile_core.surrogate import fit_surrogate
from smile_core.word_pairs import find_word_pair
from tests.sample_explanations import sample_explanation
from tests.toy_editors import photo


def measured(masks, answers):
    """Return an explanation whose samples have these masks and similarities."""
    m = len(masks[0])
    base = sample_explanation("word " * m, (1 / m,) * m, n=5)
    samples = tuple(
        replace(base.samples[0], mask=mask, similarity=y, sample_weight=0.3 + 0.7 * sum(mask) / m)
        for mask, y in zip(masks, answers, strict=True)
    )
    reference = replace(base.reference, mask=(1,) * m, similarity=1.0, sample_weight=1.0)
    return replace(base, samples=samples, reference=reference, interactions=())


def explained(response, *, noise=0.0):
    """Return an explanation of all subsets of five words with the given response to a mask."""
    masks = [mask for mask in product((0, 1), repeat=5) if 0 < sum(mask) < 5]
    rng = np.random.default_rng(0)
    return measured(masks, [response(mask) + noise * rng.normal() for mask in masks])


def refit(explanation, pair=None):
    """Return the leave-one-out R²_w of a fit, with the product of a pair as one word more."""
    rows = (explanation.reference, *explanation.samples)
    X = np.array([row.mask for row in rows], dtype=float)
    if pair:
        X = np.column_stack([X, X[:, pair[0]] * X[:, pair[1]]])
    y = np.array([row.similarity for row in rows])
    fit = fit_surrogate("linear", X, y, np.array([row.sample_weight for row in rows]))
    return fidelity(
        y, fit.predicted, fit.weights, n_parameters=fit.n_parameters, leverage=fit.leverage
    )["r2_w_loo"]


def test_words_that_stand_in_for_each_other_are_found():
    found = find_word_pair(explained(lambda mask: max(mask[1], mask[3])))
    assert (found.i, found.j) == (1, 3)
    assert found.product == pytest.approx(-1.0)
    assert found.r2_w_loo == pytest.approx(1.0)


def test_words_that_need_each_other_are_found():
    found = find_word_pair(explained(lambda mask: mask[0] * mask[4]))
    assert (found.i, found.j) == (0, 4)
    assert found.product == pytest.approx(1.0)


def test_the_closed_form_is_a_fit_with_one_column_more():
    explanation = explained(lambda mask: max(mask[1], mask[3]), noise=0.1)
    found = find_word_pair(explanation)
    assert found.r2_w_loo == pytest.approx(refit(explanation, (found.i, found.j)))
    assert found.r2_w_loo > refit(explanation) + 0.2


def test_additive_words_are_no_pair():
    assert find_word_pair(explained(lambda mask: 0.6 * mask[1] + 0.4 * mask[3])) is None


@pytest.mark.parametrize(("words", "edits"), [(6, 18), (8, 24), (12, 36)])
def test_pairs_are_found_and_noise_is_not_taken_for_one(words, edits):
    rng = np.random.default_rng(0)
    found, imagined, misread = 0, 0, 0
    for seed in range(100):
        drawn = design_masks(words, edits, design="balanced", rng=np.random.default_rng(seed))
        masks = [tuple(map(int, mask)) for mask in drawn]
        noise = rng.normal(size=edits)
        answers = rng.random(edits)
        either = [max(z[1], z[3]) + 0.05 * e for z, e in zip(masks, noise, strict=True)]
        added = [0.6 * z[1] + 0.4 * z[3] + 0.25 * e for z, e in zip(masks, noise, strict=True)]
        pair = find_word_pair(measured(masks, either))
        found += pair is not None and (pair.i, pair.j) == (1, 3)
        imagined += find_word_pair(measured(masks, answers)) is not None
        misread += find_word_pair(measured(masks, added)) is not None
    assert found >= 90
    assert imagined <= 2
    assert misread <= 6


def test_noise_is_no_pair():
    rng = np.random.default_rng(1)
    answers = rng.random(32)
    noisy = explained(lambda mask: answers[int("".join(map(str, mask)), 2)])
    assert refit(noisy) < 0.3
    assert find_word_pair(noisy) is None


def test_a_fit_with_products_needs_none():
    explanation = explained(lambda mask: max(mask[1], mask[3]))
    assert find_word_pair(replace(explanation, interactions=((1, 3, -1.0),))) is None


def test_where_any_word_is_enough_no_two_are_named():
    explanation = explained(lambda mask: max(mask[1], mask[3]))
    assert find_word_pair(replace(explanation, outcome=ANY_UNIT)) is None


def test_what_both_do_together_is_what_is_lost_without_them():
    either = explained(lambda mask: 0.1 * mask[0] + 0.9 * max(mask[1], mask[3]))
    both = explained(lambda mask: 0.4 + 0.6 * mask[0] * mask[4])
    assert find_word_pair(either).weight == pytest.approx(0.9)
    assert find_word_pair(both).weight == pytest.approx(0.6)


def test_a_run_on_an_editor_with_two_names_for_one_effect():
    """End to end: the editor pales the picture when either word is there."""

    def editor(image, prompts, seed):
        return [
            image.point(lambda v: v // 2 + 127) if {"snowy", "winter"} & set(p.split()) else image
            for p in prompts
        ]

    result = explain(photo(), "make it a snowy winter scene now", editor=editor, perturbations=40)
    found = find_word_pair(result)
    assert [result.units[k].text for k in (found.i, found.j)] == ["snowy", "winter"]
    assert found.product < 0
    assert '"snowy" and "winter" stand in for each other' in summarize(result)
