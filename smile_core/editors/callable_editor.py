"""Any function (image, prompts, seed) -> images as an editor."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from PIL import Image

from smile_core.config import ConfigError
from smile_core.editors.protocol import (
    EditFailure,
    EditorCard,
    Stop,
    StopRequested,
    resolve_knobs,
)

EditFunction = Callable[
    [Image.Image, Sequence[str], int], Iterable[Image.Image | EditFailure | None]
]

LONG_SIDE = 1024  # pixels; a photo of a camera would keep hundreds of large edits in memory

NO_PICTURE = EditFailure("The editor returned no picture.")


class CallableEditor:
    """Wraps a plain function.

    Parameters
    ----------
    function : callable
        Takes the photo (RGB), a list of prompts and a seed; returns one picture, None or
        `EditFailure` for every prompt. It gets all prompts of a batch at once, because together
        they may be faster, and a Stop waits until it returns. If it yields the pictures one by
        one instead, as a generator does, a Stop waits for one picture only.
    name : str or None
        Its name in results; None takes the function's own.
    fingerprint : str or None
        Anything that changes when the function's answers change. Without one its edits are not
        kept on disk, for nobody can tell whether yesterday's function is today's.
    long_side : int or None
        A photo whose long side has more pixels is made that small; None keeps its size.
    """

    def __init__(
        self,
        function: EditFunction,
        *,
        name: str | None = None,
        fingerprint: str | None = None,
        long_side: int | None = LONG_SIDE,
    ) -> None:
        if not callable(function):
            raise ConfigError(
                f"An editor must be a name, an Editor or a function (image, prompts, seed) -> "
                f"images, not {type(function).__name__}."
            )
        self.function = function
        self.name: str = name or getattr(function, "__name__", None) or type(function).__name__
        self.fingerprint = fingerprint
        self.card = EditorCard(
            name=self.name,
            title=self.name,
            family="callable",
            repeatable=False,
            long_side=long_side,
            enlarge=False,
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
        """Call the function once with all prompts, see `Editor.edit` and the class on `stop`."""
        resolve_knobs(self.card, **knobs)
        made = self.function(image, list(prompts), seed)
        answers: list[Image.Image | EditFailure] = []
        for answer in made:
            answers.append(NO_PICTURE if answer is None else answer)
            is_lazy = isinstance(made, Iterator) and len(answers) < len(prompts)
            if is_lazy and stop is not None and stop():
                raise StopRequested(answers)
        return answers
