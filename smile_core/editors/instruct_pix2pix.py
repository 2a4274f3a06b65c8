"""InstructPix2Pix and everything that shares its pipeline, from a folder or from the model hub.

The bundled editor and `timbrooks/instruct-pix2pix` take the same path: a folder that
`diffusers` saved as a `StableDiffusionInstructPix2PixPipeline`, with an optional `smile_card.json`
beside `model_index.json` that holds the fields of its `EditorCard`.

Every row of every batch starts from the same noise, because each has its own generator with the
same seed. Rows still pass through the same kernels together, so the batch they land in may move
them by a rounding error.

References
----------
[1] Brooks, Holynski, Efros. InstructPix2Pix: Learning to Follow Image Editing Instructions.
    CVPR 2023.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from itertools import takewhile
from pathlib import Path
from typing import Any

import diffusers
import torch
from diffusers import DiffusionPipeline, StableDiffusionInstructPix2PixPipeline
from diffusers.utils import logging as diffusers_logging
from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError
from PIL import Image
from transformers.utils import logging as transformers_logging

from smile_core.config import ConfigError
from smile_core.edit_cache import pixel_digest
from smile_core.editors.card_file import read_card
from smile_core.editors.protocol import (
    EditFailure,
    EditorCard,
    Stop,
    StopRequested,
    fit_to_card,
    resolve_knobs,
)

ROWS_PER_CALL = 8
# Image latents of this many channels are taken by the pipeline as they are; any other number is
# taken for a picture and encoded.
_PASSED_LATENT_CHANNELS = 4
_HALF_PRECISION_FROM = 100_000_000  # parameters; below it half precision saves nothing worth having
_SAMPLE_BYTES = 2**20


def load_instruct_pix2pix(source: str | Path, card: EditorCard | None = None) -> InstructPix2Pix:
    """Load an editor from a folder or from the hub.

    Parameters
    ----------
    source : str or Path
        A folder saved by diffusers, or a hub id.
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
        folder = _download(str(source))
    name = str(source) if "/" in str(source) and not Path(source).is_dir() else folder.name
    card = read_card(folder, card or _plain_card(name, str(source)))
    try:
        with _no_progress_bars():
            pipe = DiffusionPipeline.from_pretrained(str(folder))
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


