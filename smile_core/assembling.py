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
from smile_core.explanation import EDITED, Explanation, Repeats, Sample, Scale
from smile_core.fitting import (
    Fitted,
    cutoff_note,
    fit_rows,
    model_fields,
    number_or_none,
    row_fields,
)
from smile_core.measuring import Measurements
from smile_core.outcome import outcome_of
from smile_core.response import FARTHEST, PHOTO, WITHOUT, Distances


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
    p_value_seed : numpy.random.SeedSequence
        Seed of the p-values.
    notes : tuple of str
        What is known to need saying before the run starts.
    mask : PIL.Image.Image or None
        Where to edit, of the size of `photo`, for an editor that needs it.
    photo_stands_in : bool
        Whether the photo takes the place of the edit without instruction.
    """

    config: RunConfig
    editor: str
    encoder: str
    photo: Image.Image
    units: tuple[str, ...]
    masks: np.ndarray
    prompts: tuple[str, ...]
    text_distances: np.ndarray
    p_value_seed: np.random.SeedSequence
    notes: tuple[str, ...] = ()
    mask: Image.Image | None = None
    photo_stands_in: bool = False


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
    """

    p_values: np.ndarray | None
    projection: tuple[tuple[float, float], ...]
    notes: tuple[str, ...]


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
        Without timing and versions, which belong to the engine.
    """
    found = measured.distances()
    means = found.means  # (n + 1,), NaN where unknown
    p_values = None if ending is None else ending.p_values
    config = plan.config
    visible, beyond_chance = measured.visible, measured.beyond_chance()
    happened = outcome_of(visible, beyond_chance=beyond_chance) == EDITED
    fitted = fit_rows(
        config,
        plan.masks,
        text_distances=plan.text_distances,
        distances=found,
        p_values=p_values,
        happened=happened,
    )
    outcome = outcome_of(
        visible,
        beyond_chance=beyond_chance,
        responses=fitted.similarities[fitted.rows],
        judged=fitted.judged,
        negligible=config.negligible,
    )
    failed = measured.failed()

    def sample(row: int) -> Sample:
        return Sample(
            mask=tuple(int(bit) for bit in plan.masks[row]),
            prompt=plan.prompts[row],
            image=measured.images[row],
            image_distance=number_or_none(means[row]),
            text_distance=float(plan.text_distances[row]),
            p_value=None if p_values is None else number_or_none(p_values[row]),
            failed=failed.get(row),
            **row_fields(fitted, row),
        )

    shown = [int(row) for row in np.flatnonzero(measured.answered) if row > 0]
    return Explanation(
        instruction=config.instruction,
        editor=plan.editor,
        encoder=plan.encoder,
        seed=config.seed,
        config=config.to_dict(),
        **model_fields(plan.units, fitted, config.negligible, outcome),
        samples=tuple(sample(row) for row in shown),
        reference=sample(0),
        without_instruction=_without_instruction(plan, measured, found),
        scale=_scale(config, measured, found),
        repeats=_repeats(config, found, shown),
        source=plan.photo,
        mask=plan.mask,
        projection=() if ending is None else ending.projection,
        noise_floor=measured.noise_floor(),
        notes=(
            *plan.notes,
            *_notes(plan, measured, fitted),
            *(() if ending is None else ending.notes),
        ),
    )


def _without_instruction(plan: Plan, measured: Measurements, found: Distances) -> Sample | None:
    """Return the edit without instruction; None in a run that was stopped before it."""
    if measured.blank is None and measured.blank_failure is None:
        return None
    return Sample(
        mask=(0,) * len(plan.units),
        prompt="",
        image=measured.blank,
        image_distance=found.way,
        failed=measured.blank_failure if measured.blank is None else None,
    )


def _scale(config: RunConfig, measured: Measurements, found: Distances) -> Scale:
    """Return what the responses are shares of."""
    visible = measured.visible
    if config.response == "min-max" or found.way is None:
        known = found.means[~np.isnan(found.means)]
        value = float(known.max()) if len(known) > 1 else None
        return Scale(rests_on=FARTHEST, value=value, visible=visible)
    rests_on = PHOTO if measured.stands_in else WITHOUT
    return Scale(rests_on=rests_on, value=found.way, floor=found.floor, visible=visible)


def _repeats(config: RunConfig, found: Distances, shown: list[int]) -> Repeats | None:
    """Return the distances to each full edit, where something was repeated."""
    if found.rows.shape[1] < 2 and found.among is None:
        return None

    def plain(rows: np.ndarray) -> tuple[tuple[float | None, ...], ...]:
        return tuple(tuple(number_or_none(value) for value in row) for row in rows)

    return Repeats(
        of="seeds" if config.seeds > 1 else "full edits",
        samples=plain(found.rows[shown]),
        without_instruction=plain(found.blanks),
        references=() if found.among is None else tuple(tuple(row) for row in found.among.tolist()),
    )


def _notes(plan: Plan, measured: Measurements, fitted: Fitted) -> list[str]:
    """Return what a reader of these weights must know, as plain sentences."""
    notes = []
    failed = measured.failed()
    if failed:
        notes.append(
            f"{len(failed)} of {int(measured.answered.sum()) - 1} edits failed and were left out "
            f"of the fit. The first failure: {next(iter(failed.values()))}"
        )
    if measured.stands_in and measured.blank_failure is not None:
        notes.append(
            "The editor made no edit without an instruction, so the photo itself stands in for "
            f"it. The reason: {measured.blank_failure}"
        )
    if not fitted.changed:
        return notes
    if fitted.glitch is not None:
        notes.append(
            f"The edit by “{plan.prompts[fitted.glitch]}” lies more than three times as far from "
            "the full edit as every other, so it counts as a glitch and was left out of the fit."
        )
    left_out = len(fitted.known) - len(fitted.rows) - (fitted.glitch is not None)
    notes.extend(cutoff_note(left_out, len(fitted.known) - 1, plan.config.p_cutoff))
    never = [text for text, seen in zip(plan.units, fitted.measured, strict=True) if not seen]
    if never and len(fitted.known) > 1:
        named = ", ".join(f'"{text}"' for text in never)
        notes.append(f"Never left out, so nothing is known about: {named}.")
    elif fitted.fit.deficient:
        notes.append(
            "The prompts that were run cannot tell all words apart, so the smallest weights that "
            "fit are shown. Run more perturbations."
        )
    return notes
