"""The end of a run: p-values, and where each edit lies in the plane.

References
----------
[1] SMILE for instruction-based image editing, arXiv 2412.16277 (Algorithm 1).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from smile_core.assembling import Ending, Plan
from smile_core.editing import EditMaker
from smile_core.editors.protocol import Stop, StopRequested
from smile_core.measuring import Measurements
from smile_core.projection import principal_components, tsne
from smile_core.significance import p_values

# A run that is stopped has to answer within a second; more pictures than this take t-SNE longer.
STOPPED_PROJECTION_ROWS = 128


def end_run(plan: Plan, maker: EditMaker, measured: Measurements, stop: Stop) -> Ending:
    """Compute what is worth computing once: the p-values, of a whole run only, and the projection.

    Parameters
    ----------
    plan, maker, measured
        The run; the reference must have a picture.
    stop : callable
        Asked while p-values are computed. When it answers True what is missing is left out, and
        `maker.stopped` is set.
    """
    notes = [] if maker.note is None else [maker.note]
    values = None
    if maker.stopped:
        notes.append(f"Stopped after {measured.done} of {maker.total} edits.")
    else:
        try:
            values = edit_p_values(plan, measured, stop)
        except StopRequested:
            maker.stopped = True
            notes.append("Stopped while the p-values were computed, so there are none.")
    if maker.stopped and plan.config.p_cutoff is not None:
        notes.append("The p-value cutoff was not applied, because the run was stopped.")
    if maker.stopped and _pictured(measured)[0].size > STOPPED_PROJECTION_ROWS:
        notes.append("The map shows principal components, because the run was stopped.")
        points = project_edits(measured, principal_components)
    else:
        points = project_edits(measured, lambda pooled: tsne(pooled, plan.config.seed))
    return Ending(values, points, tuple(notes))


def _pictured(measured: Measurements) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows that have a picture, (r,), and their pooled features, (r, d)."""
    vectors = {row: v for row, v in enumerate(measured.pooled) if v is not None}
    return np.array(list(vectors)), np.stack(list(vectors.values()))


def edit_p_values(plan: Plan, measured: Measurements, stop: Stop) -> np.ndarray | None:
    """Return the p-value of every row, (n + 1,), NaN without one; None when nothing compares."""
    rows, pooled = _pictured(measured)
    if len(rows) < 2:
        return None
    values = np.full(len(plan.prompts), np.nan)  # (n + 1,)
    values[rows[1:]] = p_values(
        pooled[0],
        pooled[1:],
        order=plan.config.order,
        distance=plan.config.image_distance,
        iterations=plan.config.p_iterations,
        rng=np.random.default_rng(plan.p_value_seed),
        cutoff=plan.config.p_cutoff,
        stop=stop,
    )
    return values


def project_edits(
    measured: Measurements, project: Callable[[np.ndarray], np.ndarray]
) -> tuple[tuple[float, float], ...]:
    """Place every edit in the plane.

    Parameters
    ----------
    measured : Measurements
        The edits; the reference must have a picture.
    project : callable
        Takes pooled features (r, d) to coordinates (r, 2).

    Returns
    -------
    tuple of (float, float)
        A point for every row that was answered, the reference first, at the origin; a failed edit
        lies there too.
    """
    rows, pooled = _pictured(measured)
    points = np.zeros((len(measured.pooled), 2))  # (n + 1, 2)
    points[rows] = project(pooled)
    points -= points[0]  # the reference is the origin, and so is every row without a picture
    return tuple((x, y) for x, y in points[measured.answered].tolist())
