from __future__ import annotations

import pytest

from smile_core.comparison_plots import all_edits, joint_map
from smile_core.explanation import UNCHANGED
from smile_core.word_differences import compare_columns
from tests.sample_comparisons import sample_column, sample_comparison, unfinished
from tests.sample_explanations import HOSTILE


@pytest.fixture(scope="module")
def comparison():
    return sample_comparison(3, failed=1)


def test_a_shape_for_each_column_and_a_filled_point_where_the_word_was_kept(comparison) -> None:
    figure = joint_map(comparison, 5)
    kept = {trace.marker.symbol: trace for trace in figure.data if trace.name.endswith("kept")}
    assert list(kept) == ["circle", "square", "diamond"]
    for trace, column in zip(kept.values(), comparison.columns, strict=True):
        samples = [s for s in column.explanation.samples if not s.failed and s.mask[5]]
        assert len(trace.x) == len(samples)
    left_out = [trace for trace in figure.data if trace.name.endswith("left out")]
    assert [t.marker.symbol for t in left_out] == ["circle-open", "square-open", "diamond-open"]


def test_points_name_their_edit_and_lie_at_its_place(comparison) -> None:
    edits = all_edits(comparison)
    places = [place for column in comparison.columns for place in column.places]
    seen = []
    for trace in joint_map(comparison).data:
        for x, y, (number, text) in zip(trace.x, trace.y, trace.customdata, strict=True):
            assert (x, y) == places[number]
            assert edits[number].prompt.split()[0] in text
            seen.append(number)
    assert sorted(seen) == [i for i, place in enumerate(places) if place is not None]


def test_full_edits_lie_on_top_with_their_letter(comparison) -> None:
    last = joint_map(comparison).data[-3:]
    assert [trace.text[0] for trace in last] == ["A", "B", "C"]
    assert [trace.marker.size for trace in last] == [20] * 3


def test_the_word_that_weighs_most_is_chosen(comparison) -> None:
    assert comparison.rows[comparison.strongest].text == "snowy"
    assert joint_map(comparison).data[0].name == "first: “snowy” kept"
    with pytest.raises(IndexError):
        joint_map(comparison, 6)


def test_without_places_the_figure_says_so() -> None:
    comparison = compare_columns([unfinished(sample_column(0)), unfinished(sample_column(1))])
    (note,) = joint_map(comparison).layout.annotations
    assert "no map" in note.text


def test_where_nothing_happened_in_any_column_the_figure_says_so() -> None:
    still = [sample_column(i, outcome=UNCHANGED) for i in (0, 1)]
    figure = joint_map(compare_columns(still))
    assert len(figure.data) == 0
    assert figure.layout.annotations[0].text.startswith("Nothing happened in any column")
    assert len(joint_map(compare_columns([still[0], sample_column(1)])).data) == 6


def test_user_text_is_never_markup() -> None:
    columns = [sample_column(i, instruction=HOSTILE, label=f"<b>{i}") for i in (0, 1)]
    figure = joint_map(compare_columns(columns), 0)
    assert "<script" not in figure.to_json().replace("\\u003c", "<")
    assert "<b>0" not in str([trace.name for trace in figure.data])
