"""What a comparison is: two or three explanations of one photo, and every word in all of them.

A column is an editor with an instruction and settings; every column is held against the first.
`word_differences` makes a comparison from columns.

A weight is a share of the way of its own column, from its edit without instruction (0) to its full
edit (1). So a difference says which column listens more to a word relative to everything it does,
not which one changes more of the picture. That is what the length of the way says
(`Explanation.scale`), where the columns have one photo, one encoder and one distance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from smile_core.config import RunConfig
from smile_core.explanation import Explanation, UnitWeight

FEWEST_COLUMNS, MOST_COLUMNS = 2, 3
LETTERS = "ABC"  # one for each column, where its label is no name
LONGEST_NAME = 24

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
        Ends of its interval: those of all words of a column hold together with 95 % confidence.
        Both are the value itself where nothing was left to chance.
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

    @property
    def exact(self) -> bool:
        """Whether it has no interval, because nothing was left to chance in either column."""
        return self.low == self.high


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
        The first column against the second, and against the third; None unless both have a
        weight for it.
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
        How many words that is; 0 where one of the two has no weights.
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
    def happened(self) -> bool:
        """Whether something happened in any column, or may yet."""
        found = self.explanations
        return len(found) < len(self.columns) or any(one.happened for one in found)

    @property
    def all_notes(self) -> tuple[str, ...]:
        """Its own notes, then those of every explanation behind the name of its column."""
        of_columns = (
            f"{name}: {note}"
            for name, column in zip(self.names, self.columns, strict=True)
            if column.explanation is not None
            for note in column.explanation.notes
        )
        return (*self.notes, *of_columns)

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
