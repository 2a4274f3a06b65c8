"""When a run may end early: the words that can be told apart have kept their order.

Decided at fixed numbers of edits, from nothing but those edits, so that the size of batches and
what the cache holds change nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from smile_core.explanation import Explanation

# Numbers of edits at which is decided: every 8 to 128, then every 64.
CHECK_EVERY = 8
_CLOSE_CHECKS, _CHECK_SELDOM = 128, 64
# Looks in a row that have to agree.
CHECKS = 3

# Pairs (i, j) of units: i lies above j beyond doubt.
Order = frozenset[tuple[int, int]]


def is_check(edits: int) -> bool:
    """Say whether it is decided after so many edits, the reference not counted."""
    return edits > 0 and edits % (CHECK_EVERY if edits <= _CLOSE_CHECKS else _CHECK_SELDOM) == 0


def certain_order(weights: np.ndarray, intervals: np.ndarray) -> Order:
    """Return which units lie above which beyond doubt.

    Parameters
    ----------
    weights : ndarray, shape (m,)
        Weights of the units.
    intervals : ndarray, shape (m, 2)
        Low and high end of each.

    Returns
    -------
    frozenset of (int, int)
        (i, j) where i is heavier than j and their intervals have no point in common.
    """
    low, high = np.asarray(intervals, dtype=float).T
    weights = np.asarray(weights, dtype=float)
    above = (low[:, None] > high[None, :]) & (weights[:, None] > weights[None, :])  # (m, m)
    return frozenset((int(i), int(j)) for i, j in np.argwhere(above))


def is_settled(orders: Sequence[Order], checks: int = CHECKS) -> bool:
    """Say whether the order of the words is settled.

    Parameters
    ----------
    orders : sequence of Order
        `certain_order` after each look, the latest last.
    checks : int
        Looks in a row that have to agree.

    Returns
    -------
    bool
        True when the last `checks` orders are the same and say something. An order without a
        single certain pair never settles: such a run is made to its end.
    """
    last = orders[-checks:]
    return len(last) == checks and bool(last[-1]) and len(set(last)) == 1


def explained_order(explanation: Explanation) -> Order:
    """Return the `certain_order` of an explanation."""
    units = explanation.units
    return certain_order(
        np.array([unit.weight for unit in units]),
        np.array([(unit.low, unit.high) for unit in units]),
    )
