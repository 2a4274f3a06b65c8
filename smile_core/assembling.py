"""From measurements to an `Explanation`: weights, intervals, fidelity, and what must be said.

References
----------
[1] SMILE for instruction-based image editing, arXiv 2412.16277.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from smile_core.config import RunConfig
from smile_core.explanation import Explanation, Sample, UnitWeight
from smile_core.fidelity import fidelity
from smile_core.measuring import Measurements
from smile_core.surrogate import (
    Fit,
    NothingChangedError,
    bootstrap_intervals,
    effective_sample_size,
    fit_surrogate,
    kernel_weights,
    shapley_weights,
    similarity,
    verdict,
)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a run sets out to do.

    Attributes
    ----------
    config : RunConfig
        The settings that are in force.
    editor, encoder : str
        Names for the result.
    photo : PIL.Image.Image
        The photo at the editor's working size.
    units : tuple of str, length m
        Units of the instruction.
    masks : ndarray of int8, shape (n + 1, m)
        Row 0 is the reference, all ones.
    prompts : tuple of str, length n + 1
        The kept units of each mask.
    text_distances : ndarray, shape (n + 1,)
        Distance of each prompt to the full instruction.
    bootstrap_seed, p_value_seed : numpy.random.SeedSequence
        Seeds of the intervals, the same for every snapshot, and of the p-values.
    notes : tuple of str
        What is known to need saying before the run starts.
    mask : PIL.Image.Image or None
        Where to edit, of the size of `photo`, for an editor that needs it.
    """

    config: RunConfig
    editor: str
    encoder: str
    photo: Image.Image
    units: tuple[str, ...]
    masks: np.ndarray
    prompts: tuple[str, ...]
    text_distances: np.ndarray
    bootstrap_seed: np.random.SeedSequence
    p_value_seed: np.random.SeedSequence
    notes: tuple[str, ...] = ()
    mask: Image.Image | None = None


@dataclass(frozen=True)
class Ending:
    """What is computed once, when a run has ended.

    Attributes
    ----------
    p_values : ndarray, shape (n + 1,), or None
        NaN where there is no picture; None when they were not computed, as in a stopped run.
    projection : tuple of (float, float)
        One point for each row that was answered, the reference first.
    notes : tuple of str
        What must be said about the end.
    without_instruction : Sample or None
        The edit by the empty prompt; None in a run that was stopped before it.
    """

    p_values: np.ndarray | None
    projection: tuple[tuple[float, float], ...]
    notes: tuple[str, ...]
    without_instruction: Sample | None


def assemble(plan: Plan, measured: Measurements, ending: Ending | None = None) -> Explanation:
    """Fit what has been measured so far.

    Parameters
    ----------
    plan : Plan
        The run.
    measured : Measurements
        Its answers so far; the reference must be among them.
    ending : Ending or None
        Given for the last snapshot only.

    Returns
    -------
    Explanation
        Without timing and versions, which belong to the engine. A unit that was never left out
        so far has weight 0 and the interval [-1, 1]: nothing is known about it.
    """
    distances = measured.distances()  # (n + 1,), NaN where unknown
    distances[0] = 0.0
    p_values = None if ending is None else ending.p_values
    fitted = _fit(plan, distances, p_values)
    predicted = _predict(fitted.fit, plan.masks)  # (n + 1,)
    failed = measured.failed()

    def sample(row: int) -> Sample:
        return Sample(
            mask=tuple(int(bit) for bit in plan.masks[row]),
            prompt=plan.prompts[row],
            image=measured.images[row],
            image_distance=_number(distances[row]),
            text_distance=float(plan.text_distances[row]),
            sample_weight=_number(fitted.weights[row]),
            similarity=_number(fitted.similarities[row]),
            predicted=float(predicted[row]),
            p_value=None if p_values is None else _number(p_values[row]),
            failed=failed.get(row),
        )

    answered = np.flatnonzero(measured.answered)
    rows = fitted.rows
    return Explanation(
        instruction=plan.config.instruction,
        editor=plan.editor,
        encoder=plan.encoder,
        seed=plan.config.seed,
        config=plan.config.to_dict(),
        units=tuple(
            UnitWeight(
                text=text,
                weight=float(weight),
                low=float(low),
                high=float(high),
                verdict=verdict(low, high),
            )
            for text, weight, (low, high) in zip(
                plan.units, fitted.fit.coefficients, fitted.intervals, strict=True
            )
        ),
        intercept=fitted.fit.intercept,
        interactions=fitted.fit.interactions,
        fidelity=fidelity(
            fitted.similarities[rows],
            fitted.fit.predicted,
            fitted.fit.weights,
            n_parameters=fitted.fit.n_parameters,
            leverage=fitted.fit.leverage,
        ),
        effective_sample_size=effective_sample_size(fitted.weights[rows]),
        samples=tuple(sample(int(row)) for row in answered if row > 0),
        reference=sample(0),
        without_instruction=None if ending is None else ending.without_instruction,
        source=plan.photo,
        mask=plan.mask,
        projection=() if ending is None else ending.projection,
        noise_floor=measured.noise_floor(),
        notes=(
            *plan.notes,
            *_notes(plan, measured, fitted, ended=ending is not None),
            *(() if ending is None else ending.notes),
        ),
    )


