from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smile_core.editors import list_editors
from smile_core.explanation import (
    AGAINST,
    ANY_UNIT,
    CHANCE,
    DRIVES,
    NO_EFFECT,
    UNCHANGED,
    UNCLEAR,
    Sample,
    UnitWeight,
)
from smile_core.intervals import verdict
from smile_core.response import PHOTO
from smile_core.sentence import (
    edits_made,
    interval_text,
    is_right_to_left,
    no_weights,
    nothing_happened,
    planned_edits,
    sentence_html,
    signed,
    summarize,
    unit_mark,
    weight_text,
)
from tests.sample_explanations import never_left_out, sample_explanation, with_units
from tests.toy_editors import ToyEditor
from tests.toy_runs import last


def said(*rows, n=24, **changes):
    """Return the sentence for units of the given (text, weight, low, high)."""
    words = " ".join(row[0] for row in rows)
    return summarize(replace(with_units(sample_explanation(words, n=n), *rows), **changes))


SNOWY = ("snowy", 0.81, 0.76, 0.86)
FOGGY = ("foggy", 0.44, 0.38, 0.50)
GOOD, MIDDLING, POOR = ({"r2_w_loo": value} for value in (0.93, 0.62, -0.12))


def idle(*words):
    return [(word, 0.01, -0.04, 0.05) for word in words]


def test_one_driver_and_one_idle_word():
    assert said(SNOWY, *idle("gently"), fidelity=GOOD) == (
        '"snowy" drives this edit (0.81, 0.76 to 0.86). "gently" has no effect and can go.'
    )


def test_two_idle_words_are_named():
    assert said(SNOWY, *idle("make", "it"), fidelity=GOOD) == (
        '"snowy" drives this edit (0.81, 0.76 to 0.86). "make" and "it" have no effect and can go.'
    )


def test_many_idle_words_are_counted():
    text = said(SNOWY, *idle("make", "it", "and", "very", "gently"), fidelity=GOOD)
    assert text.endswith("The other five words have no effect and can go.")


@pytest.mark.parametrize("fidelity", [MIDDLING, POOR, {"r2_w_loo": None}])
def test_words_can_go_only_where_their_weights_add_up(fidelity):
    one = said(SNOWY, *idle("gently"), fidelity=fidelity)
    assert '"gently" has no effect of its own.' in one
    two = said(SNOWY, *idle("make", "it"), fidelity=fidelity)
    assert '"make" and "it" have no effect of their own.' in two
    assert "can go" not in one + two


def test_drivers_are_ranked_only_when_their_intervals_are_apart():
    assert said(FOGGY, SNOWY, *idle("it")).startswith(
        '"snowy" (0.81, 0.76 to 0.86) drives this edit most, then "foggy" (0.44, 0.38 to 0.50).'
    )
    near = ("foggy", 0.78, 0.70, 0.86)
    assert said(near, SNOWY, *idle("it")).startswith(
        '"snowy" (0.81, 0.76 to 0.86) and "foggy" (0.78, 0.70 to 0.86) drive this edit.'
    )


def test_no_driver_is_first_while_an_unclear_word_may_weigh_more():
    wide = ("sky", 0.4, -0.1, 0.9)
    text = said(FOGGY, SNOWY, wide)
    assert "most" not in text
    assert '"snowy" (0.81, 0.76 to 0.86) and "foggy" (0.44, 0.38 to 0.50) drive this edit.' in text
    assert "most" in said(FOGGY, SNOWY, ("sky", 0.3, -0.1, 0.7))
    base = with_units(sample_explanation("snowy foggy sky"), SNOWY, FOGGY, *idle("sky"))
    assert "most" in summarize(base)
    assert "most" not in summarize(never_left_out(base, 2))


def test_more_than_three_drivers_are_counted():
    rows = [(word, 0.5, 0.3, 0.7) for word in ("a", "b", "c", "d", "e")]
    text = said(*rows)
    assert '"c" (0.50, 0.30 to 0.70) and two more words drive this edit.' in text


def test_a_word_that_works_against_the_edit():
    text = said(SNOWY, ("summer", -0.3, -0.4, -0.2), *idle("a"))
    assert '"summer" (−0.30, −0.40 to −0.20) works against it.' in text
    text = said(("summer", -0.3, -0.4, -0.2), *idle("a"))
    assert text.startswith(
        'No word drives this edit. "summer" (−0.30, −0.40 to −0.20) works against it.'
    )


def test_a_word_that_may_matter_needs_more_edits():
    text = said(SNOWY, ("sky", 0.12, -0.2, 0.44))
    assert '"sky" is unclear (0.12, −0.20 to 0.44) and needs more edits.' in text
    assert "no effect" not in text
    wide = [(word, 0.1, -0.3, 0.5) for word in ("a", "b", "c", "g")]
    text = said(SNOWY, *wide, *idle("d", "e", "f"), fidelity=GOOD)
    assert '"c" (0.10, −0.30 to 0.50) and one more word are unclear and need more edits.' in text
    assert text.endswith("Three words have no effect and can go.")
    assert "The other" not in text


