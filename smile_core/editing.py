"""Making the edits of a run, batch by batch: from the cache where it has them, else by the editor.

Every answer is a picture or an `EditFailure`; nothing is made up in the place of a failure.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image

from smile_core.config import ConfigError
from smile_core.edit_cache import EditCache, edit_key, pixel_digest
from smile_core.editors.protocol import EditFailure, Editor, Stop, StopRequested

logger = logging.getLogger(__name__)

# The first call makes the reference and a few prompts only, so that something shows early.
FIRST_BATCH = 4
# Answers that the cache has come without waiting, but a batch of them still has to be encoded.
MOST_ANSWERS = 64

Answer = Image.Image | EditFailure


@dataclass(frozen=True)
class Made:
    """One answer: the `row` of the run it belongs to, and which of its seeds it was made with."""

    row: int
    seed_index: int
    answer: Answer


class EditMaker:
    """Makes all edits of a run in a fixed order: the reference first, one seed after the other.

    Parameters
    ----------
    editor : Editor
        Makes what is not cached.
    photo : PIL.Image.Image
        The photo at the editor's working size.
    prompts : sequence of str
        Row 0 is the full instruction.
    seeds : sequence of int
        Every prompt is run under each of them.
    knobs : mapping
        The editor's knobs, defaults filled in.
    batch_size : int
        Edits per call of the editor.
    cache : EditCache or None
        Where edits are kept. Dropped at the first write that fails; `note` then says why.
    mask : PIL.Image.Image or None
        Where to edit, for an editor that needs it.
    pause_every : int or None
        A batch ends at each multiple of so many prompts after the reference, so that a decision
        there depends on nothing but the prompts before it.

    Attributes
    ----------
    note : str or None
        A sentence when the cache had to be given up.
    fresh : int
        Edits of the run that were made rather than found.
    seconds : float
        Time spent in the editor.
    stopped : bool
        True when the user stopped the run before its last edit.
    """

    def __init__(
        self,
        editor: Editor,
        photo: Image.Image,
        prompts: Sequence[str],
        *,
        seeds: Sequence[int],
        knobs: Mapping[str, Any],
        batch_size: int,
        cache: EditCache | None,
        mask: Image.Image | None = None,
        pause_every: int | None = None,
    ) -> None:
        self.note: str | None = None
        self.fresh = 0
        self.seconds = 0.0
        self.stopped = False
        self._editor, self._photo, self._prompts = editor, photo, prompts
        self._seeds, self._knobs, self._batch_size = seeds, knobs, batch_size
        self._pause_every = pause_every
        self._cache = None if editor.fingerprint is None else cache
        self._photo_digest = pixel_digest(photo)
        # An editor without a mask is called without it, so that it need not know the word.
        self._masked = {} if mask is None else {"mask": mask}
        self._mask_digest = None if mask is None else pixel_digest(mask)
        # Rows whose prompts read the same ("very very cold") share one answer.
        self._answers: dict[tuple[str, int], Answer] = {}
        self._missing = self._count_missing()

    def know(self, pictures: Mapping[str, Image.Image]) -> None:
        """Take pictures by prompt, of the first seed, that were made before the run began."""
        self._answers |= {(prompt, self._seeds[0]): image for prompt, image in pictures.items()}
        self._missing = self._count_missing()

    def shorten_to(self, rows: int) -> None:
        """Leave out all prompts from number `rows` on, under every seed.

        To be called between batches of the first seed that together end at `rows`.
        """
        self._prompts = self._prompts[:rows]
        self._missing = self.fresh + self._count_missing()

    @property
    def runs_on(self) -> str:
        """Device and precision of the editor; empty when it is not ours to know."""
        return getattr(self._editor, "runs_on", "")

    @property
    def planned(self) -> int:
        """Number of perturbations: prompts other than the first."""
        return len(self._prompts) - 1

    @property
    def to_make(self) -> int:
        """Number of edits that the editor has yet to make, as far as the cache promises."""
        return max(self._missing - self.fresh, 0)

    @property
    def total(self) -> int:
        """Number of edits of the whole run."""
        return len(self._prompts) * len(self._seeds)

    def batches(self, stop: Stop) -> Iterator[list[Made]]:
        """Yield answers until all are there or `stop` answers True."""
        position, limit = 0, min(FIRST_BATCH, self._batch_size)
        while position < self.total and not self.stopped:
            if stop():
                self.stopped = True
                return
            places, missing = self._next_batch(position, limit)
            seed = self._seeds[places[0][1]]
            if missing:
                before = len(self._answers)
                self._make(missing, seed, stop)
                self.fresh += len(self._answers) - before
            batch = [
                Made(row, seed_index, self._answers[self._prompts[row], seed])
                for row, seed_index in places
                if (self._prompts[row], seed) in self._answers
            ]
            if batch:
                yield batch
            position, limit = position + len(places), self._batch_size

    def make_aside(self, prompt: str, stop: Stop, step: int = 0) -> Answer | None:
        """Make one edit that is no part of the run, under its first seed or `step` seeds later.

        Nothing that goes wrong with it ends the run: a ConfigError becomes an `EditFailure` too.

        Returns
        -------
        Image or EditFailure or None
            None when the user stopped the run before there was an answer.
        """
        seed = (self._seeds[0] + step) % 2**32
        found = self._find(prompt, seed)
        if found is not None:
            return found
        try:
            self._make([prompt], seed, stop)
        except ConfigError as error:
            return EditFailure(str(error))
        return self._answers.get((prompt, seed))

    def _count_missing(self) -> int:
        """Count the edits that are neither answered nor in the cache."""
        wanted = {(prompt, seed) for seed in self._seeds for prompt in self._prompts}
        missing = wanted - self._answers.keys()
        if self._cache is not None:
            missing = {entry for entry in missing if not self._cache.holds(self._key(*entry))}
        return len(missing)

    def _next_batch(self, start: int, limit: int) -> tuple[list[tuple[int, int]], list[str]]:
        """Return the (row, seed index) of the next batch, and the prompts the editor has to run.

        A batch stays within one seed, because a call of the editor has one seed.
        """
        seed_index, first_row = divmod(start, len(self._prompts))
        seed = self._seeds[seed_index]
        places: list[tuple[int, int]] = []
        missing: list[str] = []
        for row in range(first_row, self._pause_after(first_row)):
            prompt = self._prompts[row]
            if (prompt, seed) not in self._answers and prompt not in missing:
                found = self._find(prompt, seed)
                if found is None:
                    missing.append(prompt)
                else:
                    self._answers[prompt, seed] = found
            places.append((row, seed_index))
            if len(missing) == limit or len(places) == MOST_ANSWERS:
                break
        return places, missing

    def _pause_after(self, row: int) -> int:
        """Return the row at which a batch that begins with `row` ends at the latest."""
        if self._pause_every is None:
            return len(self._prompts)
        pauses = -(-max(row, 1) // self._pause_every)  # rounded up
        return min(pauses * self._pause_every + 1, len(self._prompts))

    def _find(self, prompt: str, seed: int) -> Image.Image | None:
        return None if self._cache is None else self._cache.get(self._key(prompt, seed))

    def _key(self, prompt: str, seed: int) -> str:
        fingerprint = self._editor.fingerprint or ""
        return edit_key(
            self._photo_digest, fingerprint, prompt, seed, self._knobs, self._mask_digest
        )

    def _make(self, prompts: list[str], seed: int, stop: Stop) -> None:
        """Run the editor and keep its answers.

        Of a batch that raises nobody knows which prompt was to blame, so each is run alone.
        """
        try:
            answers = self._ask(prompts, seed, stop)
        except ConfigError:
            raise
        except Exception as error:  # an editor is foreign code: whatever it raises is its failure
            logger.warning("The editor failed on %d prompts", len(prompts), exc_info=True)
            if len(prompts) > 1:
                self._make_one_by_one(prompts, seed, stop)
                return
            detail = (str(error).strip().splitlines() or [""])[0]
            answers = [EditFailure(f"{type(error).__name__}: {detail}".removesuffix(": "))]
        for prompt, answer in zip(prompts, answers, strict=False):  # fewer answers when stopped
            if isinstance(answer, Image.Image):
                answer = answer.convert("RGB")
                self._keep(prompt, seed, answer)
            self._answers[prompt, seed] = answer

    def _make_one_by_one(self, prompts: list[str], seed: int, stop: Stop) -> None:
        for prompt in prompts:
            if self.stopped or stop():
                self.stopped = True
                return
            self._make([prompt], seed, stop)

    def _ask(self, prompts: list[str], seed: int, stop: Stop) -> Sequence[Answer]:
        """Call the editor once, and return its answers: one for each prompt, unless stopped."""
        started = time.perf_counter()
        expected = len(prompts)
        try:
            answers: Sequence[Answer] = self._editor.edit(
                self._photo, prompts, seed=seed, stop=stop, **self._masked, **self._knobs
            )
        except StopRequested as stopped:
            self.stopped = True
            answers = stopped.answers
            expected = min(expected, len(answers))
        finally:
            self.seconds += time.perf_counter() - started
        self._check(answers, expected)
        return answers

    def _keep(self, prompt: str, seed: int, image: Image.Image) -> None:
        if self._cache is None:
            return
        try:
            self._cache.put(self._key(prompt, seed), image)
        except OSError as error:
            self._cache = None
            self.note = (
                f"Edits could not be kept on disk ({error.strerror or error}), so this run went "
                "on without the cache and would have to be made again."
            )

    def _check(self, answers: Sequence[object], expected: int) -> None:
        if len(answers) != expected:
            raise ConfigError(
                f"The editor {self._editor.name!r} returned {len(answers)} pictures for "
                f"{expected} prompts. It must return one for each, or EditFailure in its place."
            )
        for answer in answers:
            if not isinstance(answer, Image.Image | EditFailure):
                raise ConfigError(
                    f"The editor {self._editor.name!r} returned a {type(answer).__name__}. It "
                    "must return PIL images, or EditFailure where there is none."
                )
