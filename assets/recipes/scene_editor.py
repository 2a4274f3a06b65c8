"""The bundled editor as it is trained: its parts, freshly initialised, and its loss.

References
----------
[1] Lin et al., Common diffusion noise schedules and sample steps are flawed, 2024.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from diffusers import DDIMScheduler
from transformers import PreTrainedTokenizerFast

from smile_core.editors.scene_model import PATCH, UNET_MAPS, SceneUNet


def build_unet() -> SceneUNet:
    """Return the U-Net, about eleven million weights, freshly initialised."""
    unet = SceneUNet(
        in_channels=2 * 3 * PATCH * PATCH,
        out_channels=UNET_MAPS,
        block_out_channels=(64, 128, 192),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        mid_block_type="UNetMidBlock2DCrossAttn",
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=64,
        attention_head_dim=4,
        norm_num_groups=16,
        conv_in_kernel=1,
        conv_out_kernel=1,
        addition_embed_type="text",
        addition_embed_type_num_heads=4,
    )
    for layer in (unet.conv_out, unet.words):  # begin with "the edit is the photo"
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


class Editor(torch.nn.Module):
    """Text encoder and U-Net trained as one."""

    def __init__(self, text_encoder: torch.nn.Module, unet: SceneUNet) -> None:
        super().__init__()
        self.text_encoder, self.unet = text_encoder, unet

    def forward(
        self, noisy: torch.Tensor, photo: torch.Tensor, t: torch.Tensor, tokens: torch.Tensor
    ) -> torch.Tensor:
        """Predict the edit (B, 3, H, W) from pictures of that shape and tokens (B, 77)."""
        text = self.text_encoder(tokens)[0]
        latents = F.pixel_unshuffle(torch.cat([noisy, photo], dim=1), PATCH)
        return F.pixel_shuffle(self.unet(latents, t, text, return_dict=False)[0], PATCH)


def tokenize(tokenizer: PreTrainedTokenizerFast, texts: list[str]) -> torch.Tensor:
    """Return token numbers (B, 77)."""
    return tokenizer(
        texts,
        padding="max_length",
        max_length=tokenizer.model_max_length,
        truncation=True,
        return_tensors="pt",
    ).input_ids


def loss_of(predicted: torch.Tensor, edit: torch.Tensor) -> torch.Tensor:
    """Return L1 and L2 on pixels plus L1 on their differences to the neighbours, per sample (B,).

    L1 alone would rather leave out a flake than draw it a pixel off.
    """
    error = predicted.float() - edit
    across = error[..., :, 1:] - error[..., :, :-1]
    down = error[..., 1:, :] - error[..., :-1, :]
    means = [part.abs().mean(dim=(1, 2, 3)) for part in (error, across, down)]
    return means[0] + 0.5 * (means[1] + means[2]) + 2 * error.square().mean(dim=(1, 2, 3))
