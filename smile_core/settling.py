"""When a run may end early: nothing that matters is open.

It is looked at after every eighth edit up to 128, and every 64th from there on. A word is open
while its verdict is unclear and it may still matter, that is, while its weight or an end of its
interval reaches 0.1. Two looks in a row with nothing open, and with the same verdicts, end the run.
No verdict is given before there are twice as many edits as words, so no run ends before. It is
decided at fixed numbers of edits, from nothing but those edits, so that the size of batches and
what the cache holds change nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from smile_core.explanation import UNCLEAR, Explanation, UnitWeight

# Numbers of edits at which is decided: every 8 to 128, then every 64.
CHECK_EVERY = 8
_CLOSE_CHECKS, _CHECK_SELDOM = 128, 64
# Looks in a row that have to agree.
CHECKS = 2
# From here on a word matters, as in the paper.
MATTERS = 0.1

# Whether anything that matters is open, and the verdict of every unit.
Look = tuple[bool, tuple[str, ...]]


def is_check(edits: int) -> bool:
    """Say whether it is decided after so many edits, the full one not counted."""
    return edits > 0 and edits % (CHECK_EVERY if edits <= _CLOSE_CHECKS else _CHECK_SELDOM) == 0


def is_open(unit: UnitWeight) -> bool:
    """Say whether it is unclear what a unit does, and it may matter."""
    return unit.verdict == UNCLEAR and max(abs(unit.weight), -unit.low, unit.high) >= MATTERS


def look_at(explanation: Explanation) -> Look:
    """Return what an explanation says of whether its run is settled."""
    units = explanation.units
    return any(is_open(unit) for unit in units), tuple(unit.verdict for unit in units)


def is_settled(looks: Sequence[Look]) -> bool:
    """Say whether a run is settled.

    Parameters
    ----------
    looks : sequence of Look
        What was known at each look, the latest last.

    Returns
    -------
    bool
        True when the last two looks found nothing open, and the same verdicts.
    """
    last = looks[-CHECKS:]
    return len(last) == CHECKS and not any(open for open, _ in last) and last[0] == last[1]
