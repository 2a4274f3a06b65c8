"""An encoder that remembers the pictures it saw, so that a repeated run need not look again."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
from PIL import Image

from smile_core.edit_cache import pixel_digest
from smile_core.encoders import Encoder, Features

DEFAULT_MAX_BYTES = 192 * 2**20  # some 750 pictures of the bundled encoder


class RememberingEncoder:
    """Encodes equal pictures once.

    Parameters
    ----------
    encoder : Encoder
        Encodes what is new.
    max_bytes : int
        Features to keep in memory; those used longest ago go first.

    Attributes
    ----------
    encoded : int
        Pictures that were really encoded.
    seconds : float
        Time that took.
    """

    def __init__(self, encoder: Encoder, max_bytes: int = DEFAULT_MAX_BYTES) -> None:
        self.name = encoder.name
        self._encoder, self._max_bytes = encoder, max_bytes
        self._known: OrderedDict[str, Features] = OrderedDict()  # digest to one picture's
        self._size = 0
        self.encoded, self.seconds = 0, 0.0
        self._lock = threading.Lock()  # runs of several users share an encoder

    def encode(self, images: Sequence[Image.Image]) -> Features:
        """Return the features of `images`, one row per picture."""
        keys = [pixel_digest(image) for image in images]
        found: dict[str, Features] = {}
        with self._lock:
            for key in set(keys) & self._known.keys():
                found[key] = self._known[key]
                self._known.move_to_end(key)
        new = {key: image for key, image in zip(keys, images, strict=True) if key not in found}
        if new:
            started = time.perf_counter()
            made = self._encoder.encode(list(new.values()))
            self.encoded += len(new)
            self.seconds += time.perf_counter() - started
            for index, key in enumerate(new):
                found[key] = Features(made.tokens[[index]], made.pooled[[index]])
                self._remember(key, found[key])
        return Features(
            tokens=np.concatenate([found[key].tokens for key in keys]),
            pooled=np.concatenate([found[key].pooled for key in keys]),
        )

    def _remember(self, key: str, features: Features) -> None:
        with self._lock:
            if key in self._known:  # another thread was faster
                return
            self._known[key] = features
            self._size += _size(features)
            while self._size > self._max_bytes:
                _, oldest = self._known.popitem(last=False)
                self._size -= _size(oldest)


def _size(features: Features) -> int:
    return features.tokens.nbytes + features.pooled.nbytes
