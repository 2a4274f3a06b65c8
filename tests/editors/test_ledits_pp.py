"""LEDITS++ against its real pipeline on a plain Stable Diffusion with random weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import DPMSolverMultistepScheduler, LEditsPPPipelineStableDiffusion
from PIL import Image

from smile_core.config import ConfigError
from smile_core.editors import StopRequested, load_editor
from smile_core.editors.ledits_pp import LeditsPP
from smile_core.editors.pretrained import load_pretrained
from smile_core.editors.protocol import EditorCard
from tests import tiny_stable_diffusion
from tests.pixels import gap
from tests.tiny_parts import MAX_TOKENS

PROMPTS = ["snow", "fog at dusk", "", "night"]
CARD = EditorCard(
    name="ledits",
    title="LEDITS++",
    family="ledits++",
    steps=4,
    knobs={"guidance_scale": 5.0},
    long_side=128,
    multiple_of=32,
)


@pytest.fixture(scope="module")
def photo() -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 70, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_stable_diffusion.save_text_to_image(tmp_path_factory.mktemp("editors") / "sd")


@pytest.fixture(scope="module")
def editor(folder: Path) -> LeditsPP:
    loaded = load_pretrained(folder, CARD)
    assert isinstance(loaded, LeditsPP)
    return loaded


@pytest.fixture(scope="module")
def edits(editor: LeditsPP, photo: Image.Image) -> list[Image.Image]:
    return editor.edit(photo, PROMPTS, seed=1)


def test_the_edits_do_not_depend_on_their_order_or_on_what_came_between(
    editor: LeditsPP, edits: list[Image.Image], photo: Image.Image
) -> None:
    assert len({edit.tobytes() for edit in edits}) == len(PROMPTS)
    other = editor.edit(photo, PROMPTS[1:2], seed=2)
    assert gap(other[0], edits[1]) > 0
    assert editor.edit(photo, PROMPTS[::-1], seed=1) == edits[::-1]


def test_equal_to_the_pipeline_called_by_hand(
    folder: Path, edits: list[Image.Image], photo: Image.Image
) -> None:
    pipe = LEditsPPPipelineStableDiffusion.from_pretrained(folder)
    pipe.scheduler = DPMSolverMultistepScheduler.from_config(
        pipe.scheduler.config, algorithm_type="sde-dpmsolver++", solver_order=2
    )
    pipe.invert(
        image=photo.resize((128, 64), Image.Resampling.LANCZOS),
        num_inversion_steps=4,
        generator=torch.Generator().manual_seed(1),
    )
    expected = pipe(editing_prompt="fog at dusk", edit_guidance_scale=5.0).images[0]
    assert gap(edits[1], expected) <= 2


def test_stop_ends_the_edit_between_two_steps(editor: LeditsPP, photo: Image.Image) -> None:
    asked = 0

    def stop() -> bool:
        nonlocal asked
        asked += 1
        return asked >= 2

    with pytest.raises(StopRequested):
        editor.edit(photo, PROMPTS, seed=0, stop=stop)
    assert asked == 2


def test_stop_is_heard_while_the_photo_is_inverted(editor: LeditsPP, photo: Image.Image) -> None:
    asked = iter([False, False, True])
    with pytest.raises(StopRequested):
        editor.edit(photo, PROMPTS[:1], seed=23, stop=lambda: next(asked))
    assert next(asked, None) is None
    assert editor._inverted is None
    (edit,) = editor.edit(photo, PROMPTS[:1], seed=23)
    assert isinstance(edit, Image.Image)


def test_an_instruction_that_is_too_long_is_refused(editor: LeditsPP, photo: Image.Image) -> None:
    with pytest.raises(ConfigError, match=f"only {MAX_TOKENS}"):
        editor.edit(photo, ["a " * MAX_TOKENS], seed=0)


def test_a_size_that_the_inversion_refuses(folder: Path) -> None:
    card = EditorCard(name="odd", title="Odd", family="ledits++", steps=4, multiple_of=16)
    with pytest.raises(ConfigError, match="multiples of 32"):
        load_pretrained(folder, card)


def test_a_saved_pipeline_of_its_own_is_known_by_its_class(folder: Path, tmp_path: Path) -> None:
    LEditsPPPipelineStableDiffusion.from_pretrained(folder).save_pretrained(tmp_path / "own")
    card = load_editor(str(tmp_path / "own")).card
    assert (card.family, card.steps, card.knobs) == ("ledits++", 30, {"guidance_scale": 5.0})
