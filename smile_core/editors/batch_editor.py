"""What editors on a diffusers pipeline share: rows that run together, a lock, Stop, out of memory.

All texts of a batch pass through the text encoder in one call; then the edits are made in calls of
a few rows. Every row starts from the same noise, because each has its own generator with the same
seed. Rows still pass through the kernels together, and how many there are decides in which order
these add, which can move a pixel by a level or two of 255. So every call that makes edits has the
same number of rows, filled up with the last prompt where there are fewer. The number of texts does
vary, but in multiples of `TEXTS_TOGETHER`, which a processor encodes to the same bits however many
they are. So on one machine with one number of threads an edit has the same pixels whatever batch
it is made in, and a run that was killed ends as it would have ended. Where memory ran out, so that
fewer go together, and on graphics cards, which promise nothing about the number of texts, edits
may differ by that rounding.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

import diffusers
import torch
from PIL import Image

from smile_core.config import ConfigError
from smile_core.editors.devices import (
    best_device,
    best_precision,
    describe,
    runs_mixed,
    use_channels_last,
)
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
TEXTS_TOGETHER = 8

Answer = Image.Image | EditFailure


@dataclass(frozen=True, kw_only=True)
class EditJob:
    """What all rows of one `edit` have in common.

    Attributes
    ----------
    photo : PIL.Image.Image
        The photo at the editor's working size.
    mask : PIL.Image.Image or None
        Where to edit, at the same size, for an editor that needs one.
    seed : int
        Seed of every row's noise.
    settings : mapping
        The editor's knobs, see `resolve_knobs`.
    stop : callable or None
        Answers True once the user has stopped the run.
    """

    photo: Image.Image
    mask: Image.Image | None
    seed: int
    settings: Mapping[str, Any]
    stop: Stop | None

    def generators(self, rows: int) -> list[torch.Generator]:
        """Return one generator for each row, all with the same seed."""
        return [torch.Generator().manual_seed(self.seed) for _ in range(rows)]

    def check_stop(self, *arguments: Any) -> Any:
        """Raise StopRequested if the user stopped; a pipeline calls this after each step."""
        if self.stop is not None and self.stop():
            raise StopRequested
        return arguments[-1]  # the state of the pipeline, which `callback_on_step_end` hands back


@dataclass(frozen=True)
class Row:
    """One edit to make.

    Attributes
    ----------
    prompt : str
        The instruction.
    texts : mapping of str to torch.Tensor
        What the text encoder made of it, by the name that the pipeline has for it, each without a
        dimension of rows; empty for a pipeline that encodes each text itself.
    """

    prompt: str
    texts: Mapping[str, torch.Tensor]


class BatchEditor(ABC):
    """Runs a pipeline on a fixed number of rows at a time.

    Parameters
    ----------
    pipe : DiffusionPipeline
        The pipeline, in the precision it is to run in; it is moved to the best device.
    card : EditorCard
        Its description.
    weights : str
        The adapter and the digest of the weights, with which the fingerprint begins.
    libraries : str
        Versions of the libraries that compute, with which it ends.
    batched : bool
        Whether the pipeline takes several rows; otherwise it is called for one at a time.
    mixed : bool
        Whether to compute in mixed precision where that is faster, see `devices.runs_mixed`.
    """

    def __init__(
        self,
        pipe: Any,
        card: EditorCard,
        *,
        weights: str,
        libraries: str = diffusers.__version__,
        batched: bool = True,
        mixed: bool = False,
    ) -> None:
        device = best_device()
        self._pipe = pipe.to(device)
        self._pipe.set_progress_bar_config(disable=True)
        self._mixed = mixed and runs_mixed(device)
        precision = "mixed bfloat16" if self._mixed else pipe.dtype
        order = " channels-last" if use_channels_last(self._pipe, device) else ""
        rows = ROWS_PER_CALL[device] if batched else 1
        # The scheduler keeps its place in the pipeline, and a tokenizer serves one thread only.
        self._lock = threading.Lock()
        self._rows_per_call = rows
        self.card = card
        self.name = card.name
        self.fingerprint: str | None = (
            f"{weights} {device} {precision}{order} {libraries} {rows} rows"
        )
        self.runs_on = describe(device, precision)

    def edit(
        self,
        image: Image.Image,
        prompts: Sequence[str],
        *,
        seed: int,
        mask: Image.Image | None = None,
        stop: Stop | None = None,
        **knobs: Any,
    ) -> list[Answer]:
        """Edit one picture by every prompt, see `Editor.edit`."""
        photo = fit_to_card(image, self.card)
        settings = resolve_knobs(self.card, **knobs)
        job = EditJob(photo=photo, mask=mask, seed=seed, settings=settings, stop=stop)
        unique = list(dict.fromkeys(prompts))
        self._check(job)
        with torch.inference_mode():
            with Held(self._lock, stop):
                self._check_lengths(unique)
                rows = self._rows(unique, job)
            answers: dict[str, Answer] = {}
            while len(answers) < len(rows):
                try:
                    answers |= self._next_call(rows[len(answers) :], job)
                except StopRequested:
                    done = takewhile(answers.__contains__, prompts)
                    raise StopRequested([answers[prompt] for prompt in done]) from None
        return [answers[prompt] for prompt in prompts]

    def _rows(self, prompts: list[str], job: EditJob, multiple: int = TEXTS_TOGETHER) -> list[Row]:
        """Encode all texts in one call, or in halves where they do not fit memory together."""
        try:
            texts = self._encode(prompts, job, multiple)
            return [Row(prompt, text) for prompt, text in zip(prompts, texts, strict=True)]
        except (MemoryError, RuntimeError) as error:
            alone = len(prompts) == multiple == 1
            if alone or not _is_out_of_memory(error):
                raise
        half = (len(prompts) + 1) // 2
        parts = [part for part in (prompts[:half], prompts[half:]) if part]
        return [row for part in parts for row in self._rows(part, job, multiple=1)]

    def _next_call(self, rows: list[Row], job: EditJob) -> dict[str, Answer]:
        """Make the first of these edits in one call of the pipeline: nothing, if memory ran out."""
        limit = self._rows_per_call
        chunk = rows[:limit]
        padding = chunk[-1:] * (limit - len(chunk))
        try:
            with Held(self._lock, job.stop):
                made = self._run(chunk + padding, job)[: len(chunk)]
        except (MemoryError, RuntimeError) as error:
            if not _is_out_of_memory(error):
                raise
            if limit > 1:
                self._rows_per_call = limit // 2
                return {}
            made = [EditFailure("The editor ran out of memory, even one edit at a time.")]
        return {row.prompt: answer for row, answer in zip(chunk, made, strict=True)}

    @staticmethod
    def precision(device: str, weight_bytes: int) -> torch.dtype:
        """Return the precision to load the pipeline in, see `devices.best_precision`."""
        return best_precision(device, weight_bytes)

    def _mixed_precision(self) -> torch.autocast:
        """Return the context in which the networks compute; single precision unless `mixed`."""
        return torch.autocast("cpu", dtype=torch.bfloat16, enabled=self._mixed)

    @abstractmethod
    def _check(self, job: EditJob) -> None:
        """Refuse settings that the pipeline would ignore or break on, with a ConfigError."""

    @abstractmethod
    def _check_lengths(self, prompts: list[str]) -> None:
        """Refuse prompts of which the pipeline would read only the beginning."""

    @abstractmethod
    def _encode(
        self, prompts: list[str], job: EditJob, multiple: int
    ) -> list[Mapping[str, torch.Tensor]]:
        """Return `Row.texts` of all prompts.

        They pass through the text encoder in one call, with other texts that the pipeline needs,
        and filled up to a multiple of `multiple`, see `fill_up`.
        """

    @abstractmethod
    def _run(self, rows: list[Row], job: EditJob) -> list[Answer]:
        """Make one edit for each of `rows` in one call of the pipeline."""


class Held:
    """Holds a lock, giving up with `StopRequested` when the user stops while waiting for it."""

    def __init__(self, lock: threading.Lock, stop: Stop | None) -> None:
        self._lock, self._stop = lock, stop

    def __enter__(self) -> None:
        while not self._lock.acquire(timeout=0.1):
            if self._stop is not None and self._stop():
                raise StopRequested

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def fill_up(texts: Sequence[str], multiple: int) -> list[str]:
    """Return the texts, the last of them repeated until there are a multiple of `multiple`."""
    return [*texts, *[texts[-1]] * (-len(texts) % multiple)]


def stack_texts(rows: Sequence[Row]) -> dict[str, torch.Tensor]:
    """Return the texts of some rows by their names, each of shape (rows, ...)."""
    return {name: torch.stack([row.texts[name] for row in rows]) for name in rows[0].texts}


def pictures_of(result: Any, rows: int) -> list[Answer]:
    """Return the pictures of a pipeline's result, a failure where its safety filter struck."""
    flags = getattr(result, "nsfw_content_detected", None) or [False] * rows
    return [
        EditFailure("The editor's safety filter blacked this picture out.") if flag else picture
        for picture, flag in zip(result.images, flags, strict=True)
    ]


def check_token_count(tokenizer: Any, prompts: list[str], allowed: int, name: str) -> None:
    """Refuse a prompt of more than `allowed` tokens.

    Raises
    ------
    ConfigError
        When one is longer; the rest of it would be ignored.
    """
    longest = max(len(ids) for ids in tokenizer(prompts, verbose=False).input_ids)
    if longest > allowed:
        raise ConfigError(
            f"The instruction takes {longest} tokens, and the editor {name!r} reads only "
            f"{allowed}; the rest would be ignored. Shorten it."
        )


def _is_out_of_memory(error: BaseException) -> bool:
    known = isinstance(error, MemoryError | torch.OutOfMemoryError)
    text = str(error).lower()
    return known or "out of memory" in text or "not enough memory" in text
