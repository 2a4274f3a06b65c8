from __future__ import annotations

from dataclasses import replace

import pytest

from smile_core.explanation import ANY_UNIT, CHANCE, UNCHANGED
from smile_core.gallery_html import gallery_html, sample_numbers, struck_prompt
from smile_core.response import FARTHEST, PHOTO
from tests.parsed_html import Page
from tests.sample_explanations import HOSTILE, sample_explanation


def gallery(explanation):
    return Page(gallery_html(explanation, lambda image: f"picture?{image.width}&x"))


def test_one_figure_per_edit_first_the_ends_of_the_scale():
    explanation = sample_explanation(n=14)
    figures = gallery(explanation).with_tag("figure")
    ids = [attrs["id"] for attrs, _ in figures]
    assert ids == ["edit-0", "edit-without", *(f"edit-{i}" for i in range(1, 15))]
    assert [attrs["class"] for attrs, _ in figures[:3]] == ["edit reference", "edit", "edit"]
    # The order of the run keeps the edit without instruction before all shortened ones.
    assert [int(attrs["data-order"]) for attrs, _ in figures] == [0, 0, *range(1, 15)]
    for (attrs, _), sample in zip(figures[2:], explanation.samples, strict=True):
        assert float(attrs["data-distance"]) == pytest.approx(sample.image_distance, rel=1e-5)
        assert int(attrs["data-units"]) == sum(sample.mask)
        assert float(attrs["data-error"]) == pytest.approx(
            abs(sample.predicted - sample.similarity), rel=1e-4
        )


def test_the_edit_without_instruction_is_the_zero_of_the_scale():
    explanation = sample_explanation(n=14)
    page = gallery(explanation)
    attrs, text = page.with_tag("figure")[1]
    assert (attrs["data-units"], attrs["data-distance"]) == ("0", "40")
    assert "data-error" not in attrs
    assert text.endswith("no instruction: the zero of the scaledistance 40")
    words = explanation.instruction.split()
    assert [word for _, word in page.with_tag("s")][: len(words)] == words
    assert page.with_class("zoom")[1][0]["aria-label"] == "Enlarge: no instruction"


@pytest.mark.parametrize(
    ("rests_on", "caption"),
    [
        (PHOTO, "the photo, for no instruction: the zero of the scale"),
        (FARTHEST, "no instruction, for comparison"),
        (None, "no instruction, for comparison"),  # in a file of an earlier version
    ],
)
def test_what_the_edit_without_instruction_is_depends_on_the_scale(rests_on, caption):
    explanation = sample_explanation(n=14)
    scale = None if rests_on is None else replace(explanation.scale, rests_on=rests_on)
    _, text = gallery(replace(explanation, scale=scale)).with_tag("figure")[1]
    assert f"foggy{caption}distance" in text


def test_an_editor_that_wants_words_says_so_in_the_place_of_the_edit_without_them():
    explanation = replace(sample_explanation(n=10), scale=None)
    refused = replace(explanation.without_instruction, image=None, failed="It wants words.")
    page = gallery(replace(explanation, without_instruction=refused))
    _, text = page.with_tag("figure")[1]
    assert "It wants words." in text
    assert "left out of the fit" not in text


@pytest.mark.parametrize(
    ("outcome", "names"),
    [
        (UNCHANGED, {"distance"}),
        (CHANCE, {"distance"}),
        (ANY_UNIT, {"distance", "similarity", "p"}),
    ],
)
def test_no_number_is_shown_that_means_nothing(outcome, names):
    page = gallery(sample_explanation(n=14, outcome=outcome))
    shown = {text.split()[0] for attrs, text in page.with_tag("span") if "title" in attrs}
    assert shown == names
    assert not any("data-error" in attrs for attrs, _ in page.with_tag("figure"))


def test_left_out_words_are_struck_through():
    explanation = sample_explanation(compared=False)
    page = gallery(explanation)
    gone = [
        unit.text
        for sample in explanation.samples
        for unit, keep in zip(explanation.units, sample.mask, strict=True)
        if not keep
    ]
    assert [text for _, text in page.with_tag("s")] == gone
    prompts = [text for _, text in page.with_class("prompt")]
    assert set(prompts) == {explanation.instruction}
    without_it = next(s for s in explanation.samples if s.mask == (1, 0, 1, 1, 1, 1))
    assert struck_prompt(explanation, without_it) == "make <s>it</s> snowy and gently foggy"


def test_failed_edits_say_why_and_sort_last():
    explanation = sample_explanation(n=15, failed=2)
    page = gallery(explanation)
    assert [text for _, text in page.with_class("no-picture")] == [
        "The safety filter returned a black picture."
    ] * 2
    attrs, text = page.with_tag("figure")[-1]
    assert "data-distance" not in attrs
    assert "failed, left out of the fit" in text


def test_pictures_that_were_not_kept():
    explanation = sample_explanation(n=4)
    bare = replace(explanation, samples=tuple(replace(s, image=None) for s in explanation.samples))
    assert len(gallery(bare).with_class("no-picture")) == 4


def test_user_text_and_addresses_are_escaped():
    page = gallery(sample_explanation(HOSTILE))
    assert page.with_tag("script") == []
    assert {text for _, text in page.with_class("prompt")} == {HOSTILE}
    assert page.with_tag("img")[0][0]["src"] == "picture?160&x"
    assert page.with_class("zoom")[0][0]["aria-label"] == f"Enlarge: {HOSTILE}"


def test_unknown_numbers_are_left_out():
    sample = sample_explanation().samples[0]
    numbers = sample_numbers(replace(sample, predicted=None, p_value=None, similarity=-0.004))
    assert numbers == {"distance": f"{sample.image_distance:.3g}", "similarity": "0.00"}
    assert sample_numbers(replace(sample, p_value=0.0304))["p"] == "0.030"
