from __future__ import annotations

import re
from dataclasses import replace

import pytest

from smile_core.colors import color_limit
from smile_core.comparison_html import heatmaps_html, numbers_html, ranks_html, words_html
from smile_core.comparison_text import comparison_text
from smile_core.explanation import ANY_UNIT, CHANCE, UNCHANGED
from smile_core.fidelity import FIDELITY
from smile_core.response import PHOTO
from smile_core.sentence import signed
from smile_core.word_differences import compare_columns
from tests.parsed_html import Page
from tests.sample_comparisons import sample_column, sample_comparison, unfinished
from tests.sample_explanations import HOSTILE, INSTRUCTION, never_left_out


@pytest.fixture(scope="module")
def comparison():
    return sample_comparison()


def test_a_row_has_every_weight_and_the_difference_beside_it(comparison) -> None:
    page = Page(words_html(comparison))
    heads = [text for attrs, text in page.with_tag("th") if attrs["scope"] == "col"]
    assert heads == ["Word", "first", "second", "first − second"]
    rows = [text for _, text in page.with_tag("tr")][1:]
    for row, text in zip(comparison.rows, rows, strict=True):
        difference = row.differences[0]
        assert text.startswith(row.text)
        for number in (*(unit.weight for unit in row.units), difference.value):
            assert signed(number) in text
        assert f"{signed(difference.low)} to {signed(difference.high)}" in text
        assert difference.verdict[1:] in text
    apart = [text for _, text in page.with_class("smile-apart")]
    assert ["snowy" in text or "gently" in text for text in apart] == [True, True]


def test_three_columns_have_two_differences() -> None:
    page = Page(words_html(sample_comparison(3)))
    heads = [text for attrs, text in page.with_tag("th") if attrs["scope"] == "col"]
    assert heads[4:] == ["first − second", "first − third"]


def test_heatmaps_share_one_scale() -> None:
    comparison = sample_comparison(3)
    html = heatmaps_html(comparison)
    page = Page(html)
    assert [text for _, text in page.with_tag("h3")] == ["first", "second", "third"]
    assert len(page.with_class("smile-unit")) == 3 * 6
    assert len(page.with_class("smile-legend")) == 1
    limit = color_limit(*comparison.explanations)
    assert f"drives {signed(limit)}" in html
    # Equal weights have equal colours, whichever column they are in.
    colors: dict[str, set[str]] = {}
    for style, weight in re.findall(r'style="(background[^"]+)"[^§]*?smile-number">([^<]+)<', html):
        colors.setdefault(weight, set()).add(style)
    assert all(len(found) <= 2 for found in colors.values())  # two decimals hide a little


def test_a_column_that_has_not_begun_shows_its_words() -> None:
    waiting = compare_columns([unfinished(sample_column(0)), sample_column(1)])
    page = Page(heatmaps_html(waiting))
    assert len(page.with_class("smile-waiting")) == 6
    assert ranks_html(waiting) == ""
    assert Page(words_html(waiting)).with_class("smile-none")
    none = compare_columns([unfinished(sample_column(0)), unfinished(sample_column(1))])
    assert len(Page(heatmaps_html(none)).with_class("smile-waiting")) == 12
    Page(words_html(none))
    Page(numbers_html(none))


def test_numbers_stand_side_by_side(comparison) -> None:
    page = Page(numbers_html(comparison))
    rows = [text for _, text in page.with_tag("tr")]
    assert rows[0] == "Numberfirstsecond"
    assert rows[1].startswith("Leave-one-out R²")
    assert "Edits30 of 3030 of 30" in rows
    ways = [column.explanation.scale.value for column in comparison.columns]
    assert "Length of the way" + "".join(f"{way:.3g}" for way in ways) in rows
    assert not any(row.startswith("Effective sample size") for row in rows)
    assert "Seconds9.29.2" in rows
    assert "Spearman" in ranks_html(comparison)


def numbers_of(*columns):
    """Return the rows of the numbers by their labels, a text for each column."""
    page = Page(numbers_html(compare_columns(columns)))
    labels = [text for attrs, text in page.with_tag("th") if attrs["scope"] == "row"]
    cells = [text for _, text in page.with_class("number")]
    width = len(columns)
    return {label: cells[width * i : width * (i + 1)] for i, label in enumerate(labels)}


def test_the_effective_sample_size_is_shown_for_a_kernel_width_of_ones_own() -> None:
    fixed = sample_column(1, kernel_width=0.5)
    shown = numbers_of(sample_column(0), fixed)["Effective sample size"]
    assert shown == ["–", f"{fixed.explanation.effective_sample_size:.1f}"]


def test_the_length_of_the_way_says_what_it_is_measured_from() -> None:
    column = sample_column(0)
    scale = replace(column.explanation.scale, rests_on=PHOTO)
    billed = replace(column, explanation=replace(column.explanation, scale=scale))
    older = replace(column, explanation=replace(column.explanation, scale=None))
    shown = numbers_of(column, billed, older)
    assert shown["Length of the way"] == ["40", "40 (photo)", "–"]


