"""Making the edits of a run, batch by batch: from the cache where it has them, else by the editor.

Every answer is a picture or an `EditFailure`; nothing is made up in the place of a failure.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image

from smile_core.config import ConfigError
from smile_core.edit_cache import EditCache, edit_key, pixel_digest
from smile_core.editors.protocol import EditFailure, Editor, Stop, StopRequested

logger = logging.getLogger(__name__)

# Once the full edit and the one without instruction are there, a few prompts only, so that
# something shows early.
FIRST_BATCH = 4
# Answers that the cache has come without waiting, but a batch of them still has to be encoded.
MOST_ANSWERS = 64

# Rows of a run: the edit without instruction, then the full one, then the shortened ones from 1 on.
BLANK, REFERENCE = -1, 0

Answer = Image.Image | EditFailure


@dataclass(frozen=True)
class Ask:
    """One edit to ask for.

    Attributes
    ----------
    row : int
        `REFERENCE`, `BLANK`, or the number of a shortened instruction, from 1 on.
    prompt : str
        What the editor is told.
    seed_index, seed : int
        Which seed of the run, and the number itself.
    repeat : int
        0, or how often the same was asked for before.
    """

    row: int
    prompt: str
    seed_index: int
    seed: int
    repeat: int = 0

    @property
    def key(self) -> tuple[str, int, int]:
        """What the answer depends on."""
        return self.prompt, self.seed, self.repeat


@dataclass(frozen=True)
class Made:
    """One answer, and what it answers."""

    ask: Ask
    answer: Answer


class EditMaker:
    """Makes all edits of a run in a fixed order.

    Parameters
    ----------
    editor : Editor
        Makes what is not cached.
    photo : PIL.Image.Image
        The photo at the editor's working size.
    asks : sequence of Ask
        What to make, in order.
    knobs : mapping
        The editor's knobs, defaults filled in.
    batch_size : int
        Edits per call of the editor.
    cache : EditCache or None
        Where edits are kept. Dropped at the first write that fails; `note` then says why.
    mask : PIL.Image.Image or None
        Where to edit, for an editor that needs it.
    if_unsteady : sequence of Ask
        What to make besides when the second full edit by one text and seed is not the first.
    pauses : callable or None
        Says of a number of shortened instructions whether a batch ends there, so that a decision
        depends on nothing but those before it.

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
    unsteady : bool
        True when the same text and seed gave two different full edits.
    """

    def __init__(
        self,
        editor: Editor,
        photo: Image.Image,
        asks: Sequence[Ask],
        *,
        knobs: Mapping[str, Any],
        batch_size: int,
        cache: EditCache | None,
        mask: Image.Image | None = None,
        if_unsteady: Sequence[Ask] = (),
        pauses: Callable[[int], bool] | None = None,
    ) -> None:
        self.note: str | None = None
        self.fresh = 0
        self.seconds = 0.0
        self.stopped = False
        self.unsteady = False
        self._editor, self._photo, self._asks = editor, photo, list(asks)
        self._knobs, self._batch_size = knobs, batch_size
        self._if_unsteady, self._pauses = if_unsteady, pauses
        self._cache = None if editor.fingerprint is None else cache
        self._photo_digest = pixel_digest(photo)
        # An editor without a mask is called without it, so that it need not know the word.
        self._masked = {} if mask is None else {"mask": mask}
        self._mask_digest = None if mask is None else pixel_digest(mask)
        # Asks that read the same ("very very cold") share one answer.
        self._answers: dict[tuple[str, int, int], Answer] = {}
        self._position = 0  # of the next ask
        self._missing = self._count_missing()

    def know(self, pictures: Mapping[str, Image.Image]) -> None:
        """Take pictures by prompt, of the first seed, that were made before the run began."""
        seed = self._asks[0].seed
        self._answers |= {(prompt, seed, 0): image for prompt, image in pictures.items()}
        self._missing = self._count_missing()

    def shorten_to(self, perturbations: int) -> None:
        """Leave out all shortened instructions behind the first so many, under every seed."""
        self._asks = [ask for ask in self._asks if ask.row <= perturbations]
        self._missing = self.fresh + self._count_missing()

    def end(self) -> None:
        """Leave out all that is still to come."""
        del self._asks[self._position :]
        self._missing = self.fresh

    @property
    def runs_on(self) -> str:
        """Device and precision of the editor; empty when it is not ours to know."""
        return getattr(self._editor, "runs_on", "")

    @property
    def begun(self) -> bool:
        """Whether what all shortened instructions are compared with is made."""
        return self._position >= self.total or self._asks[self._position].row > REFERENCE

    @property
    def planned(self) -> int:
        """Number of shortened instructions."""
        return max((ask.row for ask in self._asks), default=0)

    @property
    def to_make(self) -> int:
        """Number of edits that the editor has yet to make, as far as the cache promises."""
        return max(self._missing - self.fresh, 0)

    @property
    def total(self) -> int:
        """Number of edits of the whole run."""
        return len(self._asks)

    def batches(self, stop: Stop) -> Iterator[list[Made]]:
        """Yield answers until all are there or `stop` answers True."""
        limit = min(FIRST_BATCH, self._batch_size)
        while self._position < self.total and not self.stopped:
            if stop():
                self.stopped = True
                return
            asks, missing = self._next_batch(limit)
            if missing:
                before = len(self._answers)
                self._make(missing, stop)
                self.fresh += len(self._answers) - before
            self._position += len(asks)
            self._check_steadiness(asks[0])
            batch = [Made(ask, self._answers[ask.key]) for ask in asks if ask.key in self._answers]
            if batch:
                yield batch
            if asks[-1].row > REFERENCE:
                limit = self._batch_size

    def _check_steadiness(self, ask: Ask) -> None:
        """Ask for more repeats where a second full edit under one seed is not the first."""
        first = self._asks[0]
        if (ask.row, ask.repeat, ask.seed) != (REFERENCE, 1, first.seed):
            return
        one, other = self._answers.get(first.key), self._answers.get(ask.key)
        if not (isinstance(one, Image.Image) and isinstance(other, Image.Image)):
            return
        if not same_picture(one, other):
            self.unsteady = True
            self._asks[self._position : self._position] = self._if_unsteady
            self._missing = self.fresh + self._count_missing()

    def _count_missing(self) -> int:
        """Count the edits that are neither answered nor in the cache."""
        missing = {ask.key: ask for ask in self._asks if ask.key not in self._answers}
        if self._cache is not None:
            return sum(not self._cache.holds(self._key(ask)) for ask in missing.values())
        return len(missing)

    def _next_batch(self, limit: int) -> tuple[list[Ask], list[Ask]]:
        """Return the next batch, and those of it that the editor has to make.

        A batch stays within one seed, because a call of the editor has one seed, and within one
        repeat, because one call is given no text twice.
        """
        asks: list[Ask] = []
        missing: dict[tuple[str, int, int], Ask] = {}
        for ask in self._asks[self._position :]:
            if asks and self._ends_batch(asks[-1], ask):
                break
            if ask.key not in self._answers and ask.key not in missing:
                found = self._find(ask)
                if found is None:
                    missing[ask.key] = ask
                else:
                    self._answers[ask.key] = found
            asks.append(ask)
            if len(missing) == limit or len(asks) == MOST_ANSWERS:
                break
        return asks, list(missing.values())

    def _ends_batch(self, ask: Ask, following: Ask) -> bool:
        """Say whether a batch ends between two asks."""
        if (ask.seed, ask.repeat) != (following.seed, following.repeat):
            return True
        if ask.row <= REFERENCE:
            # The full edit and the one without instruction come first, and by themselves: they
            # may say already that nothing happened.
            return following.row > REFERENCE
        return self._pauses is not None and self._pauses(ask.row)

    def _find(self, ask: Ask) -> Image.Image | None:
        return None if self._cache is None else self._cache.get(self._key(ask))

    def _key(self, ask: Ask) -> str:
        return edit_key(
            self._photo_digest,
            self._editor.fingerprint or "",
            ask.prompt,
            ask.seed,
            self._knobs,
            self._mask_digest,
            ask.repeat,
        )

    def _make(self, asks: list[Ask], stop: Stop) -> None:
        """Run the editor and keep its answers.

        Of a batch that raises nobody knows which prompt was to blame, so each is run alone.
        """
        try:
            answers = self._ask(asks, stop)
        except Exception as error:  # an editor is foreign code: whatever it raises is its failure
            if isinstance(error, ConfigError) and all(ask.row != BLANK for ask in asks):
                raise  # an editor may refuse an empty text, but a setting is wrong for all
            logger.warning("The editor failed on %d prompts", len(asks), exc_info=True)
            if len(asks) > 1:
                self._make_one_by_one(asks, stop)
                return
            answers = [EditFailure(_reason(error))]
        for ask, answer in zip(asks, answers, strict=False):  # fewer answers when stopped
            if isinstance(answer, Image.Image):
                answer = answer.convert("RGB")
                self._keep(ask, answer)
            self._answers[ask.key] = answer

    def _make_one_by_one(self, asks: list[Ask], stop: Stop) -> None:
        for ask in asks:
            if self.stopped or stop():
                self.stopped = True
                return
            self._make([ask], stop)

    def _ask(self, asks: list[Ask], stop: Stop) -> Sequence[Answer]:
        """Call the editor once, and return its answers: one for each prompt, unless stopped."""
        started = time.perf_counter()
        expected = len(asks)
        try:
            answers: Sequence[Answer] = self._editor.edit(
                self._photo,
                [ask.prompt for ask in asks],
                seed=asks[0].seed,
                stop=stop,
                **self._masked,
                **self._knobs,
            )
        except StopRequested as stopped:
            self.stopped = True
            answers = stopped.answers
            expected = min(expected, len(answers))
        finally:
            self.seconds += time.perf_counter() - started
        self._check(answers, expected)
        return answers

    def _keep(self, ask: Ask, image: Image.Image) -> None:
        if self._cache is None:
            return
        try:
            self._cache.put(self._key(ask), image)
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


def same_picture(one: Image.Image, other: Image.Image) -> bool:
    """Say whether two RGB pictures agree in every pixel."""
    return one.size == other.size and one.tobytes() == other.tobytes()


def _reason(error: Exception) -> str:
    """Return an exception in one line."""
    detail = (str(error).strip().splitlines() or [""])[0]
    if isinstance(error, ConfigError):
        return detail
    return f"{type(error).__name__}: {detail}".removesuffix(": ")
