"""What editors have in common that ask somebody else: one request for every edit, several at once.

How requests are tried again and stopped is told in `retrying`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from PIL import Image

from smile_core.editors.protocol import EditFailure, EditorCard, Stop, fit_to_card, resolve_knobs
from smile_core.editors.retrying import WORKERS, Patience, Request, edit_together


class RequestEditor(ABC):
    """Makes a request for every edit.

    Parameters
    ----------
    card : EditorCard
        Its description.
    fingerprint : str or None
        See `Editor`.
    patience : Patience
        How long to wait for an answer.
    workers : int
        Most requests at once.
    """

    def __init__(
        self,
        card: EditorCard,
        *,
        fingerprint: str | None,
        patience: Patience,
        workers: int = WORKERS,
    ) -> None:
        self.card = card
        self.name = card.name
        self.fingerprint = fingerprint
        self._patience = patience
        self._workers = workers

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
        """Make a request for every prompt, see `Editor.edit`."""
        settings = resolve_knobs(self.card, **knobs)
        with self._open(fit_to_card(image, self.card), seed, settings) as request:
            return edit_together(
                request, prompts, patience=self._patience, stop=stop, workers=self._workers
            )

    @abstractmethod
    def _open(
        self, photo: Image.Image, seed: int, settings: Mapping[str, Any]
    ) -> AbstractContextManager[Request]:
        """Open what the edits of one photo need, and hand out what makes one of them.

        Parameters
        ----------
        photo : PIL.Image.Image
            The photo at the editor's working size.
        seed : int
            Seed of the noise.
        settings : mapping
            The editor's knobs, see `resolve_knobs`.
        """