def test_an_unclear_word_of_little_weight_is_told_apart_from_one_without_effect():
    text = said(SNOWY, ("make", 0.04, -0.01, 0.09), ("it", 0.03, -0.2, 0.3), fidelity=GOOD)
    assert '"make" and "it" are unclear, with weights below 0.1.' in text
    assert "can go" not in text
    one = said(SNOWY, ("make", 0.04, -0.01, 0.09), *idle("it"), fidelity=GOOD)
    assert '"make" is unclear, with a weight below 0.1. "it" has no effect and can go.' in one


def test_a_certain_but_tiny_weight_is_no_driver():
    text = said(SNOWY, ("make", 0.04, 0.03, 0.05), ("it", -0.02, -0.03, -0.01), fidelity=GOOD)
    assert text.endswith('"make" and "it" have no effect and can go.')


def test_no_word_with_an_effect_of_its_own():
    text = said(*idle("make", "it", "so"), fidelity=GOOD)
    assert text == "No word has an effect of its own."
    wide = [(word, 0.1, -0.3, 0.5) for word in ("a", "b")]
    assert said(*wide).startswith("No word has a clear effect yet.")


def test_a_word_that_was_never_left_out_is_in_no_sentence():
    base = with_units(sample_explanation("snowy gently so"), SNOWY, *idle("gently", "so"))
    text = summarize(replace(never_left_out(base, 1), fidelity=GOOD))
    assert text == '"snowy" drives this edit (0.81, 0.76 to 0.86). "so" has no effect and can go.'


def test_an_exact_weight_stands_without_an_interval():
    assert said(("snowy", 0.81, 0.81, 0.81), *idle("it"), fidelity=GOOD).startswith(
        '"snowy" drives this edit (0.81). '
    )


def test_an_editor_that_changed_nothing_says_what_it_can_do():
    found = sample_explanation(outcome=UNCHANGED)
    card = next(card for card in list_editors() if card.name == found.editor)
    assert card.does
    assert summarize(found) == (
        "This editor changed nothing: the full edit looks the same as an edit without any "
        f"instruction. It does {card.does}; it knows no {card.does_not}. "
        f"Try “{card.example}”, or another editor."
    )
    own = replace(found, editor="my-function")
    assert summarize(own) == (
        "This editor changed nothing: the full edit looks the same as an edit without any "
        "instruction. Try another wording, or another editor."
    )
    assert nothing_happened(own, "painter", advice=False).startswith("painter changed nothing: ")
    assert "Try" not in nothing_happened(own, "painter", advice=False)
    # The example that was just tried is no advice.
    tried = replace(found, instruction=card.example)
    assert summarize(tried).endswith("Try another wording, or another editor.")


def test_where_the_photo_stands_in_the_edit_is_compared_with_the_photo():
    found = sample_explanation(outcome=UNCHANGED)
    billed = replace(found, scale=replace(found.scale, rests_on=PHOTO))
    assert "the full edit looks the same as the photo." in summarize(billed)


def test_an_edit_that_may_be_chance_is_none():
    found = replace(sample_explanation(outcome=CHANCE), editor="my-function")
    assert summarize(found) == (
        "This editor did nothing beyond chance: its edits with the instruction differ from those "
        "without it no more than they differ from each other. Try another wording, or another "
        "editor."
    )


@pytest.mark.parametrize("outcome", [UNCHANGED, CHANCE])
def test_where_nothing_happened_no_word_is_named_and_no_number(outcome):
    found = replace(sample_explanation(outcome=outcome), editor="my-function")
    text = summarize(found)
    assert not re.search(r"\d|drive|unclear|no effect", text)
    assert not any(f'"{unit.text}"' in text for unit in found.units)
    assert no_weights(found) == "Nothing happened, so there is nothing to explain."


def any_word(instruction, **settings):
    """Return a run of an editor that any one word is enough for."""
    words = dict.fromkeys(instruction.split(), 0)

    class Any(ToyEditor):
        def level(self, prompt, seed=0):
            return 120 if prompt else 20

    return last(Any(words), instruction=instruction, **settings)


def test_any_unit_is_enough():
    two = any_word("snowy winter")
    assert two.outcome == ANY_UNIT
    assert summarize(two) == (
        'Either word is enough: "snowy" alone gives the full edit, and so does "winter".'
    )
    assert summarize(any_word("snowy winter day")) == (
        "Any one word is enough: each of them alone gives the full edit."
    )
    assert no_weights(two) == "Any one word is enough, so none has a weight of its own."
    assert no_weights(sample_explanation()) == ""


