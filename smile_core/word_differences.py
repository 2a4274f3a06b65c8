"""From columns to a comparison: the words matched, the differences with intervals, the verdicts.

Words are matched by their text and occurrence. The intervals of differences come from a paired
bootstrap (`paired_bootstrap`), the verdicts from `comparison_sentence`.

References
----------
[1] Spearman, The proof and measurement of association between two things, 1904.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

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
from smile_core.paired_bootstrap import difference_interval, resample_explanation
from smile_core.resampling import Resampled
from smile_core.sentence import quote_units

# Two words have only two rankings, so they always agree or disagree wholly.
FEWEST_RANKED = 3


def resample_column(column: Column, seed: int) -> Resampled | None:
    """Return the resamples of one column for `compare_columns`; `seed` is that of the first."""
    return None if column.explanation is None else resample_explanation(column.explanation, seed)


def compare_columns(
    columns: Sequence[Column],
    *,
    resampled: Sequence[Resampled | None] | None = None,
    notes: Sequence[str] = (),
) -> Comparison:
    """Hold columns against each other.

    Parameters
    ----------
    columns : sequence of Column
        Two or three, finished or not.
    resampled : sequence of (Resampled or None), or None
        What `resample_column` gave for each, when it is already there.
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
    if resampled is None:
        seed = columns[0].config.seed
        resampled = [resample_column(column, seed) for column in columns]
    names = column_names([column.label for column in columns])
    matched = match_words([_texts(column) for column in columns])
    labels = quote_units([text for text, _ in matched])
    rows = tuple(
        _row(columns, resampled, names, text, label, positions)
        for (text, positions), label in zip(matched, labels, strict=True)
    )
    contrasts = tuple(
        _contrast(columns[0], other, [(row.units[0], row.units[i]) for row in rows])
        for i, other in enumerate(columns[1:], start=1)
    )
    own = [
        f"{names[0]} and {name} share no masks, because their instructions or seeds differ; the "
        "intervals of their differences take them as independent."
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
    resampled: Sequence[Resampled | None],
    names: Sequence[str],
    text: str,
    label: str,
    positions: tuple[int | None, ...],
) -> WordRow:
    units = tuple(
        None if place is None or column.explanation is None else column.explanation.units[place]
        for column, place in zip(columns, positions, strict=True)
    )

    def moves(column: int) -> np.ndarray | None:
        """Return how the weight moves over the resamples, (B,), or None if it cannot be judged."""
        made, place = resampled[column], positions[column]
        if made is None or place is None or made.unjudged[place]:
            return None
        return made.deviations[:, place]

    def difference(column: int) -> Difference | None:
        one, other = units[0], units[column]
        if one is None or other is None:
            return None
        mine, theirs = moves(0), moves(column)
        gap = None if mine is None or theirs is None else mine - theirs
        low, high = difference_interval(one, other, gap)
        finding = find(one, other, low, high)
        return Difference(
            value=one.weight - other.weight,
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
        [(one.weight, two.weight) for one, two in pairs if one is not None and two is not None]
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