@pytest.mark.parametrize("outcome", [UNCHANGED, CHANCE, ANY_UNIT])
def test_a_column_without_weights_has_no_numbers(outcome: str) -> None:
    comparison = compare_columns([sample_column(0), sample_column(1, outcome=outcome)])
    page = Page(words_html(comparison))
    mark = "any one" if outcome == ANY_UNIT else "–"
    cells = [text for _, text in page.with_tag("td")]
    assert cells[1::3] == [mark] * 6
    assert cells[2::3] == ["–"] * 6
    assert len(page.with_class("smile-none")) == 12
    assert len(page.with_class("smile-dot")) == 6  # of the first column alone
    shown = numbers_of(*comparison.columns)
    assert all(shown[metric.label][1] == "–" for metric in FIDELITY.values())
    assert all(shown[metric.label][0] != "–" for metric in FIDELITY.values())
    assert ranks_html(comparison) == ""
    (table,) = comparison_text(comparison).split("\n\n")
    for line, unit in zip(table.splitlines()[1:], comparison.rows, strict=True):
        assert line.split("  ")[-1].strip() == "–"
        assert [part.strip() for part in re.split(r"\s{2,}", line)][2:] == [mark, "–", "–"]
        assert line.startswith(unit.text)


def test_where_nothing_happened_in_any_column_nothing_is_coloured() -> None:
    columns = [sample_column(i, outcome=UNCHANGED) for i in (0, 1)]
    comparison = compare_columns(columns)
    page = Page(heatmaps_html(comparison))
    assert page.with_class("smile-legend") == []
    assert len(page.with_class("smile-waiting")) == 12
    assert not any("style" in attrs for attrs, _ in page.with_class("smile-word"))
    assert "background" not in words_html(comparison)


def test_the_legend_is_about_what_is_shown() -> None:
    mixed = compare_columns([sample_column(0), sample_column(1, n=62)])
    (legend,) = Page(heatmaps_html(mixed)).with_class("smile-legend")
    assert "line: interval" in legend[1]
    assert "the numbers are exact" in legend[1]
    exact = compare_columns([sample_column(0, n=62), sample_column(1, n=62)])
    (legend,) = Page(heatmaps_html(exact)).with_class("smile-legend")
    assert "line: interval" not in legend[1]


def test_differences_of_exact_weights_are_exact() -> None:
    comparison = compare_columns([sample_column(0, n=62), sample_column(1, n=62)])
    cells = [text for _, text in Page(words_html(comparison)).with_tag("td")]
    assert all("exact" in cell and not re.search(r"\d to ", cell) for cell in cells)
    assert " exact " in comparison_text(comparison).splitlines()[1]


def test_a_word_that_was_never_left_out_has_no_number_in_the_table() -> None:
    column = sample_column(0)
    column = replace(column, explanation=never_left_out(column.explanation, 3))
    comparison = compare_columns([column, sample_column(1)])
    assert comparison.rows[3].differences == (None,)
    row = Page(words_html(comparison)).with_tag("tr")[4][1]
    assert row.startswith("and?")
    assert row.endswith("–")
    assert re.split(r"\s{2,}", comparison_text(comparison).splitlines()[4])[1] == "?"


def test_words_that_act_together_say_so_in_the_table() -> None:
    options = {"instruction": "it snowy so winter now", "n": 26}
    columns = [
        sample_column(0, response=lambda mask: max(mask[1], mask[3]), **options),
        sample_column(1, **options),
    ]
    page = Page(words_html(compare_columns(columns)))
    titles = [attrs.get("title") or "" for attrs, _ in page.with_tag("td")]
    assert titles[3].endswith("stands in for winter, either of them 1.00")


def test_what_the_user_wrote_is_escaped() -> None:
    columns = [
        sample_column(index, instruction=HOSTILE, label=f"{HOSTILE}{index}") for index in (0, 1)
    ]
    hostile = compare_columns(columns)
    for html in (heatmaps_html(hostile), words_html(hostile), numbers_html(hostile)):
        assert not Page(html).with_tag("script")
        assert "<script" not in html


def test_the_terminal_gets_a_table_for_each_other_column() -> None:
    comparison = sample_comparison(3)
    tables = comparison_text(comparison).split("\n\n")
    assert len(tables) == 2
    for table, other in zip(tables, ("second", "third"), strict=True):
        lines = table.splitlines()
        assert lines[0].split()[:3] == ["word", "first", other]
        assert [line.split()[0] for line in lines[1:]] == INSTRUCTION.split()
    assert '"gently" matters to second, not to first' in tables[0]
    assert tables[0].splitlines()[3].index("snowy") == 0


def test_the_terminal_is_not_steered() -> None:
    columns = [sample_column(i, instruction="make\x1b[2J it", label=f"c{i}") for i in (0, 1)]
    assert "\x1b" not in comparison_text(compare_columns(columns))
