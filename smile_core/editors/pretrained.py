"""Loading an editor that diffusers saved: from a folder, or from the model hub.

The class of the pipeline is read from `model_index.json` and decides which adapter runs it, so
that a model which cannot be used is refused before its weights are fetched or read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import diffusers
import torch
from diffusers import (
    DiffusionPipeline,
    LEditsPPPipelineStableDiffusion,
    StableDiffusionImg2ImgPipeline,
    StableDiffusionInstructPix2PixPipeline,
)
from diffusers.utils import logging as diffusers_logging
from transformers.utils import logging as transformers_logging

from smile_core.config import ConfigError
from smile_core.editors.batch_editor import BatchEditor
from smile_core.editors.card_file import read_card
from smile_core.editors.cosxl import find_file, is_single_file, load_file
from smile_core.editors.devices import best_device, check_memory, needed_gb
from smile_core.editors.diffusers_editor import DiffusersEditor, card_of_kind, check_kind
from smile_core.editors.hub_cards import torchvision_command
from smile_core.editors.inpaint import INPAINT_KINDS, Inpaint
from smile_core.editors.instruct_pix2pix import InstructPix2Pix
from smile_core.editors.ledits_pp import LeditsPP
from smile_core.editors.model_files import ModelFiles, files_of_folder, files_of_hub
from smile_core.editors.one_step import OneStep
from smile_core.editors.one_step_model import OneStepPipeline
from smile_core.editors.protocol import EditorCard
from smile_core.editors.registry import make_room

# Diffusers loads the parts of the bundled editors only when their module has been imported.
from smile_core.editors.scene_model import PATCH
from smile_core.editors.schedulers import has_replaceable

Adapter = type[InstructPix2Pix] | type[DiffusersEditor] | type[LeditsPP] | type[OneStep]

_SAMPLE_BYTES = 2**20
# Pipelines that call on torchvision, which nothing else here needs.
_NEED_TORCHVISION = frozenset(
    {
        "OmniGenPipeline",
        "QwenImageEditPipeline",
        "QwenImageEditPlusPipeline",
        "QwenImage21Pipeline",
    }
)


_OWN_PIPELINES = {"OneStepPipeline": OneStepPipeline}
# The pages of some models name the pipeline that makes pictures from texts, whose parts another
# one takes to edit with. The family of a card says which.
_PIPELINES: dict[str, Any] = {
    "instruct-pix2pix": StableDiffusionInstructPix2PixPipeline,
    "ledits++": LEditsPPPipelineStableDiffusion,
    "sd-img2img": StableDiffusionImg2ImgPipeline,
}


def load_pretrained(source: str | Path, card: EditorCard | None = None) -> BatchEditor:
    """Load an editor from a folder or from the hub.

    Parameters
    ----------
    source : str or Path
        A folder saved by diffusers, (text only) a hub id, or a file like CosXL Edit (see `cosxl`).
    card : EditorCard or None
        Its description, for a folder without `smile_card.json`.

    Raises
    ------
    ConfigError
        When there is no such model, the hub cannot be reached, its licence was not accepted, it
        does not fit memory or disk, or its pipeline does not edit a photo by a text.
    """
    files = _find(source)
    kind = _pipeline_class(files.index, str(source))
    if card is not None:
        kind = _PIPELINES.get(card.family, kind)
    adapter = adapter_of(kind, str(source))
    device = best_device()
    memory_gb = card.memory_gb if card is not None else files.typical_memory_gb
    needed = needed_gb(memory_gb, device, files.weight_bytes)
    name = card.name if card is not None else files.name
    make_room(needed, device)
    check_memory(name, needed, device)
    path = files.fetch()
    card = read_card(_home(path), card or _plain_card(kind, adapter, files, path))
    precision = adapter.precision(device, files.weight_bytes)
    try:
        with no_progress_bars():
            # Otherwise each part comes in the precision of its file, which may be half for one.
            if path.is_file():
                pipe: Any = load_file(path, precision)
            else:
                pipe = kind.from_pretrained(str(path), dtype=precision)
            return adapter(pipe, card, weights_digest(path))
    except ConfigError:
        raise
    except Exception as error:  # a broken file shows itself in as many ways as there are libraries
        raise ConfigError(
            f"The editor in {str(source)!r} cannot be loaded: {_first_line(error)} Give a folder "
            "saved by diffusers (it holds model_index.json), or a hub id."
        ) from error


def card_of_model(source: str | Path) -> EditorCard:
    """Return the card that `load_pretrained` would give a model, without fetching its weights.

    The working size of a model on the hub may be missing from it.

    Raises
    ------
    ConfigError
        When there is no such model or no access to it, or its pipeline cannot be used here.
    """
    files = _find(source)
    kind = _pipeline_class(files.index, str(source))
    path = Path(source)
    return read_card(_home(path), _plain_card(kind, adapter_of(kind, str(source)), files, path))


def adapter_of(kind: type, source: str) -> Adapter:
    """Return the adapter that runs a pipeline of this class; the first that fits.

    Raises
    ------
    ConfigError
        When there is none, with the reason.
    """
    if issubclass(kind, StableDiffusionInstructPix2PixPipeline):
        return InstructPix2Pix
    if issubclass(kind, LEditsPPPipelineStableDiffusion):
        return LeditsPP
    if issubclass(kind, OneStepPipeline):
        return OneStep
    if issubclass(kind, INPAINT_KINDS):
        return Inpaint
    check_kind(kind, source)
    return DiffusersEditor


def _find(source: str | Path) -> ModelFiles:
    if is_single_file(source):
        return find_file(source)
    folder = Path(source)
    if folder.is_dir():
        return files_of_folder(folder)
    if isinstance(source, Path):
        raise ConfigError(
            f"The editor's folder {str(source)!r} is not there. Get the complete project, or "
            "choose another editor."
        )
    return files_of_hub(source)


def _home(path: Path) -> Path:
    """Return the folder of a model that is one itself, or one file."""
    return path.parent if path.is_file() else path


def _pipeline_class(index: Mapping[str, Any], source: str) -> type[DiffusionPipeline]:
    """Return the class that `model_index.json` names, if it can be used here."""
    name = index.get("_class_name")
    if not isinstance(name, str):
        raise ConfigError(
            f"{source!r} brings code of its own for its pipeline, which is not run. Wrap it in a "
            "function (image, prompts, seed) -> images instead."
        )
    kind = _OWN_PIPELINES.get(name) or getattr(diffusers, name, None)
    if name in _NEED_TORCHVISION and find_spec("torchvision") is None:
        raise ConfigError(
            f"{source!r} needs torchvision, in the version made for the torch that is here "
            f"({torch.__version__}). Run: {torchvision_command(torch.__version__)}"
        )
    if not isinstance(kind, type) or not issubclass(kind, DiffusionPipeline):
        packages = ", ".join(getattr(kind, "_backends", ()))
        wish = f"the packages {packages}" if packages else "a newer diffusers"
        raise ConfigError(
            f"{source!r} is a {name}, which diffusers {diffusers.__version__} cannot load here. "
            f"It needs {wish}."
        )
    return kind


def _plain_card(kind: type, adapter: Adapter, files: ModelFiles, folder: Path) -> EditorCard:
    """Return a card for a model that nobody described."""
    known: dict[str, Any] = {
        "name": files.name,
        "title": files.name,
        "memory_gb": round(files.typical_memory_gb, 1),
        "source": files.source,
        "licence": files.licence,
        "gated": files.gated,
    }
    if adapter is InstructPix2Pix:
        return EditorCard(
            family="instruct-pix2pix",
            steps=20,
            knobs={"guidance_scale": 7.5, "image_guidance_scale": 1.5},
            takes_scheduler=has_replaceable(files.index),
            long_side=512,
            multiple_of=64,
            **known,
        )
    if adapter is LeditsPP:
        return EditorCard(
            family="ledits++",
            steps=30,
            knobs={"guidance_scale": 5.0},
            long_side=512,
            multiple_of=64,
            **known,
        )
    if adapter is OneStep:
        return EditorCard(
            family="one-step", short_side=256, long_side=768, multiple_of=PATCH, **known
        )
    unet = folder / "unet" / "config.json"
    if not unet.is_file():
        return card_of_kind(kind, files.index, long_side=1024, multiple_of=32, **known)
    latent_side = json.loads(unet.read_text(encoding="utf-8")).get("sample_size")
    side = 8 * latent_side if isinstance(latent_side, int) else 512
    return card_of_kind(kind, files.index, long_side=side, multiple_of=min(side, 64), **known)


@contextmanager
def no_progress_bars() -> Iterator[None]:
    """Keep bars for a load that takes a second off the terminal; downloads keep theirs."""
    diffusers_logging.disable_progress_bar()
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        diffusers_logging.enable_progress_bar()
        transformers_logging.enable_progress_bar()


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def weights_digest(path: Path) -> str:
    """Return a SHA-256 over the files that shape a picture: names, sizes and contents.

    They are those in a folder, or the one file of a model.

    Of files above 3 MB the first, the middle and the last MB stand for the whole: reading
    gigabytes would take longer than loading them, and another set of weights differs everywhere.
    """
    digest = sha256()
    for part in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if not part.is_file() or part.suffix in {".md", ".png", ".log"}:
            continue
        size = part.stat().st_size
        digest.update(f"{part.relative_to(path).as_posix()} {size}\n".encode())
        with part.open("rb") as file:
            if size <= 3 * _SAMPLE_BYTES:
                digest.update(file.read())
            else:
                for start in (0, size // 2, size - _SAMPLE_BYTES):
                    file.seek(start)
                    digest.update(file.read(_SAMPLE_BYTES))
    return digest.hexdigest()
