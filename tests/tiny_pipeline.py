"""A real InstructPix2Pix pipeline with random weights, small enough to run in a test."""

from __future__ import annotations

import json
import string
from pathlib import Path

import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    EulerAncestralDiscreteScheduler,
    StableDiffusionInstructPix2PixPipeline,
    UNet2DConditionModel,
)
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

MAX_TOKENS = 16


def save_tiny_pipeline(folder: Path, *, latent_channels: int = 4, ancestral: bool = False) -> Path:
    """Save the pipeline the way diffusers does, and return its folder."""
    torch.manual_seed(0)
    text_width = 16
    unet = UNet2DConditionModel(
        block_out_channels=(8, 16),
        layers_per_block=1,
        sample_size=8,
        in_channels=2 * latent_channels,
        out_channels=latent_channels,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=text_width,
        attention_head_dim=2,
        norm_num_groups=4,
    )
    vae = AutoencoderKL(
        block_out_channels=(4, 4, 4, 4),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=latent_channels,
        norm_num_groups=2,
    )
    text = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=128,
            hidden_size=text_width,
            intermediate_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            max_position_embeddings=MAX_TOKENS,
            bos_token_id=0,
            eos_token_id=1,
        )
    )
    scheduler = EulerAncestralDiscreteScheduler() if ancestral else DDIMScheduler()
    pipe = StableDiffusionInstructPix2PixPipeline(
        vae=vae,
        text_encoder=text,
        tokenizer=letters_tokenizer(folder.parent / f"{folder.name}-vocabulary"),
        unet=unet,
        scheduler=scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipe.save_pretrained(folder)
    card = {
        "name": folder.name,
        "title": "Tiny",
        "family": "instruct-pix2pix",
        "steps": 3,
        "knobs": {"guidance_scale": 3.0, "image_guidance_scale": 1.5},
        "long_side": 64,
        "multiple_of": 16,
    }
    (folder / "smile_card.json").write_text(json.dumps(card), encoding="utf-8")
    return folder


def letters_tokenizer(folder: Path) -> CLIPTokenizer:
    """Build a tokenizer whose tokens are single letters."""
    folder.mkdir(parents=True)
    letters = string.ascii_lowercase + string.digits + string.punctuation
    tokens = ["<|startoftext|>", "<|endoftext|>"]
    tokens += [letter + end for letter in letters for end in ("</w>", "")][:120]
    vocabulary = {token: index for index, token in enumerate(tokens)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\n", encoding="utf-8")
    return CLIPTokenizer.from_pretrained(folder, model_max_length=MAX_TOKENS)
