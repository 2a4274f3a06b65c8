"""The second bundled editor: one pass, the same picture every time.

How rows are batched is told in `batch_editor`, the network in `one_step_model`.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch

from smile_core.editors.batch_editor import (
    Answer,
    BatchEditor,
    EditJob,
    Row,
    check_token_count,
    stack_texts,
)
from smile_core.editors.encoding_once import encode_plainly
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

    def _encode(
        self, prompts: list[str], job: EditJob, multiple: int
    ) -> list[Mapping[str, torch.Tensor]]:
        with self._mixed_precision():
            return encode_plainly(self._pipe, prompts, multiple)

    def _run(self, rows: list[Row], job: EditJob) -> list[Answer]:
        job.check_stop(None)
        with self._mixed_precision():
            return self._pipe(job.photo, **stack_texts(rows))
