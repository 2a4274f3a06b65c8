"""The share of the way: its two ends, its bound, its noise floor, its repeats and its glitches."""

import numpy as np
import pytest

from smile_core.response import Distances, NothingChangedError, glitch


def once(rows: list[float], way: float | None) -> Distances:
    """Return the distances of a run in which nothing was repeated, the full edit's 0 first."""
    blanks = np.empty((0, 1)) if way is None else np.array([[way]])
    return Distances(np.array([[0.0], *([d] for d in rows)]), blanks)


def test_the_full_edit_is_one_and_the_edit_without_instruction_nought():
    response = once([0.0, 5.0, 10.0], way=10.0).response()
    np.testing.assert_allclose(response, [1, 1, 0.5, 0])


def test_the_scale_does_not_depend_on_the_other_edits():
    few, many = once([2.0], way=10.0), once([2.0, 9.0, 25.0], way=10.0)
    assert few.response()[1] == many.response()[1] == pytest.approx(0.8)


def test_an_edit_farther_than_the_way_is_bounded_below():
    np.testing.assert_allclose(once([15.0, 20.0, 500.0], way=10.0).response()[1:], [-0.5, -1, -1])


def test_unknown_stays_unknown():
    assert np.isnan(once([np.nan, 5.0], way=10.0).response()[1])


def test_the_published_scale_rests_on_the_farthest_edit():
    np.testing.assert_allclose(once([5.0, 20.0], way=10.0).response("min-max"), [1, 0.75, 0])


def test_without_an_edit_without_instruction_the_farthest_edit_serves():
    np.testing.assert_allclose(once([5.0, 20.0], way=None).response(), [1, 0.75, 0])


@pytest.mark.parametrize(("rows", "way"), [([1.0, 2.0], 0.0), ([0.0, 0.0], None)])
def test_where_nothing_changed_there_is_no_response(rows, way):
    with pytest.raises(NothingChangedError):
        once(rows, way).response()


# Three full edits, 2 apart from one another; the edits without instruction are 12 from each.
AMONG = 2.0 * (1 - np.eye(3))
REPEATED = Distances(np.array([[0.0] * 3, [7.0] * 3, [2.0] * 3]), np.full((3, 3), 12.0), AMONG)


def test_the_noise_floor_counts_as_no_distance():
    assert REPEATED.floor == pytest.approx(2)
    np.testing.assert_allclose(REPEATED.response(), [1, 0.5, 1])


def test_repeats_are_left_out_one_at_a_time_with_what_belongs_to_them():
    rows = np.array([[0.0, 0.0, 0.0], [6.0, 7.0, 11.0]])
    blanks = np.array([[12.0, 12.0, 15.0], [10.0, 10.0, 13.0]])
    found = Distances(rows, blanks, np.array([[0, 1, 3], [1, 0, 2], [3, 2, 0.0]]))
    full, blank = found.without_each()
    # Without the third full edit: d 6.5, D 11, floor 1. Without the first edit without
    # instruction: d 8, D 11, floor 2.
    assert full.shape == (3, 2)
    assert full[2, 1] == pytest.approx(1 - 5.5 / 10)
    assert blank.shape == (2, 2)
    assert blank[0, 1] == pytest.approx(1 - 6 / 9)


def test_a_seed_is_left_out_with_its_own_edit_without_instruction():
    found = Distances(np.array([[0.0, 0.0], [5.0, 2.0]]), np.array([[10.0, 8.0]]))
    (seeds,) = found.without_each()
    np.testing.assert_allclose(seeds[:, 1], [1 - 2 / 8, 1 - 5 / 10])
    assert found.floor == 0


def test_nothing_is_left_out_of_what_was_made_once():
    assert once([5.0], way=10.0).without_each() == []


def test_a_picture_far_out_of_all_others_is_a_glitch():
    assert glitch(once([3.0, 31.0, 10.0], way=10.0)) == 2
    assert glitch(once([3.0, 29.0, 10.0], way=10.0)) is None  # less than three times as far
    assert glitch(once([3.0, 31.0, 10.0], way=11.0)) is None  # the way counts too
    assert glitch(once([31.0, 32.0, 1.0], way=1.0)) is None  # two of them are no accident
    assert glitch(once([31.0], way=1.0)) is None  # nor is the only one
    assert glitch(once([0.0, 0.0, 0.0], way=0.0)) is None
