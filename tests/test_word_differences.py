"""Words matched, and differences whose intervals hold the truth; shared masks make them narrow."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import spearmanr

from smile_core.comparison import column_names
from smile_core.explanation import ANY_UNIT, CHANCE, UNCHANGED
from smile_core.intervals import Uncertainty, half_width, measure_uncertainty
from smile_core.word_differences import (
    Doubt,
    compare_columns,
    difference_error,
    doubt_of,
    match_words,
)
from tests.sample_comparisons import sample_column, sample_comparison, unfinished
from tests.sample_explanations import never_left_out, with_units

ONE = np.array([0.5, 0.0, 0.3, 0.1, 0.0])
OTHER = np.array([0.2, 0.0, 0.3, 0.4, 0.05])


def doubts(seed: int, shared_noise: float) -> tuple[Doubt, Doubt]:
    """Return two runs of the same 24 masks whose errors are partly the same."""
    rng = np.random.default_rng(seed)
    masks = rng.permutation(2**5 - 1)[:24] + 1
    masks = (masks[:, None] >> np.arange(5)) & 1  # (n, m)
    common = rng.normal(0, shared_noise, len(masks))
    weights = np.exp(-(1 - masks.mean(axis=1)))
    found = []
    for truth in (ONE, OTHER):
        y = masks @ truth + common + rng.normal(0, 0.03, len(masks))
        doubt = measure_uncertainty("linear", masks.astype(float), y, weights)
        found.append(Doubt(doubt, tuple(map(tuple, masks.tolist())), of_seeds=False))
    return found[0], found[1]


def unpaired(doubt: Doubt) -> Doubt:
    """Return the same run under masks that no other run has."""
    return replace(doubt, masks=tuple((2, *mask) for mask in doubt.masks))


@pytest.mark.parametrize("shared_noise", [0.0, 0.08])
def test_intervals_of_differences_hold_the_truth_about_as_often_as_they_say(shared_noise) -> None:
    inside, together = [], []
    for seed in range(200):
        one, other = doubts(seed, shared_noise)
        found = one.uncertainty.weights - other.uncertainty.weights
        off = np.abs(found - (ONE - OTHER))
        errors = [difference_error(one, place, other, place) for place in range(5)]
        error, freedom = np.array(errors).T
        inside.append(off <= half_width(error, freedom, 1))
        together.append(np.all(off <= half_width(error, freedom, 5)))
    assert 0.93 <= np.mean(inside) <= 0.98
    assert 0.92 <= np.mean(together) <= 0.99


def test_shared_errors_cancel() -> None:
    ratios = []
    for seed in range(20):
        one, other = doubts(seed, 0.08)
        paired, apart = (
            [difference_error(one, place, second, place)[0] for place in range(5)]
            for second in (other, unpaired(other))
        )
        ratios.append(np.array(paired) / apart)
    assert np.mean(ratios) < 0.6


def test_samples_are_paired_by_their_masks_and_not_by_their_order() -> None:
    one, other = doubts(0, 0.08)
    turned = Doubt(
        replace(other.uncertainty, influence=other.uncertainty.influence[::-1]),
        other.masks[::-1],
        of_seeds=False,
    )
    for place in range(5):
        assert difference_error(one, place, turned, place) == pytest.approx(
            difference_error(one, place, other, place)
        )


def repeated(*repeats: np.ndarray, of_seeds: bool) -> Doubt:
    """Return a run of one word whose weight is moved by nothing but repeats."""
    still = Uncertainty(np.zeros(1), np.zeros((2, 1)), np.ones(1), repeats, np.zeros(1, bool))
    return Doubt(still, ((0,), (1,)), of_seeds)


def test_repeats_are_paired_where_they_are_the_same_seeds() -> None:
    moves = np.array([[0.1], [-0.3], [0.2]])
    other = np.array([[0.1], [-0.2], [0.1]])
    seeds = [repeated(part, of_seeds=True) for part in (moves, other)]
    error, freedom = difference_error(seeds[0], 0, seeds[1], 0)
    assert error == pytest.approx(np.sqrt(0.1**2 + 0.1**2))
    assert freedom == pytest.approx(2)
    # Full edits by editors without a seed have nothing in common: both variances count.
    apart = [repeated(part, of_seeds=False) for part in (moves, other)]
    error, freedom = difference_error(apart[0], 0, apart[1], 0)
    assert error == pytest.approx(np.sqrt(np.sum(moves**2) + np.sum(other**2)))
    assert 2 < freedom <= 4
    fewer = repeated(other[:2], of_seeds=True)
    error, _ = difference_error(seeds[0], 0, fewer, 0)
    assert error == pytest.approx(np.sqrt(np.sum(moves**2) + np.sum(other[:2] ** 2)))


def test_the_intervals_of_all_words_hold_at_once() -> None:
    comparison = sample_comparison()
    one, other = (doubt_of(column) for column in comparison.columns)
    for place, row in enumerate(comparison.rows):
        error, freedom = difference_error(one, place, other, place)
        half = half_width(np.array(error), np.array(freedom), len(comparison.rows))
        (difference,) = row.differences
        assert difference.low == pytest.approx(difference.value - half)
        assert difference.high == pytest.approx(difference.value + half)
        assert not difference.exact


def test_differences_are_exact_where_both_columns_are() -> None:
    both = compare_columns([sample_column(0, n=62), sample_column(1, n=62)])
    assert all(row.differences[0].exact for row in both.rows)
    one = compare_columns([sample_column(0, n=62), sample_column(1)])
    assert not any(row.differences[0].exact for row in one.rows)


def test_what_cannot_be_judged_has_the_widest_interval() -> None:
    few = sample_column(0, n=6)  # too few edits for an interval
    comparison = compare_columns([few, sample_column(1)])
    for row in comparison.rows:
        one, other = row.units
        (difference,) = row.differences
        assert (difference.low, difference.high) == (one.low - other.high, one.high - other.low)
        assert difference.low <= -1 - other.high


@pytest.mark.parametrize("outcome", [UNCHANGED, CHANCE, ANY_UNIT])
def test_there_is_no_difference_to_a_column_without_weights(outcome: str) -> None:
    still = sample_column(1, outcome=outcome)
    comparison = compare_columns([sample_column(0), still])
    assert [row.differences for row in comparison.rows] == [(None,)] * 6
    assert comparison.contrasts[0].words == 0
    assert comparison.contrasts[0].rank_correlation is None
    assert (doubt_of(still) is None) == (outcome != ANY_UNIT)


def test_there_is_no_difference_of_a_word_that_was_never_left_out() -> None:
    column = sample_column(0)
    column = replace(column, explanation=never_left_out(column.explanation, 3))
    comparison = compare_columns([column, sample_column(1)])
    assert [row.differences[0] is None for row in comparison.rows] == [0, 0, 0, 1, 0, 0]
    assert comparison.contrasts[0].words == 5


def test_rows_hold_weights_and_differences_of_the_explanations() -> None:
    comparison = sample_comparison(3)
    for place, row in enumerate(comparison.rows):
        assert row.positions == (place, place, place)
        for column, unit in zip(comparison.columns, row.units, strict=True):
            assert unit is column.explanation.units[place]
        for other, difference in zip(row.units[1:], row.differences, strict=True):
            assert difference.value == row.units[0].weight - other.weight
            assert difference.low <= difference.value <= difference.high


def test_a_comparison_repeats_to_the_last_bit() -> None:
    assert sample_comparison().rows == sample_comparison().rows


def test_a_column_against_itself_differs_by_nothing() -> None:
    comparison = compare_columns([sample_column(0), sample_column(0, label="again")])
    for row in comparison.rows:
        (difference,) = row.differences
        assert (difference.value, difference.low, difference.high) == (0, 0, 0)
    assert comparison.contrasts[0].rank_correlation == pytest.approx(1)


def test_the_rank_correlation_is_spearmans() -> None:
    comparison = sample_comparison()
    weights = [[unit.weight for unit in e.units] for e in comparison.explanations]
    (contrast,) = comparison.contrasts
    assert contrast.rank_correlation == pytest.approx(spearmanr(*weights).statistic)
    assert contrast.words == 6


def test_no_rank_correlation_of_two_words_or_of_equal_weights() -> None:
    short = [sample_column(i, instruction="snowy fog") for i in (0, 1)]
    assert compare_columns(short).contrasts[0].rank_correlation is None
    flat = sample_column(0)
    rows = [(unit.text, 0.0, 0.0, 0.0) for unit in flat.explanation.units]
    flat = replace(flat, explanation=with_units(flat.explanation, *rows))
    assert compare_columns([flat, sample_column(1)]).contrasts[0].rank_correlation is None


def test_words_are_matched_by_text_and_occurrence() -> None:
    matched = match_words([["Very,", "very", "cold", "(x:1.2)"], ["very", "(x:1.3)", "cold!", ","]])
    assert matched == [
        ("Very,", (0, 0)),
        ("very", (1, None)),
        ("cold", (2, 2)),
        ("(x:1.2)", (3, None)),
        ("(x:1.3)", (None, 1)),
        (",", (None, 3)),
    ]


def test_emphasis_and_quotes_do_not_make_another_word() -> None:
    matched = match_words([['"Snowy"', "(foggy)"], ["snowy,", "foggy."]])
    assert [places for _, places in matched] == [(0, 0), (1, 1)]


def test_repeated_words_say_which_one_they_are() -> None:
    columns = [sample_column(i, instruction="very very cold") for i in (0, 1)]
    labels = [row.label for row in compare_columns(columns).rows]
    assert labels == ['"very" (no. 1)', '"very" (no. 2)', '"cold"']


def test_columns_without_an_explanation_leave_gaps() -> None:
    comparison = compare_columns([sample_column(0), unfinished(sample_column(1), "it broke.")])
    assert [row.units[1] for row in comparison.rows] == [None] * 6
    assert comparison.contrasts == (None,)
    assert comparison.notes == ("second ended early: it broke.",)


def test_long_labels_and_settings_are_no_subjects() -> None:
    assert column_names(["one", "two"]) == ("one", "two")
    assert column_names(["one", "a-label-that-is-very-long", "x"]) == ("A", "B", "C")
    assert column_names(["steps 5", "steps 9"]) == ("A", "B")


@pytest.mark.parametrize("number", [0, 1, 4])
def test_only_two_or_three_can_be_compared(number: int) -> None:
    with pytest.raises(ValueError, match="Two or three"):
        compare_columns([sample_column(0)] * number)
