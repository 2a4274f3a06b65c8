from __future__ import annotations

from dataclasses import replace

import pytest
from scipy.stats import spearmanr

from smile_core.comparison import column_names
from smile_core.word_differences import compare_columns, match_words
from tests.sample_comparisons import sample_column, sample_comparison, unfinished
from tests.sample_explanations import with_units


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
