"""The published weight files of Img2Img-Turbo: finding, fetching, reading and checking them.

They are pickles. Only tensors, numbers, texts, lists and dictionaries are read from them: a file
with anything else in it, which could run code, is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import cached_assets_path, constants

from smile_core.config import ConfigError
from smile_core.editors.turbo_cards import REVERSED, WEIGHT_SUFFIX
from smile_core.editors.url_download import fetch_url, size_of_url


def _is_rank(value: object) -> bool:
    return isinstance(value, int) and value > 0


def _is_names(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _is_tensors(value: object) -> bool:
    return isinstance(value, dict) and all(
        isinstance(name, str) and isinstance(tensor, torch.Tensor) for name, tensor in value.items()
    )


Layout = Mapping[str, Callable[[object], bool]]

_PIX2PIX: Layout = {
    "rank_unet": _is_rank,
    "rank_vae": _is_rank,
    "unet_lora_target_modules": _is_names,
    "vae_lora_target_modules": _is_names,
    "state_dict_unet": _is_tensors,
    "state_dict_vae": _is_tensors,
}
_CYCLEGAN: Layout = {
    "rank_unet": _is_rank,
    "rank_vae": _is_rank,
    "l_target_modules_encoder": _is_names,
    "l_target_modules_decoder": _is_names,
    "l_modules_others": _is_names,
    "vae_lora_target_modules": _is_names,
    "sd_encoder": _is_tensors,
    "sd_decoder": _is_tensors,
    "sd_other": _is_tensors,
    "sd_vae_dec": _is_tensors,
}
# Only the sketch model has two first convolutions.
_SKETCH_MARK = "conv_in.conv_in_curr.weight"


@dataclass(frozen=True)
class TurboWeights:
    """What a weight file holds.

    Attributes
    ----------
    kind : {"edges", "sketch", "cyclegan"}
        Which model it is for.
    content : mapping
        Its tensors, ranks and names of layers, as published.
    reverse : bool
        True for the second of the two directions of a CycleGAN.
    name : str
        Name of the file.
    digest : str
        SHA-256 of the file.
    """

    kind: str
    content: Mapping[str, Any]
    reverse: bool
    name: str
    digest: str


@dataclass(frozen=True)
class WeightFile:
    """A weight file that was found.

    Attributes
    ----------
    path : Path
        Where it is, or will be.
    url : str or None
        Where to fetch it from; None when it is on this machine.
    size : int
        Its size in bytes.
    """

    path: Path
    url: str | None
    size: int

    def fetch(self) -> Path:
        """Return its path, downloading it if need be."""
        if self.url is not None:
            fetch_url(self.url, self.size, self.path)
        return self.path


def find_weights(source: str | Path) -> WeightFile:
    """Find a weight file on this machine, or ask how large it is where it is published.

    Parameters
    ----------
    source : str or Path
        The file, a folder that holds one, or its address. What was fetched once is found on this
        machine, in the folder for assets of the hub's own cache.

    Raises
    ------
    ConfigError
        When there is no such file, or no network.
    """
    text = str(source)
    if text.startswith(("https://", "http://")):
        folder = cached_assets_path(
            "smile-editing", "img2img-turbo", "weights", assets_dir=constants.HF_ASSETS_CACHE
        )
        path = folder / Path(text).name
        if path.is_file():
            return WeightFile(path, None, path.stat().st_size)
        return WeightFile(path, text, size_of_url(text))
    path = Path(source)
    if path.is_dir():
        files = sorted(path.glob(f"*{WEIGHT_SUFFIX}"))
        if len(files) != 1:
            raise ConfigError(
                f"The folder {text!r} holds {len(files)} weight files ({WEIGHT_SUFFIX}). Put "
                "exactly one beside the parts of sd-turbo, or give the file itself."
            )
        path = files[0]
    if not path.is_file():
        raise ConfigError(
            f"There is no weight file {text!r}. Check the path, or choose one of the published "
            "models by name, for example pix2pix-turbo-edges."
        )
    return WeightFile(path, None, path.stat().st_size)


def read_weights(path: Path) -> TurboWeights:
    """Read a weight file and check its layout.

    Raises
    ------
    ConfigError
        When it is damaged, holds anything that could run code, or has another layout.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        with path.open("rb") as file:
            digest = file_digest(file, "sha256").hexdigest()
    except Exception as error:  # a damaged pickle shows itself in as many ways as it has bytes
        raise ConfigError(
            f"The weight file {str(path)!r} was refused: it is damaged, or holds more than "
            "numbers and names and could run code of its own. Delete it and fetch it again from "
            "where its authors publish it."
        ) from error
    kind, layout = _layout_of(content)
    wrong = [key for key, fits in layout.items() if not fits(content.get(key))] if layout else []
    if layout is None or wrong:
        reason = f"{', '.join(wrong)} missing or of the wrong kind" if wrong else "other contents"
        raise ConfigError(
            f"The weight file {str(path)!r} is not one of pix2pix-turbo or CycleGAN-turbo "
            f"({reason}). Give a file that the training code of Img2Img-Turbo saved."
        )
    return TurboWeights(kind, content, path.stem in REVERSED, path.name, digest)


def _layout_of(content: object) -> tuple[str, Layout | None]:
    """Return which model a file is for and what it must hold; None for neither."""
    if not isinstance(content, dict):
        return "", None
    if "state_dict_unet" in content or "state_dict_vae" in content:
        unet = content.get("state_dict_unet")
        sketch = isinstance(unet, dict) and _SKETCH_MARK in unet
        return "sketch" if sketch else "edges", _PIX2PIX
    return "cyclegan", _CYCLEGAN if "sd_encoder" in content else None
