"""What the difference of two columns says, in plain words.

A sentence claims no more than the intervals do. That a word is certain in one column and uncertain
in the other proves no difference: only the interval of the difference itself does. And a
difference that is certain but tiny is not called one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from smile_core.comparison import Comparison, Contrast, WordRow
from smile_core.explanation import AGAINST, DRIVES, UnitWeight
from smile_core.sentence import NEGLIGIBLE, is_negligible, join_names, signed, weight_text

BOTH = "both"  # it matters to both, and no difference is certain and large
NEITHER = "neither"  # both weights are certainly close to nothing
MORE_FIRST = "more in the first"
MORE_OTHER = "more in the other"
ONLY_FIRST = "only in the first"
ONLY_OTHER = "only in the other"
OPPOSITE = "opposite"  # it drives one and works against the other
UNCLEAR = "unclear"  # no difference can be told from chance
KINDS = (BOTH, NEITHER, MORE_FIRST, MORE_OTHER, ONLY_FIRST, ONLY_OTHER, OPPOSITE, UNCLEAR)

# Smaller than any effect, larger than the rounding of two fits.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Finding:
    """What two weights and their difference allow one to say.

    Attributes
    ----------
    kind : str
        One of `KINDS`.
    swapped : bool
        True when the other column is the one to name first.
    against : bool
        True when the word works against the edit in the column that is named first.
    """

    kind: str
    swapped: bool = False
    against: bool = False


def find(one: UnitWeight, other: UnitWeight, low: float, high: float) -> Finding:
    """Judge a word from its two weights and the interval of `one` minus `other`."""
    if is_negligible(one) and is_negligible(other):
        return Finding(NEITHER)
    apart = low > _ROUNDING or high < -_ROUNDING
    if not apart or max(-low, high) <= NEGLIGIBLE:
        if one.verdict == other.verdict and one.verdict in (DRIVES, AGAINST):
            return Finding(BOTH, against=one.verdict == AGAINST)
        return Finding(UNCLEAR)
    if {one.verdict, other.verdict} == {DRIVES, AGAINST}:
        return Finding(OPPOSITE, swapped=one.verdict == AGAINST)
    # The column in which the word does more, whether for the edit or against it.
    swapped = abs(other.weight) > abs(one.weight)
    leader, follower = (other, one) if swapped else (one, other)
    only = leader.verdict in (DRIVES, AGAINST) and is_negligible(follower)
    kinds = (ONLY_FIRST, ONLY_OTHER) if only else (MORE_FIRST, MORE_OTHER)
    return Finding(kinds[swapped], swapped, leader.weight < 0)


def say(finding: Finding, words: Sequence[str], first: str, other: str) -> str:
    """Return the finding about one or more `words` (in quotes) as a sentence without full stop."""
    what = join_names(list(words))
    end = "s" if len(words) == 1 else ""
    one, two = (other, first) if finding.swapped else (first, other)
    works = f"{what} work{end} against {one}"
    if finding.kind == BOTH:
        both = f"{works} and {two} alike"
        return both if finding.against else f"{one} and {two} both listen to {what}"
    if finding.kind == NEITHER:
        return f"neither {one} nor {two} listens to {what}"
    if finding.kind == OPPOSITE:
        return f"{what} drive{end} {one} and work{end} against {two}"
    if finding.kind in (ONLY_FIRST, ONLY_OTHER):
        only = f"{works}, not against {two}"
        return only if finding.against else f"{what} matter{end} to {one}, not to {two}"
    if finding.kind in (MORE_FIRST, MORE_OTHER):
        more = f"{works} more than against {two}"
        return more if finding.against else f"{one} listens to {what} more than {two}"
    return f"{what}: no difference between {one} and {two} can be told from chance"


def summarize_comparison(comparison: Comparison) -> str:
    """Say in a few sentences what sets the columns apart and what they share.

    Returns
    -------
    str
        Plain text. It holds the user's own words: escape it.
    """
    sentences = []
    for index, contrast in enumerate(comparison.contrasts, start=1):
        if contrast is None:
            waiting = [
                name
                for name, column in zip(comparison.names, comparison.columns, strict=True)
                if column.explanation is None
            ]
            return f"There is nothing to compare yet: {join_names(waiting)} has no edit."
        sentences += _contrast_sentences(comparison, index, contrast)
    return " ".join(sentences)


def as_sentence(verdict: str) -> str:
    """Return a verdict with a full stop and a capital; the name of an editor keeps its case."""
    own = verdict.startswith("neither ")
    return f"{verdict[0].upper() if own else verdict[0]}{verdict[1:]}."


def rank_sentences(comparison: Comparison) -> list[str]:
    """Say how far the order of the words agrees, for each column with the first."""
    first = comparison.names[0]
    told = []
    for name, contrast in zip(comparison.names[1:], comparison.contrasts, strict=True):
        if contrast is None or contrast.words == 0:
            continue
        rho = contrast.rank_correlation
        value = "undefined" if rho is None else signed(rho)
        told.append(f"Rank correlation of {first} and {name}: {value} over {contrast.words} words.")
    return told


def _contrast_sentences(comparison: Comparison, index: int, contrast: Contrast) -> list[str]:
    first, other = comparison.names[0], comparison.names[index]
    groups: dict[Finding, list[str]] = {}
    for row in sorted(comparison.rows, key=lambda row: -_strength(row, index)):
        one, two, difference = row.units[0], row.units[index], row.differences[index - 1]
        if one is not None and two is not None and difference is not None:
            finding = find(one, two, difference.low, difference.high)
            groups.setdefault(finding, []).append(row.label)
    telling = [kind for kind in KINDS if kind not in (BOTH, NEITHER, UNCLEAR)]
    apart = [finding for kind in telling for finding in groups if finding.kind == kind]
    shared = [finding for finding in groups if finding.kind == BOTH]
    sentences = [
        as_sentence(say(found, groups[found], first, other)) for found in (*apart, *shared)
    ]
    if contrast.words and not apart:
        sentences.append(f"No word can be told to matter more to {first} or to {other}.")
    sentences += _own_words(comparison, 0, index) + _own_words(comparison, index, 0)
    return sentences


def _strength(row: WordRow, index: int) -> float:
    return max((abs(unit.weight) for unit in (row.units[0], row.units[index]) if unit), default=0)


def _own_words(comparison: Comparison, column: int, without: int) -> list[str]:
    """Name the words that drive one column and that the other does not have."""
    drivers = [
        f"{row.label} ({weight_text(unit)})"
        for row in comparison.rows
        if (unit := row.units[column]) is not None
        and row.units[without] is None
        and unit.verdict == DRIVES
        and not is_negligible(unit)
    ]
    if not drivers:
        return []
    verb = "drives" if len(drivers) == 1 else "drive"
    names = comparison.names
    return [f"{join_names(drivers)} {verb} {names[column]}; {names[without]} has no such word."]
