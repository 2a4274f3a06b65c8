"""What must hold whatever the instruction, the samples and their order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smile_core.config import SURROGATES, TEXT_DISTANCES, ConfigError
from smile_core.encoders import Features
from smile_core.image_distance import distances_to_reference
from smile_core.instruction import join_units, split_units
from smile_core.intervals import measure_uncertainty
from smile_core.kernel import effective_sample_size, kernel_weights
from smile_core.masks import design_masks
from smile_core.surrogate import fit_surrogate
from smile_core.text_distance import load_word_vectors, text_distances

QUICK = settings(max_examples=40, deadline=None)
seeds = st.integers(0, 2**32 - 1)
words = st.lists(
    st.sampled_from(["make", "it", "snowy", "very", "night", "###", "(blue sky:1.2)", "قلب", "❄️"]),
    min_size=2,
    max_size=7,
)


def run(m: int, n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A made-up run: masks with the reference first, responses, sample weights."""
    rng = np.random.default_rng(seed)
    X = np.vstack([np.ones((1, m)), design_masks(m, n, design="balanced", rng=rng)])
    y = X @ rng.normal(size=m) + rng.normal(0, 0.1, len(X))
    return X, y, rng.uniform(0.1, 1, len(X))


@QUICK
@given(st.text(max_size=120))
def test_any_text_is_split_or_refused_in_words(text: str) -> None:
    for granularity in ("word", "phrase"):
        try:
            units = split_units(text, granularity)
        except ConfigError:
            continue
        assert all(unit.strip() == unit and unit for unit in units)
        full = join_units(units, [1] * len(units), granularity)
        assert split_units(full, granularity) == units


@QUICK
@given(words, seeds)
def test_prompt_and_mask_agree(units: list[str], seed: int) -> None:
    rng = np.random.default_rng(seed)
    for mask in design_masks(len(units), 20, design="bernoulli", rng=rng):
        kept = [unit for unit, keep in zip(units, mask, strict=True) if keep]
        if len(kept) > 1:
            assert split_units(join_units(units, mask)) == tuple(kept)


@QUICK
@given(st.text(alphabet="abc ,()[]", min_size=5, max_size=60))
def test_units_hold_every_word_of_the_instruction(text: str) -> None:
    try:
        units = split_units(text)
    except ConfigError:
        return
    assert " ".join(units).split() == text.split()


@pytest.mark.parametrize("name", SURROGATES)
@settings(max_examples=15, deadline=None)
@given(seed=seeds)
def test_order_of_words_and_of_samples_moves_with_the_answer(name: str, seed: int) -> None:
    X, y, weights = run(5, 24, seed)
    rng = np.random.default_rng(seed)
    columns, rows = rng.permutation(5), rng.permutation(len(X))
    before = fit_surrogate(name, X, y, weights)
    after = fit_surrogate(name, X[rows][:, columns], y[rows], weights[rows])
    np.testing.assert_allclose(after.coefficients, before.coefficients[columns], atol=1e-7)
    np.testing.assert_allclose(after.predicted, before.predicted[rows], atol=1e-7)
    np.testing.assert_allclose(after.leverage, before.leverage[rows], atol=1e-7)


@pytest.mark.parametrize("name", SURROGATES)
@settings(max_examples=15, deadline=None)
@given(seed=seeds)
def test_duplicate_words_share_alike(name: str, seed: int) -> None:
    """Two occurrences with the same effect get the same weight when all masks are run."""
    X, _, _ = run(4, 14, seed)
    y = 0.5 * X[:, 0] + 0.2 * (X[:, 1] + X[:, 2]) - 0.1 * X[:, 1] * X[:, 2]
    coefficients = fit_surrogate(name, X, y, np.ones(len(X))).coefficients
    assert coefficients[1] == pytest.approx(coefficients[2], abs=1e-6)


@pytest.mark.parametrize("name", SURROGATES)
@settings(max_examples=15, deadline=None)
@given(seed=seeds, scale=st.floats(0.1, 10), shift=st.floats(-5, 5))
def test_a_stretched_response_stretches_the_weights(
    name: str, seed: int, scale: float, shift: float
) -> None:
    X, y, weights = run(4, 14, seed)
    one = fit_surrogate(name, X, y, weights).coefficients
    other = fit_surrogate(name, X, shift + scale * y, weights).coefficients
    np.testing.assert_allclose(other, scale * one, atol=2e-3 * scale)


@pytest.mark.parametrize("name", SURROGATES)
@settings(max_examples=5, deadline=None)
@given(seed=seeds)
def test_same_seed_same_bytes(name: str, seed: int) -> None:
    answers = []
    for _ in range(2):
        X, y, weights = run(5, 20, seed)
        fit = fit_surrogate(name, X, y, weights)
        ends = measure_uncertainty(name, X, y, weights).intervals()
        answers.append(fit.coefficients.tobytes() + fit.predicted.tobytes() + ends.tobytes())
    assert answers[0] == answers[1]


@pytest.mark.parametrize("name", TEXT_DISTANCES)
@settings(max_examples=25, deadline=None)
@given(units=words, seed=seeds)
def test_text_distance_ignores_the_order_of_words(name: str, units: list[str], seed: int) -> None:
    rng = np.random.default_rng(seed)
    masks = design_masks(len(units), 12, design="balanced", rng=rng)
    order = rng.permutation(len(units))
    vectors = load_word_vectors()
    before = text_distances(name, units, masks, vectors)
    after = text_distances(name, [units[i] for i in order], masks[:, order], vectors)
    np.testing.assert_allclose(after, before, atol=1e-9)
    assert ((before >= 0) & (before <= 2)).all()


@QUICK
@given(st.lists(st.floats(1e-3, 1e3), min_size=2, max_size=40))
def test_automatic_kernel_width_always_meets_its_target(distances: list[float]) -> None:
    all_distances = np.array([0.0, *distances])
    weights, width = kernel_weights(all_distances, None)
    assert weights[0] == 1
    assert width > 0
    assert effective_sample_size(weights) == pytest.approx(len(all_distances) / 2, rel=1e-5)


@settings(max_examples=15, deadline=None)
@given(seed=seeds)
def test_transport_distances_obey_the_triangle(seed: int) -> None:
    clouds = np.random.default_rng(seed).normal(size=(3, 7, 4)).astype(np.float32)
    these = [Features(tokens=c[None], pooled=c.mean(axis=0)[None]) for c in clouds]
    for name in ("wasserstein", "sliced-wasserstein", "gaussian-w2", "wasserstein-1d"):
        ab, ac, bc = (
            distances_to_reference(name, these[i], these[j])[0] for i, j in ((0, 1), (0, 2), (1, 2))
        )
        assert ab <= ac + bc + 1e-9
