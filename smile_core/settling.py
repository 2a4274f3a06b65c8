"""When a run may end early: nothing that matters is open.

It is looked at after every eighth edit up to 128, and every 64th from there on. A word that matters,
with a weight of 0.1 or more, is open while its verdict is unclear. Two looks in a row with nothing
open, and with the same verdicts on the words that matter, end the run. No verdict is given before
there are twice as many edits as words, so no run ends before. It is decided at fixed numbers of
edits, from nothing but those edits, so that the size of batches and what the cache holds change
nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from smile_core.config import PERTURBATIONS_PER_UNIT
from smile_core.explanation import UNCLEAR, Explanation, UnitWeight

# Numbers of edits at which is decided: every 8 to 128, then every 64.
CHECK_EVERY = 8
_CLOSE_CHECKS, _CHECK_SELDOM = 128, 64
# Looks in a row that have to agree.
CHECKS = 2
# From here on a word matters, as in the paper.
MATTERS = 0.1

# Whether anything that matters is open, and the verdicts on the units that matter by index.
Look = tuple[bool, dict[int, str]]


def is_check(edits: int) -> bool:
    """Say whether it is decided after so many edits, the full one not counted."""
    return edits > 0 and edits % (CHECK_EVERY if edits <= _CLOSE_CHECKS else _CHECK_SELDOM) == 0


def matters(unit: UnitWeight) -> bool:
    """Say whether the weight of a unit is large enough to matter."""
    return abs(unit.weight) >= MATTERS


def is_open(unit: UnitWeight) -> bool:
    """Say whether it is unclear what a unit does that matters, or that was never left out."""
    return unit.verdict == UNCLEAR and (matters(unit) or not unit.measured)


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
