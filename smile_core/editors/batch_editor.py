"""What editors on a diffusers pipeline share: rows that run together, a lock, Stop, out of memory.

Every row of every batch starts from the same noise, because each has its own generator with the
same seed. Rows still pass through the kernels together, and how many there are decides in which
order these add, which can move a pixel by a level or two of 255. So every call of the pipeline has
the same number of rows, filled up with the last prompt where there are fewer: on one machine with
one number of threads an edit has the same pixels whatever batch it is made in, and a run that was
killed ends as it would have ended. The exception is a call that ran out of memory, after which
fewer rows are taken; then edits may differ by that rounding.
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
        with Held(self._lock, stop):
            self._check_lengths(unique)
        answers: dict[str, Answer] = {}
        with torch.inference_mode():
            start = 0
            while start < len(unique):
                rows = self._rows_per_call
                chunk = unique[start : start + rows]
                padding = chunk[-1:] * (rows - len(chunk))
                try:
                    made = self._run(chunk + padding, job)[: len(chunk)]
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
    def _run(self, prompts: list[str], job: EditJob) -> list[Answer]:
        """Make one edit for each of `prompts` in one call of the pipeline."""


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
