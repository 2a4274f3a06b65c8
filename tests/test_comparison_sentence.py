from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from smile_core.comparison import Difference
from smile_core.comparison_sentence import (
    ALIKE,
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
    difference_texts,
    find,
    rank_sentences,
    say,
    summarize_comparison,
)
from smile_core.editors import list_editors
from smile_core.explanation import ANY_UNIT, CHANCE, UNCHANGED, UnitWeight
from smile_core.intervals import verdict
from smile_core.sentence import summarize
from smile_core.word_differences import compare_columns
from tests.sample_comparisons import sample_column, sample_comparison, unfinished

NEGLIGIBLE = 0.05


def unit(weight: float, side: float = 0.03) -> UnitWeight:
    low, high = weight - side, weight + side
    told = verdict(low, high, NEGLIGIBLE)
    return UnitWeight(text="w", weight=weight, low=low, high=high, verdict=told)


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
        # Clear in A, unclear in B, and the difference itself is not clear.
        (unit(0.4), unit(0.2, 0.3), 0.3, UNCLEAR, '"w": no clear difference between A and B'),
        # The difference is clear, but B may still do something.
        (unit(0.6), unit(0.1, 0.2), 0.2, MORE_FIRST, 'A listens to "w" more than B'),
        # Clear but tiny, or possibly tiny.
        (unit(0.30), unit(0.27), 0.01, BOTH, 'A and B both listen to "w"'),
        (unit(0.30), unit(0.24), 0.02, BOTH, 'A and B both listen to "w"'),
        # What the word does is not clear, but that it does the same is.
        (unit(0.1, 0.2), unit(0.1, 0.2), 0.03, ALIKE, '"w": no difference between A and B'),
    ],
)  # fmt: skip
def test_verdicts_claim_what_the_intervals_do(one, other, side, kind, sentence) -> None:
    value = one.weight - other.weight
    finding = find(one, other, value - side, value + side, NEGLIGIBLE)
    assert finding.kind == kind
    assert say(finding, ['"w"'], "A", "B") == sentence


def test_swapping_the_columns_swaps_the_verdict() -> None:
    swaps = {ONLY_FIRST: ONLY_OTHER, MORE_FIRST: MORE_OTHER}
    swaps |= {b: a for a, b in swaps.items()}
    weights = [unit(w, s) for w in (-0.5, 0.0, 0.2, 0.6) for s in (0.03, 0.25)]
    for one in weights:
        for other in weights:
            value = one.weight - other.weight
            finding = find(one, other, value - 0.12, value + 0.12, NEGLIGIBLE)
            back = find(other, one, -value - 0.12, -value + 0.12, NEGLIGIBLE)
            assert back.kind == swaps.get(finding.kind, finding.kind)
            words = ['"w"', '"v"']
            if finding.kind in swaps or finding.kind == OPPOSITE:
                assert say(finding, words, "A", "B") == say(back, words, "B", "A")


@settings(deadline=None)
@given(
    st.tuples(st.floats(-1, 1), st.floats(-1, 1)),
    st.tuples(st.floats(0, 0.5), st.floats(0, 0.5), st.floats(0, 0.5)),
    st.sampled_from([0.001, 0.05]),
)
@example((0.103, 0.1), (0.01, 0.01, 0.001), 0.001)
def test_more_is_said_of_one_column_only_where_the_printed_difference_leaves_out_0(
    weights, sides, negligible
) -> None:
    one, other = unit(weights[0], sides[0]), unit(weights[1], sides[1])
    value, side = one.weight - other.weight, sides[2]
    kind = find(one, other, value - side, value + side, negligible).kind
    found = Difference(value=value, low=value - side, high=value + side, kind=kind, verdict="")
    number, ends = difference_texts(found)
    texts = [number] * 2 if ends == "exact" else ends.split(" to ")
    low, high = (float(text.replace("−", "-")) for text in texts)
    if kind not in (ALIKE, BOTH, NEITHER, UNCLEAR):
        assert low > 0 or high < 0
    if kind == ALIKE:
        assert max(-low, high) <= negligible + 0.005


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


def test_of_a_column_in_which_nothing_happened_no_word_is_said_anything() -> None:
    first = sample_column(0)
    comparison = compare_columns([first, sample_column(1, outcome=UNCHANGED)])
    assert summarize_comparison(comparison) == (
        f"first: {summarize(first.explanation)} second changed nothing: the full edit looks the "
        "same as an edit without any instruction. Try another wording, or another editor."
    )
    assert all(row.differences == (None,) for row in comparison.rows)
    assert comparison.contrasts[0].words == 0
    assert rank_sentences(comparison) == []
    swapped = compare_columns([sample_column(1, outcome=UNCHANGED), first])
    text = summarize_comparison(swapped)
    assert text.startswith("second changed nothing: ")
    assert text.endswith(f"another editor. first: {summarize(first.explanation)}")


