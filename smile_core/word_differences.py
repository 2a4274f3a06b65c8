"""From columns to a comparison: the words matched, the differences with intervals, the verdicts.

Words are matched by their text and occurrence. Two runs of one photo under the same seed try the
same masks, and errors that both make on a mask cancel in the difference of two weights: the
interval of a difference pairs the samples by their masks, and repeats by their seeds. Runs that
share no masks (instructions of different lengths) are taken as independent by the same rule. The
verdicts come from `comparison_sentence`.

References
----------
[1] Spearman, The proof and measurement of association between two things, 1904.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import spearmanr

from smile_core.comparison import (
    FEWEST_COLUMNS,
    MOST_COLUMNS,
    Column,
    Comparison,
    Contrast,
    Difference,
    WordRow,
    column_names,
)
from smile_core.comparison_sentence import find, say
from smile_core.explanation import Explanation, UnitWeight
from smile_core.instruction import plain_word
from smile_core.intervals import Uncertainty, combined_error, half_width
from smile_core.recorded import fitted_again
from smile_core.sentence import quote_units

# Two words have only two rankings, so they always agree or disagree wholly.
FEWEST_RANKED = 3


@dataclass(frozen=True, eq=False)
class Doubt:
    """What moves the weights of one column, for the intervals of differences.

    Attributes
    ----------
    uncertainty : Uncertainty
        As of its fit.
    masks : tuple of tuple of int
        Those of the samples in the fit.
    of_seeds : bool
        Whether its repeats are seeds.
    """

    uncertainty: Uncertainty
    masks: tuple[tuple[int, ...], ...]
    of_seeds: bool


def doubt_of(column: Column) -> Doubt | None:
    """Return what moves the weights of one column; None where there is nothing to compare."""
    found = column.explanation
    if found is None or not found.happened:
        return None
    fitted = fitted_again(found)
    samples = (found.reference, *found.samples)
    return Doubt(
        uncertainty=fitted.uncertainty,
        masks=tuple(samples[row].mask for row in fitted.rows),
        of_seeds=found.repeats is not None and found.repeats.of == "seeds",
    )


def difference_error(one: Doubt, place: int, other: Doubt, other_place: int) -> tuple[float, float]:
    """Return the standard error of one weight minus another, and its degrees of freedom."""
    mine = dict(zip(one.masks, one.uncertainty.influence[:, place], strict=False))
    theirs = dict(zip(other.masks, other.uncertainty.influence[:, other_place], strict=False))
    masks = dict.fromkeys((*mine, *theirs))
    paired = np.array([mine.get(mask, 0.0) - theirs.get(mask, 0.0) for mask in masks])
    freedom = min(one.uncertainty.freedom[place], other.uncertainty.freedom[other_place])
    parts, free = [paired[:, None]], [np.array([freedom])]
    repeats = [part[:, [place]] for part in one.uncertainty.repeats]
    others = [part[:, [other_place]] for part in other.uncertainty.repeats]
    same_seeds = one.of_seeds and other.of_seeds and len(repeats[0]) == len(others[0])
    for part in [repeats[0] - others[0]] if same_seeds else [*repeats, *others]:
        parts.append(part)
        free.append(np.array([len(part) - 1]))
    error, degrees = combined_error(parts, free)
    return float(error[0]), float(degrees[0])


def compare_columns(
    columns: Sequence[Column],
    *,
    doubts: Sequence[Doubt | None] | None = None,
    notes: Sequence[str] = (),
) -> Comparison:
    """Hold columns against each other.

    Parameters
    ----------
    columns : sequence of Column
        Two or three, finished or not.
    doubts : sequence of (Doubt or None), or None
        What `doubt_of` gave for each, when it is already there.
    notes : sequence of str
        What else has to be said.

    Returns
    -------
    Comparison
        The same columns always give the same numbers.

    Raises
    ------
    ValueError
        For fewer than two columns, or more than three.
    """
    if not FEWEST_COLUMNS <= len(columns) <= MOST_COLUMNS:
        raise ValueError(f"Two or three columns can be compared, not {len(columns)}.")
    if doubts is None:
        doubts = [doubt_of(column) for column in columns]
    names = column_names([column.label for column in columns])
    matched = match_words([_texts(column) for column in columns])
    labels = quote_units([text for text, _ in matched])
    rows = tuple(
        _row(columns, doubts, names, text, label, positions, len(matched))
        for (text, positions), label in zip(matched, labels, strict=True)
    )
    contrasts = tuple(
        _contrast(columns[0], other, [(row.units[0], row.units[i]) for row in rows])
        for i, other in enumerate(columns[1:], start=1)
    )
    own = [
        f"{names[0]} and {name} ran no shortened instruction in common, because their instructions "
        "or seeds differ; the intervals of their differences take them as independent."
        for name, contrast in zip(names[1:], contrasts, strict=True)
        if contrast is not None and contrast.shared_masks == 0 and contrast.words > 0
    ]
    own += [
        f"{name} ended early: {column.failed}"
        for name, column in zip(names, columns, strict=True)
        if column.failed is not None
    ]
    return Comparison(columns=tuple(columns), rows=rows, contrasts=contrasts, notes=(*own, *notes))


def match_words(
    instructions: Sequence[Sequence[str]],
) -> list[tuple[str, tuple[int | None, ...]]]:
    """Find the same words in several instructions.

    Parameters
    ----------
    instructions : sequence of sequence of str
        The units of each instruction in order.

    Returns
    -------
    list of (str, tuple of (int or None))
        Every word with its place in each instruction. The first "very" of one is that of the
        others too, the second the second. Upper case and punctuation at the ends of a word do not
        count, see `plain_word`.
    """
    found: dict[tuple[str, int], tuple[str, list[int | None]]] = {}
    for column, units in enumerate(instructions):
        seen: Counter[str] = Counter()
        for place, text in enumerate(units):
            plain = plain_word(text)
            seen[plain] += 1
            entry = found.setdefault((plain, seen[plain]), (text, [None] * len(instructions)))
            entry[1][column] = place
    return [(text, tuple(places)) for text, places in found.values()]


def _texts(column: Column) -> list[str]:
    explanation = column.explanation
    return [] if explanation is None else [unit.text for unit in explanation.units]


def _row(
    columns: Sequence[Column],
    doubts: Sequence[Doubt | None],
    names: Sequence[str],
    text: str,
    label: str,
    positions: tuple[int | None, ...],
    looks: int,
) -> WordRow:
    units = tuple(
        None if place is None or column.explanation is None else column.explanation.units[place]
        for column, place in zip(columns, positions, strict=True)
    )

    negligible = max(column.config.negligible for column in columns)

    def difference(column: int) -> Difference | None:
        one, other = units[0], units[column]
        mine, theirs = doubts[0], doubts[column]
        place, other_place = positions[0], positions[column]
        if one is None or other is None or mine is None or theirs is None:
            return None
        if place is None or other_place is None or not (one.measured and other.measured):
            return None
        value = one.weight - other.weight
        if mine.uncertainty.unjudged[place] or theirs.uncertainty.unjudged[other_place]:
            low, high = one.low - other.high, one.high - other.low
        else:
            error, freedom = difference_error(mine, place, theirs, other_place)
            half = float(half_width(np.array(error), np.array(freedom), looks))
            low, high = value - half, value + half
        finding = find(one, other, low, high, negligible)
        return Difference(
            value=value,
            low=low,
            high=high,
            kind=finding.kind,
            verdict=say(finding, [label], names[0], names[column]),
        )

    differences = tuple(difference(column) for column in range(1, len(columns)))
    return WordRow(
        text=text, label=label, units=units, positions=positions, differences=differences
    )


def _contrast(
    first: Column, other: Column, pairs: Sequence[tuple[UnitWeight | None, UnitWeight | None]]
) -> Contrast | None:
    if first.explanation is None or other.explanation is None:
        return None
    weights = np.array(
        [
            (one.weight, two.weight)
            for one, two in pairs
            if one is not None and two is not None and one.measured and two.measured
        ]
    ).reshape(-1, 2)  # (words, 2)
    ranked = len(weights) >= FEWEST_RANKED and (np.ptp(weights, axis=0) > 0).all()
    return Contrast(
        rank_correlation=float(spearmanr(*weights.T).statistic) if ranked else None,
        words=len(weights),
        shared_masks=len(_masks(first.explanation) & _masks(other.explanation)),
    )


def _masks(explanation: Explanation) -> set[tuple[int, ...]]:
    """Return the masks of the samples in the fit."""
    return {s.mask for s in explanation.samples if s.sample_weight is not None}
