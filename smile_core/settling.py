"""When a run may end early: the words that can be told apart have kept their order.

It is looked at after every eighth edit up to 128, and every 64th from there on. Two words can be
told apart when their intervals have no point in common. Three looks in a row that agree on the
order of all such words end the run; the first of the three need not have told any apart. It is
decided at fixed numbers of edits, from nothing but those edits, so that the size of batches and
what the cache holds change nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from smile_core.explanation import Explanation

# Numbers of edits at which is decided: every 8 to 128, then every 64.
CHECK_EVERY = 8
_CLOSE_CHECKS, _CHECK_SELDOM = 128, 64
# Looks in a row that have to agree, and how many of them, the last, must be certain of some pair.
CHECKS, CERTAIN_CHECKS = 3, 2

# Weights (m,) and intervals (m, 2) of the units.
Look = tuple[np.ndarray, np.ndarray]


def is_check(edits: int) -> bool:
    """Say whether it is decided after so many edits, the reference not counted."""
    return edits > 0 and edits % (CHECK_EVERY if edits <= _CLOSE_CHECKS else _CHECK_SELDOM) == 0


def certain_order(intervals: np.ndarray) -> frozenset[tuple[int, int]]:
    """Return which units lie above which beyond doubt.

    Parameters
    ----------
    intervals : ndarray, shape (m, 2)
        Low and high end of each unit's weight.

    Returns
    -------
    frozenset of (int, int)
        (i, j) where the interval of i lies wholly above that of j.
    """
    low, high = np.asarray(intervals, dtype=float).T
    above = low[:, None] > high[None, :]  # (m, m)
    return frozenset((int(i), int(j)) for i, j in np.argwhere(above))


def is_settled(looks: Sequence[Look], checks: int = CHECKS) -> bool:
    """Say whether the order of the words is settled.

    Parameters
    ----------
    looks : sequence of Look
        What was known at each look, the latest last.
    checks : int
        Looks in a row that have to agree.

    Returns
    -------
    bool
        True when the last `CERTAIN_CHECKS` looks were each certain of some pair of words, and
        every pair that one of the last `checks` was certain of stands in that order, by weight, in
        all of these. A run in which nothing is certain is therefore made to its end.
    """
    last = looks[-checks:]
    orders = [certain_order(intervals) for _, intervals in last]
    if len(last) < checks or not all(orders[-CERTAIN_CHECKS:]):
        return False
    pairs = frozenset().union(*orders)
    return all(weights[i] > weights[j] for weights, _ in last for i, j in pairs)


def look_at(explanation: Explanation) -> Look:
    """Return what an explanation says of the order of its words."""
    units = explanation.units
    return (
        np.array([unit.weight for unit in units]),
        np.array([(unit.low, unit.high) for unit in units]),
    )
