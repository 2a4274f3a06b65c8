"""Real pipelines of the Stable Diffusion family with random weights, small enough for a test.

Each function saves one the way diffusers does, and returns its folder.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from diffusers import (
    DDIMScheduler,
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
    StableDiffusionImg2ImgPipeline,
    StableDiffusionInpaintPipeline,
    StableDiffusionPipeline,
    StableDiffusionXLInpaintPipeline,
    StableDiffusionXLInstructPix2PixPipeline,
)
from transformers import CLIPTextModel, CLIPTextModelWithProjection

from tests.tiny_parts import WIDTH, clip_config, letters_tokenizer, save, unet, vae

NOTHING: Mapping[str, Any] = MappingProxyType({})
XL_WIDTH = 24  # of the texts of the second encoder
XL_UNET = {
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 4,
    "projection_class_embeddings_input_dim": 6 * 4 + XL_WIDTH,  # six sizes, one pooled text
    "cross_attention_dim": WIDTH + XL_WIDTH,
}


def save_plain(
    kind: type, folder: Path, scheduler: Any, *, codec: Mapping[str, Any] = NOTHING, **network: Any
) -> Path:
    """Save a pipeline with one text encoder and no filter.

    `codec` and `network` are options of its image codec and of its network, see `tiny_parts`.
    """
    torch.manual_seed(0)
    pipe = kind(
        vae=vae(**codec),
        text_encoder=CLIPTextModel(clip_config()),
        tokenizer=letters_tokenizer(folder.parent / f"{folder.name}-vocabulary"),
        unet=unet(**network),
        scheduler=scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    return save(pipe, folder)


def save_xl(kind: type, folder: Path, scheduler: Any, channels: int) -> Path:
    """Save a pipeline of Stable Diffusion XL, whose network takes so many channels."""
    torch.manual_seed(0)
    tokenizer = letters_tokenizer(folder.parent / f"{folder.name}-vocabulary")
    pipe = kind(
        vae=vae(),
        text_encoder=CLIPTextModel(clip_config()),
        text_encoder_2=CLIPTextModelWithProjection(clip_config(XL_WIDTH)),
        tokenizer=tokenizer,
        tokenizer_2=tokenizer,
        unet=unet(in_channels=channels, **XL_UNET),
        scheduler=scheduler,
        add_watermarker=False,
    )
    return save(pipe, folder)


def save_img2img(folder: Path) -> Path:
    """Save what `stabilityai/sd-turbo` is as an editor."""
    scheduler = EulerDiscreteScheduler(timestep_spacing="trailing")
    return save_plain(StableDiffusionImg2ImgPipeline, folder, scheduler, in_channels=4)


def save_inpaint(folder: Path, *, channels: int = 9) -> Path:
    """Save what inpainting with Stable Diffusion is: trained for it, or (4 channels) not."""
    scheduler = EulerAncestralDiscreteScheduler(steps_offset=1)
    return save_plain(StableDiffusionInpaintPipeline, folder, scheduler, in_channels=channels)


def save_xl_inpaint(folder: Path) -> Path:
    """Save what inpainting with Stable Diffusion XL is."""
    scheduler = EulerAncestralDiscreteScheduler(steps_offset=1)
    return save_xl(StableDiffusionXLInpaintPipeline, folder, scheduler, 9)


def save_xl_instruct_pix2pix(folder: Path, *, cosxl: bool = False) -> Path:
    """Save what `diffusers/sdxl-instructpix2pix-768` is, or CosXL Edit."""
    scheduler = DDIMScheduler(steps_offset=1)
    save_xl(StableDiffusionXLInstructPix2PixPipeline, folder, scheduler, 8)
    index = folder / "model_index.json"  # the pipeline reads this setting and does not save it
    settings = json.loads(index.read_text(encoding="utf-8")) | {"is_cosxl_edit": cosxl}
    index.write_text(json.dumps(settings), encoding="utf-8")
    return folder


def save_text_to_image(folder: Path) -> Path:
    """Save a plain Stable Diffusion, deep enough for LEDITS++ to find its masks in."""
    return save_plain(
        StableDiffusionPipeline,
        folder,
        DDIMScheduler(steps_offset=1, clip_sample=False),
        codec={"sample_size": 128},
        in_channels=4,
        block_out_channels=(8, 16, 16),
        down_block_types=("DownBlock2D", "DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D", "UpBlock2D"),
    )
