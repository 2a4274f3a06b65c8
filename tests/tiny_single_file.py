"""An InstructPix2Pix pipeline of Stable Diffusion XL as one file, the way CosXL is published.

The names are those of the original code: latent diffusion for the U-Net and the codec, OpenAI and
OpenCLIP for the two text encoders. They are given by hand, not by the library under test.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

Tensors = dict[str, torch.Tensor]

_UNET = {
    "conv_in": "input_blocks.0.0",
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "add_embedding.linear_1": "label_emb.0.0",
    "add_embedding.linear_2": "label_emb.0.2",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
    # One layer a block, attention in the second block down and the first block up.
    "down_blocks.0.resnets.0": "input_blocks.1.0",
    "down_blocks.0.downsamplers.0.conv": "input_blocks.2.0.op",
    "down_blocks.1.resnets.0": "input_blocks.3.0",
    "down_blocks.1.attentions.0": "input_blocks.3.1",
    "mid_block.resnets.0": "middle_block.0",
    "mid_block.attentions.0": "middle_block.1",
    "mid_block.resnets.1": "middle_block.2",
    "up_blocks.0.resnets.0": "output_blocks.0.0",
    "up_blocks.0.attentions.0": "output_blocks.0.1",
    "up_blocks.0.resnets.1": "output_blocks.1.0",
    "up_blocks.0.attentions.1": "output_blocks.1.1",
    "up_blocks.0.upsamplers.0.conv": "output_blocks.1.2.conv",
    "up_blocks.1.resnets.0": "output_blocks.2.0",
    "up_blocks.1.resnets.1": "output_blocks.3.0",
}
_UNET_RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
_VAE = {
    "conv_norm_out": "norm_out",
    "mid_block.resnets.0": "mid.block_1",
    "mid_block.resnets.1": "mid.block_2",
    "mid_block.attentions.0": "mid.attn_1",
    "conv_shortcut": "nin_shortcut",
    "group_norm": "norm",
    "to_q": "q",
    "to_k": "k",
    "to_v": "v",
    "to_out.0": "proj_out",
    "downsamplers.0": "downsample",
    "upsamplers.0": "upsample",
}
_OPEN_CLIP = {
    "encoder.layers": "transformer.resblocks",
    "layer_norm1": "ln_1",
    "layer_norm2": "ln_2",
    "mlp.fc1": "mlp.c_fc",
    "mlp.fc2": "mlp.c_proj",
    "self_attn": "attn",
    "final_layer_norm": "ln_final",
    "embeddings.position_embedding.weight": "positional_embedding",
    "embeddings.token_embedding": "token_embedding",
}


def save_single_file(pipe: Any, path: Path) -> Path:
    """Write the weights of a tiny `StableDiffusionXLInstructPix2PixPipeline` as one file."""
    clip = pipe.text_encoder.state_dict().items()
    parts = {
        "model.diffusion_model": unet_tensors(pipe.unet.state_dict()),
        "first_stage_model": vae_tensors(pipe.vae.state_dict()),
        "conditioner.embedders.0.transformer": {
            f"text_model.{name.removeprefix('text_model.')}": value for name, value in clip
        },
        "conditioner.embedders.1.model": open_clip_tensors(pipe.text_encoder_2.state_dict()),
    }
    tensors = {
        f"{part}.{name}": value.contiguous()
        for part, content in parts.items()
        for name, value in content.items()
    }
    save_file(tensors, path)
    return path


def unet_tensors(state: Tensors) -> Tensors:
    """Return the tensors of the U-Net under their names in latent diffusion."""
    named = {}
    for name, value in state.items():
        place = next(place for place in _UNET if name.startswith(f"{place}."))
        rest = name.removeprefix(f"{place}.")
        if ".resnets." in place:
            layer, _, kind = rest.rpartition(".")
            rest = f"{_UNET_RESNET[layer]}.{kind}"
        named[f"{_UNET[place]}.{rest}"] = value
    return named


def vae_tensors(state: Tensors) -> Tensors:
    """Return the tensors of the image codec; its attention is written as 1 x 1 convolutions."""
    named = {}
    for name, value in state.items():
        place = re.sub(r"down_blocks\.(\d+)", r"down.\1", name)
        # The blocks of the decoder are counted from the end.
        place = re.sub(r"up_blocks\.(\d+)", lambda found: f"up.{3 - int(found[1])}", place)
        place = re.sub(r"(?<!mid_block\.)resnets", "block", place)
        as_convolution = "attentions" in name and value.ndim == 2
        named[renamed(place, _VAE)] = value[:, :, None, None] if as_convolution else value
    return named


def open_clip_tensors(state: Tensors) -> Tensors:
    """Return the tensors of the second text encoder, q, k and v of each layer as one."""
    named = {"text_projection": state["text_projection.weight"].T}
    for key, value in state.items():
        name = key.removeprefix("text_model.")
        if ".q_proj." in name:
            three = [state[key.replace("q_proj", f"{letter}_proj")] for letter in "qkv"]
            named[renamed(name.replace("q_proj.", "in_proj_"), _OPEN_CLIP)] = torch.cat(three)
        elif not name.startswith("text_projection") and not re.search("[kv]_proj", name):
            named[renamed(name, _OPEN_CLIP)] = value
    return named


def renamed(name: str, names: dict[str, str]) -> str:
    """Return `name` with every part replaced that `names` lists."""
    for ours, theirs in names.items():
        name = re.sub(rf"(^|\.){re.escape(ours)}(?=\.|$)", rf"\g<1>{theirs}", name)
    return name
