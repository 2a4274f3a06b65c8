"""A real InstructPix2Pix pipeline with random weights, small enough to run in a test."""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import (
    DDIMScheduler,
    EulerAncestralDiscreteScheduler,
    StableDiffusionInstructPix2PixPipeline,
)
from transformers import CLIPTextModel

from tests.tiny_parts import clip_config, letters_tokenizer, save, unet, vae, write_card


def save_tiny_pipeline(folder: Path, *, latent_channels: int = 4, ancestral: bool = False) -> Path:
    """Save the pipeline the way diffusers does, and return its folder."""
    torch.manual_seed(0)
    scheduler = EulerAncestralDiscreteScheduler() if ancestral else DDIMScheduler()
    pipe = StableDiffusionInstructPix2PixPipeline(
        unet=unet(in_channels=2 * latent_channels, out_channels=latent_channels),
        vae=vae(latent_channels=latent_channels),
        text_encoder=CLIPTextModel(clip_config()),
        tokenizer=letters_tokenizer(folder.parent / f"{folder.name}-vocabulary"),
        scheduler=scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    save(pipe, folder)
    return write_card(
        folder,
        title="Tiny",
        family="instruct-pix2pix",
        steps=3,
        knobs={"guidance_scale": 3.0, "image_guidance_scale": 1.5},
        long_side=64,
        multiple_of=16,
    )
