"""What all commands say to the terminal, and how they answer Ctrl+C."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from smile_core.config import ConfigError, RunConfig

INTERRUPTED = 130
BAD_INPUT = 2
_PROGRESS_EVERY_S = 5.0  # when the output is a file rather than a terminal


def complain(message: str) -> None:
    """Write one line to stderr, below the progress line if there is one."""
    start = "\r\x1b[K" if sys.stderr.isatty() else ""
    print(start + " ".join(message.split()), file=sys.stderr)


def check_folder(out: str) -> None:
    """Refuse a folder that cannot be made before the edits are made, not after."""
    try:
        os.makedirs(out, exist_ok=True)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError(
            f"The folder {out!r} cannot be made: {reason}. Choose another."
        ) from error


def say_cost(configs: Sequence[RunConfig]) -> None:
    """Say what runs with an editor behind an API will be billed, before the first edit."""
    from smile_core.editors import cost_sentence, list_editors
    from smile_core.planning import count_edits

    cards = {card.name: card for card in list_editors()}
    for config in configs:
        card = cards.get(config.editor)  # None: a model of one's own, which nobody bills
        if card is not None and card.key_variable:
            print(cost_sentence(card, count_edits(config, card)), file=sys.stderr)


@contextmanager
def interrupt_flag() -> Iterator[Callable[[], bool]]:
    """Turn the first Ctrl+C into a flag, so that the run ends with what it has."""
    pressed = False

    def note(number: int, frame: object) -> None:
        nonlocal pressed
        pressed = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield lambda: pressed
    finally:
        signal.signal(signal.SIGINT, before)


def progress_printer() -> Callable[[str, bool], None]:
    """Return a function that keeps one line on a terminal, or writes one now and then to a file.

    It takes the line, and whether the run has ended.
    """
    terminal = sys.stderr.isatty()
    last_written = 0.0

    def show(line: str, ended: bool) -> None:
        nonlocal last_written
        now = time.monotonic()
        if not (terminal or ended or now - last_written >= _PROGRESS_EVERY_S):
            return
        last_written = now
        end = "\n" if ended or not terminal else ""
        sys.stderr.write(f"\r\x1b[K{line}{end}" if terminal else f"{line}{end}")
        sys.stderr.flush()

    return show
