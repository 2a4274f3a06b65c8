"""InstructPix2Pix and everything that shares its pipeline, from a folder or from the model hub.

The bundled editor and `timbrooks/instruct-pix2pix` take the same path: a folder that
`diffusers` saved as a `StableDiffusionInstructPix2PixPipeline`, with an optional `smile_card.json`
beside `model_index.json` that holds the fields of its `EditorCard`.

Every row of every batch starts from the same noise, because each has its own generator with the
same seed. Rows still pass through the kernels together, and how many there are decides in which
order these add, which can move a pixel by a level or two of 255. So every call of the pipeline has
the same number of rows, filled up with the last prompt where there are fewer: on one machine with
one number of threads an edit has the same pixels whatever batch it is made in, and a run that was
killed ends as it would have ended. The exception is a call that ran out of memory, after which
fewer rows are taken; then edits may differ by that rounding.

References
----------
[1] Brooks, Holynski, Efros. InstructPix2Pix: Learning to Follow Image Editing Instructions.
    CVPR 2023.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any

import diffusers
import torch
from PIL import Image

from smile_core.config import ConfigError
from smile_core.edit_cache import pixel_digest
from smile_core.editors.protocol import (
    EditFailure,
    EditorCard,
    Stop,
    StopRequested,
    fit_to_card,
    resolve_knobs,
)

# On a processor more rows at once gain nothing; a graphics card wants more to be busy.
ROWS_PER_CALL = {"cpu": 4, "mps": 4, "cuda": 8}
# Image latents of this many channels are taken by the pipeline as they are; any other number is
# taken for a picture and encoded.
_PASSED_LATENT_CHANNELS = 4
_HALF_PRECISION_FROM = 100_000_000  # parameters; below it half precision saves nothing worth having


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
        # The scheduler keeps its place in the pipeline, and a tokenizer serves one thread only.
        self._lock = threading.Lock()
        self._rows_per_call = ROWS_PER_CALL[device]
        self._encoded: tuple[str, torch.Tensor] | None = None  # photo digest, its latents
        # Where the network predicts the picture itself, rounding does not add up over the steps,
        # and mixed precision takes little more than half the time on a CPU that has bfloat16.
        direct = pipe.scheduler.config.prediction_type == "sample"
        self._mixed = direct and device == "cpu" and torch.cpu._is_avx512_bf16_supported()
        precision = "mixed bfloat16" if self._mixed else self._pipe.dtype
        self.card = card
        self.name = card.name
        self.fingerprint: str | None = (
            f"instruct-pix2pix {digest} {device} {precision} {ROWS_PER_CALL[device]} rows "
            f"{diffusers.__version__}"
        )

    def edit(
        self,
        image: Image.Image,
        prompts: Sequence[str],
        *,
        seed: int,
        mask: Image.Image | None = None,
        stop: Stop | None = None,
        **knobs: Any,
    ) -> list[Image.Image | EditFailure]:
        """Edit one picture by every prompt, see `Editor.edit`."""
        settings = resolve_knobs(self.card, **knobs)
        _check_guidance(settings)
        unique = list(dict.fromkeys(prompts))
        with _Held(self._lock, stop):
            self._check_lengths(unique)
        photo = fit_to_card(image, self.card)
        answers: dict[str, Image.Image | EditFailure] = {}
        with torch.inference_mode():
            start = 0
            while start < len(unique):
                rows = self._rows_per_call
                chunk = unique[start : start + rows]
                padding = chunk[-1:] * (rows - len(chunk))
                try:
                    made = self._run(photo, chunk + padding, seed, settings, stop)[: len(chunk)]
                except StopRequested:
                    done = takewhile(answers.__contains__, prompts)
                    raise StopRequested([answers[prompt] for prompt in done]) from None
                except (MemoryError, RuntimeError) as error:
                    if not _is_out_of_memory(error):
                        raise
                    if rows > 1:
                        self._rows_per_call = rows // 2
                        continue
                    made = [EditFailure("The editor ran out of memory, even one edit at a time.")]
                answers.update(zip(chunk, made, strict=True))
                start += len(chunk)
        return [answers[prompt] for prompt in prompts]

    def _run(
        self,
        photo: Image.Image,
        prompts: list[str],
        seed: int,
        settings: Mapping[str, Any],
        stop: Stop | None,
    ) -> list[Image.Image | EditFailure]:
        """Make one edit for each of `prompts` in one call of the pipeline."""

        def check_stop(pipe: object, step: int, timestep: object, state: dict) -> dict:
            if stop is not None and stop():
                raise StopRequested
            return state

        mixed = torch.autocast("cpu", dtype=torch.bfloat16, enabled=self._mixed)
        with _Held(self._lock, stop):
            embeddings = self._encode_texts(prompts)  # (rows + 1, T, d); the last is of no text
            texts = embeddings[:-1]  # (rows, T, d)
            with mixed:
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
