from __future__ import annotations

import re

import pytest

from smile_core.colors import color_limit
from smile_core.comparison_html import heatmaps_html, numbers_html, ranks_html, words_html
from smile_core.comparison_text import comparison_text
from smile_core.sentence import signed
from smile_core.word_differences import compare_columns
from tests.parsed_html import Page
from tests.sample_comparisons import sample_column, sample_comparison, unfinished
from tests.sample_explanations import HOSTILE, INSTRUCTION


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
    assert "Edits14 of 1414 of 14" in rows
    assert "Seconds9.29.2" in rows
    assert "Spearman" in ranks_html(comparison)


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
