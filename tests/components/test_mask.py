"""The panel of the mask, without a browser."""

from __future__ import annotations

import pytest
from PIL import Image

from components import mask
from components.runs import checked_job
from smile_core.config import ConfigError, RunConfig
from smile_core.editors import list_editors
from tests.parsed_html import Page
from tests.sample_explanations import landscape

MASKED = next(card.name for card in list_editors() if card.needs_mask)


def half() -> Image.Image:
    picture = Image.new("L", (160, 160), 0)
    picture.paste(255, (0, 0, 80, 160))
    return picture


def test_a_large_photo_is_painted_on_at_a_smaller_size():
    page = Page(mask.render_drawing(landscape(160).resize((1600, 1200))))
    ((canvas, _),) = page.with_tag("canvas")
    assert (canvas["width"], canvas["height"]) == ("768", "576")
    assert page.with_class("mask-given") == []


def test_an_uploaded_mask_is_painted_already():
    page = Page(mask.render_drawing(landscape(160), half()))
    assert len(page.with_class("mask-given")) == 1


def test_only_an_editor_that_needs_a_mask_gets_one():
    photo = landscape(160)
    plain = RunConfig(instruction="make it snowy")
    assert checked_job(photo, plain, half()).mask is None
    masked = plain.with_(editor=MASKED)
    assert checked_job(photo, masked, half()).mask is not None
    assert checked_job(photo, masked, mask.given(None, whole=True)).mask == "whole"
    with pytest.raises(ConfigError, match="edits only inside a mask"):
        checked_job(photo, masked, mask.given(None, whole=False))


def test_what_was_painted_gives_way_to_the_whole_picture():
    assert mask.given(b"painted", whole=True) == "whole"
    assert mask.given(b"painted", whole=False) == b"painted"