def test_without_each_single_word_no_more_is_said_than_was_tried():
    found = any_word("make it a snowy winter night now", perturbations=30)
    assert sum(sum(sample.mask) == 1 for sample in found.samples) < 7
    assert summarize(found) == (
        "No single word is needed: all 30 shortened instructions that were tried gave the full "
        "edit."
    )
    lost = replace(found.samples[0], image_distance=None, failed="out of memory")
    fewer = summarize(replace(found, samples=(lost, *found.samples[1:])))
    assert "all 29 shortened instructions" in fewer


class Together(ToyEditor):
    """Paints much when `needed` of the two words are there."""

    needed = 1

    def level(self, prompt, seed=0):
        words = prompt.split()
        both = len({"snowy", "winter"} & set(words)) >= self.needed
        return 20 + 100 * both + self.effects.get("foggy", 0) * ("foggy" in words)


def together(needed, **effects):
    editor = Together(effects)
    editor.needed = needed
    return last(editor, instruction="make it a snowy winter scene now foggy", perturbations=60)


def test_two_words_that_stand_in_for_each_other_come_first_and_with_one_number():
    found = together(1)
    text = summarize(found)
    assert text.startswith(
        '"snowy" and "winter" stand in for each other: either of them gives 1.00. '
    )
    assert text.count('"snowy"') == text.count('"winter"') == 1
    assert f"leave-one-out R² {signed(found.fidelity['r2_w_loo'])}" in text
    assert "No word" not in text


def test_two_words_that_need_each_other_are_said_to():
    found = sample_explanation(
        "it snowy so foggy now", n=30, response=lambda mask: mask[1] * mask[3]
    )
    text = summarize(found)
    assert text.startswith('"snowy" and "foggy" need each other: both together give 1.00. ')
    assert text.count('"snowy"') == text.count('"foggy"') == 1


def test_beside_a_pair_no_other_word_drives_the_edit_most():
    base = together(1, foggy=40)
    strong = {"foggy": (0.5, 0.45, 0.55), "make": (0.2, 0.15, 0.25)}
    rows = [(unit.text, *strong.get(unit.text, (0.0, -0.02, 0.02))) for unit in base.units]
    text = summarize(with_units(base, *rows))
    assert text.startswith('"snowy" and "winter" stand in for each other')
    assert '"foggy" (0.50, 0.45 to 0.55) and "make" (0.20, 0.15 to 0.25) drive this edit.' in text
    assert "most" not in text


def test_nothing_measured():
    base = sample_explanation(n=4)
    assert "No shortened instruction has been tried yet" in summarize(replace(base, samples=()))
    lost = tuple(Sample(mask=s.mask, prompt=s.prompt, failed="out of memory") for s in base.samples)
    assert summarize(replace(base, samples=lost)).startswith("All 4 shortened edits failed")
    assert summarize(sample_explanation("snow", n=0)) == (
        "The instruction is a single word, so nothing can be left out and compared."
    )


def test_no_word_is_judged_on_too_few_edits():
    assert summarize(sample_explanation(n=6)) == (
        "No word can be judged yet: with 6 words that takes 12 shortened instructions, and there "
        "are 6."
    )
    assert "and there is 1." in summarize(sample_explanation(n=1))
    assert "judged" not in summarize(sample_explanation(n=12))
    # Two words have two proper subsets: nothing is missing when both were run.
    assert "judged" not in said(SNOWY, *idle("it"), n=2)


def test_a_partial_run_says_what_it_rests_on():
    text = summarize(sample_explanation(n=24, planned=62))
    assert text.endswith("This rests on 24 of 62 edits.")
    assert "rests on" not in summarize(sample_explanation(n=24, planned=24))


def test_planned_edits_stop_at_the_number_of_subsets():
    base = sample_explanation("make it snow", n=6)
    config = {**base.config, "perturbations": 64, "seeds": 3}
    assert planned_edits(replace(base, config=config)) == 6


def test_edits_made_leave_out_those_that_failed():
    assert edits_made(sample_explanation(n=10, planned=40, failed=2)) == "8 of 40"


@pytest.mark.parametrize(
    "rows", [[SNOWY, *idle("it")], idle("a", "b"), [("c", 0.2, -0.3, 0.7)] * 2]
)
def test_a_poor_fit_is_always_said(rows):
    told = (
        "The words taken one by one predict the pictures poorly (leave-one-out R² −0.12), so take "
        "the numbers with care."
    )
    assert said(*rows, fidelity=POOR).endswith(told)
    assert "care" not in said(*rows, fidelity=MIDDLING)


def test_repeated_words_are_told_apart():
    text = said(("very", 0.5, 0.4, 0.6), ("very", 0.0, -0.05, 0.05), SNOWY, fidelity=GOOD)
    assert '"very" (no. 1) (0.50, 0.40 to 0.60)' in text
    assert '"very" (no. 2) has no effect and can go' in text


