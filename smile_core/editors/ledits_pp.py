"""LEDITS++: a text-to-image Stable Diffusion that edits a photo by first inverting it.

The photo is turned into noise once for each seed; every edit then walks back from there, pushed
towards the words of the instruction where these matter most. No words give the photo back.

References
----------
[1] Brack et al. LEDITS++: Limitless Image Editing using Text-to-Image Models. CVPR 2024.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from diffusers import DPMSolverMultistepScheduler

from smile_core.config import ConfigError
from smile_core.edit_cache import pixel_digest
from smile_core.editors.batch_editor import (
    Answer,
    BatchEditor,
    EditJob,
    Row,
    check_token_count,
    pictures_of,
)
from smile_core.editors.protocol import EditorCard

_MULTIPLE_OF = 32  # pixels; the inversion refuses other sizes


class LeditsPP(BatchEditor):
    """Runs a `LEditsPPPipelineStableDiffusion`, one edit at a time.

    Parameters
    ----------
    pipe : LEditsPPPipelineStableDiffusion
        The pipeline, in the precision it is to run in; it is moved to the best device.
    card : EditorCard
        Its description; `steps` are those of the inversion.
    digest : str
        Digest of the weights.

    Raises
    ------
    ConfigError
        When the card's working size is no multiple of 32.
    """

    def __init__(self, pipe: Any, card: EditorCard, digest: str) -> None:
        if card.multiple_of % _MULTIPLE_OF:
            raise ConfigError(
                f"LEDITS++ takes photos whose sides are multiples of {_MULTIPLE_OF}, and the card "
                f"of {card.name!r} says multiples of {card.multiple_of}. Change its multiple_of."
            )
        # The pipeline's inversion breaks with the DDIM scheduler that it also lets through.
        pipe.scheduler = DPMSolverMultistepScheduler.from_config(
            pipe.scheduler.config, algorithm_type="sde-dpmsolver++", solver_order=2
        )
        super().__init__(pipe, card, weights=f"ledits++ {digest}", batched=False)
        self._inverted: tuple[str, int, int] | None = None  # photo digest, seed, steps

    def _check(self, job: EditJob) -> None:
        """Accept all settings: the pipeline ignores none of them."""

    def _check_lengths(self, prompts: list[str]) -> None:
        tokenizer = self._pipe.tokenizer
        check_token_count(tokenizer, prompts, tokenizer.model_max_length, self.name)

    def _encode(
        self, prompts: list[str], job: EditJob, multiple: int
    ) -> list[Mapping[str, torch.Tensor]]:
        return [{} for _ in prompts]  # the pipeline encodes each text itself

    def _run(self, rows: list[Row], job: EditJob) -> list[Answer]:
        self._invert(job)
        result = self._pipe(
            editing_prompt=rows[0].prompt,
            edit_guidance_scale=job.settings["guidance_scale"],
            callback_on_step_end=job.check_stop,
        )
        return pictures_of(result, 1)

    def _invert(self, job: EditJob) -> None:
        """Turn the photo into noise, unless the pipeline still holds that of this very photo."""
        wanted = (pixel_digest(job.photo), job.seed, job.settings["steps"])
        if self._inverted == wanted:
            return
        self._inverted = None
        # The inversion calls nobody back, so Stop is heard before each step of the network.
        hook = self._pipe.unet.register_forward_pre_hook(lambda *_: job.check_stop(None))
        try:
            self._pipe.invert(
                image=job.photo,
                num_inversion_steps=job.settings["steps"],
                generator=job.generators(1)[0],
            )
        finally:
            hook.remove()
        self._inverted = wanted
