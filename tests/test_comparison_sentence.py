from __future__ import annotations

import pytest

from smile_core.comparison_sentence import (
    BOTH,
    KINDS,
    MORE_FIRST,
    MORE_OTHER,
    NEITHER,
    ONLY_FIRST,
    ONLY_OTHER,
    OPPOSITE,
    UNCLEAR,
    Finding,
    as_sentence,
    find,
    rank_sentences,
    say,
    summarize_comparison,
)
from smile_core.explanation import UnitWeight
from smile_core.resampling import verdict
from smile_core.word_differences import compare_columns
from tests.sample_comparisons import sample_column, sample_comparison, unfinished


def unit(weight: float, side: float = 0.03) -> UnitWeight:
    low, high = weight - side, weight + side
    return UnitWeight(text="w", weight=weight, low=low, high=high, verdict=verdict(low, high))


@pytest.mark.parametrize(
    ("one", "other", "side", "kind", "sentence"),
    [
        (unit(0.6), unit(0.0), 0.05, ONLY_FIRST, '"w" matters to A, not to B'),
        (unit(0.01), unit(0.5), 0.05, ONLY_OTHER, '"w" matters to B, not to A'),
        (unit(0.6), unit(0.55), 0.1, BOTH, 'A and B both listen to "w"'),
        (unit(0.6), unit(0.3), 0.1, MORE_FIRST, 'A listens to "w" more than B'),
        (unit(0.3), unit(0.6), 0.1, MORE_OTHER, 'B listens to "w" more than A'),
        (unit(0.01), unit(-0.02), 0.05, NEITHER, 'neither A nor B listens to "w"'),
        (unit(0.4), unit(-0.3), 0.1, OPPOSITE, '"w" drives A and works against B'),
        (unit(-0.3), unit(0.4), 0.1, OPPOSITE, '"w" drives B and works against A'),
        (unit(-0.4), unit(-0.4), 0.1, BOTH, '"w" works against A and B alike'),
        (unit(-0.6), unit(-0.2), 0.1, MORE_FIRST, '"w" works against A more than against B'),
        (unit(0.0), unit(-0.4), 0.1, ONLY_OTHER, '"w" works against B, not against A'),
        # Certain in A, uncertain in B, and the difference itself is not certain.
        (unit(0.4), unit(0.2, 0.3), 0.3, UNCLEAR,
         '"w": no difference between A and B can be told from chance'),
        # The difference is certain, but B may still do something.
        (unit(0.6), unit(0.1, 0.2), 0.2, MORE_FIRST, 'A listens to "w" more than B'),
        # Certain but tiny.
        (unit(0.30), unit(0.25), 0.02, BOTH, 'A and B both listen to "w"'),
    ],
)  # fmt: skip
def test_verdicts_claim_what_the_intervals_do(one, other, side, kind, sentence) -> None:
    value = one.weight - other.weight
    finding = find(one, other, value - side, value + side)
    assert finding.kind == kind
    assert say(finding, ['"w"'], "A", "B") == sentence


def test_swapping_the_columns_swaps_the_verdict() -> None:
    swaps = {ONLY_FIRST: ONLY_OTHER, MORE_FIRST: MORE_OTHER}
    swaps |= {b: a for a, b in swaps.items()}
    weights = [unit(w, s) for w in (-0.5, 0.0, 0.2, 0.6) for s in (0.03, 0.25)]
    for one in weights:
        for other in weights:
            value = one.weight - other.weight
            finding = find(one, other, value - 0.12, value + 0.12)
            back = find(other, one, -value - 0.12, -value + 0.12)
            assert back.kind == swaps.get(finding.kind, finding.kind)
            words = ['"w"', '"v"']
            if finding.kind in swaps or finding.kind == OPPOSITE:
                assert say(finding, words, "A", "B") == say(back, words, "B", "A")


@pytest.mark.parametrize("kind", KINDS)
def test_several_words_take_the_plural(kind: str) -> None:
    said = say(Finding(kind), ['"a"', '"b"'], "X", "Y")
    assert '"a" and "b"' in said
    assert not any(verb in said for verb in ("matters", "drives", "works"))


def test_a_name_keeps_its_case() -> None:
    assert as_sentence("neither x nor y listens") == "Neither x nor y listens."
    assert as_sentence("scene listens") == "scene listens."