@dataclass(frozen=True)
class _Fitted:
    """A fit, beside the rows it was made on.

    `known` are the rows with a distance and `rows` those of them in the fit; `similarities` and
    `weights` (n + 1,) are NaN elsewhere. `changed` is False when all edits are the same.
    """

    fit: Fit
    intervals: np.ndarray
    known: np.ndarray
    rows: np.ndarray
    similarities: np.ndarray
    weights: np.ndarray
    changed: bool


def _fit(plan: Plan, distances: np.ndarray, p_values: np.ndarray | None) -> _Fitted:
    """Fit the rows whose distance is known, `distances` (n + 1,) being NaN elsewhere."""
    config = plan.config
    known = np.flatnonzero(~np.isnan(distances))  # row 0 is always among them
    rows = _passing(known, p_values, config.p_cutoff)
    similarities, weights = np.full((2, len(distances)), np.nan)
    try:
        similarities[known] = similarity(distances[known])
        changed = True
    except NothingChangedError:
        similarities[known] = 1.0
        changed = False

    X = plan.masks[rows].astype(float)  # (f, m)
    kernel, _ = kernel_weights(plan.text_distances[rows], config.kernel_width)  # (f,)
    weights[rows] = _shown_weights(config.surrogate, X, kernel)
    if changed and len(rows) > 1:
        y, pairs = similarities[rows], config.interactions
        fit = fit_surrogate(config.surrogate, X, y, kernel, interactions=pairs)
        rng = np.random.default_rng(plan.bootstrap_seed)
        intervals = bootstrap_intervals(
            config.surrogate, X, y, kernel, interactions=pairs, rng=rng
        )  # (m, 2)
    else:
        fit = _flat_fit(X, weights[rows])
        intervals = np.where(X.all(axis=0)[:, None], [-1.0, 1.0], 0.0)
    return _Fitted(fit, intervals, known, rows, similarities, weights, changed)


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _passing(known: np.ndarray, p_values: np.ndarray | None, cutoff: float | None) -> np.ndarray:
    """Return the rows that enter the fit: all that are known, or those below the cutoff."""
    if cutoff is None or p_values is None:
        return known
    return np.array([row for row in known if row == 0 or p_values[row] <= cutoff])


def _shown_weights(surrogate: str, X: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Return the weights a reader is shown, in (0, 1], the reference's 1 first."""
    if surrogate != "shapley" or len(X) == 1:
        return kernel
    weights = shapley_weights(X)  # (f,); 0 for the reference, through which the fit must pass
    weights = weights / weights.max()
    weights[0] = 1.0
    return weights


def _flat_fit(X: np.ndarray, weights: np.ndarray) -> Fit:
    """Return the model of a response that does not move: every prediction is 1."""
    rows, m = X.shape
    return Fit(
        coefficients=np.zeros(m),
        intercept=1.0,
        interactions=(),
        predicted=np.ones(rows),
        weights=weights,
        leverage=np.zeros(rows),
        deficient=False,
        penalty=0.0,
    )


def _predict(fit: Fit, masks: np.ndarray) -> np.ndarray:
    """Return the surrogate's answer for every mask, (n + 1,)."""
    answer = fit.intercept + masks @ fit.coefficients
    for i, j, coefficient in fit.interactions:
        answer = answer + coefficient * masks[:, i] * masks[:, j]
    return answer


def _notes(plan: Plan, measured: Measurements, fitted: _Fitted, *, ended: bool) -> list[str]:
    """Return what a reader of these weights must know, as plain sentences."""
    notes = []
    failed = measured.failed()
    if failed:
        notes.append(
            f"{len(failed)} of {int(measured.answered.sum()) - 1} edits failed and were left out "
            f"of the fit. The first failure: {next(iter(failed.values()))}"
        )
    if ended and not fitted.changed:
        notes.append(
            "This instruction changed nothing: every edit is the same, whichever words are left "
            "out. Try a stronger instruction, or another editor."
        )
    left_out = len(fitted.known) - len(fitted.rows)
    if left_out:
        notes.append(
            f"{left_out} of {len(fitted.known) - 1} edits have a p-value above "
            f"{plan.config.p_cutoff:g} and were left out of the fit."
        )
    always = plan.masks[fitted.rows].min(axis=0)  # (m,); 1 where a unit was never left out
    never = [text for text, kept in zip(plan.units, always, strict=True) if kept]
    if never and len(fitted.known) > 1:
        notes.append(f"Never left out, so nothing is known about: {', '.join(never)}.")
    elif fitted.fit.deficient:
        notes.append(
            "The prompts that were run cannot tell all words apart, so the smallest weights that "
            "fit are shown. Run more perturbations."
        )
    return notes
