"""The two parts of the bundled editor that diffusers does not have: its codec and its U-Net.

Both are ordinary diffusers models (`from_pretrained`, `save_pretrained`, config and safetensors),
so `StableDiffusionInstructPix2PixPipeline` loads and drives them like any other checkpoint.

`PixelCodec` stands where a Stable Diffusion pipeline has its autoencoder, but loses nothing: an
8x8 patch of pixels becomes one latent position (pixel unshuffle [1]).

`SceneUNet` predicts the clean edit, not the noise, and starts from the photo: the inner U-Net sees
latents and text on the coarse grid and sends out, for every grid cell, a 3x3 colour transform, an
offset and the gains of a small convolutional branch that works on half-resolution pixels, in the
manner of bilateral guided upsampling [2]; a straight path from the text adds to these maps. Colour
and light thus keep the photo's sharpness, and a network of a few million weights is enough.

References
----------
[1] Shi et al., Real-time single image and video super-resolution using an efficient sub-pixel
    convolutional neural network, 2016.
[2] Gharbi et al., Deep bilateral learning for real-time image enhancement, 2017.
[3] Brooks et al., InstructPix2Pix, 2023: the pipeline and its two guidance scales.
"""

from __future__ import annotations

from functools import wraps

import torch
import torch.nn.functional as F
from diffusers import ModelMixin, UNet2DConditionModel
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.autoencoders.vae import DecoderOutput
from diffusers.models.modeling_outputs import AutoencoderKLOutput
from diffusers.models.unets.unet_2d_condition import UNet2DConditionOutput
from torch import Tensor, nn

PATCH = 8  # pixels along one side of a latent position
HALF = 2  # the detail branch works on pixels in 2x2 blocks
LATENT_CHANNELS = 3 * PATCH * PATCH
DETAIL_CHANNELS = 32  # width of the half-resolution branch
DETAIL_LAYERS = 3
PEAK = 1.7  # standard deviations
PLACES = 4  # channels that say where on the picture a cell lies
COLOUR_MAPS = 12  # a 3x3 colour transform and an offset
UNET_MAPS = COLOUR_MAPS + 2 * DETAIL_LAYERS * DETAIL_CHANNELS


def _widen(maps: Tensor, height: int, width: int) -> Tensor:
    """Enlarge maps (B, C, h, w) to (B, C, height, width) bilinearly.

    Two matrix products; on a CPU several times faster, there and back, than `interpolate`.
    """
    for length in (width, height):
        unit = torch.eye(maps.shape[-1], device=maps.device)[None]
        weights = F.interpolate(unit, size=length, mode="linear")[0].to(maps.dtype)  # (w, width)
        maps = (maps @ weights).transpose(-1, -2)
    return maps


class _Patches:
    """The latents of a picture, in the shape that a pipeline asks an autoencoder for."""

    def __init__(self, latents: Tensor) -> None:
        self.latents = latents

    def mode(self) -> Tensor:
        return self.latents

    def sample(self, generator: torch.Generator | None = None) -> Tensor:
        return self.latents


class PixelCodec(ModelMixin, ConfigMixin):
    """A lossless picture codec: pixel unshuffle by 8, without weights.

    `encode` takes pictures (B, 3, H, W) in [-1, 1] with H and W divisible by 8 to latents
    (B, 192, H/8, W/8); `decode` undoes it exactly.
    """

    @register_to_config
    def __init__(
        self,
        latent_channels: int = LATENT_CHANNELS,
        scaling_factor: float = 1.0,
        block_out_channels: tuple[int, ...] = (1, 1, 1, 1),  # pipelines read the factor 2**3 here
    ) -> None:
        super().__init__()
        # A pipeline asks its parts for device and dtype, which a model reads off its weights.
        self.register_buffer("anchor", torch.zeros(1))

    def encode(self, x: Tensor) -> AutoencoderKLOutput:
        """Return an object whose `latent_dist.mode()` is the latents (B, 192, H/8, W/8)."""
        return AutoencoderKLOutput(latent_dist=_Patches(F.pixel_unshuffle(x, PATCH)))

    def decode(
        self, z: Tensor, return_dict: bool = True, generator: torch.Generator | None = None
    ) -> DecoderOutput | tuple[Tensor]:
        """Return the picture (B, 3, H, W) of latents `z` (B, 192, H/8, W/8)."""
        sample = F.pixel_shuffle(z, PATCH)
        return DecoderOutput(sample=sample) if return_dict else (sample,)


class _PlacedConv(nn.Conv2d):
    """A convolution that also sees where on the picture it stands.

    Sky and ground, horizon and rainbow are matters of place, which a U-Net of convolutions knows
    only from its padding.
    """

    def forward(self, x: Tensor) -> Tensor:
        b, _, h, w = x.shape
        down = torch.linspace(-1, 1, h, device=x.device, dtype=x.dtype).view(1, 1, h, 1)
        across = torch.linspace(-1, 1, w, device=x.device, dtype=x.dtype).view(1, 1, 1, w) * w / h
        places = [part.expand(b, 1, h, w) for part in (down, across, down**2, across**2)]
        return super().forward(torch.cat([x, *places], dim=1))


