"""What can be seen: a local change counts by its own block, rounding does not."""

import numpy as np
import pytest
from PIL import Image

from smile_core.visible import VISIBLE, visible_change


def picture(levels: np.ndarray) -> Image.Image:
    return Image.fromarray(np.repeat(levels[..., None], 3, axis=2).astype(np.uint8))


GREY = np.full((64, 96), 100)


def test_the_same_picture_has_not_changed():
    assert visible_change(picture(GREY), picture(GREY)) == 0


def test_rounding_everywhere_is_not_seen():
    rounding = np.random.default_rng(0).integers(-1, 2, GREY.shape)
    assert visible_change(picture(GREY), picture(GREY + rounding)) < VISIBLE


@pytest.mark.parametrize("corner", [(0, 0), (48, 80), (20, 37)])
def test_a_small_object_is_seen_wherever_it_is(corner):
    changed = GREY.copy()
    row, column = corner
    changed[row : row + 12, column : column + 12] += 60
    assert np.abs(changed - GREY).mean() < 2  # in the mean of the picture it would be lost
    assert visible_change(picture(GREY), picture(changed)) > VISIBLE


def test_it_is_the_mean_of_the_most_different_block():
    changed = GREY.copy()
    changed[:16, :16] += 10
    changed[16:32, 16:32] -= 30
    assert visible_change(picture(GREY), picture(changed)) == pytest.approx(30)


def test_what_is_left_over_at_the_edge_belongs_to_the_last_block():
    grey = np.full((20, 20), 100)
    changed = grey.copy()
    changed[19, 19] += 155
    assert visible_change(picture(grey), picture(changed)) == pytest.approx(155 / 400)


def test_tiny_and_differently_sized_pictures_compare():
    assert visible_change(picture(np.full((3, 5), 9)), picture(np.full((3, 5), 19))) == 10
    assert visible_change(picture(GREY), picture(np.full((32, 48), 100))) == 0
