"""Stable Diffusion inpainting: the editor paints inside a mask, from a folder or the model hub.

Its instruction describes what should be seen there. What is outside of the mask is kept up to what
the autoencoder loses, as the pipeline leaves it: it is not pasted back.

References
----------
[1] Rombach et al. High-Resolution Image Synthesis with Latent Diffusion Models. CVPR 2022.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from diffusers import StableDiffusionInpaintPipeline, StableDiffusionXLInpaintPipeline

from smile_core.editors.batch_editor import EditJob, Row
from smile_core.editors.diffusers_editor import DiffusersEditor
from smile_core.editors.protocol import EditorCard
from smile_core.mask_picture import check_mask, fit_mask

INPAINT_KINDS = (StableDiffusionInpaintPipeline, StableDiffusionXLInpaintPipeline)


class Inpaint(DiffusersEditor):
    """Runs a pipeline of `INPAINT_KINDS`.

    Parameters
    ----------
    pipe : DiffusionPipeline
        The pipeline, in the precision it is to run in; it is moved to the best device.
    card : EditorCard
        Its description; that it needs a mask goes without saying.
    digest : str
        Digest of the weights.
    """

    def __init__(self, pipe: Any, card: EditorCard, digest: str) -> None:
        super().__init__(pipe, replace(card, needs_mask=True), digest)

    def _check(self, job: EditJob) -> None:
        check_mask(job.mask, self.card)
        super()._check(job)

    def _call(self, rows: list[Row], job: EditJob) -> dict[str, Any]:
        assert job.mask is not None  # see `_check`
        return {
            **super()._call(rows, job),
            # One for each row, for of a single one the noise comes from the first row's generator.
            "image": [job.photo] * len(rows),
            "mask_image": fit_mask(job.mask, job.photo.size),
        }
