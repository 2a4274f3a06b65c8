"""Two or three explanations side by side: what each word does to each of them, and the difference.

A column is an editor with an instruction and settings. The words of the columns are matched by
their text and occurrence, and every column is held against the first: a difference of weights, its
95 % interval (`paired_bootstrap`) and a plain verdict (`comparison_sentence`).

A weight is a share of its own column's change: 1 is the whole way from the most different picture
of that column to its full edit. So a difference says which column listens more to a word relative
to everything it does, not which one changes more pixels.

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

from smile_core.comparison_sentence import Finding, find, say
from smile_core.config import RunConfig
from smile_core.explanation import Explanation, UnitWeight
from smile_core.paired_bootstrap import difference_interval, resample_explanation
from smile_core.sentence import quote_units
from smile_core.surrogate import Resampled

FEWEST_COLUMNS, MOST_COLUMNS = 2, 3
LETTERS = "ABC"  # one for each column, where its label is no name
LONGEST_NAME = 24
# Two words have only two rankings, so they always agree or disagree wholly.
FEWEST_RANKED = 3

Point = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Column:
    """One side of a comparison.

    Attributes
    ----------
    label : str
        What sets it apart from the others, for example the editor's name.
    config : RunConfig
        Its settings.
    explanation : Explanation or None
        What is known; None until its full edit exists.
    failed : str or None
        Why it ended early, in a sentence; None when it did not. What was known before is kept.
    places : tuple of (float, float) or None
        Where its edits lie on the map that all columns share: first the reference, then one per
        sample, None for a failed one. Empty where there is no such map.
    """

    label: str
    config: RunConfig
    explanation: Explanation | None = None
    failed: str | None = None
    places: tuple[Point | None, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Difference:
    """How much more a word weighs in the first column than in another.

    Attributes
    ----------
    value : float
        Weight in the first column minus weight in the other.
    low, high : float
        Ends of the 95 % interval of the difference.
    kind : str
        One of `comparison_sentence.KINDS`.
    verdict : str
        The finding as a plain sentence without full stop.
    """

    value: float
    low: float
    high: float
    kind: str
    verdict: str


@dataclass(frozen=True, kw_only=True)
class WordRow:
    """One word in all columns.

    Attributes
    ----------
    text : str
        As written in the first column that has it.
    label : str
        The text in quotes; repeated words say which one they are.
    units : tuple of (UnitWeight or None)
        Its weight in each column; None where the column has no such word, or nothing is known.
    positions : tuple of (int or None)
        Its place in the instruction of each column.
    differences : tuple of (Difference or None)
        The first column against the second, and against the third; None unless both have it.
    """

    text: str
    label: str
    units: tuple[UnitWeight | None, ...]
    positions: tuple[int | None, ...]
    differences: tuple[Difference | None, ...]

    @property
    def peak(self) -> float:
        """The weight farthest from 0 among the columns; 0 where nothing is known."""
        return max((unit.weight for unit in self.units if unit is not None), key=abs, default=0.0)


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """The first column against another one, as a whole.

    Attributes
    ----------
    rank_correlation : float or None
        Spearman's correlation of the weights of the words that both have, in [-1, 1]; None for
        fewer than three words, or weights that are all equal.
    words : int
        How many words that is.
    shared_masks : int
        Samples that both columns have; these make the intervals of the differences paired.
    """

    rank_correlation: float | None
    words: int
    shared_masks: int


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two or three explanations of one photo, word by word.

    Attributes
    ----------
    columns : tuple of Column
        Two or three; the others are held against the first.
    rows : tuple of WordRow
        The words of the first column in order, then those that only later columns have.
    contrasts : tuple of (Contrast or None)
        One for every column but the first; None until both have an explanation.
    notes : tuple of str
        Plain sentences a reader must know about the comparison itself.
    """

    columns: tuple[Column, ...]
    rows: tuple[WordRow, ...]
    contrasts: tuple[Contrast | None, ...]
    notes: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """What sentences call the columns: their labels where these are names, or letters."""
        return column_names([column.label for column in self.columns])

    @property
    def explanations(self) -> tuple[Explanation, ...]:
        """The explanations that there are."""
        return tuple(c.explanation for c in self.columns if c.explanation is not None)

    @property
    def strongest(self) -> int:
        """The row that weighs most in any column, to colour a map by; 0 without rows."""
        peaks = [abs(row.peak) for row in self.rows]
        return peaks.index(max(peaks)) if peaks else 0


def column_names(labels: Sequence[str]) -> tuple[str, ...]:
    """Return what sentences call columns of these labels.

    That is the labels themselves, such as names of editors; but A, B and C where one is long or
    has several words, for an instruction or `steps 20` makes a poor subject.
    """
    if all(len(label) <= LONGEST_NAME and " " not in label for label in labels):
        return tuple(labels)
    return tuple(LETTERS[: len(labels)])


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
        others too, the second the second. Upper case and punctuation behind a word do not count.
    """
    found: dict[tuple[str, int], tuple[str, list[int | None]]] = {}
    for column, units in enumerate(instructions):
        seen: Counter[str] = Counter()
        for place, text in enumerate(units):
            plain = text.casefold().rstrip(",.;:!?") or text
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
        finding: Finding = find(one, other, low, high)
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
