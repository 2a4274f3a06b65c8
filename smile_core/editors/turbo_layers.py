"""The layers that Img2Img-Turbo adds to sd-turbo, named as in its weight files.

References
----------
[1] Parmar, Park, Narasimhan, Zhu. One-Step Image Translation with Text-to-Image Models.
    arXiv 2403.12036.
"""

from __future__ import annotations

from copy import deepcopy
from functools import partial
from typing import Any

import torch
from torch import nn


class BlendedConv(nn.Module):
    """The first convolution of the sketch model: that of sd-turbo and a trained one, blended.

    Attributes
    ----------
    ratio : float
        Share of the trained one, 0 to 1.
    """

    def __init__(self, conv: nn.Module) -> None:
        super().__init__()
        self.conv_in_pretrained = deepcopy(conv)
        self.conv_in_curr = deepcopy(conv)
        self.ratio = 1.0

    def forward(self, latents: torch.Tensor) -> torch.Tensor:
        """Return the blend of both answers to `latents` (n, 4, h, w)."""
        return torch.lerp(self.conv_in_pretrained(latents), self.conv_in_curr(latents), self.ratio)


class SkipConnections:
    """Carries what enters each block of a VAE's encoder to its decoder, in reverse order.

    Parameters
    ----------
    vae : AutoencoderKL
        Gets the convolutions `decoder.skip_conv_1` and on, named as in the weight files.

    Attributes
    ----------
    kept : list of torch.Tensor
        What entered each block when a picture was encoded last, (1, c, h, w). One picture serves
        all rows that are decoded: the sum broadcasts it.
    gamma : float
        What it is multiplied by.
    """

    def __init__(self, vae: Any) -> None:
        widths = list(vae.config.block_out_channels)
        into_encoder = [widths[0], *widths[:-1]]
        into_decoder = [widths[-1], *widths[:0:-1]]
        self.kept: list[torch.Tensor] = [torch.empty(0)] * len(widths)
        self.gamma = 1.0
        self._decoder = vae.decoder
        for index, block in enumerate(vae.encoder.down_blocks):
            block.register_forward_pre_hook(partial(self._keep, index))
        for index, block in enumerate(vae.decoder.up_blocks):
            conv = nn.Conv2d(into_encoder[-1 - index], into_decoder[index], 1, bias=False)
            setattr(vae.decoder, _skip_name(index), conv)
            block.register_forward_pre_hook(partial(self._add, index))

    def _keep(self, index: int, _: nn.Module, inputs: tuple[Any, ...]) -> None:
        self.kept[index] = inputs[0]

    def _add(self, index: int, _: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        # PEFT wraps the convolution after this was registered, so it is looked up by name.
        skip_conv = getattr(self._decoder, _skip_name(index))
        return (inputs[0] + skip_conv(self.kept[-1 - index] * self.gamma), *inputs[1:])


def _skip_name(index: int) -> str:
    return f"skip_conv_{index + 1}"
