from __future__ import annotations

import re
from dataclasses import replace

import pytest

from smile_core.comparison_report import comparison_report_html
from smile_core.comparison_sentence import summarize_comparison
from smile_core.explanation import UNCHANGED
from smile_core.sentence import signed
from smile_core.word_differences import compare_columns
from tests.parsed_html import Page
from tests.sample_comparisons import sample_column, sample_comparison, unfinished
from tests.sample_explanations import HOSTILE


@pytest.fixture(scope="module")
def comparison():
    return sample_comparison(3, failed=1)


@pytest.fixture(scope="module")
def html(comparison):
    return comparison_report_html(comparison)


def test_the_parts_are_there_in_order(comparison, html) -> None:
    page = Page(html)
    ((_, heading),) = page.with_tag("h1")
    assert heading.replace("\u00a0", " ") == summarize_comparison(comparison)
    assert [text for _, text in page.with_tag("h2")] == [
        "Before and after",
        "The instruction, coloured by weight",
        "Word by word",
        "Map of all edits",
        "Fidelity and seconds",
        "How it was made",
        "Method",
    ]
    assert len(page.with_class("before-after")) == 3
    notes = [text for attrs, text in page.with_tag("li")]
    assert [note.split(":")[0] for note in notes] == ["first", "second", "third"]


def test_notes_of_the_comparison_come_before_those_of_the_columns() -> None:
    comparison = sample_comparison()
    first = comparison.columns[0]
    noted = replace(first, explanation=replace(first.explanation, notes=("It was slow.",)))
    columns = (noted, unfinished(comparison.columns[1], "It broke."))
    comparison = replace(comparison, columns=columns, notes=("One seed only.",))
    assert comparison.all_notes == ("One seed only.", "first: It was slow.")
    found = [text for _, text in Page(comparison_report_html(comparison)).with_tag("li")]
    assert found == list(comparison.all_notes)


def test_the_file_needs_nothing_from_outside(html) -> None:
    page = Page(html)
    links = {attrs.get("href") for attrs, _ in page.with_tag("a")} - {None}
    assert links == {"https://arxiv.org/abs/2412.16277"}
    assert all(a["src"].startswith("data:") for a, _ in page.with_tag("img"))
    assert page.with_tag("link") == []
    assert all("src" not in attrs for attrs, _ in page.with_tag("script"))
    assert set(re.findall(r"url\(\"(\w+):", html)) == {"data"}
    policy = next(a for a, _ in page.with_tag("meta") if "http-equiv" in a)["content"]
    assert policy.startswith("default-src 'none'")


def test_the_map_has_a_shape_for_each_column(comparison, html) -> None:
    page = Page(html)
    dots = page.with_class("dot")
    for shape, column in zip(("circle", "square", "diamond"), comparison.columns, strict=True):
        own = [attrs for attrs, _ in dots if f"dot-{shape}" in attrs["class"]]
        assert len(own) == sum(place is not None for place in column.places)
        pictures = set(re.findall(rf"\.tip-({shape}\d+)\{{", html))
        shown = {attrs["class"].split("tip-")[-1] for attrs, _ in page.with_class("tip-picture")}
        assert pictures <= shown
    assert [a["data-letter"] for a, _ in dots if "data-letter" in a] == ["A", "B", "C"]


def test_dots_are_filled_where_the_chosen_word_was_kept(comparison, html) -> None:
    page = Page(html)
    chosen = next(
        int(attrs["value"]) for attrs, _ in page.with_tag("option") if "selected" in attrs
    )
    assert comparison.rows[chosen].text == "snowy"
    for attrs, _ in page.with_class("dot"):
        assert ("kept" in attrs["class"].split()) == (attrs["data-mask"][chosen] == "1")


def test_masks_on_the_map_follow_the_words_of_both_instructions() -> None:
    columns = [
        sample_column(0, instruction="make it snowy"),
        sample_column(1, instruction="snowy and calm", label="other"),
    ]
    comparison = compare_columns(columns)
    assert [row.text for row in comparison.rows] == ["make", "it", "snowy", "and", "calm"]
    page = Page(comparison_report_html(comparison))
    full = {
        attrs["data-letter"]: attrs["data-mask"]
        for attrs, _ in page.with_class("dot")
        if "data-letter" in attrs
    }
    assert full == {"A": "11100", "B": "00111"}


def test_a_column_that_failed_says_why() -> None:
    broken = unfinished(sample_column(1), "the editor <broke>.")
    page = Page(comparison_report_html(compare_columns([sample_column(0), broken])))
    assert "the editor <broke>." in [text for _, text in page.with_class("no-picture")]


def test_a_column_in_which_nothing_happened_has_no_number_and_no_colour() -> None:
    comparison = compare_columns([sample_column(0), sample_column(1, outcome=UNCHANGED)])
    page = Page(comparison_report_html(comparison))
    assert "second changed nothing" in page.with_tag("h1")[0][1]
    words = page.with_class("smile-word")
    assert sum("style" in attrs for attrs, _ in words) == 6 + 6  # heatmap and table of the first
    assert [text for _, text in page.with_class("smile-number")] == [
        *(signed(unit.weight) for unit in comparison.explanations[0].units),
        *["–"] * 6,
    ]
    assert len(page.with_class("map")) == 1


def test_where_nothing_happened_in_any_column_there_is_nothing_to_explain() -> None:
    columns = [sample_column(index, outcome=UNCHANGED) for index in (0, 1)]
    page = Page(comparison_report_html(compare_columns(columns)))
    assert not any("style" in attrs for attrs, _ in page.with_class("smile-word"))
    assert page.with_class("dot") == []
    (hint,) = page.with_class("hint")
    assert hint[1] == "Nothing happened in any column, so there is nothing to explain."


def test_the_method_says_what_a_difference_means(html) -> None:
    told = " ".join(Page(html).with_class("prose")[0][1].split())
    for part in (
        "from the edit without instruction (0) to the full edit (1) of its own column",
        "A column in which nothing happened has no weights",
        "hold together with 95 % confidence",
        "beyond the smallest effect that matters (0.05)",
    ):
        assert part in told
    assert "bootstrap" not in told
    columns = [sample_column(index, negligible=0.1 * (index + 1)) for index in (0, 1)]
    other = comparison_report_html(compare_columns(columns))
    assert "effect that matters (0.2)" in " ".join(other.split())


def test_hostile_words_do_no_harm() -> None:
    columns = [sample_column(i, instruction=HOSTILE, label=f"{HOSTILE}{i}") for i in (0, 1)]
    html = comparison_report_html(compare_columns(columns))
    assert len(Page(html).with_tag("script")) == 1
    assert "<script>alert" not in html
