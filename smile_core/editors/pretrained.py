"""Loading an editor that diffusers saved: from a folder, or from the model hub."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import torch
from diffusers import DiffusionPipeline, StableDiffusionInstructPix2PixPipeline
from diffusers.utils import logging as diffusers_logging
from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError
from transformers.utils import logging as transformers_logging

# Diffusers loads the parts of the bundled editor only when their module has been imported.
import smile_core.editors.scene_model  # noqa: F401
from smile_core.config import ConfigError
from smile_core.editors.card_file import read_card
from smile_core.editors.instruct_pix2pix import InstructPix2Pix
from smile_core.editors.protocol import EditorCard

_SAMPLE_BYTES = 2**20


def load_instruct_pix2pix(source: str | Path, card: EditorCard | None = None) -> InstructPix2Pix:
    """Load an editor from a folder or from the hub.

    Parameters
    ----------
    source : str or Path
        A folder saved by diffusers, or (text only) a hub id.
    card : EditorCard or None
        Its description, for a folder without `smile_card.json`.

    Raises
    ------
    ConfigError
        When there is no such model, the hub cannot be reached, its licence was not accepted, or
        it is another kind of pipeline.
    """
    folder = Path(source)
    if not folder.is_dir():
        if isinstance(source, Path):
            raise ConfigError(
                f"The editor's folder {str(source)!r} is not there. Get the complete project, or "
                "choose another editor."
            )
        folder = _download(source)
    name = str(source) if "/" in str(source) and not Path(source).is_dir() else folder.name
    card = read_card(folder, card or _plain_card(name, str(source)))
    try:
        with _no_progress_bars():
            # Otherwise each part comes in the precision of its file, which may be half for one.
            pipe = DiffusionPipeline.from_pretrained(str(folder), dtype=torch.float32)
    except (OSError, ValueError, ImportError, AttributeError) as error:
        raise ConfigError(
            f"The editor in {str(source)!r} cannot be loaded: {_first_line(error)} Give a folder "
            "saved by diffusers (it holds model_index.json), or a hub id."
        ) from error
    if not isinstance(pipe, StableDiffusionInstructPix2PixPipeline):
        raise ConfigError(
            f"{str(source)!r} is a {type(pipe).__name__}; only "
            "StableDiffusionInstructPix2PixPipeline folders can be loaded by name. Wrap it in a "
            "function (image, prompts, seed) -> images instead."
        )
    return InstructPix2Pix(pipe, card, folder_digest(folder))


def _plain_card(name: str, source: str) -> EditorCard:
    return EditorCard(
        name=name,
        title=name,
        family="instruct-pix2pix",
        steps=20,
        knobs={"guidance_scale": 7.5, "image_guidance_scale": 1.5},
        long_side=512,
        multiple_of=64,
        memory_gb=4.0,
        source=source,
    )


def _download(hub_id: str) -> Path:
    """Return the local folder of a hub model, downloading what is missing."""
    try:
        return Path(DiffusionPipeline.download(hub_id))
    except GatedRepoError as error:
        raise ConfigError(
            f"{hub_id!r} is gated. Accept its licence at https://huggingface.co/{hub_id}, then "
            "log in with: hf auth login."
        ) from error
    except RepositoryNotFoundError as error:
        raise ConfigError(
            f"There is no public model {hub_id!r} on the hub. Check the spelling, or log in with "
            "hf auth login if it is private."
        ) from error
    except Exception as error:  # every layer below has its own word for "no network"
        raise ConfigError(
            f"{hub_id!r} is not on this machine and cannot be fetched from the hub "
            f"({type(error).__name__}). Connect to the network, or choose a bundled editor."
        ) from error


@contextmanager
def _no_progress_bars() -> Iterator[None]:
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


def folder_digest(folder: Path) -> str:
    """Return a SHA-256 over the files that shape a picture: names, sizes and contents.

    Of files above 3 MB the first, the middle and the last MB stand for the whole: reading
    gigabytes would take longer than loading them, and another set of weights differs everywhere.
    """
    digest = sha256()
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.suffix in {".md", ".png", ".log"}:
            continue
        size = path.stat().st_size
        digest.update(f"{path.relative_to(folder).as_posix()} {size}\n".encode())
        with path.open("rb") as file:
            if size <= 3 * _SAMPLE_BYTES:
                digest.update(file.read())
            else:
                for start in (0, size // 2, size - _SAMPLE_BYTES):
                    file.seek(start)
                    digest.update(file.read(_SAMPLE_BYTES))
    return digest.hexdigest()
