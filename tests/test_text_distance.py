"""Text distances against gensim, a hand-made vocabulary, and LIME's formula."""

from __future__ import annotations

import numpy as np
import pytest
from gensim.models import KeyedVectors
from scipy.optimize import linprog

from smile_core.config import TEXT_DISTANCES, ConfigError
from smile_core.masks import design_masks
from smile_core.text_distance import load_word_vectors, text_distances, words_of

UNITS = "make the scene a heavy snowy winter evening and please keep my little house".split()


@pytest.fixture(scope="module")
def vectors() -> KeyedVectors:
    return load_word_vectors()


def some_masks(m: int, n: int) -> np.ndarray:
    masks = design_masks(m, n, design="balanced", rng=np.random.default_rng(0))
    return np.vstack([np.ones((1, m), dtype=np.int8), masks])


def test_bundled_vectors_know_the_words_of_the_examples(vectors: KeyedVectors) -> None:
    assert len(vectors) == 95_000
    for word in ("snowing", "cyberpunk", "steampunk", "snowy", "foggy", "the"):
        assert word in vectors
    assert vectors.most_similar("snowy", topn=20)[0][1] > 0.6
    assert vectors.similarity("rainy", "snowy") > vectors.similarity("rainy", "please")
    assert vectors is load_word_vectors()


def test_word_movers_distance_is_gensims(vectors: KeyedVectors) -> None:
    units = [*UNITS, "snowy"]  # a duplicate too
    masks = some_masks(len(units), 40)
    expected = [
        vectors.wmdistance(units, [u for u, keep in zip(units, mask, strict=True) if keep])
        for mask in masks
    ]
    np.testing.assert_allclose(text_distances("wmd", units, masks, vectors), expected, atol=1e-6)


def test_unknown_words_cost_what_is_documented(vectors: KeyedVectors) -> None:
    """make and ### share the full text; leaving ### out moves its half to make, at √2."""
    units = ("make", "###")
    masks = np.array([[1, 1], [1, 0], [0, 1]])
    expected = [0, 2**0.5 / 2, 2**0.5 / 2]
    np.testing.assert_allclose(text_distances("wmd", units, masks, vectors), expected, atol=1e-12)
    nothing_known = text_distances("wmd", ("zzqx", "###", "❄️"), np.array([[1, 0, 0]]), vectors)
    assert nothing_known[0] == pytest.approx(2**0.5 * 2 / 3)


def test_unknown_words_against_a_linear_programme(vectors: KeyedVectors) -> None:
    """The whole transport problem, without the shortcut that shared mass stays put."""
    units = ("make", "zzqx", "it", "snowy", "###", "snowy")
    mask = np.array([1, 0, 1, 0, 1, 1])
    vocabulary = sorted(set(units))
    cost = np.array([[ground(a, b, vectors) for b in vocabulary] for a in vocabulary])
    full = np.array([units.count(word) for word in vocabulary]) / 6
    kept = [unit for unit, keep in zip(units, mask, strict=True) if keep]
    part = np.array([kept.count(word) for word in vocabulary]) / 4
    v = len(vocabulary)
    marginals = np.vstack([np.kron(np.eye(v), np.ones(v)), np.kron(np.ones(v), np.eye(v))])
    plan = linprog(cost.ravel(), A_eq=marginals, b_eq=np.concatenate([full, part]))
    measured = text_distances("wmd", units, mask[None], vectors)[0]
    assert measured == pytest.approx(plan.fun, abs=1e-9)


def ground(a: str, b: str, vectors: KeyedVectors) -> float:
    if a == b:
        return 0.0
    if a in vectors and b in vectors:
        pair = [vectors.get_vector(word, norm=True).astype(float) for word in (a, b)]
        return float(np.linalg.norm(pair[0] - pair[1]))
    return 2**0.5


def test_cosine_is_limes(vectors: KeyedVectors) -> None:
    masks = some_masks(5, 30)
    expected = [1 - mask.sum() / np.sqrt(mask.sum() * 5) for mask in masks]
    measured = text_distances("cosine", list("abcde"), masks, vectors)
    np.testing.assert_allclose(measured, expected, atol=1e-12)


def test_mixture_is_the_mean(vectors: KeyedVectors) -> None:
    masks = some_masks(len(UNITS), 20)
    wmd, cosine, both = (
        text_distances(name, UNITS, masks, vectors) for name in ("wmd", "cosine", "wmd+cosine")
    )
    np.testing.assert_allclose(both, (wmd + cosine) / 2)


@pytest.mark.parametrize("name", TEXT_DISTANCES)
def test_the_full_instruction_is_at_zero_and_the_rest_is_finite(
    name: str, vectors: KeyedVectors
) -> None:
    units = ["make", "it", "zzqx", "❄️", "(blue sky:1.2)", "اجعلها"]
    distances = text_distances(name, units, some_masks(6, 62), vectors)
    assert distances[0] == 0
    assert np.isfinite(distances).all()
    assert (distances[1:] > 0).all()


def test_losing_the_word_of_meaning_costs_more(vectors: KeyedVectors) -> None:
    """Without "bicycle" no word near it is left; without "snowy" there is still "rainy"."""
    units = ("snowy", "rainy", "foggy", "bicycle")
    masks = np.array([[0, 1, 1, 1], [1, 1, 1, 0]])
    near, far = text_distances("wmd", units, masks, vectors)
    assert far > near


@pytest.mark.parametrize(
    ("unit", "words"),
    [
        ("Snowy,", ["snowy"]),
        ("(Blue sky:1.2),", ["blue", "sky"]),
        ("((word))", ["word"]),
        ("[rain: 0.8]", ["rain"]),
        ("well-known", ["well-known"]),
        ("sunset-ish", ["sunset", "ish"]),
        ("12:30", ["12", "30"]),
        ("###", ["###"]),
        ("❄️", ["❄️"]),
        ("snow❄️", ["snow"]),
    ],
)
def test_words_as_they_are_looked_up(unit: str, words: list[str], vectors: KeyedVectors) -> None:
    assert words_of(unit, vectors) == words


def test_refusals(vectors: KeyedVectors) -> None:
    with pytest.raises(ConfigError, match="neither on this machine"):
        load_word_vectors("no-such-vectors")
    with pytest.raises(ConfigError, match="Unknown text distance"):
        text_distances("wdm", UNITS, some_masks(len(UNITS), 2), vectors)
    with pytest.raises(ValueError, match="do not fit 3 units"):
        text_distances("wmd", ["a", "b", "c"], np.ones((2, 4)), vectors)
    with pytest.raises(ValueError, match="keeps no unit"):
        text_distances("wmd", ["a", "b"], np.zeros((1, 2)), vectors)
