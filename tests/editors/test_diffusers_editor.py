"""The adapter of any pipeline, against real pipelines of several families with random weights."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import DiffusionPipeline
from PIL import Image

from smile_core.config import ConfigError
from smile_core.editors import StopRequested, load_editor, registry
from smile_core.editors.diffusers_editor import DiffusersEditor
from smile_core.editors.pretrained import load_pretrained
from smile_core.editors.protocol import EditorCard
from tests import tiny_parts, tiny_stable_diffusion, tiny_transformers
from tests.pixels import gap
from tests.tiny_parts import MAX_TOKENS

PROMPTS = ["snow", "rain at dusk", "a b", "fog", "night"]
SIZE = (128, 64)

FLUX = {"steps": 2, "long_side": 128, "multiple_of": 64}
# How each is saved, its card beside it (None: none), and its pipeline called by hand.
FAMILIES: dict[str, tuple[Callable[[Path], Path], dict[str, Any] | None, dict[str, Any]]] = {
    "img2img": (
        tiny_stable_diffusion.save_img2img,
        {
            "steps": 2,
            "knobs": {"guidance_scale": 0.0, "strength": 0.5},
            "long_side": 128,
            "multiple_of": 64,
        },
        {"num_inference_steps": 2, "guidance_scale": 0.0, "strength": 0.5},
    ),
    "xl-instruct-pix2pix": (
        tiny_stable_diffusion.save_xl_instruct_pix2pix,
        {
            "steps": 2,
            "knobs": {"guidance_scale": 5.0, "image_guidance_scale": 1.5},
            "takes_negative_prompt": True,
            "long_side": 128,
            "multiple_of": 64,
        },
        {
            "num_inference_steps": 2,
            "guidance_scale": 5.0,
            "image_guidance_scale": 1.5,
            "height": 64,
            "width": 128,
        },
    ),
    "flux-kontext": (
        tiny_transformers.save_flux_kontext,
        {**FLUX, "knobs": {"guidance_scale": 2.5}},
        {
            "num_inference_steps": 2,
            "guidance_scale": 2.5,
            "height": 64,
            "width": 128,
            "max_area": 64 * 128,
            "_auto_resize": False,
        },
    ),
    "flux2-klein": (
        tiny_transformers.save_flux2_klein,
        FLUX,
        {"num_inference_steps": 2, "height": 64, "width": 128},
    ),
}


@pytest.fixture(scope="module")
def photo() -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 70, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


@pytest.fixture(scope="module", params=FAMILIES)
def family(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def folder(family: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    save, card, _ = FAMILIES[family]
    saved = save(tmp_path_factory.mktemp("editors") / family)
    return saved if card is None else tiny_parts.write_card(saved, **card)


@pytest.fixture(scope="module")
def editor(folder: Path) -> DiffusersEditor:
    loaded = load_editor(str(folder))
    assert isinstance(loaded, DiffusersEditor)
    return loaded


@pytest.fixture(scope="module")
def edits(editor: DiffusersEditor, photo: Image.Image) -> list[Image.Image]:
    return editor.edit(photo, PROMPTS, seed=7)


def test_every_prompt_has_its_own_edit_of_the_working_size(edits: list[Image.Image]) -> None:
    assert [edit.size for edit in edits] == [SIZE] * len(PROMPTS)
    assert len({edit.tobytes() for edit in edits}) == len(PROMPTS)


def test_the_seed_decides_and_the_batch_does_not(
    editor: DiffusersEditor, edits: list[Image.Image], photo: Image.Image
) -> None:
    assert editor.edit(photo, PROMPTS[3:4], seed=7) == edits[3:4]
    assert gap(editor.edit(photo, PROMPTS[:1], seed=8)[0], edits[0]) > 2


def test_equal_to_the_pipeline_called_by_hand_one_by_one(
    family: str, folder: Path, edits: list[Image.Image], photo: Image.Image
) -> None:
    pipe = DiffusionPipeline.from_pretrained(folder)
    pipe.set_progress_bar_config(disable=True)
    for prompt, edit in list(zip(PROMPTS, edits, strict=True))[1:4:2]:
        expected = pipe(
            prompt=prompt,
            image=photo.resize(SIZE, Image.Resampling.LANCZOS),
            generator=torch.Generator().manual_seed(7),
            **FAMILIES[family][2],
        ).images[0]
        assert gap(edit, expected) <= 2


def test_stop_ends_the_edit_between_two_steps(editor: DiffusersEditor, photo: Image.Image) -> None:
    asked = 0

    def stop() -> bool:
        nonlocal asked
        asked += 1
        return asked >= 2

    with pytest.raises(StopRequested):
        editor.edit(photo, PROMPTS, seed=0, steps=500, stop=stop)
    assert asked == 2


needs_torchvision = pytest.mark.skipif(
    find_spec("torchvision") is None, reason="the pipeline needs torchvision"
)


@needs_torchvision
def test_omnigen_draws_the_same_noise_for_every_edit(tmp_path: Path, photo: Image.Image) -> None:
    knobs = {"guidance_scale": 2.5, "image_guidance_scale": 1.6}
    saved = tiny_transformers.save_omnigen(tmp_path / "omnigen")
    editor = load_editor(str(tiny_parts.write_card(saved, **FLUX, knobs=knobs)))
    edits = editor.edit(photo, PROMPTS[:2], seed=7)
    torch.manual_seed(1)  # it samples its photo from the global generator
    assert editor.edit(photo, PROMPTS[1::-1], seed=7) == edits[::-1]
    pipe = DiffusionPipeline.from_pretrained(saved)
    torch.manual_seed(7)
    expected = pipe(
        prompt=f"<img><|image_1|></img> {PROMPTS[1]}",
        input_images=[photo.resize(SIZE, Image.Resampling.LANCZOS)],
        height=64,
        width=128,
        num_inference_steps=2,
        guidance_scale=2.5,
        img_guidance_scale=1.6,
        generator=torch.Generator().manual_seed(7),
    ).images[0]
    assert gap(edits[1], expected) <= 2
    assert gap(*edits) > 0


@needs_torchvision
@pytest.mark.parametrize(
    "save", [tiny_transformers.save_qwen_image_edit_plus, tiny_transformers.save_qwen_image_21]
)
def test_qwen_image_runs_one_by_one_with_real_guidance(
    save: Callable[[Path], Path], tmp_path: Path, photo: Image.Image
) -> None:
    saved = save(tmp_path / "qwen")
    card = {**FLUX, "steps": 1, "knobs": {"guidance_scale": 4.0}, "takes_negative_prompt": True}
    editor = load_editor(str(tiny_parts.write_card(saved, **card)))
    edits = editor.edit(photo, PROMPTS[:2], seed=7)
    expected = DiffusionPipeline.from_pretrained(saved)(
        image=photo.resize(SIZE, Image.Resampling.LANCZOS),
        prompt=PROMPTS[1],
        negative_prompt=" ",
        true_cfg_scale=4.0,
        num_inference_steps=1,
        generator=torch.Generator().manual_seed(7),
    ).images[0]
    assert gap(edits[1], expected) <= 2
    assert gap(*edits) > 0


@pytest.mark.skipif(find_spec("torchvision") is not None, reason="torchvision is here")
@pytest.mark.parametrize(
    ("build", "ending"),
    [
        ("2.13.0+cpu", '"torchvision<0.29" --index-url https://download.pytorch.org/whl/cpu'),
        ("2.13.0", '"torchvision<0.29"'),
    ],
)
def test_a_missing_package_is_said_before_any_weight_is_read(
    build: str, ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch, "__version__", build)
    (tmp_path / "model_index.json").write_text('{"_class_name": "OmniGenPipeline"}')
    with pytest.raises(ConfigError, match="needs torchvision") as caught:
        load_editor(str(tmp_path))
    assert str(caught.value).endswith(f'pip install "torch<2.14" {ending}')


def test_a_model_that_nobody_described_gets_the_defaults_of_its_signature(
    tmp_path: Path, photo: Image.Image
) -> None:
    card = load_editor(str(tiny_stable_diffusion.save_img2img(tmp_path / "mine"))).card
    assert (card.name, card.family, card.steps) == ("mine", "diffusers", 50)
    assert card.knobs == {"guidance_scale": 7.5, "strength": 0.8}
    assert card.takes_negative_prompt
    assert card.long_side == 64  # its U-Net was made for 8 by 8 latents
    klein = load_editor(str(tiny_transformers.save_flux2_klein(tmp_path / "distilled"))).card
    assert klein.knobs == {}  # a distilled one ignores the guidance
    open_klein = tiny_transformers.save_flux2_klein(tmp_path / "base", distilled=False)
    assert load_editor(str(open_klein)).card.knobs == {"guidance_scale": 4.0}
    registry._load.cache_clear()


def test_cosxl_is_told_apart_by_its_own_setting(tmp_path: Path, photo: Image.Image) -> None:
    knobs = {"guidance_scale": 1.5, "image_guidance_scale": 50.0}  # so that the photo is heard
    card = EditorCard(name="xl", title="XL", family="diffusers", steps=2, knobs=knobs, long_side=64)
    made = []
    for cosxl in (False, True):
        saved = tiny_stable_diffusion.save_xl_instruct_pix2pix(
            tmp_path / f"cosxl-{cosxl}", cosxl=cosxl
        )
        made += load_pretrained(saved, card).edit(photo, ["snow"], seed=0)
    assert gap(*made) > 0


@pytest.fixture(scope="module")
def img2img(tmp_path_factory: pytest.TempPathFactory) -> DiffusersEditor:
    saved = tiny_stable_diffusion.save_img2img(tmp_path_factory.mktemp("editors") / "plain")
    return load_pretrained(saved)


@pytest.mark.parametrize(
    ("knobs", "words"),
    [
        ({"strength": 0.3, "steps": 3}, "no step is run"),
        ({"guidance_scale": 1.0, "negative_prompt": "blurry"}, "ignores the negative prompt"),
        ({"image_guidance_scale": 1.5}, "has no image_guidance_scale"),
    ],
)
def test_settings_that_would_be_ignored_are_refused(
    knobs: dict[str, Any], words: str, img2img: DiffusersEditor, photo: Image.Image
) -> None:
    with pytest.raises(ConfigError, match=words):
        img2img.edit(photo, ["snow"], seed=0, **knobs)


def test_instruct_pix2pix_xl_refuses_scales_that_turn_guidance_off(
    tmp_path: Path, photo: Image.Image
) -> None:
    editor = load_pretrained(tiny_stable_diffusion.save_xl_instruct_pix2pix(tmp_path / "xl"))
    with pytest.raises(ConfigError, match="1 and above"):
        editor.edit(photo, ["snow"], seed=0, image_guidance_scale=0.5)


def test_the_negative_prompt_moves_the_edit(img2img: DiffusersEditor, photo: Image.Image) -> None:
    settings = {"steps": 2, "strength": 1.0, "guidance_scale": 5.0}
    (plain,) = img2img.edit(photo, ["snow"], seed=0, **settings)
    (other,) = img2img.edit(photo, ["snow"], seed=0, negative_prompt="fog", **settings)
    assert gap(plain, other) > 0


def test_an_instruction_that_is_too_long_is_refused(
    img2img: DiffusersEditor, photo: Image.Image
) -> None:
    with pytest.raises(ConfigError, match=f"only {MAX_TOKENS}"):
        img2img.edit(photo, ["a " * MAX_TOKENS], seed=0)


def test_a_card_that_lists_what_the_pipeline_has_not(tmp_path: Path) -> None:
    saved = tiny_stable_diffusion.save_img2img(tmp_path / "mine")
    tiny_parts.write_card(saved, knobs={"image_guidance_scale": 1.0})
    with pytest.raises(ConfigError, match="lists image_guidance_scale"):
        load_editor(str(saved))


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("StableDiffusionPipeline", "does not edit"),
        ("AudioLDM2Pipeline", "does not edit"),
        ("FluxFillPipeline", "needs a mask"),
        ("FluxControlImg2ImgPipeline", "control picture"),
        ("StableDiffusionControlNetPipeline", "control picture"),
        ("WanImageToVideoPipeline", "makes videos"),
        ("TomorrowsEditPipeline", "a newer diffusers"),
        (["pipeline", "MyPipeline"], "code of its own"),
        (None, "code of its own"),
    ],
)
def test_what_cannot_be_used_is_refused_before_any_weight_is_read(
    kind: object, words: str, tmp_path: Path
) -> None:
    index = {"_class_name": kind, "unet": ["diffusers", "UNet2DConditionModel"]}
    (tmp_path / "model_index.json").write_text(json.dumps(index))
    with pytest.raises(ConfigError, match=words) as caught:
        load_editor(str(tmp_path))
    assert "\n" not in str(caught.value)
