"""Other ways to weigh the words, on edits that are there already.

A finished explanation holds its masks, pictures and distances, so LIME, BayLIME, KernelSHAP and
leaving out one word at a time can be computed from the very edits that SMILE had, one switch apart
from it, and no edit is made again.

References
----------
[1] Ribeiro et al., "Why should I trust you?" (LIME), KDD 2016.
[2] Zhao et al., BayLIME, UAI 2021.
[3] Lundberg and Lee, A unified approach to interpreting model predictions, NeurIPS 2017.
[4] Zeiler and Fergus, Visualizing and understanding convolutional networks, ECCV 2014 (what leaving
    one part out does).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from smile_core.config import ConfigError, RunConfig, check_choice
from smile_core.encoders import Encoder, Features
from smile_core.engine import remembering, shared_encoder
from smile_core.explanation import ANY_UNIT, EDITED, Explanation, Repeats, Sample
from smile_core.fitting import (
    Fitted,
    cutoff_note,
    fit_rows,
    model_fields,
    number_or_none,
    numbers_or_nan,
    row_fields,
)
from smile_core.image_distance import distances_to_reference
from smile_core.outcome import is_any_enough
from smile_core.recorded import distances_of, masks_of, p_values_of, text_distances_of
from smile_core.regression import MAX_INTERACTION_UNITS
from smile_core.response import FARTHEST, PHOTO, WITHOUT, Distances, glitch
from smile_core.text_distance import load_word_vectors, text_distances

# What can be changed of a run without making an edit.
FIT_SETTINGS = (
    "surrogate",
    "image_distance",
    "order",
    "text_distance",
    "word_vectors",
    "kernel_width",
    "response",
    "negligible",
    "interactions",
    "p_cutoff",
)
_COSINES = {"image_distance": "cosine", "text_distance": "cosine"}
# What sets each method that is a fit apart from the run's own; the edits stay.
METHOD_SETTINGS: dict[str, dict[str, Any]] = {
    "smile": {},
    "lime": {"surrogate": "lime", **_COSINES},
    "bay-lime": {"surrogate": "bayesian-ridge", **_COSINES},
    "kernel-shap": {"surrogate": "shapley"},
}
BASELINES = (*METHOD_SETTINGS, "leave-one-out")


def refit(
    explanation: Explanation, *, encoder: Encoder | None = None, **changes: Any
) -> Explanation:
    """Fit the samples of a run in another way; no edit is made.

    Parameters
    ----------
    explanation : Explanation
        A run that has ended.
    encoder : Encoder or None
        Used in the place of the run's own when pictures have to be measured anew, which is when
        `image_distance` or `order` changes.
    **changes
        Any of `FIT_SETTINGS`. The surrogate `lime` brings cosine distances with it, as in a run.

    Returns
    -------
    Explanation
        What a run with these settings would have given: with nothing changed, the same numbers to
        the last bit. Pictures, projection, noise floor, timing and versions are those of the run;
        p-values too, unless the image distance changes, which leaves them unknown.

    Raises
    ------
    ConfigError
        For a setting that cannot be changed without new edits; when the image distance changes
        and there are no pictures, or several seeds; and when a p-value cutoff is asked for where
        there are no p-values.
    """
    unknown = sorted(set(changes) - set(FIT_SETTINGS))
    if unknown:
        raise ConfigError(
            f"{', '.join(unknown)} cannot be changed without making edits. A fit can change: "
            f"{', '.join(FIT_SETTINGS)}."
        )
    before = RunConfig.from_dict(explanation.config)
    config = before.with_(**changes)
    if config.surrogate == "lime":
        config = config.with_(**_COSINES)
    if config.interactions and len(explanation.units) > MAX_INTERACTION_UNITS:
        raise ConfigError(
            f"Interactions can be fitted for at most {MAX_INTERACTION_UNITS} words, not "
            f"{len(explanation.units)}. Leave them out."
        )
    rows = (explanation.reference, *explanation.samples)
    remeasured = (config.image_distance, config.order) != (before.image_distance, before.order)
    if remeasured:
        found = _measure(explanation, config, encoder or shared_encoder(explanation.encoder))
        p_values = None
    else:
        found, p_values = distances_of(explanation), p_values_of(explanation)
    if config.p_cutoff is not None and p_values is None and explanation.samples:
        raise ConfigError(
            "There are no p-values for this image distance, so there is nothing to cut off. Run "
            "the explanation to its end with it, or set p_cutoff to None."
        )

    masks = masks_of(explanation)  # (n + 1, m)
    units = tuple(unit.text for unit in explanation.units)
    texts = text_distances_of(explanation)  # (n + 1,)
    told = (before.text_distance, before.word_vectors)
    if (config.text_distance, config.word_vectors) != told or np.isnan(texts).any():
        vectors = load_word_vectors(config.word_vectors)
        texts = text_distances(config.text_distance, units, masks, vectors)
    fitted = fit_rows(
        config,
        masks,
        text_distances=texts,
        distances=found,
        p_values=p_values,
        happened=explanation.happened,
    )
    outcome = explanation.outcome
    if explanation.happened:
        enough = is_any_enough(fitted.similarities[fitted.rows], config.negligible)
        outcome = ANY_UNIT if fitted.judged and enough else EDITED
    means = found.means  # (n + 1,)

    def sample(row: int) -> Sample:
        changed = replace(
            rows[row],
            image_distance=number_or_none(means[row]),
            text_distance=float(texts[row]),
            **row_fields(fitted, row),
        )
        return replace(changed, p_value=None) if remeasured else changed

    without, scale = explanation.without_instruction, explanation.scale
    if without is not None and remeasured:
        without = replace(without, image_distance=found.way)
    if scale is not None:
        if config.response == "min-max" or found.way is None:
            farthest = float(np.nanmax(means)) if len(fitted.known) > 1 else None
            scale = replace(scale, rests_on=FARTHEST, value=farthest, floor=0.0)
        else:
            rests_on = _zero_of(explanation)
            scale = replace(scale, rests_on=rests_on, value=found.way, floor=found.floor)
    return replace(
        explanation,
        config=config.to_dict(),
        **model_fields(units, fitted, config.negligible, outcome),
        reference=sample(0),
        samples=tuple(sample(row) for row in range(1, len(rows))),
        without_instruction=without,
        scale=scale,
        repeats=_draws(found) if remeasured else explanation.repeats,
        notes=_notes(explanation, before, config, fitted),
    )


def _zero_of(explanation: Explanation) -> str:
    """Return what the scale of a run with an edit without instruction can rest on."""
    if explanation.scale is not None and explanation.scale.rests_on != FARTHEST:
        return explanation.scale.rests_on
    without, source = explanation.without_instruction, explanation.source
    if without is None or without.image is None or source is None:
        return WITHOUT
    return PHOTO if without.image.tobytes() == source.tobytes() else WITHOUT


def _notes(
    explanation: Explanation, before: RunConfig, config: RunConfig, fitted: Fitted
) -> tuple[str, ...]:
    """Return the notes of the run, with what the cutoff leaves out now."""
    known = [sample for sample in explanation.samples if sample.similarity is not None]
    left_out = sum(sample.sample_weight is None for sample in known)
    left_out -= glitch(distances_of(explanation)) is not None
    stale = cutoff_note(left_out, len(known), before.p_cutoff)
    now = len(fitted.known) - len(fitted.rows) - (fitted.glitch is not None)
    told = cutoff_note(now, len(fitted.known) - 1, config.p_cutoff)
    if told == stale:
        return explanation.notes
    return (*(note for note in explanation.notes if note not in stale), *told)


def _measure(explanation: Explanation, config: RunConfig, encoder: Encoder) -> Distances:
    """Return the distance of every edit to the first full one; NaN for an edit that failed."""
    rows = [explanation.reference, *explanation.samples]
    if config.seeds > 1:
        raise ConfigError(
            "The pictures of one seed only are kept, so distances over several seeds cannot be "
            "measured anew. Run the explanation again; its edits are in the cache."
        )
    pictures = {i: sample.image for i, sample in enumerate(rows) if sample.image is not None}
    if list(pictures) != [i for i, sample in enumerate(rows) if sample.failed is None]:
        raise ConfigError(
            "The pictures of this explanation are not loaded, so they cannot be measured anew. "
            "Load them with it, or leave image_distance and order as they are."
        )
    without = explanation.without_instruction
    blank = [] if without is None or without.image is None else [without.image]
    features = remembering(encoder).encode([*pictures.values(), *blank])
    first = Features(tokens=features.tokens[:1], pooled=features.pooled[:1])
    found = distances_to_reference(
        config.image_distance, first, features, order=config.order, seed=config.seed
    )
    distances = np.full((len(rows), 1), np.nan)
    distances[list(pictures), 0] = found[: len(pictures)]
    distances[0] = 0.0
    # By an editor without a seed every edit is a draw, though one picture of each is kept.
    repeats = explanation.repeats
    among = None if repeats is None or repeats.of != "full edits" else np.zeros((1, 1))
    return Distances(distances, found[len(pictures) :, None], among)


def _draws(found: Distances) -> Repeats | None:
    """Return what has to be kept of distances to one of several full edits."""
    if found.among is None:
        return None
    rows, blanks = (
        tuple(tuple(number_or_none(value) for value in row) for row in part)
        for part in (found.rows[1:], found.blanks)
    )
    return Repeats(of="full edits", samples=rows, without_instruction=blanks, references=((0.0,),))


@dataclass(frozen=True)
class LeaveOneOut:
    """What leaving out one word at a time says [4].

    Attributes
    ----------
    weights : ndarray, shape (m,)
        Response of the full instruction, 1, minus the response with only that word left out: how
        much similarity to the full edit is lost with it. In [0, 1]; NaN where there is no answer.
    missing : tuple of int
        Units without an answer: the run has no such row, or its edit failed.
    """

    weights: np.ndarray
    missing: tuple[int, ...]


def leave_one_out_masks(n_units: int) -> np.ndarray:
    """Return the rows that `leave_one_out` needs: each unit left out alone, (m, m).

    The balanced design begins with them, so a run of at least m perturbations has them all.
    """
    return 1 - np.eye(n_units, dtype=np.int8)


def leave_one_out(explanation: Explanation) -> LeaveOneOut:
    """Weigh every word by the edit without it, and by nothing else.

    Parameters
    ----------
    explanation : Explanation
        A run that has, or has not, the rows of `leave_one_out_masks`.

    Notes
    -----
    The response is the run's own, so that the weights have the same scale. It uses m of the
    samples, knows no interval, and sees nothing of two words that can stand in for one another.
    """
    response = {sample.mask: sample.similarity for sample in explanation.samples}
    needed = leave_one_out_masks(len(explanation.units)).tolist()
    left = numbers_or_nan([response.get(tuple(mask)) for mask in needed])  # (m,)
    return LeaveOneOut(
        weights=1.0 - left, missing=tuple(int(unit) for unit in np.flatnonzero(np.isnan(left)))
    )


def baseline_weights(
    explanation: Explanation, name: str, *, encoder: Encoder | None = None
) -> np.ndarray:
    """Return the weight of every word by one of `BASELINES`, from the same edits.

    Parameters
    ----------
    explanation : Explanation
        A run that has ended, fitted in any way.
    name : str
        - `smile`: the run's own weights.
        - `lime`: weighted least squares on cosine distances of pictures and of words [1].
        - `bay-lime`: the same distances with Bayesian ridge [2].
        - `kernel-shap`: KernelSHAP's weights on the run's own response [3].
        - `leave-one-out`: see `leave_one_out`.
    encoder : Encoder or None
        See `refit`; `lime` and `bay-lime` measure the pictures anew.

    Returns
    -------
    ndarray, shape (m,)
        Signed weights.

    Raises
    ------
    ConfigError
        For an unknown name, as in `refit`, and when a row of `leave-one-out` is missing.
    """
    check_choice("baseline", name, BASELINES)
    if name == "leave-one-out":
        found = leave_one_out(explanation)
        if found.missing:
            words = ", ".join(explanation.units[unit].text for unit in found.missing)
            raise ConfigError(
                f"There is no edit with only this left out: {words}. Use the balanced design with "
                "at least as many perturbations as words."
            )
        return found.weights
    fitted = explanation
    if name != "smile":
        # The cutoff is SMILE's own, and its p-values may be those of another distance.
        fitted = refit(explanation, encoder=encoder, p_cutoff=None, **METHOD_SETTINGS[name])
    return np.array([unit.weight for unit in fitted.units])
