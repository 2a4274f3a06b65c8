"""The editors that ship with the project, with their real weights."""

from __future__ import annotations

import numpy as np
import pytest
from diffusers import DiffusionPipeline, StableDiffusionInstructPix2PixPipeline
from PIL import Image

import smile_core.editors.scene_model  # noqa: F401 - diffusers wants own classes imported first
from smile_core import load_editor
from smile_core.editors.bundled_cards import BUNDLED_CARDS, bundled_folder
from smile_core.editors.protocol import Editor, EditorCard, fit_to_card
from tests.benchmarks.labelled_edits import PHOTO_FOLDER

MEGABYTE = 1024**2


@pytest.fixture(scope="module", params=[card.name for card in BUNDLED_CARDS])
def editor(request: pytest.FixtureRequest) -> Editor:
    return load_editor(request.param)


@pytest.fixture(scope="module")
def diffusion_editor() -> Editor:
    return load_editor("scene-pix2pix")


@pytest.fixture(scope="module")
def photo(editor: Editor) -> Image.Image:
    return fit_to_card(Image.open(PHOTO_FOLDER / "meadow.jpg").convert("RGB"), editor.card)


@pytest.fixture(scope="module")
def edits(editor: Editor, photo: Image.Image) -> dict[str, np.ndarray]:
    prompts = (
        "make it|make it snowy|turn it to night|black and white|a foggy day|paint it red|"
        "the the of and with|make it very dark|make it slightly dark"
    ).split("|")
    pictures = editor.edit(photo, prompts, seed=0)
    return {prompt: pixels(picture) for prompt, picture in zip(prompts, pictures, strict=True)} | {
        "photo": pixels(photo)
    }


def pixels(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture, np.float32) / 255  # (H, W, 3)


def distance(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a - b).mean())


def colour(picture: np.ndarray) -> float:
    return float((picture.max(-1) - picture.min(-1)).mean())


def sharpness(picture: np.ndarray) -> float:
    return float(np.abs(np.diff(picture.mean(-1), axis=1)).mean())


def test_the_diffusion_editor_is_an_ordinary_pipeline_folder() -> None:
    pipe = DiffusionPipeline.from_pretrained(bundled_folder("scene-pix2pix"))
    assert isinstance(pipe, StableDiffusionInstructPix2PixPipeline)


@pytest.mark.parametrize("card", BUNDLED_CARDS, ids=lambda card: card.name)
def test_their_files_are_of_modest_size(card: EditorCard) -> None:
    files = [path for path in bundled_folder(card.name).rglob("*") if path.is_file()]
    sizes = [path.stat().st_size for path in files]
    assert max(sizes) < 10 * MEGABYTE
    assert sum(sizes) < 40 * MEGABYTE


@pytest.mark.parametrize("card", BUNDLED_CARDS, ids=lambda card: card.name)
def test_their_cards_promise_no_more_than_their_model_cards(card: EditorCard) -> None:
    told = {
        name: " ".join((bundled_folder(name) / "README.md").read_text(encoding="utf-8").split())
        for name in ("scene-pix2pix", "one-step")
    }
    assert card.does == "weather, time of day, season, colour and style of a whole scene"
    assert "whole scenes: weather, time of day, season, colour and style." in told["scene-pix2pix"]
    assert f"It knows no {card.does_not}" in told["scene-pix2pix"]
    assert "The same words as [scene-pix2pix]" in told["one-step"]


def test_every_word_of_the_example_that_means_something_shows(
    editor: Editor, photo: Image.Image
) -> None:
    assert editor.card.example == "make it a snowy night"
    prompts = [editor.card.example, "make it a snowy", "make it a night", "a snowy night"]
    full, *shortened = (pixels(made) for made in editor.edit(photo, prompts, seed=0))
    no_night, no_snow, no_request = (distance(full, made) for made in shortened)
    assert min(no_night, no_snow) > max(0.03, 2 * no_request)


