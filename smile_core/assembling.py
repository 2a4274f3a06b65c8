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
from smile_core.explanation import Explanation, Sample
from smile_core.fitting import (
    Fitted,
    cutoff_note,
    fit_rows,
    model_fields,
    number_or_none,
    row_fields,
)
from smile_core.measuring import Measurements


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
    replicates : int
        How often the full edit is made once more at the end, to see how far chance moves it.
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
    replicates: int = 0


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
    fitted = fit_rows(
        plan.config,
        plan.masks,
        text_distances=plan.text_distances,
        distances=distances,
        p_values=p_values,
        bootstrap_seed=plan.bootstrap_seed,
    )
    failed = measured.failed()

    def sample(row: int) -> Sample:
        return Sample(
            mask=tuple(int(bit) for bit in plan.masks[row]),
            prompt=plan.prompts[row],
            image=measured.images[row],
            image_distance=number_or_none(distances[row]),
            text_distance=float(plan.text_distances[row]),
            p_value=None if p_values is None else number_or_none(p_values[row]),
            failed=failed.get(row),
            **row_fields(fitted, row),
        )

    answered = np.flatnonzero(measured.answered)
    return Explanation(
        instruction=plan.config.instruction,
        editor=plan.editor,
        encoder=plan.encoder,
        seed=plan.config.seed,
        config=plan.config.to_dict(),
        **model_fields(plan.units, fitted),
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


def _notes(plan: Plan, measured: Measurements, fitted: Fitted, *, ended: bool) -> list[str]:
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
    notes.extend(cutoff_note(left_out, len(fitted.known) - 1, plan.config.p_cutoff))
    always = plan.masks[fitted.rows].min(axis=0)  # (m,); 1 where a unit was never left out
    never = [text for text, kept in zip(plan.units, always, strict=True) if kept]
    if never and len(fitted.known) > 1:
        named = ", ".join(f'"{text}"' for text in never)
        notes.append(f"Never left out, so nothing is known about: {named}.")
    elif fitted.fit.deficient:
        notes.append(
            "The prompts that were run cannot tell all words apart, so the smallest weights that "
            "fit are shown. Run more perturbations."
        )
    return notes
