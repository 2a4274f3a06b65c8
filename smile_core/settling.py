"""When a run may end early: nothing that matters is open.

It is looked at after every fourth edit up to 128, and every 64th from there on, but not before
there are twice as many edits as words, for no verdict is given before. A word is open while its
verdict is unclear and its weight is 0.1 or more, or its interval reaches half of the way. Two looks
in a row with nothing open, and with the same verdicts on the words of 0.1 or more, end the run. It
is decided at fixed numbers of edits, from nothing but those edits, so that the size of batches and
what the cache holds change nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from smile_core.config import PERTURBATIONS_PER_UNIT
from smile_core.explanation import UNCLEAR, Explanation, UnitWeight

# Numbers of edits at which is decided: every 4 to 128, then every 64.
_CHECK_EVERY, _CLOSE_CHECKS, _CHECK_SELDOM = 4, 128, 64
# Looks in a row that have to agree.
CHECKS = 2
# From here on a word matters, as in the paper.
MATTERS = 0.1
# An interval that reaches so far says next to nothing of a word, whatever its weight.
FAR = 0.5

# Whether anything that matters is open, and the verdicts on the units that matter by index.
Look = tuple[bool, dict[int, str]]


def is_check(edits: int, n_units: int) -> bool:
    """Say whether it is decided after so many edits of so many units, the full one not counted."""
    every = _CHECK_EVERY if edits <= _CLOSE_CHECKS else _CHECK_SELDOM
    return edits >= PERTURBATIONS_PER_UNIT * n_units and edits % every == 0


def matters(unit: UnitWeight) -> bool:
    """Say whether the weight of a unit is large enough to matter."""
    return abs(unit.weight) >= MATTERS


def is_open(unit: UnitWeight) -> bool:
    """Say whether it is unclear what a unit does, and that may matter."""
    far = max(-unit.low, unit.high) >= FAR
    return unit.verdict == UNCLEAR and (matters(unit) or far)


def is_judged(explanation: Explanation) -> bool:
    """Say whether there are edits enough for verdicts: twice as many as units, or all there are."""
    known = sum(sample.sample_weight is not None for sample in explanation.samples)
    m = len(explanation.units)
    return known >= min(PERTURBATIONS_PER_UNIT * m, 2**m - 2)


def look_at(units: Sequence[UnitWeight], *, judged: bool) -> Look:
    """Return what the units say of whether a run is settled; `judged` as of `is_judged`."""
    telling = {index: unit.verdict for index, unit in enumerate(units) if matters(unit)}
    return not judged or any(map(is_open, units)), telling


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
