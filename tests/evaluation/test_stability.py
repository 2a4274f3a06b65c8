"""Stability by hand."""

from __future__ import annotations

import pytest

from smile_core.evaluation.stability import (
    NEUTRAL_SUFFIX,
    keyed_weights,
    ruzicka,
    spearman,
    stability,
    top_k_jaccard,
)

UNITS = ("make", "it", "very", "very", "snowy")
BEFORE = keyed_weights(UNITS, (0.1, 0.0, 0.2, 0.3, 0.8))
AFTER = keyed_weights((*UNITS, NEUTRAL_SUFFIX), (0.2, 0.0, 0.1, 0.3, 0.6, -0.25))


def test_duplicates_stay_apart() -> None:
    assert BEFORE["very", 0] == 0.2
    assert BEFORE["very", 1] == 0.3


def test_jaccard_by_hand() -> None:
    """Top 3: {snowy, very 1, very 0} and {snowy, very 1, ###}: 2 of 4."""
    assert top_k_jaccard(BEFORE, AFTER, 3) == pytest.approx(2 / 4)
    assert top_k_jaccard(BEFORE, AFTER, 2) == 1
    assert top_k_jaccard(BEFORE, AFTER, 99) == pytest.approx(5 / 6)


def test_ruzicka_by_hand() -> None:
    """min: .1 0 .1 .3 .6 0; max: .2 0 .2 .3 .8 .25."""
    assert ruzicka(BEFORE, AFTER) == pytest.approx(1.1 / 1.75)
    assert ruzicka(BEFORE, {unit: -weight for unit, weight in BEFORE.items()}) == 1
    assert ruzicka({("a", 0): 0.0}, {("a", 0): 0.0}) == 1


def test_spearman_by_hand() -> None:
    """Ranks 2 1 3 4 5 and 3 1 2 4 5: 1 - 6·2/(5·24)."""
    assert spearman(BEFORE, AFTER) == pytest.approx(0.9)
    assert spearman(BEFORE, {unit: -weight for unit, weight in BEFORE.items()}) == pytest.approx(-1)
    assert spearman(BEFORE, {("snowy", 0): 1.0}) is None
    assert spearman(BEFORE, dict.fromkeys(BEFORE, 0.5)) is None


def test_all_three_together() -> None:
    same = stability(BEFORE, BEFORE)
    assert (same.jaccard, same.ruzicka) == (1, 1)
    assert same.spearman == pytest.approx(1)


def test_refusals() -> None:
    with pytest.raises(ValueError, match="k of at least 1"):
        top_k_jaccard(BEFORE, AFTER, 0)
    with pytest.raises(ValueError, match="at least one unit"):
        top_k_jaccard(BEFORE, {}, 3)
