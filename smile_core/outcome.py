"""What came of a run: an edit, nothing, no more than chance, or one that any unit is enough for.

It is decided before any weight is looked at. Where nothing happened there is no weight to look at:
rounding and chance would fill any scale.
"""

from __future__ import annotations

import numpy as np

from smile_core.explanation import ANY_UNIT, CHANCE, EDITED, UNCHANGED
from smile_core.visible import VISIBLE


def outcome_of(
    visible: float | None,
    *,
    beyond_chance: bool,
    responses: np.ndarray | None = None,
    judged: bool = False,
    negligible: float = 0.05,
) -> str:
    """Say what came of a run.

    Parameters
    ----------
    visible : float or None
        `visible_change` between the full edit and the edit without instruction; None while there
        is none to compare with.
    beyond_chance : bool
        Whether the two lie farther apart than repeats of one of them.
    responses : ndarray, shape (n + 1,), or None
        Responses of the edits in the fit, the full edit's first.
    judged : bool
        Whether there are edits enough to say anything of the units.
    negligible : float
        The smallest effect that matters, as a share of the way.

    Returns
    -------
    str
        One of `smile_core.explanation.OUTCOMES`.
    """
    if visible is not None and visible < VISIBLE:
        return UNCHANGED
    if not beyond_chance:
        return CHANCE
    if responses is not None and judged and is_any_enough(responses, negligible):
        return ANY_UNIT
    return EDITED


def is_any_enough(responses: np.ndarray, negligible: float) -> bool:
    """Say whether every edit, responses (n + 1,), is to the last that matters the full edit."""
    return bool(np.all(1 - responses <= negligible))
