"""CosXL Edit as the one file that it is published as, at tiny size."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import DiffusionPipeline, EDMEulerScheduler, StableDiffusionXLInstructPix2PixPipeline
from PIL import Image
from safetensors.torch import load_file, save_file

from smile_core.config import ConfigError
from smile_core.editors import load_editor
from smile_core.editors.cosxl import FILE, REPOSITORY, SETTINGS
from smile_core.editors.hub_cards import HUB_CARDS
from smile_core.editors.registry import find_card
from tests.loopback_hub import Repository, files_in, run_apart, serving
from tests.pixels import gap
from tests.tiny_parts import write_card
from tests.tiny_single_file import save_single_file
from tests.tiny_stable_diffusion import save_xl_instruct_pix2pix

CARD = {
    "steps": 2,
    "knobs": {"guidance_scale": 5.0, "image_guidance_scale": 1.5},
    "takes_negative_prompt": True,
    "long_side": 64,
    "multiple_of": 16,
}
PROMPTS = ["make it snow", "snow", "fog"]
LOAD = """
import sys
from smile_core.config import ConfigError
from smile_core.editors import load_editor
try:
    print(load_editor(sys.argv[1]).fingerprint)
except ConfigError as error:
    print(error)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a pipeline as a folder, with its weights."""
    return save_xl_instruct_pix2pix(tmp_path_factory.mktemp("cosxl") / "whole")


@pytest.fixture(scope="module")
def pipe(folder: Path) -> StableDiffusionXLInstructPix2PixPipeline:
    return DiffusionPipeline.from_pretrained(folder)


@pytest.fixture(scope="module")
def file(folder: Path, pipe: DiffusionPipeline, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the pipeline as one file; what lies beside it are settings without any weights."""
    single = tmp_path_factory.mktemp("single")
    for name, data in settings_of(folder).items():
        (single / name).parent.mkdir(parents=True, exist_ok=True)
        (single / name).write_bytes(data)
    write_card(single, **CARD)
    return save_single_file(pipe, single / "mine.safetensors")


def settings_of(folder: Path) -> dict[str, bytes]:
    found = files_in(folder)
    return {name: data for name, data in found.items() if name.endswith((".json", ".txt"))}


@pytest.fixture(scope="module")
def photo() -> Image.Image:
    pixels = np.random.default_rng(3).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def test_it_edits_like_the_pipeline_built_by_hand(
    file: Path, pipe: StableDiffusionXLInstructPix2PixPipeline, photo: Image.Image
) -> None:
    editor = load_editor(str(file))
    edits = editor.edit(photo, PROMPTS, seed=7, steps=3)
    assert len({edit.tobytes() for edit in edits}) == len(PROMPTS)
    # As the model's authors and the pipeline's own documentation set it up.
    hand = StableDiffusionXLInstructPix2PixPipeline(
        **pipe.components, is_cosxl_edit=True, add_watermarker=False
    )
    hand.scheduler = EDMEulerScheduler(
        sigma_min=0.002,
        sigma_max=120.0,
        sigma_data=1.0,
        prediction_type="v_prediction",
        sigma_schedule="exponential",
    )
    for prompt, edit in zip(PROMPTS, edits, strict=True):
        (made,) = hand(
            prompt,
            image=photo,
            height=photo.height,
            width=photo.width,
            num_inference_steps=3,
            guidance_scale=editor.card.knobs["guidance_scale"],
            image_guidance_scale=editor.card.knobs["image_guidance_scale"],
            generator=torch.Generator().manual_seed(7),
        ).images
        assert gap(made, edit) <= 1


def test_its_card_is_known_without_loading_it(file: Path, tmp_path: Path) -> None:
    assert find_card(str(file)).long_side == 64  # by the card beside it
    alone = shutil.copy(file, tmp_path / "alone.safetensors")
    card = find_card(str(alone))
    assert card.name == card.title == "alone"
    assert card.long_side == 1024
    assert card.knobs == {"guidance_scale": 5.0, "image_guidance_scale": 1.5}
    (published,) = (card for card in HUB_CARDS if card.name == "cosxl-edit")
    assert (published.source, published.gated) == (REPOSITORY, True)


def test_other_weights_have_another_fingerprint(file: Path, tmp_path: Path) -> None:
    for name, data in settings_of(file.parent).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    tensors = load_file(file)
    tensors["model.diffusion_model.out.2.bias"] += 1
    save_file(tensors, tmp_path / "other.safetensors")
    one, other = (load_editor(str(path)) for path in (file, tmp_path / "other.safetensors"))
    assert one.fingerprint != other.fingerprint


@pytest.mark.parametrize(
    "leave_out", ["conditioner.embedders.1.", "model.diffusion_model.input_blocks.0."]
)
def test_another_kind_of_model_is_refused(leave_out: str, file: Path, tmp_path: Path) -> None:
    tensors = {name: t for name, t in load_file(file).items() if not name.startswith(leave_out)}
    save_file(tensors, tmp_path / "other.safetensors")
    with pytest.raises(ConfigError, match="is not one of CosXL Edit"):
        load_editor(str(tmp_path / "other.safetensors"))


def test_a_text_to_image_model_is_refused(file: Path, tmp_path: Path) -> None:
    name = "model.diffusion_model.input_blocks.0.0.weight"
    tensors = load_file(file)
    save_file(tensors | {name: tensors[name][:, :4].contiguous()}, tmp_path / "base.safetensors")
    with pytest.raises(ConfigError, match="is not one of CosXL Edit"):
        load_editor(str(tmp_path / "base.safetensors"))


def test_a_file_that_is_missing_or_damaged_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "cut.safetensors").write_bytes(b"half of a file")
    for name in ("cut.safetensors", "missing.safetensors"):
        with pytest.raises(ConfigError, match="is not there, or is damaged") as caught:
            load_editor(str(tmp_path / name))
        assert "\n" not in str(caught.value)


def test_it_comes_from_the_hub_with_the_settings_of_its_kind(
    folder: Path, file: Path, tmp_path: Path
) -> None:
    repositories = {
        REPOSITORY: Repository({FILE: file.read_bytes(), "cosxl.safetensors": b"not this"}),
        SETTINGS: Repository(files_in(folder)),
    }
    with serving(repositories) as (address, asked):
        loaded = run_apart(LOAD, REPOSITORY, endpoint=address, home=tmp_path)
    assert loaded.strip() == load_editor(str(file)).fingerprint
    assert [name for name in asked if name.endswith(".safetensors")] == [FILE]
    # And the next time it is found on this machine.
    assert run_apart(LOAD, REPOSITORY, endpoint="http://127.0.0.1:9", home=tmp_path) == loaded


def test_the_hub_says_when_its_licence_was_not_accepted(file: Path, tmp_path: Path) -> None:
    repositories = {REPOSITORY: Repository({FILE: file.read_bytes()}, gated=True)}
    with serving(repositories) as (address, asked):
        refused = run_apart(LOAD, REPOSITORY, endpoint=address, home=tmp_path, HF_TOKEN="hf_x")
    assert "is gated. Accept its licence" in refused
    assert "use a token of that account" in refused
    assert asked == []
