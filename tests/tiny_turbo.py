"""Img2Img-Turbo at tiny size: the parts of sd-turbo, and weight files in the published layout.

Everything is random. The files are written from the names of the plain layers, by hand and without
peft, as the training code of the published models would have named them.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    EulerDiscreteScheduler,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from torch import nn

from tests.tiny_stable_diffusion import save_plain

UNET_RANK, VAE_RANK = 2, 3
UNET_TARGETS = (
    "to_k to_q to_v to_out.0 conv conv1 conv2 conv_shortcut conv_out proj_in proj_out ff.net.2 "
    "ff.net.0.proj"
).split()
SKIP_CONVS = ["skip_conv_1", "skip_conv_2", "skip_conv_3", "skip_conv_4"]
VAE_TARGETS = "conv1 conv2 conv_in conv_shortcut conv conv_out to_k to_q to_v to_out.0".split()
VAE_TARGETS += SKIP_CONVS
# Channels (in, out) of the skip convolutions of the tiny autoencoder, from the middle outwards.
SKIP_SHAPES = [(16, 16), (8, 16), (4, 16), (4, 8)]

Tensors = dict[str, torch.Tensor]


def save_sd_turbo(folder: Path) -> Path:
    """Save what `stabilityai/sd-turbo` is, and return its folder."""
    return save_plain(
        StableDiffusionPipeline,
        folder,
        EulerDiscreteScheduler(
            beta_start=0.00085,
            beta_end=0.012,
            beta_schedule="scaled_linear",
            steps_offset=1,
            timestep_spacing="trailing",
        ),
        codec={"block_out_channels": (4, 8, 16, 16)},
        in_channels=4,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        use_linear_projection=True,
    )


def save_pix2pix(path: Path, base: Path, *, sketch: bool = False) -> Path:
    """Write a weight file of pix2pix-turbo for the parts in `base`, or of its sketch model."""
    unet, vae = plain_parts(base)
    torch.manual_seed(1)
    state_unet = low_rank(layers_of(unet, UNET_TARGETS), UNET_RANK, ".default")
    conv_in = {f"conv_in.{name}": value for name, value in unet.conv_in.state_dict().items()}
    if sketch:
        for twin in ("pretrained", "curr"):
            state_unet |= {
                name.replace("conv_in.", f"conv_in.conv_in_{twin}."): value
                for name, value in (conv_in if twin == "pretrained" else shaken(conv_in)).items()
            }
    else:
        state_unet |= shaken(conv_in)
    layers = layers_of(vae, VAE_TARGETS) | skip_layers()
    state_vae = low_rank(layers, VAE_RANK, ".vae_skip")
    for name in SKIP_CONVS:
        state_vae[f"decoder.{name}.base_layer.weight"] = layers[f"decoder.{name}"].weight.data
    content = {
        "unet_lora_target_modules": UNET_TARGETS,
        "vae_lora_target_modules": VAE_TARGETS,
        "rank_unet": UNET_RANK,
        "rank_vae": VAE_RANK,
        "state_dict_unet": state_unet,
        "state_dict_vae": state_vae,
    }
    torch.save(content, path)
    return path


def save_cyclegan(path: Path, base: Path) -> Path:
    """Write a weight file of CycleGAN-turbo for the parts in `base`."""
    unet, vae = plain_parts(base)
    torch.manual_seed(2)
    targets = layers_of(unet, [*UNET_TARGETS, "conv_in"])
    groups: dict[str, list[str]] = {"encoder": [], "decoder": [], "others": []}
    for name in targets:
        is_first = "down_blocks" in name or name == "conv_in"
        groups["encoder" if is_first else "decoder" if "up_blocks" in name else "others"] += [name]
    content: dict[str, Any] = {
        "l_target_modules_encoder": groups["encoder"],
        "l_target_modules_decoder": groups["decoder"],
        "l_modules_others": groups["others"],
        "vae_lora_target_modules": VAE_TARGETS,
        "rank_unet": UNET_RANK,
        "rank_vae": VAE_RANK,
    }
    for key, group in (("encoder", "encoder"), ("decoder", "decoder"), ("other", "others")):
        layers = {name: targets[name] for name in groups[group]}
        content[f"sd_{key}"] = low_rank(layers, UNET_RANK, "")
    both: Tensors = {}
    for prefix in ("vae", "vae_b2a"):
        layers = layers_of(vae, VAE_TARGETS) | skip_layers()
        state = shaken(vae.state_dict()) | {
            f"decoder.{name}.weight": layers[f"decoder.{name}"].weight.data for name in SKIP_CONVS
        }
        for name, value in state.items():
            layer, _, kind = name.rpartition(".")
            wrapped = f"{layer}.base_layer.{kind}" if layer in layers else name
            both[f"{prefix}.{wrapped}"] = value
        adapted = low_rank(layers, VAE_RANK, ".vae_skip")
        both |= {f"{prefix}.{name}": value for name, value in adapted.items()}
    torch.save(content | {"sd_vae_enc": both, "sd_vae_dec": both}, path)
    return path


def plain_parts(base: Path) -> tuple[Any, Any]:
    """Return the U-Net and the autoencoder in `base` as they are."""
    unet = UNet2DConditionModel.from_pretrained(base, subfolder="unet")
    vae = AutoencoderKL.from_pretrained(base, subfolder="vae")
    return unet.eval(), vae.eval()


def layers_of(model: nn.Module, targets: Iterable[str]) -> dict[str, nn.Module]:
    """Return the layers by name whose names end in one of `targets`."""
    return {
        name: layer
        for name, layer in model.named_modules()
        if isinstance(layer, nn.Linear | nn.Conv2d)
        and any(name == target or name.endswith(f".{target}") for target in targets)
    }


def skip_layers() -> dict[str, nn.Module]:
    """Return new skip convolutions by name."""
    return {
        f"decoder.{name}": nn.Conv2d(*shape, 1, bias=False)
        for name, shape in zip(SKIP_CONVS, SKIP_SHAPES, strict=True)
    }


def low_rank(layers: dict[str, nn.Module], rank: int, adapter: str) -> Tensors:
    """Return random A and B for every layer; of a convolution A is one and B mixes its channels."""
    tensors: Tensors = {}
    for name, layer in layers.items():
        out_channels, *rest = layer.weight.shape
        narrow = [1] * (len(rest) - 1)
        shapes = {"A": (rank, *rest), "B": (out_channels, rank, *narrow)}
        for letter, shape in shapes.items():
            value = torch.randn(shape) * 0.2
            tensors[f"{name}.lora_{letter}{adapter}.weight"] = value
    return tensors


def shaken(tensors: Tensors) -> Tensors:
    """Return the tensors moved a little, as further training would."""
    return {name: value + 0.05 * torch.randn_like(value) for name, value in tensors.items()}