def test_where_nothing_happened_in_both_columns_no_word_is_named() -> None:
    columns = [sample_column(0, outcome=UNCHANGED), sample_column(1, outcome=CHANCE)]
    text = summarize_comparison(compare_columns(columns))
    assert text == (
        "first changed nothing: the full edit looks the same as an edit without any instruction. "
        "second did nothing beyond chance: its edits with the instruction differ from those "
        "without it no more than they differ from each other. Try another wording, or another "
        "editor."
    )


def test_a_column_that_changed_nothing_says_what_its_editor_can_do() -> None:
    card = next(card for card in list_editors() if card.does)
    column = sample_column(1, label=card.name, outcome=UNCHANGED)
    column = replace(column, explanation=replace(column.explanation, editor=card.name))
    text = summarize_comparison(compare_columns([sample_column(0), column]))
    assert f" {card.name} changed nothing: " in text
    assert f" It does {card.does}" in text
    assert text.endswith(f"Try “{card.example}”, or another editor.")


def test_the_other_columns_are_compared_though_nothing_happened_in_one() -> None:
    columns = [sample_column(0), sample_column(1, outcome=UNCHANGED), sample_column(2)]
    assert summarize_comparison(compare_columns(columns)) == (
        "second changed nothing: the full edit looks the same as an edit without any instruction. "
        "Try another wording, or another editor. "
        'third listens to "snowy" more than first. "foggy" matters to first, not to third.'
    )


def test_without_a_first_column_to_compare_with_each_tells_its_own() -> None:
    columns = [sample_column(0, outcome=UNCHANGED), sample_column(1), sample_column(2)]
    one, other = (column.explanation for column in columns[1:])
    text = summarize_comparison(compare_columns(columns))
    assert text.endswith(f" second: {summarize(one)} third: {summarize(other)}")
    assert text.count("Try") == 1


def test_a_column_in_which_any_word_is_enough_says_so() -> None:
    columns = [sample_column(0), sample_column(1, outcome=ANY_UNIT)]
    text = summarize_comparison(compare_columns(columns))
    assert text.endswith(
        "second: No single word is needed: all 30 shortened instructions that were tried gave the "
        "full edit."
    )
    assert "listens" not in text


def test_words_of_a_column_that_told_its_own_are_not_told_twice() -> None:
    columns = [
        sample_column(0, instruction="make it snowy"),
        sample_column(1, instruction="make it white", label="other", outcome=UNCHANGED),
    ]
    text = summarize_comparison(compare_columns(columns))
    assert text.count('"snowy"') == 1
    assert "no such word" not in text


def test_the_summary_of_three_says_together_what_holds_against_both() -> None:
    columns = [sample_column(0), sample_column(1), sample_column(1, label="third")]
    assert summarize_comparison(compare_columns(columns)) == (
        'first listens to "snowy" more than second or third. '
        '"gently" matters to second and third, not to first. '
        'first, second and third all listen to "foggy".'
    )
    assert summarize_comparison(sample_comparison(3)) == (
        'first listens to "snowy" more than second. third listens to "snowy" more than first. '
        '"foggy" matters to first, not to third. "gently" matters to second, not to first. '
        'first and second both listen to "foggy".'
    )


def test_three_columns_that_are_alike_say_so_once() -> None:
    columns = [sample_column(0, label=label) for label in "abc"]
    assert summarize_comparison(compare_columns(columns)) == (
        'a, b and c all listen to "snowy" and "foggy". '
        "No word clearly matters more or less to a than to b or c."
    )


def test_three_instructions_name_each_words_columns_once() -> None:
    texts = ("make it snowy", "make it white", "make it white today")
    columns = [sample_column(0, instruction=text, label=text) for text in texts]
    assert summarize_comparison(compare_columns(columns)) == (
        'A, B and C all listen to "make". '
        "No word clearly matters more or less to A than to B or C. "
        '"snowy" (0.95) drives A; B and C have no such word. '
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
        (Finding(UNCLEAR), '"w": no clear difference between A and B or C'),
        (Finding(ALIKE), '"w": no difference between A and B or C'),
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


def test_an_exact_difference_has_no_ends() -> None:
    exact = compare_columns([sample_column(0, n=62), sample_column(1, n=62)])
    assert {difference_texts(row.differences[0])[1] for row in exact.rows} == {"exact"}
    difference = sample_comparison().rows[2].differences[0]
    number, ends = difference_texts(difference)
    assert number == f"{difference.value:.2f}"
    assert ends == f"{difference.low:.2f} to {difference.high:.2f}"


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
