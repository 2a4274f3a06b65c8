"""The one-step editor: its own classes at tiny size, saved to disk and loaded by path."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import AutoTokenizer, CLIPTextConfig, CLIPTextModel

from smile_core import ConfigError, load_editor
from smile_core.editors.bundled_cards import bundled_folder
from smile_core.editors.one_step import OneStep
from smile_core.editors.one_step_model import (
    THUMB_CHANNELS,
    OneStepPipeline,
    OneStepUNet,
    noise_field,
    thumbnail,
)
from smile_core.editors.protocol import Editor
from smile_core.editors.scene_model import UNET_MAPS

WIDTH = 16


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    tokenizer = AutoTokenizer.from_pretrained(bundled_folder("one-step") / "tokenizer")
    unet = OneStepUNet(
        in_channels=THUMB_CHANNELS,
        out_channels=UNET_MAPS,
        block_out_channels=(16, 32),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=WIDTH,
        attention_head_dim=2,
        norm_num_groups=8,
        conv_in_kernel=1,
        conv_out_kernel=1,
    )
    text = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=WIDTH,
            intermediate_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            max_position_embeddings=tokenizer.model_max_length,
        )
    )
    saved = tmp_path_factory.mktemp("models") / "tiny-one-step"
    OneStepPipeline(unet=unet, text_encoder=text, tokenizer=tokenizer).save_pretrained(saved)
    index = saved / "model_index.json"
    index.write_text(index.read_text().replace('"one_step_model"', f'"{OneStepUNet.__module__}"'))
    return saved


@pytest.fixture(scope="module")
def editor(folder: Path) -> Editor:
    return load_editor(str(folder))


@pytest.fixture(scope="module")
def photo() -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 256, (256, 320, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def test_a_folder_is_loaded_by_path_with_its_own_adapter(editor: Editor, photo: Image.Image):
    assert isinstance(editor, OneStep)
    assert (editor.card.family, editor.card.steps, dict(editor.card.knobs)) == (
        "one-step",
        None,
        {},
    )
    edits = editor.edit(photo, ["make it snowy", "a red evening", "make it snowy"], seed=0)
    assert [edit.size for edit in edits] == [photo.size] * 3
    first, other, again = (np.asarray(edit) for edit in edits)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_seed_changes_nothing(editor: Editor, photo: Image.Image):
    one, other = (editor.edit(photo, ["make it snowy"], seed=seed)[0] for seed in (0, 1))
    assert np.array_equal(one, other)


def test_equal_to_its_network_called_by_hand(editor: Editor, folder: Path, photo: Image.Image):
    pipe = OneStepPipeline.from_pretrained(folder)
    pixels = torch.from_numpy(np.asarray(photo, np.float32) / 127.5 - 1).permute(2, 0, 1)[None]
    tokens = pipe.tokenizer(
        ["a red evening"], padding="max_length", max_length=77, return_tensors="pt"
    ).input_ids
    # The editor runs in bfloat16 where the processor has it; random weights magnify rounding.
    mixed = torch.autocast("cpu", dtype=torch.bfloat16, enabled="mixed" in editor.runs_on)
    with torch.inference_mode(), mixed:
        text = pipe.text_encoder(tokens)[0]
        expected = pipe.unet(pixels, noise_field(256, 320), text)[0]  # (3, H, W)
    expected = ((expected.float().clamp(-1, 1) + 1) * 127.5).permute(1, 2, 0).numpy()
    edit = editor.edit(photo, ["a red evening"], seed=0)[0]
    assert np.abs(np.asarray(edit) - expected).mean() < 0.5
    assert np.abs(np.asarray(photo) - expected).mean() > 50


def test_the_thumbnail_is_the_photo_in_cells_of_sixteen_pixels():
    photo = torch.rand(1, 3, 64, 96)
    cells = thumbnail(photo)
    assert cells.shape == (1, THUMB_CHANNELS, 4, 6)
    corner = photo[0, 0, :4, :4].mean()
    assert cells[0, 0, 0, 0] == pytest.approx(float(corner), abs=1e-6)
    assert thumbnail(torch.rand(1, 3, 8, 40)).shape == (1, THUMB_CHANNELS, 1, 2)


def test_the_field_of_noise_is_always_the_same():
    assert torch.equal(noise_field(16, 24), noise_field(16, 24))
    assert noise_field(16, 24).shape == (1, 3, 16, 24)


def test_settings_it_does_not_have_are_refused(editor: Editor, photo: Image.Image):
    with pytest.raises(ConfigError, match="has no steps"):
        editor.edit(photo, ["make it snowy"], seed=0, steps=4)
    with pytest.raises(ConfigError, match="tokens, and the editor"):
        editor.edit(photo, ["snowy " * 90], seed=0)