def test_the_summary_names_what_sets_columns_apart_first() -> None:
    said = summarize_comparison(sample_comparison())
    assert said == (
        'first listens to "snowy" more than second. "gently" matters to second, not to first. '
        'first and second both listen to "foggy".'
    )


def test_the_summary_of_three_says_together_what_holds_against_both() -> None:
    columns = [sample_column(0), sample_column(1), sample_column(1, label="third")]
    assert summarize_comparison(compare_columns(columns)) == (
        'first listens to "snowy" more than second or third. '
        '"gently" matters to second and third, not to first. '
        'first, second and third all listen to "foggy".'
    )
    assert summarize_comparison(sample_comparison(3)) == (
        'first listens to "snowy" more than second. "gently" matters to second, not to first. '
        '"foggy" drives first and works against third. '
        'first and third both listen to "snowy". first and second both listen to "foggy".'
    )


def test_three_columns_that_are_alike_say_so_once() -> None:
    columns = [sample_column(0, label=label) for label in "abc"]
    assert summarize_comparison(compare_columns(columns)) == (
        'a, b and c all listen to "snowy" and "foggy". '
        "No word can be told to matter more or less to a than to b or c."
    )


def test_three_instructions_name_each_words_columns_once() -> None:
    texts = ("make it snowy", "make it white", "make it white today")
    columns = [sample_column(0, instruction=text, label=text) for text in texts]
    assert summarize_comparison(compare_columns(columns)) == (
        "No word can be told to matter more or less to A than to B or C. "
        '"snowy" (0.92 ± 0.05) drives A; B and C have no such word. '
        '"white" drives B and C; A has no such word.'
    )


@pytest.mark.parametrize(
    ("finding", "sentence"),
    [
        (Finding(BOTH), 'A, B and C all listen to "w"'),
        (Finding(BOTH, against=True), '"w" works against A, B and C alike'),
        (Finding(NEITHER), 'neither A nor B nor C listens to "w"'),
        (Finding(OPPOSITE), '"w" drives A and works against B and C'),
        (Finding(OPPOSITE, swapped=True), '"w" drives B and C and works against A'),
        (Finding(ONLY_FIRST), '"w" matters to A, not to B or C'),
        (Finding(ONLY_OTHER, swapped=True), '"w" matters to B and C, not to A'),
        (Finding(ONLY_OTHER, True, True), '"w" works against B and C, not against A'),
        (Finding(MORE_FIRST), 'A listens to "w" more than B or C'),
        (Finding(MORE_FIRST, against=True), '"w" works against A more than against B or C'),
        (Finding(MORE_OTHER, swapped=True), 'B and C listen to "w" more than A'),
        (Finding(UNCLEAR), '"w": no difference between A and B or C can be told from chance'),
    ],
)
def test_what_holds_against_two_others(finding: Finding, sentence: str) -> None:
    assert say(finding, ['"w"'], "A", "B", "C") == sentence


def test_ranks_are_told_of_each_column_with_the_first() -> None:
    comparison = sample_comparison(3)
    one, other = rank_sentences(comparison)
    rho = comparison.contrasts[0].rank_correlation
    assert one == f"Rank correlation of first and second: {rho:.2f} over 6 words."
    assert other.startswith("Rank correlation of first and third: ")


def test_words_of_one_instruction_only() -> None:
    columns = [
        sample_column(0, instruction="make it snowy"),
        sample_column(0, instruction="make it snowy today", label="other"),
    ]
    said = summarize_comparison(compare_columns(columns))
    assert '"today"' not in said  # it does nothing
    columns[1] = sample_column(1, instruction="make it and then foggy", label="other")
    said = summarize_comparison(compare_columns(columns))
    assert '"snowy" (' in said
    assert "drives first; other has no such word." in said


def test_nothing_is_said_before_there_is_anything() -> None:
    comparison = compare_columns([sample_column(0), unfinished(sample_column(1))])
    assert summarize_comparison(comparison) == (
        "There is nothing to compare yet: second has no edit."
    )
    columns = [sample_column(0), *(unfinished(sample_column(i)) for i in (1, 2))]
    assert summarize_comparison(compare_columns(columns)) == (
        "There is nothing to compare yet: second and third have no edit."
    )
