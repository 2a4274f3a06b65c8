"""Masks: what is opened, what is refused, and how a run keeps edits of two masks apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from smile_core import explain, load_explanation, stream
from smile_core.__main__ import main
from smile_core.config import ConfigError, RunConfig
from smile_core.edit_cache import EditCache
from smile_core.editors import EditorCard, register_editor, registry
from smile_core.explanation import Explanation
from smile_core.mask_picture import covered, mask_for, outlined
from tests.toy_editors import INSTRUCTION, ToyEditor, ToyEncoder, photo

PLAIN = EditorCard(name="plain", title="Plain", family="test")
CARD = EditorCard(
    name="toy-mask", title="Toy with a mask", family="test", needs_mask=True, multiple_of=16
)
PHOTO = photo(90, 60)
WORKING = (96, 64)


@dataclass
class MaskedToy(ToyEditor):
    """Paints inside the mask only, and remembers the masks."""

    card: EditorCard = CARD
    name: str = CARD.name
    masks: list[Image.Image] = field(default_factory=list)

    def edit(self, image: Image.Image, prompts: Sequence[str], *, mask=None, **settings):
        self.masks.append(mask)
        painted = super().edit(image, prompts, **settings)
        return [Image.composite(answer, image, mask) for answer in painted]


def half(size: tuple[int, int] = PHOTO.size, left: bool = True) -> Image.Image:
    """Return a mask whose left or right half is white."""
    mask = Image.new("L", size, 0)
    middle = size[0] // 2
    mask.paste(255, (0, 0, middle, size[1]) if left else (middle, 0, *size))
    return mask


def run(mask: object, editor: ToyEditor | None = None, cache: EditCache | None = None):
    config = RunConfig(instruction=INSTRUCTION, perturbations=6)
    snapshots = stream(
        PHOTO, config, mask=mask, editor=editor or MaskedToy(), encoder=ToyEncoder(), cache=cache
    )
    return list(snapshots)[-1].explanation


def saved(mask: Image.Image, kind: str) -> bytes:
    file = BytesIO()
    mask.save(file, kind, **({"quality": 60} if kind == "JPEG" else {}))
    return file.getvalue()


def test_the_whole_picture_is_white_everywhere() -> None:
    mask = mask_for("whole", PHOTO, CARD)
    assert (mask.mode, mask.size, mask.getextrema()) == ("L", WORKING, (255, 255))


def strokes() -> Image.Image:
    layer = Image.new("RGBA", PHOTO.size, (0, 0, 0, 0))
    layer.paste((255, 255, 255, 255), (0, 0, 45, 60))
    return layer


@pytest.mark.parametrize("form", ["path", "text", "png", "jpeg", "bilevel", "rgb", "rgba", "paint"])
def test_every_form_of_a_mask_is_the_same_mask(form: str, tmp_path: Path) -> None:
    path = tmp_path / "mask.png"
    half().save(path)
    given = {
        "path": path,
        "text": str(path),
        "png": saved(half(), "PNG"),
        "jpeg": saved(half(), "JPEG"),
        "bilevel": half().convert("1"),
        "rgb": half().convert("RGB"),
        "rgba": half().convert("RGBA"),
        "paint": strokes(),
    }[form]
    mask = mask_for(given, PHOTO, CARD)
    assert (mask.mode, mask.size) == ("L", WORKING)
    expected = np.zeros((64, 96), dtype=np.uint8)
    expected[:, :48] = 255
    assert np.array_equal(np.asarray(mask), expected)
    assert covered(mask) == 0.5


@pytest.mark.parametrize("size", [(180, 120), (45, 30), (44, 30), WORKING])
def test_a_mask_of_the_same_proportions_fits(size: tuple[int, int]) -> None:
    mask = mask_for(half(size), PHOTO, CARD)
    assert mask.size == WORKING
    assert set(mask.tobytes()) == {0, 255}
    assert covered(mask) == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize(
    ("given", "card", "words"),
    [
        (None, CARD, "draw one, upload one, or choose the whole picture"),
        ("whole", PLAIN, "takes no mask"),
        (half(), PLAIN, "takes no mask"),
        (half((60, 90)), CARD, r"60 × 90 pixels and the photo 90 × 60: their proportions"),
        (half((90, 64)), CARD, "proportions differ"),
        (Image.new("L", PHOTO.size, 0), CARD, "black everywhere"),
        (Image.new("RGBA", PHOTO.size, (255, 255, 255, 0)), CARD, "black everywhere"),
        (Image.new("L", PHOTO.size, 140), CARD, "looks like a photo"),
        (PHOTO, CARD, "looks like a photo"),
        (b"no picture", CARD, "The mask cannot be used. This file is not a picture"),
        (b"", CARD, "0 bytes"),
        ("nowhere/mask.png", CARD, "nowhere/mask.png.*cannot be read"),
    ],
)
def test_what_is_no_mask_for_this_photo_is_refused(
    given: object, card: EditorCard, words: str
) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        mask_for(given, PHOTO, card)
    assert "\n" not in str(caught.value)


def test_without_a_mask_an_editor_that_takes_none_gets_none() -> None:
    assert mask_for(None, PHOTO, PLAIN) is None


def test_a_missing_mask_is_told_before_the_editor_is_loaded() -> None:
    made = []
    register_editor(CARD)(lambda: made.append("editor"))
    try:
        with pytest.raises(ConfigError, match="Toy with a mask edits only inside a mask"):
            explain(PHOTO, INSTRUCTION, editor=CARD.name)
    finally:
        del registry._REGISTRY[CARD.name]
    assert made == []


def test_the_editor_gets_the_mask_and_the_explanation_keeps_it() -> None:
    editor = MaskedToy()
    explanation = run(half(), editor)
    assert isinstance(explanation, Explanation)
    assert {mask.tobytes() for mask in editor.masks} == {explanation.mask.tobytes()}
    assert explanation.mask.size == explanation.source.size == WORKING
    kept, edit = (np.asarray(image) for image in (explanation.source, explanation.reference.image))
    assert np.array_equal(kept[:, 48:], edit[:, 48:])
    assert not np.array_equal(kept[:, :48], edit[:, :48])
    assert run(None, ToyEditor()).mask is None


def test_explain_takes_a_mask_too() -> None:
    settings = {"perturbations": 2, "encoder": "efficientnet-lite0"}
    explanation = explain(PHOTO, "make it snowy", editor=MaskedToy(), mask="whole", **settings)
    assert covered(explanation.mask) == 1


def test_edits_with_another_mask_are_made_anew(tmp_path: Path) -> None:
    cache = EditCache(tmp_path)
    made = []
    for mask in (half(), half(), half(left=False), "whole"):
        editor = MaskedToy()
        run(mask, editor, cache)
        made.append(editor.made)
    assert made == [8, 0, 8, 8]


def test_the_command_line_takes_a_mask(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    PHOTO.save(tmp_path / "photo.png")
    half().save(tmp_path / "mask.png")
    command = ["explain", "--image", str(tmp_path / "photo.png"), "--instruction", "make it snowy"]
    command += ["--editor", CARD.name, "--perturbations", "2", "--out", str(tmp_path / "out")]
    register_editor(CARD)(MaskedToy)
    try:
        assert main(command) == 2
        assert "edits only inside a mask" in capsys.readouterr().err
        assert main([*command, "--mask", str(tmp_path / "mask.png")]) == 0
    finally:
        del registry._REGISTRY[CARD.name]
    assert "covers 50 % of the picture" in capsys.readouterr().out
    assert covered(load_explanation(tmp_path / "out").mask) == 0.5


def test_the_outline_follows_the_edge_of_the_mask() -> None:
    grey = Image.new("RGB", WORKING, (100, 100, 100))
    mask = Image.new("L", WORKING, 0)
    ImageDraw.Draw(mask).rectangle((30, 20, 59, 39), fill=255)
    pixels = np.asarray(outlined(grey, mask))[:, :, 0]
    assert (pixels[30, 29], pixels[30, 30], pixels[30, 45], pixels[5, 5]) == (0, 255, 100, 100)
    assert np.unique(pixels).tolist() == [0, 100, 255]
    assert outlined(grey, Image.new("L", WORKING, 255)).getextrema() == ((100, 100),) * 3
