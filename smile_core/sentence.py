"""The answer first: what an explanation says, in a sentence or two of plain words."""

from __future__ import annotations

from smile_core.explanation import Explanation


def summarize(explanation: Explanation) -> str:
    """Say in plain words which units drive the edit; plain text, callers escape it."""
    raise NotImplementedError
