"""The second bundled editor: one pass, the same picture every time.

How rows are batched is told in `batch_editor`, the network in `one_step_model`.
"""

from __future__ import annotations

import torch

from smile_core.editors.batch_editor import Answer, BatchEditor, EditJob, Held, check_token_count
from smile_core.editors.one_step_model import OneStepPipeline
from smile_core.editors.protocol import EditorCard


class OneStep(BatchEditor):
    """Runs a `OneStepPipeline`.

    Parameters
    ----------
    pipe : OneStepPipeline
        The pipeline, in single precision; it is moved to the GPU when there is one.
    card : EditorCard
        Its description.
    digest : str
        Digest of the weights.
    """

    def __init__(self, pipe: OneStepPipeline, card: EditorCard, digest: str) -> None:
        super().__init__(pipe, card, weights=f"one-step {digest}", mixed=True)

    @staticmethod
    def precision(device: str, weight_bytes: int) -> torch.dtype:
        """Return single precision: the network is small everywhere."""
        return torch.float32

    def _check(self, job: EditJob) -> None:
        """There are no settings to check."""

    def _check_lengths(self, prompts: list[str]) -> None:
        tokenizer = self._pipe.tokenizer
        check_token_count(tokenizer, prompts, tokenizer.model_max_length, self.name)

    def _run(self, prompts: list[str], job: EditJob) -> list[Answer]:
        with Held(self._lock, job.stop), self._mixed_precision():
            job.check_stop(None)
            return self._pipe(job.photo, prompts)