def test_phrases_are_called_phrases():
    base = with_units(sample_explanation("a b c d"), SNOWY, *idle("b", "c", "d"))
    text = summarize(replace(base, config={**base.config, "granularity": "phrase"}, fidelity=GOOD))
    assert "The other three phrases have no effect and can go." in text


def test_right_to_left_words_are_isolated():
    assert '"\u2068שלג\u2069" drives' in said(("שלג", 0.8, 0.7, 0.9), *idle("it"), n=2)
    assert is_right_to_left("123 שלג")
    assert not is_right_to_left("snow שלג")
    assert not is_right_to_left("…")


def unit(weight, low, high, negligible=0.05, **changes):
    told = verdict(low, high, negligible)
    return replace(UnitWeight(text="a", weight=weight, low=low, high=high, verdict=told), **changes)


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (unit(0.81, 0.76, 0.86), "0.81, 0.76 to 0.86"),
        (unit(-0.02, -0.04, 0.07), "−0.02, −0.04 to 0.07"),
        (unit(-0.001, -0.002, 0.002), "0.00, 0.00 to 0.00"),
        (unit(-0.001, -0.001, -0.001), "0.00"),
        (unit(0.004, 0.003, 0.005, 0.001), "0.004, 0.003 to 0.005"),
        (unit(0.0, -1.0, 1.0, measured=False), "?"),
        (unit(0.0, 0.0, 0.0, measured=False, verdict="nothing happened"), "–"),
        (unit(0.0, 0.0, 0.0, measured=False, verdict="any one is enough"), "any one"),
    ],
)
def test_both_ends_are_printed_where_there_is_an_interval(found, text):
    assert weight_text(found) == text


def printed(text):
    return float(text.replace("−", "-"))


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(-1.5, 1.5), st.floats(0, 1.2), st.sampled_from([0.001, 0.05, 0.2])),
        min_size=1,
        max_size=30,
    )
)
def test_no_verdict_contradicts_the_interval_that_is_printed(drawn):
    for weight, half, negligible in drawn:
        found = unit(weight, weight - half, weight + half, negligible)
        ends = interval_text(found)
        shown = [unit_mark(found)] * 2 if ends == "exact" else ends.split(" to ")
        low, high = map(printed, shown)
        assert low <= printed(unit_mark(found)) <= high
        if found.verdict == DRIVES:
            assert low > 0
        elif found.verdict == AGAINST:
            assert high < 0
        elif found.verdict == NO_EFFECT:
            assert max(-low, high) <= negligible + 0.005
        else:
            assert found.verdict == UNCLEAR
            assert low <= negligible + 0.005
            assert high >= -negligible - 0.005


SIX = sample_explanation("aa bb cc dd ee ff", n=24, size=32)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.floats(-0.6, 1), st.floats(0, 0.4)), min_size=6, max_size=6),
    st.floats(-1, 1),
    st.sets(st.integers(0, 5), max_size=2),
)
def test_no_sentence_says_more_than_the_verdicts_do(drawn, fit, unseen):
    rows = [
        (unit.text, weight, weight - half, weight + half)
        for unit, (weight, half) in zip(SIX.units, drawn, strict=True)
    ]
    found = replace(with_units(SIX, *rows), fidelity={"r2_w_loo": fit})
    for index in unseen:
        found = never_left_out(found, index)
    text = summarize(found)
    sentences = re.split(r"(?<=[a-z0-9)])\. ", text)
    verdicts = {unit.text: unit.verdict for unit in found.units}
    for sentence in sentences:
        named = re.findall(r'"(\w\w)"', sentence)
        if "drive" in sentence:
            assert {verdicts[name] for name in named} <= {DRIVES}
        if "most" in sentence:
            first = next(unit for unit in found.units if unit.text == named[0])
            assert first.low > max(u.high for u in found.units if u is not first)
        if "against" in sentence:
            assert {verdicts[name] for name in named} == {AGAINST}
        if "no effect" in sentence and named:
            assert {verdicts[name] for name in named} == {NO_EFFECT}
        if "can go" in sentence:
            assert fit >= 0.8
            assert NO_EFFECT in verdicts.values()
        if "The other" in sentence:
            assert UNCLEAR not in verdicts.values()
    assert ("predict the pictures poorly" in text) == (fit < 0.3)


def test_signed_uses_a_true_minus():
    assert signed(-0.125) == "−0.12"
    assert signed(-0.001) == "0.00"
    assert signed(-0.001, 3) == "−0.001"


def test_the_ends_of_an_interval_stay_on_one_line():
    assert sentence_html("(0.81, −0.1 to −0.2) & to 5") == (
        "(0.81, −0.1\u00a0to\u00a0−0.2) &amp; to 5"
    )