class SceneUNet(UNet2DConditionModel):
    """A U-Net that answers with the edited picture, built upon the photo it was given.

    The arguments are those of `UNet2DConditionModel`, with `in_channels` = 384 (noisy latents and
    photo latents) and `out_channels` = `UNET_MAPS`. `forward` returns latents (B, 192, h, w): a
    prediction of the clean edit, for a scheduler with `prediction_type="sample"`.
    """

    # diffusers reads the signature to know what belongs to the config.
    @wraps(UNet2DConditionModel.__init__)  # type: ignore[misc]
    def __init__(self, **config: object) -> None:
        super().__init__(**config)
        conv_in: nn.Conv2d = self.conv_in  # type: ignore[has-type]
        self.conv_in = _PlacedConv(conv_in.in_channels + PLACES, conv_in.out_channels, 1)
        # (noisy, photo, peaks) x 3 colours x 2x2 pixels enter, 3 colours x 2x2 pixels leave
        width = DETAIL_CHANNELS
        self.detail = nn.ModuleList(
            [
                nn.Conv2d(36, width, 1),
                nn.Conv2d(width, width, 3, padding=1),
                nn.Conv2d(width, width, 3, padding=2, dilation=2),
            ]
        )
        self.detail_out = nn.Conv2d(DETAIL_CHANNELS, 12, 3, padding=1)
        # Rain falls everywhere: what a text asks of the whole picture goes straight to the maps.
        width_of_text: int = self.config.cross_attention_dim  # type: ignore[attr-defined]
        self.text_to_maps = nn.Linear(width_of_text, UNET_MAPS)

    def forward(
        self,
        sample: Tensor,
        timestep: Tensor | float | int,
        encoder_hidden_states: Tensor,
        return_dict: bool = True,
        **kwargs: object,
    ) -> UNet2DConditionOutput | tuple[Tensor]:
        """Predict the clean edit.

        Parameters
        ----------
        sample : Tensor
            (B, 384, h, w), noisy latents then photo latents.
        timestep, encoder_hidden_states, kwargs
            As in `UNet2DConditionModel`.

        Returns
        -------
        UNet2DConditionOutput or tuple
            The edit's latents (B, 192, h, w), a tuple of one when `return_dict` is False.
        """
        maps = UNet2DConditionModel.forward(
            self, sample, timestep, encoder_hidden_states, return_dict=False, **kwargs
        )[0]  # (B, UNET_MAPS, h, w)
        # The last position of a causal encoder has read the whole text.
        maps = maps + self.text_to_maps(encoder_hidden_states[:, -1])[:, :, None, None]
        latents = self.draw(sample, maps)
        return UNet2DConditionOutput(sample=latents) if return_dict else (latents,)

    def draw(self, sample: Tensor, maps: Tensor) -> Tensor:
        """Recolour the photo and draw details on it, as the maps say.

        Parameters
        ----------
        sample : Tensor
            (B, 384, h, w), noisy latents then photo latents.
        maps : Tensor
            (B, `UNET_MAPS`, h, w): what the inner U-Net answers for every cell.

        Returns
        -------
        Tensor
            The edit's latents (B, 192, h, w).
        """
        pixels = F.pixel_unshuffle(F.pixel_shuffle(sample, PATCH), HALF)  # (B, 24, H/2, W/2)
        photo = pixels[:, 3 * HALF**2 :]
        maps = _widen(maps, photo.shape[-2], photo.shape[-1])
        edit = photo + self._recolour(photo, maps[:, :COLOUR_MAPS])
        edit = edit + self._details(pixels, maps[:, COLOUR_MAPS:])
        return F.pixel_unshuffle(F.pixel_shuffle(edit, HALF), PATCH)

    def _recolour(self, photo: Tensor, maps: Tensor) -> Tensor:
        """Return the change of colour of the photo (B, 12, H/2, W/2), smooth between cells."""
        photo = photo.unflatten(1, (1, 3, HALF**2))  # (B, 1, 3 in, 4 pixels, H/2, W/2)
        matrix = maps[:, :9].unflatten(1, (3, 3, 1))  # (B, 3 out, 3 in, 1, H/2, W/2)
        offset = maps[:, 9:].unsqueeze(2)  # (B, 3 out, 1, H/2, W/2)
        return ((matrix * photo).sum(2) + offset).flatten(1, 2)

    def _details(self, pixels: Tensor, maps: Tensor) -> Tensor:
        """Draw what colour alone cannot: flakes, streaks, outlines, blur. (B, 12, H/2, W/2)."""
        # A flake or a drop starts where the noise peaks: hand the peaks over as they are.
        peaks = F.relu(pixels[:, : 3 * HALF**2] - PEAK)
        x = torch.cat([pixels, peaks], dim=1)  # (B, 36, H/2, W/2): noisy picture, photo, peaks
        for conv, film in zip(self.detail, maps.chunk(DETAIL_LAYERS, dim=1), strict=True):
            gain, offset = film.chunk(2, dim=1)  # (B, DETAIL_CHANNELS, H/2, W/2) each
            x = F.silu(conv(x) * (1 + gain) + offset)
        return self.detail_out(x)
