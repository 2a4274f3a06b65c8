from __future__ import annotations

from dataclasses import replace

import pytest

from smile_core.explanation import Sample, UnitWeight
from smile_core.sentence import (
    edits_made,
    is_right_to_left,
    planned_edits,
    signed,
    summarize,
    weight_text,
)
from tests.sample_explanations import sample_explanation, with_units


def said(*rows, n=24, **changes):
    """Return the sentence for units of the given (text, weight, low, high)."""
    words = " ".join(row[0] for row in rows)
    return summarize(replace(with_units(sample_explanation(words, n=n), *rows), **changes))


SNOWY = ("snowy", 0.81, 0.76, 0.86)
FOGGY = ("foggy", 0.44, 0.38, 0.50)


def idle(*words):
    return [(word, 0.01, -0.04, 0.06) for word in words]


def test_one_driver_and_one_idle_word():
    assert said(SNOWY, *idle("gently"), n=2) == (
        '"snowy" drives this edit (0.81 ± 0.05). "gently" does nothing.'
    )


def test_two_idle_words_are_named():
    assert said(SNOWY, *idle("make", "it")).startswith(
        '"snowy" drives this edit (0.81 ± 0.05). "make" and "it" do nothing.'
    )


def test_many_idle_words_are_counted():
    text = said(SNOWY, *idle("make", "it", "and", "very", "gently"))
    assert "The other five words can go." in text


def test_drivers_are_ranked_only_when_their_intervals_are_apart():
    assert said(FOGGY, SNOWY, *idle("it")).startswith(
        '"snowy" (0.81 ± 0.05) drives this edit most, then "foggy" (0.44 ± 0.06).'
    )
    near = ("foggy", 0.78, 0.70, 0.86)
    assert said(near, SNOWY, *idle("it")).startswith(
        '"snowy" (0.81 ± 0.05) and "foggy" (0.78 ± 0.08) drive this edit.'
    )


def test_more_than_three_drivers_are_counted():
    rows = [(word, 0.5, 0.3, 0.7) for word in ("a", "b", "c", "d", "e")]
    text = said(*rows)
    assert '"c" (0.50 ± 0.20) and two more words drive this edit.' in text


def test_a_word_that_works_against_the_edit():
    text = said(SNOWY, ("summer", -0.3, -0.4, -0.2), *idle("a"))
    assert '"summer" (−0.30 ± 0.10) works against it.' in text
    text = said(("summer", -0.3, -0.4, -0.2), *idle("a"))
    assert text.startswith(
        'No word clearly drives this edit. "summer" (−0.30 ± 0.10) works against'
    )


def test_a_wide_interval_is_uncertain_and_never_called_nothing():
    text = said(SNOWY, ("sky", 0.12, -0.2, 0.44))
    assert '"sky" is still uncertain (0.12 ± 0.32).' in text
    assert "nothing" not in text
    wide = [(word, 0.1, -0.3, 0.5) for word in ("a", "b", "c")]
    text = said(SNOWY, *wide, *idle("d", "e", "f"))
    assert "Three words can go. Three words are still uncertain." in text
    assert "The other" not in text


def test_tiny_effects_are_not_announced_beside_large_ones():
    tiny = ("make", 0.04, 0.03, 0.05)
    text = said(SNOWY, tiny, ("it", -0.02, -0.03, -0.01), n=6)
    assert text.startswith('"snowy" drives this edit (0.81 ± 0.05). "make" and "it" do next to')
    assert "The other three words can go." in said(SNOWY, tiny, *idle("it", "so"))
    # Where there is no large effect, a small one is the answer.
    assert said(tiny, *idle("it"), n=2).startswith('"make" drives this edit (0.04 ± 0.01).')


def test_a_small_weight_with_a_wide_interval_is_no_driver_beside_large_ones():
    text = said(("snowy", 0.58, 0.4, 0.7), ("lake", 0.09, 0.001, 0.24))
    assert '"lake" is still uncertain' in text
    assert "drive this edit" not in text


def test_nothing_distinguishable():
    text = said(*idle("make", "it", "so"))
    assert text.startswith("No word stands out: no weight can be told from nothing")
    assert "can go" not in text


def test_all_pictures_alike():
    base = sample_explanation(n=6)
    alike = tuple(replace(sample, image_distance=0.0) for sample in base.samples)
    assert summarize(replace(base, samples=alike)) == (
        "This instruction changed nothing: whichever words go, the picture stays."
    )
    apart = tuple(replace(sample, image_distance=3.5) for sample in base.samples)
    assert "equally far" in summarize(replace(base, samples=apart))


def test_nothing_measured():
    base = sample_explanation(n=4)
    assert "No shortened instruction has been tried yet" in summarize(replace(base, samples=()))
    lost = tuple(Sample(mask=s.mask, prompt=s.prompt, failed="out of memory") for s in base.samples)
    assert summarize(replace(base, samples=lost)).startswith("All 4 shortened edits failed")
    assert "single word" in summarize(sample_explanation("snow", n=0))


def test_a_partial_run_says_what_it_rests_on():
    text = summarize(sample_explanation(n=24, planned=62))
    assert text.endswith("This rests on 24 of 62 edits.")
    assert "rests on" not in summarize(sample_explanation(n=24, planned=24))


def test_a_small_run_says_so():
    assert "This rests on 6 edits only." in summarize(sample_explanation(n=6))
    # Two words have two proper subsets: nothing is missing when both were run.
    assert "rests on" not in said(SNOWY, *idle("it"), n=2)


def test_planned_edits_stop_at_the_number_of_subsets():
    base = sample_explanation("make it snow", n=6)
    config = {**base.config, "perturbations": 64, "seeds": 3}
    assert planned_edits(replace(base, config=config)) == 6


def test_edits_made_leave_out_those_that_failed():
    assert edits_made(sample_explanation(n=10, planned=40, failed=2)) == "8 of 40"


def test_a_poor_fit_is_said():
    base = sample_explanation()
    text = summarize(replace(base, fidelity={**base.fidelity, "r2_w_loo": -0.12}))
    assert "leave-one-out R² −0.12" in text
    assert "care" not in summarize(base)


def test_repeated_words_are_told_apart():
    text = said(("very", 0.5, 0.4, 0.6), ("very", 0.0, -0.05, 0.05), SNOWY)
    assert '"very" (no. 1)' in text
    assert '"very" (no. 2) does nothing' in text


def test_phrases_are_called_phrases():
    base = sample_explanation()
    text = summarize(replace(base, config={**base.config, "granularity": "phrase"}))
    assert "The other four phrases can go." in text


def test_right_to_left_words_are_isolated():
    assert '"\u2068שלג\u2069" drives' in said(("שלג", 0.8, 0.7, 0.9), *idle("it"), n=2)
    assert is_right_to_left("123 שלג")
    assert not is_right_to_left("snow שלג")
    assert not is_right_to_left("…")


@pytest.mark.parametrize(
    ("weight", "low", "high", "text"),
    [
        (0.81, 0.76, 0.86, "0.81 ± 0.05"),
        (-0.02, -0.04, 0.07, "−0.02 ± 0.09"),
        (0.5, 0.4961, 0.5, "0.50 ± 0.01"),
        (-0.001, -0.001, -0.001, "0.00 ± 0.00"),
    ],
)
def test_the_margin_is_the_longer_side_rounded_up(weight, low, high, text):
    assert weight_text(UnitWeight(text="a", weight=weight, low=low, high=high, verdict="")) == text


def test_signed_uses_a_true_minus():
    assert signed(-0.125) == "−0.12"
    assert signed(-0.001) == "0.00"
