"""The network of the second bundled editor: one pass from photo and text to the edit.

It shares with the diffusion editor how a picture is drawn (`SceneUNet.draw`: recoloured and
detailed as coarse maps say), but not where the maps come from: its U-Net sees a thumbnail of the
photo, never a noisy picture, and is asked once. So it knows no steps and no guidance, and the same
photo and instruction always give the same picture [1]. Where a flake or a drop falls is read off
one field of noise that is always the same.

References
----------
[1] Parmar, Park, Narasimhan, Zhu. One-Step Image Translation with Text-to-Image Models.
    arXiv 2403.12036: deterministic editing in one pass.
[2] Gharbi et al., Deep bilateral learning for real-time image enhancement, 2017: maps from a
    thumbnail, applied to the whole picture.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from diffusers import (
    ModelMixin,  # noqa: F401 - diffusers looks for it beside a model, to know how to load that
    UNet2DConditionModel,
)
from diffusers.image_processor import VaeImageProcessor
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from PIL import Image
from torch import Tensor

from smile_core.editors.scene_model import PATCH, SceneUNet

SHRINK = 4  # the thumbnail's pixels are so many of the photo
THUMB_PATCH = 4  # of the thumbnail's pixels to a cell of the maps, which so has 16 of the photo
THUMB_CHANNELS = 3 * THUMB_PATCH**2
FIELD_SEED = 0


class OneStepUNet(SceneUNet):
    """A U-Net that answers with the edited picture at once.

    The arguments are those of `SceneUNet`, with `in_channels` = `THUMB_CHANNELS`.
    """

    def forward(self, photo: Tensor, field: Tensor, text: Tensor) -> Tensor:  # type: ignore[override]
        """Return the edit.

        Parameters
        ----------
        photo : Tensor
            (B, 3, H, W) in [-1, 1], H and W divisible by 8.
        field : Tensor
            (B, 3, H, W), standard normal: where details are drawn.
        text : Tensor
            (B, T, d), the encoded instruction; its last position has read all of it.

        Returns
        -------
        Tensor
            (B, 3, H, W).
        """
        maps = UNet2DConditionModel.forward(self, thumbnail(photo), 0, text, return_dict=False)[0]
        maps = maps + self.text_to_maps(text[:, -1])[:, :, None, None]  # (B, UNET_MAPS, h, w)
        latents = F.pixel_unshuffle(torch.cat([field, photo], dim=1), PATCH)
        return F.pixel_shuffle(self.draw(latents, maps), PATCH)


class OneStepPipeline(DiffusionPipeline):
    """Photo and instructions in, edits out.

    Parameters
    ----------
    unet : OneStepUNet
    text_encoder : CLIPTextModel
    tokenizer : PreTrainedTokenizerFast
    """

    unet: Any
    text_encoder: Any
    tokenizer: Any

    def __init__(self, unet: Any, text_encoder: Any, tokenizer: Any) -> None:
        super().__init__()
        self.register_modules(unet=unet, text_encoder=text_encoder, tokenizer=tokenizer)
        self.image_processor = VaeImageProcessor(vae_scale_factor=PATCH)

    def __call__(self, image: Image.Image, texts: Tensor) -> list[Image.Image]:
        """Return the edit of `image`, whose sides must be divisible by 8, by every text.

        `texts` are encoded, (n, T, d), see `encoding_once.encode_plainly`.
        """
        photo = self.image_processor.preprocess(image).to(self.device)  # (1, 3, H, W)
        field = noise_field(*photo.shape[-2:]).to(self.device)  # (1, 3, H, W)
        rows = (len(texts), -1, -1, -1)
        edits = self.unet(photo.expand(rows), field.expand(rows), texts)  # (n, 3, H, W)
        return self.image_processor.postprocess(edits.float(), output_type="pil")


def thumbnail(photo: Tensor) -> Tensor:
    """Return what the U-Net sees of a photo (B, 3, H, W): (B, THUMB_CHANNELS, ~H/16, ~W/16)."""
    cell = SHRINK * THUMB_PATCH
    size = [THUMB_PATCH * max(1, round(side / cell)) for side in photo.shape[-2:]]
    return F.pixel_unshuffle(F.interpolate(photo, size=size, mode="area"), THUMB_PATCH)


def noise_field(height: int, width: int) -> Tensor:
    """Return the field of noise (1, 3, height, width) of every edit of that size."""
    generator = torch.Generator().manual_seed(FIELD_SEED)
    return torch.randn(1, 3, height, width, generator=generator)
