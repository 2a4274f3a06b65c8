"""InstructPix2Pix and everything that shares its pipeline, from a folder or from the model hub.

The bundled editor and `timbrooks/instruct-pix2pix` take the same path: a folder that
`diffusers` saved as a `StableDiffusionInstructPix2PixPipeline`, with an optional `smile_card.json`
beside `model_index.json` that holds the fields of its `EditorCard`.

How rows are batched is told in `batch_editor`.

References
----------
[1] Brooks, Holynski, Efros. InstructPix2Pix: Learning to Follow Image Editing Instructions.
    CVPR 2023.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from smile_core.config import ConfigError
from smile_core.editors.batch_editor import (
    Answer,
    BatchEditor,
    EditJob,
    Row,
    check_token_count,
    fill_up,
    pictures_of,
    stack_texts,
)
from smile_core.editors.devices import HALF_PRECISION_FROM
from smile_core.editors.encoding_once import remember_pictures
from smile_core.editors.protocol import EditorCard
from smile_core.editors.schedulers import with_scheduler


class InstructPix2Pix(BatchEditor):
    """Runs a `StableDiffusionInstructPix2PixPipeline`.

    Parameters
    ----------
    pipe : StableDiffusionInstructPix2PixPipeline
        The pipeline, in its `precision`; it is moved to the GPU when there is one.
    card : EditorCard
        Its description; steps, knobs and working size are taken from it.
    digest : str
        Digest of the weights.
    """

    def __init__(self, pipe: Any, card: EditorCard, digest: str) -> None:
        # Where the network predicts the picture itself, rounding does not add up over the steps.
        direct = pipe.scheduler.config.prediction_type == "sample"
        super().__init__(pipe, card, weights=f"instruct-pix2pix {digest}", mixed=direct)
        remember_pictures(pipe.vae)

    @staticmethod
    def precision(device: str, weight_bytes: int) -> torch.dtype:
        """Return float16 for a large model on a CUDA card: it keeps more digits than bfloat16."""
        half = device == "cuda" and weight_bytes >= HALF_PRECISION_FROM
        return torch.float16 if half else torch.float32

    def _check(self, job: EditJob) -> None:
        check_guidance(job.settings)

    def _encode(
        self, prompts: list[str], job: EditJob, multiple: int
    ) -> list[Mapping[str, torch.Tensor]]:
        texts = fill_up(["", *prompts], multiple)
        # The pipeline's own encoder, so that textual inversions and attention masks are honoured.
        embeddings = self._pipe._encode_prompt(texts, self._pipe.device, 1, False)  # (n, T, d)
        return [
            {"prompt_embeds": embedding, "negative_prompt_embeds": embeddings[0]}
            for embedding in embeddings[1 : len(prompts) + 1]
        ]

    def _run(self, rows: list[Row], job: EditJob) -> list[Answer]:
        scheduler = with_scheduler(self._pipe, job.settings.get("scheduler"), self.name)
        with scheduler, self._mixed_precision():
            result = self._pipe(
                **stack_texts(rows),
                image=[job.photo] * len(rows),
                generator=job.generators(len(rows)),
                num_inference_steps=job.settings["steps"],
                guidance_scale=job.settings["guidance_scale"],
                image_guidance_scale=job.settings["image_guidance_scale"],
                callback_on_step_end=job.check_stop,
            )
        return pictures_of(result, len(rows))

    def _check_lengths(self, prompts: list[str]) -> None:
        tokenizer = self._pipe.tokenizer
        positions = self._pipe.text_encoder.config.max_position_embeddings
        allowed = min(tokenizer.model_max_length, positions)
        check_token_count(tokenizer, prompts, allowed, self.name)


def check_guidance(settings: Mapping[str, Any]) -> None:
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
