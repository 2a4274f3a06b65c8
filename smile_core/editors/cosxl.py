"""CosXL Edit, which is published as one file rather than as a folder that diffusers saved.

The file holds the weights of all parts in the layout of the original code, and diffusers converts
them. What it does not hold is told here: how the model was trained [1], and the shapes of its parts
with the tokenizers, which are those of every InstructPix2Pix of Stable Diffusion XL.

References
----------
[1] Stability AI. Cos Stable Diffusion XL 1.0 and its Edit: a continuous schedule of noise with the
    variance preserved (EDM), and v-prediction.
[2] Karras, Aittala, Aila, Laine. Elucidating the Design Space of Diffusion-Based Generative Models.
    NeurIPS 2022.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from diffusers import EDMEulerScheduler, StableDiffusionXLInstructPix2PixPipeline
from huggingface_hub import snapshot_download
from safetensors import SafetensorError, safe_open

from smile_core.config import ConfigError
from smile_core.editors.model_files import INDEX_FILE, ModelFiles, file_of_hub

REPOSITORY, FILE = "stabilityai/cosxl", "cosxl_edit.safetensors"
SETTINGS = "diffusers/sdxl-instructpix2pix-768"  # the same pipeline as a folder
NOISE: dict[str, Any] = {
    "sigma_min": 0.002,
    "sigma_max": 120.0,
    "sigma_data": 1.0,
    "sigma_schedule": "exponential",
    "prediction_type": "v_prediction",
}
_SUFFIX = ".safetensors"
_INDEX = {"_class_name": StableDiffusionXLInstructPix2PixPipeline.__name__}
_FIRST_LAYER = "model.diffusion_model.input_blocks.0.0.weight"
_SECOND_TEXT_ENCODER = "conditioner.embedders.1.model.positional_embedding"
_CHANNELS = 8  # of the noisy picture and of the photo, four each


def is_single_file(source: str | Path) -> bool:
    """Return True for what `find_file` finds: CosXL on the hub, or a `.safetensors` file."""
    return str(source) == REPOSITORY or str(source).endswith(_SUFFIX)


def find_file(source: str | Path) -> ModelFiles:
    """Find CosXL Edit, or a file like it on this machine.

    Parameters
    ----------
    source : str or Path
        `stabilityai/cosxl`, or the path of such a file. The shapes of its parts are taken from the
        `model_index.json` and the folders beside it, or else from the hub.

    Raises
    ------
    ConfigError
        When it is not there, cannot be fetched, or is another kind of model.
    """
    if str(source) == REPOSITORY:
        files = file_of_hub(REPOSITORY, FILE, _INDEX)
    else:
        path = Path(source)
        _check(path)
        files = ModelFiles(str(source), path.stem, _INDEX, path.stat().st_size, lambda: path)

    def fetch() -> Path:
        if str(source) == REPOSITORY:
            _fetch_settings()  # they are small, and without them the large file is of no use
        return files.fetch()

    return replace(files, fetch=fetch)


def load_file(path: Path, precision: torch.dtype) -> StableDiffusionXLInstructPix2PixPipeline:
    """Load the pipeline from a file that `find_file` found.

    Raises
    ------
    ConfigError
        When it is another kind of model, or the shapes of its parts cannot be fetched.
    """
    _check(path)
    beside = path.parent
    pipe = StableDiffusionXLInstructPix2PixPipeline.from_single_file(
        str(path),
        config=str(beside if (beside / INDEX_FILE).is_file() else _fetch_settings()),
        local_files_only=True,
        dtype=precision,
        scheduler=EDMEulerScheduler(**NOISE),
        is_cosxl_edit=True,
    )
    pipe.vae.register_to_config(force_upcast=True)  # that of Stable Diffusion XL overflows float16
    return pipe


def _check(path: Path) -> None:
    """Refuse a file that is not an InstructPix2Pix of Stable Diffusion XL, by its header alone."""
    try:
        with safe_open(path, framework="pt") as file:
            names = set(file.keys())
            first = file.get_slice(_FIRST_LAYER).get_shape() if _FIRST_LAYER in names else [0, 0]
    except (OSError, SafetensorError) as error:
        raise ConfigError(
            f"The model file {str(path)!r} is not there, or is damaged ({error}). Check the path, "
            "or fetch it again."
        ) from error
    if first[1] != _CHANNELS or _SECOND_TEXT_ENCODER not in names:
        raise ConfigError(
            f"The model file {str(path)!r} is not one of CosXL Edit: it is no InstructPix2Pix of "
            "Stable Diffusion XL. Convert others with diffusers' from_single_file and "
            "save_pretrained, and give that folder."
        )


def _fetch_settings() -> Path:
    """Return the folder with the shapes of the parts and the tokenizers, without any weights."""
    try:
        return Path(snapshot_download(SETTINGS, allow_patterns=["*.json", "*.txt"]))
    except Exception as error:  # every layer below has its own word for "no network"
        raise ConfigError(
            f"The settings of {SETTINGS!r}, which CosXL needs, are not on this machine and cannot "
            f"be fetched ({type(error).__name__}). Connect to the network, or put the file into a "
            f"folder with that model's {INDEX_FILE} and the folders of its parts."
        ) from error
