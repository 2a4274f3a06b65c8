"""The parts that tiny pipelines are made of: texts, networks and pictures of a few numbers each.

Everything is random; `torch.manual_seed` decides.
"""

from __future__ import annotations

import json
import string
from pathlib import Path
from typing import Any

from diffusers import AutoencoderKL, UNet2DConditionModel
from tokenizers import Regex, Tokenizer, models, pre_tokenizers
from transformers import CLIPTextConfig, CLIPTokenizer, PreTrainedTokenizerFast

MAX_TOKENS = 16
WIDTH = 16  # of texts


def clip_config(width: int = WIDTH) -> CLIPTextConfig:
    """Return the shape of a text encoder that reads `letters_tokenizer`."""
    return CLIPTextConfig(
        vocab_size=128,
        hidden_size=width,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=MAX_TOKENS,
        projection_dim=width,
        bos_token_id=0,
        eos_token_id=1,
    )


def unet(**options: Any) -> UNet2DConditionModel:
    """Return a network that reads texts in one of its two stages."""
    shape: dict[str, Any] = {
        "block_out_channels": (8, 16),
        "layers_per_block": 1,
        "sample_size": 8,
        "out_channels": 4,
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
        "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
        "cross_attention_dim": WIDTH,
        "attention_head_dim": 2,
        "norm_num_groups": 4,
    }
    return UNet2DConditionModel(**{**shape, **options})


def vae(**options: Any) -> AutoencoderKL:
    """Return an image codec that makes pictures eight times smaller."""
    shape: dict[str, Any] = {
        "block_out_channels": (4, 4, 4, 4),
        "down_block_types": ("DownEncoderBlock2D",) * 4,
        "up_block_types": ("UpDecoderBlock2D",) * 4,
        "latent_channels": 4,
        "norm_num_groups": 2,
    }
    return AutoencoderKL(**{**shape, **options})


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


def characters_tokenizer(**special: Any) -> PreTrainedTokenizerFast:
    """Return a tokenizer whose tokens are single characters, with a chat template.

    Parameters
    ----------
    **special
        Names of tokens that are not split, as the tokenizer of transformers takes them.
    """
    tokens = ["<pad>", "<unk>", *string.printable[:95], "\n"]
    extra = [token for value in special.values() for token in _listed(value)]
    vocabulary = {token: index for index, token in enumerate([*tokens, *extra])}
    split = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    split.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=split,
        pad_token="<pad>",
        unk_token="<unk>",
        model_max_length=1024,
        **special,
    )
    tokenizer.chat_template = "{% for message in messages %}{{ message['content'] }}{% endfor %}"
    return tokenizer


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def save(pipe: Any, folder: Path) -> Path:
    """Save a pipeline, and return its folder."""
    pipe.save_pretrained(folder)
    return folder


def write_card(folder: Path, **fields: Any) -> Path:
    """Write `smile_card.json` into a folder."""
    card = {"name": folder.name, "title": folder.name, "family": "diffusers", **fields}
    (folder / "smile_card.json").write_text(json.dumps(card), encoding="utf-8")
    return folder
