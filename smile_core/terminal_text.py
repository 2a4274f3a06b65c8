"""Text in the columns of a terminal."""

from __future__ import annotations

import unicodedata


def columns(text: str) -> int:
    """Return how many terminal columns `text` takes; East Asian wide letters take two."""
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    return len(text) + wide - sum(bool(unicodedata.combining(letter)) for letter in text)


def shorten(text: str, most: int) -> str:
    """Return `text` cut to `most` columns; control characters, which could steer a terminal, go."""
    text = "".join(c if c.isprintable() else "�" for c in text)
    if columns(text) <= most:
        return text
    while columns(text) >= most:
        text = text[:-1]
    return text + "…"


def pad(text: str, width: int) -> str:
    """Return `text` filled up with spaces to `width` columns."""
    return text + " " * (width - columns(text))
