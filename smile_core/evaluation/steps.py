"""Long measurements in steps, so that whoever waits for one can tell how far it is."""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import wraps
from typing import ParamSpec, TypeAlias, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

# Pauses after every batch of edits, and returns what was measured.
Steps: TypeAlias = Generator[None, None, T]


def to_the_end(steps: Callable[P, Steps[T]]) -> Callable[P, T]:
    """Return the function that takes all steps at once and returns what they lead to."""

    @wraps(steps)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        walk = steps(*args, **kwargs)
        while True:
            try:
                next(walk)
            except StopIteration as ended:
                found: T = ended.value
                return found

    return run