class InstructPix2Pix:
    """Runs a `StableDiffusionInstructPix2PixPipeline`.

    Parameters
    ----------
    pipe : StableDiffusionInstructPix2PixPipeline
        The pipeline, in single precision on the CPU; it is moved to the GPU when there is one.
    card : EditorCard
        Its description; steps, knobs and working size are taken from it.
    digest : str
        Digest of the weights.
    """

    def __init__(self, pipe: Any, card: EditorCard, digest: str) -> None:
        size = sum(parameter.numel() for parameter in pipe.unet.parameters())
        device = _device()
        half = device == "cuda" and size >= _HALF_PRECISION_FROM
        self._pipe = pipe.to(device, torch.float16) if half else pipe.to(device)
        self._pipe.set_progress_bar_config(disable=True)
        self._lock = threading.Lock()  # the scheduler keeps its place in the pipeline
        self._rows_per_call = ROWS_PER_CALL
        self._encoded: tuple[str, torch.Tensor] | None = None  # photo digest, its latents
        self.card = card
        self.name = card.name
        self.fingerprint: str | None = (
            f"instruct-pix2pix {digest} {device} {self._pipe.dtype} {diffusers.__version__}"
        )

    def edit(
        self,
        image: Image.Image,
        prompts: Sequence[str],
        *,
        seed: int,
        steps: int | None = None,
        guidance_scale: float | None = None,
        image_guidance_scale: float | None = None,
        stop: Stop | None = None,
    ) -> list[Image.Image | EditFailure]:
        """Edit one picture by every prompt, see `Editor.edit`."""
        settings = resolve_knobs(
            self.card,
            steps=steps,
            guidance_scale=guidance_scale,
            image_guidance_scale=image_guidance_scale,
        )
        _check_guidance(settings)
        unique = list(dict.fromkeys(prompts))
        self._check_lengths(unique)
        photo = fit_to_card(image, self.card)
        answers: dict[str, Image.Image | EditFailure] = {}
        with torch.inference_mode():
            embeddings = self._encode_texts(unique)  # (n + 1, T, d); the last is the empty text
            start = 0
            while start < len(unique):
                rows = slice(start, start + self._rows_per_call)
                try:
                    made = self._run(photo, embeddings, rows, seed, settings, stop)
                except StopRequested:
                    done = takewhile(answers.__contains__, prompts)
                    raise StopRequested([answers[prompt] for prompt in done]) from None
                except (MemoryError, RuntimeError) as error:
                    if not _is_out_of_memory(error):
                        raise
                    if self._rows_per_call > 1:
                        self._rows_per_call //= 2
                        continue
                    made = [EditFailure("The editor ran out of memory, even one edit at a time.")]
                answers.update(zip(unique[rows], made, strict=True))
                start += len(made)
        return [answers[prompt] for prompt in prompts]

    def _run(
        self,
        photo: Image.Image,
        embeddings: torch.Tensor,
        rows: slice,
        seed: int,
        settings: Mapping[str, Any],
        stop: Stop | None,
    ) -> list[Image.Image | EditFailure]:
        """Make the edits of `rows` in one call of the pipeline."""

        def check_stop(pipe: object, step: int, timestep: object, state: dict) -> dict:
            if stop is not None and stop():
                raise StopRequested
            return state

        texts = embeddings[:-1][rows]  # (rows, T, d)
        with _Held(self._lock, stop):
            result = self._pipe(
                prompt_embeds=texts,
                negative_prompt_embeds=embeddings[-1:].expand_as(texts),
                image=self._conditioning(photo, len(texts)),
                generator=[torch.Generator().manual_seed(seed) for _ in texts],
                num_inference_steps=settings["steps"],
                guidance_scale=settings["guidance_scale"],
                image_guidance_scale=settings["image_guidance_scale"],
                callback_on_step_end=check_stop,
            )
        flags = result.nsfw_content_detected or [False] * len(texts)
        return [
            EditFailure("The editor's safety filter blacked this picture out.") if flag else picture
            for picture, flag in zip(result.images, flags, strict=True)
        ]

    def _conditioning(self, photo: Image.Image, rows: int) -> torch.Tensor | list[Image.Image]:
        """Return the photo in the form the pipeline takes it: encoded once where it can be."""
        vae = self._pipe.vae
        if vae.config.latent_channels != _PASSED_LATENT_CHANNELS:
            return [photo] * rows
        digest = pixel_digest(photo)
        if self._encoded is None or self._encoded[0] != digest:
            pixels = self._pipe.image_processor.preprocess(photo)  # (1, 3, height, width)
            latents = vae.encode(pixels.to(vae.device, vae.dtype)).latent_dist.mode()
            self._encoded = (digest, latents)  # (1, 4, height / 8, width / 8)
        return self._encoded[1].expand(rows, -1, -1, -1)

    def _encode_texts(self, prompts: list[str]) -> torch.Tensor:
        """Return embeddings (n + 1, T, d) of the prompts and of the empty text, in one call."""
        # The pipeline's own encoder, so that textual inversions and attention masks are honoured.
        return self._pipe._encode_prompt([*prompts, ""], self._pipe.device, 1, False)

    def _check_lengths(self, prompts: list[str]) -> None:
        tokenizer = self._pipe.tokenizer
        positions = self._pipe.text_encoder.config.max_position_embeddings
        allowed = min(tokenizer.model_max_length, positions)
        longest = max((len(ids), text) for ids, text in _token_ids(tokenizer, prompts))
        if longest[0] > allowed:
            raise ConfigError(
                f"The instruction takes {longest[0]} tokens, and the editor {self.name!r} reads "
                f"only {allowed}; the rest would be ignored. Shorten it."
            )


class _Held:
    """Holds a lock, giving up with `StopRequested` when the user stops while waiting for it."""

    def __init__(self, lock: threading.Lock, stop: Stop | None) -> None:
        self._lock, self._stop = lock, stop

    def __enter__(self) -> None:
        while not self._lock.acquire(timeout=0.1):
            if self._stop is not None and self._stop():
                raise StopRequested

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def _token_ids(tokenizer: Any, prompts: list[str]) -> list[tuple[list[int], str]]:
    return list(zip(tokenizer(prompts, verbose=False).input_ids, prompts, strict=True))


def _device() -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _is_out_of_memory(error: BaseException) -> bool:
    known = isinstance(error, MemoryError | torch.OutOfMemoryError)
    text = str(error).lower()
    return known or "out of memory" in text or "not enough memory" in text


def _check_guidance(settings: Mapping[str, Any]) -> None:
    """Refuse scales that the pipeline would silently ignore (it wants both at 1 or above)."""
    text, image = settings["guidance_scale"], settings["image_guidance_scale"]
    if text < 1 or image < 1:
        raise ConfigError(
            f"This editor takes guidance scales of 1 and above, not guidance_scale {text:g} and "
            f"image_guidance_scale {image:g}."
        )
    if text == 1 and image != 1:
        raise ConfigError(
            f"With guidance_scale 1 this editor uses no guidance at all, so image_guidance_scale "
            f"{image:g} would be ignored. Raise guidance_scale above 1, or set both to 1."
        )
