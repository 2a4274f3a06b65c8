from __future__ import annotations

import json

import pytest
from PIL import Image

from components import compare_view
from smile_core.columns import empty_comparison
from smile_core.comparing import ComparisonSnapshot
from smile_core.comparison_sentence import summarize_comparison
from smile_core.explanation import Snapshot
from smile_core.word_differences import compare_columns
from tests.parsed_html import Page
from tests.sample_comparisons import sample_column, sample_comparison, unfinished
from tests.sample_explanations import HOSTILE


def picture_url(image: Image.Image) -> str:
    return f"/pictures/{image.width}"


@pytest.fixture(scope="module")
def comparison():
    return sample_comparison(failed=1)


def snapshot(**changes: object) -> ComparisonSnapshot:
    one = Snapshot(
        explanation=sample_column(0).explanation, done=24, total=65, edits_per_second=3.14,
        seconds_left=8.0, stable=True, state="running",
    )  # fmt: skip
    values = {
        "comparison": sample_comparison(), "snapshots": (one, None), "turn": 0, "done": 24,
        "total": 130, "seconds_left": 41.2, "stable": False, "state": "running",
    }  # fmt: skip
    return ComparisonSnapshot(**{**values, **changes})


def test_every_part_has_an_empty_state() -> None:
    for render in (
        compare_view.render_sentence,
        compare_view.render_heatmaps,
        compare_view.render_words,
        compare_view.render_numbers,
        lambda c: compare_view.render_pairs(c, picture_url),
    ):
        assert Page(render(None)).elements
    assert compare_view.render_map(None, picture_url) == ""


def test_columns_that_have_not_begun_show_their_words() -> None:
    configs = [sample_column(index).config for index in (0, 1)]
    waiting = empty_comparison(configs)
    assert len(Page(compare_view.render_heatmaps(waiting)).with_class("smile-waiting")) == 12
    assert "first…" in compare_view.render_sentence(waiting)
    for part in (
        compare_view.render_words(waiting),
        compare_view.render_numbers(waiting),
        compare_view.render_pairs(waiting, picture_url),
    ):
        Page(part)


def test_the_sentence_comes_with_the_notes_of_all(comparison) -> None:
    page = Page(compare_view.render_sentence(comparison))
    assert page.with_class("sentence")[0][1] == summarize_comparison(comparison)
    notes = [text for _, text in page.with_tag("li")]
    assert [note.split(":")[0] for note in notes] == ["first", "second"]


def test_before_and_after_of_each_column(comparison) -> None:
    page = Page(compare_view.render_pairs(comparison, picture_url))
    assert len(page.with_tag("input")) == 2
    assert [text for _, text in page.with_tag("h3")] == ["first", "second"]
    broken = compare_columns([sample_column(0), unfinished(sample_column(1), "it <broke>.")])
    assert "it &lt;broke&gt;." in compare_view.render_pairs(broken, picture_url)


def test_the_map_carries_a_thumbnail_for_every_edit(comparison) -> None:
    value = json.loads(compare_view.render_map(comparison, picture_url, 2))
    assert len(value["thumbnails"]) == 62
    assert value["thumbnails"].count(None) == 2  # one failed edit in each column
    assert "snowy" in value["figure"]["data"][0]["name"]
    # A word that another comparison had is no reason to fail.
    assert compare_view.render_map(comparison, picture_url, 99)


def test_the_menu_offers_every_word(comparison) -> None:
    menu = compare_view.render_choices(comparison, 2)
    assert [value for _, value in menu["choices"]] == [-1, 0, 1, 2, 3, 4, 5]
    assert menu["value"] == 2
    assert compare_view.render_choices(comparison, 9)["value"] == -1
    assert compare_view.render_choices(None)["choices"] == [compare_view.BY_STRONGEST]


def test_the_status_has_a_line_for_each_column() -> None:
    page = Page(compare_view.render_status(snapshot(), 8.0))
    lines = [text.replace("\xa0", "") for _, text in page.with_class("status")]
    assert lines == [
        "first · 24 of 65 edits · 3.1 edits/s · ranking steady",
        "second · waiting",
        "about 41 s left",
    ]
    bars = [attrs for attrs, _ in page.with_class("bar")]
    assert [bar["aria-valuenow"] for bar in bars] == ["24", "0"]
    assert "Finished in 8 s" in compare_view.render_status(snapshot(state="finished"), 8.0)
    stopped = compare_view.render_status(snapshot(state="stopped"), 8.0)
    assert "Stopped after 8 s; all edits are kept" in stopped


def test_what_the_user_wrote_is_escaped() -> None:
    columns = [sample_column(i, instruction=HOSTILE, label=f"{HOSTILE}{i}") for i in (0, 1)]
    hostile = compare_columns(columns)
    for html in (
        compare_view.render_sentence(hostile),
        compare_view.render_heatmaps(hostile),
        compare_view.render_words(hostile),
        compare_view.render_numbers(hostile),
        compare_view.render_pairs(hostile, picture_url),
    ):
        assert "<script" not in html
        Page(html)
