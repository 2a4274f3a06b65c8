"""The bundled editors before training: their parts, freshly initialised, and their loss.

References
----------
[1] Lin et al., Common diffusion noise schedules and sample steps are flawed, 2024.
"""

from __future__ import annotations

from typing import TypeVar

import torch
from diffusers import DDIMScheduler

from smile_core.editors.one_step_model import THUMB_CHANNELS, OneStepUNet
from smile_core.editors.scene_model import PATCH, UNET_MAPS, SceneUNet

Net = TypeVar("Net", bound=SceneUNet)

SHAPE = {
    "out_channels": UNET_MAPS,
    "layers_per_block": 1,
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "mid_block_type": "UNetMidBlock2DCrossAttn",
    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    "cross_attention_dim": 64,
    "attention_head_dim": 4,
    "norm_num_groups": 16,
    "conv_in_kernel": 1,
    "conv_out_kernel": 1,
    "addition_embed_type": "text",
    "addition_embed_type_num_heads": 4,
}


def build_unet() -> SceneUNet:
    """Return the U-Net of the diffusion editor, about eleven million weights."""
    unet = SceneUNet(in_channels=2 * 3 * PATCH * PATCH, block_out_channels=(64, 128, 192), **SHAPE)
    return begin_with_nothing(unet)


def build_one_step_unet() -> OneStepUNet:
    """Return the U-Net of the editor that takes one step, about five million weights."""
    unet = OneStepUNet(in_channels=THUMB_CHANNELS, block_out_channels=(64, 96, 128), **SHAPE)
    return begin_with_nothing(unet)


def begin_with_nothing(unet: Net) -> Net:
    """Return the freshly initialised U-Net set to "the edit is the photo"."""
    for layer in (unet.conv_out, unet.text_to_maps):
        torch.nn.init.zeros_(layer.weight)
        torch.nn.init.zeros_(layer.bias)
    return unet


def build_scheduler() -> DDIMScheduler:
    """Return the scheduler of training and use: predicts the picture, ends in pure noise."""
    return DDIMScheduler(
        num_train_timesteps=1000,
        beta_schedule="scaled_linear",
        beta_start=0.00085,
        beta_end=0.012,
        prediction_type="sample",
        rescale_betas_zero_snr=True,
        timestep_spacing="trailing",
        clip_sample=True,
        set_alpha_to_one=True,
    )


def loss_of(predicted: torch.Tensor, edit: torch.Tensor) -> torch.Tensor:
    """Return L1 and L2 on pixels plus L1 on their differences to the neighbours, per sample (B,).

    L1 alone would rather leave out a flake than draw it a pixel off.
    """
    error = predicted.float() - edit
    across = error[..., :, 1:] - error[..., :, :-1]
    down = error[..., 1:, :] - error[..., :-1, :]
    means = [part.abs().mean(dim=(1, 2, 3)) for part in (error, across, down)]
    return means[0] + 0.5 * (means[1] + means[2]) + 2 * error.square().mean(dim=(1, 2, 3))