def test_the_edit_keeps_size_and_shape(editor: Editor) -> None:
    wide = Image.open(PHOTO_FOLDER / "meadow.jpg").convert("RGB")
    picture = editor.edit(fit_to_card(wide, editor.card), ["make it snowy"], seed=0)[0]
    assert min(picture.size) >= 256
    assert picture.width / picture.height == pytest.approx(wide.width / wide.height, abs=0.03)


def test_words_without_a_meaning_leave_the_photo(edits: dict[str, np.ndarray]) -> None:
    change = distance(edits["make it snowy"], edits["photo"])
    for prompt in ("make it", "the the of and with"):
        assert distance(edits[prompt], edits["photo"]) < 0.15 * change


def test_words_do_what_they_say(edits: dict[str, np.ndarray]) -> None:
    photo = edits["photo"]
    assert edits["turn it to night"].mean() < 0.7 * photo.mean()
    assert colour(edits["black and white"]) < 0.3 * colour(photo)
    assert edits["a foggy day"].std() < 0.8 * photo.std()
    assert edits["make it snowy"].mean() > 1.1 * photo.mean()
    red = edits["paint it red"]
    assert red[..., 0].mean() > 1.4 * red[..., 1:].mean()


def test_degrees_are_heard(edits: dict[str, np.ndarray]) -> None:
    very, slightly = edits["make it very dark"].mean(), edits["make it slightly dark"].mean()
    assert very < slightly < edits["photo"].mean()


def test_the_photo_stays_sharp_and_recognisable(edits: dict[str, np.ndarray]) -> None:
    photo = edits["photo"]
    for prompt in ("black and white", "paint it red", "turn it to night"):
        shades = [picture.mean(-1).ravel() for picture in (edits[prompt], photo)]
        assert np.corrcoef(*shades)[0, 1] > 0.85, prompt
        contrast = edits[prompt].mean(-1).std() / photo.mean(-1).std()
        assert sharpness(edits[prompt]) > 0.7 * contrast * sharpness(photo), prompt


def test_text_guidance_strengthens_the_edit(diffusion_editor: Editor, photo: Image.Image) -> None:
    moved = [
        distance(
            pixels(
                diffusion_editor.edit(photo, ["make it foggy"], seed=0, guidance_scale=scale)[0]
            ),
            pixels(photo),
        )
        for scale in (1.0, 1.6, 2.5)
    ]
    assert moved[0] < moved[1] < moved[2]


def test_image_guidance_holds_on_to_the_photo(diffusion_editor: Editor, photo: Image.Image) -> None:
    """More image guidance brings out what sets this photo apart: its own light and shade."""

    def likeness(scale: float) -> float:
        edit = diffusion_editor.edit(
            photo, ["make it foggy"], seed=0, guidance_scale=1.6, image_guidance_scale=scale
        )[0]
        return float((pixels(edit) * (pixels(photo) - pixels(photo).mean())).mean())

    assert likeness(1.0) < likeness(1.5)


def test_the_seed_moves_the_flakes_and_nothing_else_does(
    diffusion_editor: Editor, photo: Image.Image
) -> None:
    one, other = (
        pixels(diffusion_editor.edit(photo, ["make it snowy"], seed=s)[0]) for s in (0, 1)
    )
    again = pixels(diffusion_editor.edit(photo, ["make it snowy"], seed=0)[0])
    assert np.array_equal(one, again)
    assert 0 < distance(one, other) < 0.5 * distance(one, pixels(photo))


def test_the_batch_moves_no_pixel_far(editor: Editor, photo: Image.Image) -> None:
    prompts = ["make it snowy", "heavy rain", "a red evening"]
    together = editor.edit(photo, prompts, seed=0)
    alone = [editor.edit(photo, [prompt], seed=0)[0] for prompt in prompts]
    for a, b in zip(together, alone, strict=True):
        assert np.abs(np.int16(a) - np.int16(b)).max() <= 2
