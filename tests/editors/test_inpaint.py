"""Inpainting against real pipelines with random weights, called by hand one by one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import DiffusionPipeline
from PIL import Image

from smile_core.config import ConfigError, RunConfig
from smile_core.editors import StopRequested, list_editors, load_editor
from smile_core.editors.inpaint import Inpaint
from smile_core.engine import stream
from tests import tiny_parts, tiny_stable_diffusion
from tests.pixels import gap
from tests.toy_editors import ToyEncoder

PROMPTS = ["snow", "rain at dusk", "a b", "fog", "night"]
SIZE = (96, 64)
CARD = {
    "steps": 4,
    "knobs": {"guidance_scale": 3.0, "strength": 1.0},
    "takes_negative_prompt": True,
    "long_side": 96,
    "multiple_of": 32,
}
FAMILIES: dict[str, Callable[[Path], Path]] = {
    "inpaint": tiny_stable_diffusion.save_inpaint,
    "plain-model": lambda folder: tiny_stable_diffusion.save_inpaint(folder, channels=4),
    "xl-inpaint": tiny_stable_diffusion.save_xl_inpaint,
}


@pytest.fixture(scope="module")
def photo() -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 256, (SIZE[1], SIZE[0], 3), dtype=np.uint8)
    return Image.fromarray(pixels)


@pytest.fixture(scope="module")
def mask() -> Image.Image:
    white_left = Image.new("L", SIZE, 0)
    white_left.paste(255, (0, 0, 48, 64))
    return white_left


@pytest.fixture(scope="module", params=FAMILIES)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    saved = FAMILIES[request.param](tmp_path_factory.mktemp("editors") / request.param)
    return tiny_parts.write_card(saved, **CARD)


@pytest.fixture(scope="module")
def editor(folder: Path) -> Inpaint:
    loaded = load_editor(str(folder))
    assert isinstance(loaded, Inpaint)
    return loaded


@pytest.mark.parametrize("strength", [1.0, 0.6])
def test_equal_to_the_pipeline_called_by_hand_one_by_one(
    strength: float, editor: Inpaint, folder: Path, photo: Image.Image, mask: Image.Image
) -> None:
    settings = {"strength": strength, "negative_prompt": "blur"}
    edits = editor.edit(photo, PROMPTS, seed=7, mask=mask, **settings)
    assert [edit.size for edit in edits] == [SIZE] * len(PROMPTS)
    assert len({edit.tobytes() for edit in edits}) == len(PROMPTS)
    pipe = DiffusionPipeline.from_pretrained(folder)
    pipe.set_progress_bar_config(disable=True)
    for prompt, edit in list(zip(PROMPTS, edits, strict=True))[:2]:
        expected = pipe(
            prompt=prompt,
            image=photo,
            mask_image=mask,
            height=SIZE[1],
            width=SIZE[0],
            num_inference_steps=4,
            guidance_scale=3.0,
            generator=torch.Generator().manual_seed(7),
            **settings,
        ).images[0]
        # Outside of the mask too: the pipeline's own picture, with nothing pasted back.
        assert gap(edit, expected) <= 2


def test_the_seed_and_the_mask_decide_and_the_batch_does_not(
    editor: Inpaint, photo: Image.Image, mask: Image.Image
) -> None:
    edits = editor.edit(photo, PROMPTS, seed=7, mask=mask)
    assert editor.edit(photo, PROMPTS[3:4], seed=7, mask=mask) == edits[3:4]
    assert gap(editor.edit(photo, PROMPTS[:1], seed=8, mask=mask)[0], edits[0]) > 2
    whole = Image.new("L", SIZE, 255)
    assert gap(editor.edit(photo, PROMPTS[:1], seed=7, mask=whole)[0], edits[0]) > 2


def test_each_picture_is_encoded_once(
    tmp_path: Path, photo: Image.Image, mask: Image.Image
) -> None:
    saved = tiny_parts.write_card(tiny_stable_diffusion.save_inpaint(tmp_path / "counted"), **CARD)
    editor = load_editor(str(saved))
    seen: list[torch.Tensor] = []
    editor._pipe.vae.encoder.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    for seed in (0, 1):
        editor.edit(photo, PROMPTS, seed=seed, mask=mask, strength=0.5)
    assert len(seen) == 2  # the photo, and what the mask leaves of it
    editor.edit(photo, PROMPTS, seed=0, mask=Image.new("L", SIZE, 255), strength=0.5)
    assert len(seen) == 3


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Inpaint:
    return load_editor(
        str(tiny_stable_diffusion.save_inpaint(tmp_path_factory.mktemp("editors") / "mine"))
    )


def test_a_model_that_nobody_described_says_that_it_needs_a_mask(plain: Inpaint) -> None:
    card = plain.card
    assert card.needs_mask
    assert card.takes_negative_prompt
    assert (card.steps, card.long_side) == (50, 64)
    assert card.knobs == {"guidance_scale": 7.5, "strength": 1.0}


def test_no_mask_no_edit(plain: Inpaint, photo: Image.Image) -> None:
    with pytest.raises(ConfigError, match="mine edits only inside a mask: draw one"):
        plain.edit(photo, PROMPTS, seed=0)
    with pytest.raises(ConfigError, match="edits only inside a mask"):
        stream(photo, RunConfig(instruction="make it snowy"), editor=plain, encoder=ToyEncoder())


def test_stop_ends_the_edit_between_two_steps(
    plain: Inpaint, photo: Image.Image, mask: Image.Image
) -> None:
    answers = iter([False, True])
    with pytest.raises(StopRequested):
        plain.edit(photo, PROMPTS, seed=0, mask=mask, steps=500, stop=lambda: next(answers))


def test_settings_that_would_be_ignored_are_refused(
    plain: Inpaint, photo: Image.Image, mask: Image.Image
) -> None:
    settings: dict[str, Any] = {"steps": 3, "strength": 0.3}
    with pytest.raises(ConfigError, match="no step is run"):
        plain.edit(photo, PROMPTS, seed=0, mask=mask, **settings)


def test_a_run_explains_what_was_painted_inside_the_mask(
    plain: Inpaint, photo: Image.Image, mask: Image.Image
) -> None:
    config = RunConfig(instruction="a cat", perturbations=2, steps=2)
    *_, last = stream(photo, config, mask=mask, editor=plain, encoder=ToyEncoder(), cache=None)
    assert last.state == "finished"
    assert last.explanation.mask.size == last.explanation.source.size == (64, 64)


def test_two_are_offered_by_name() -> None:
    cards = [card for card in list_editors() if card.needs_mask]
    assert [card.source for card in cards] == [
        "stable-diffusion-v1-5/stable-diffusion-inpainting",
        "sd2-community/stable-diffusion-2-inpainting",
    ]
    assert all(card.steps == 50 and card.takes_negative_prompt for card in cards)
    assert all(card.knobs == {"strength": 1.0, "guidance_scale": 7.5} for card in cards)
