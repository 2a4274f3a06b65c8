"""What the difference of two columns says, in plain words.

A sentence claims no more than the intervals do. That a word is clear in one column and unclear in
the other proves no difference: only the interval of the difference itself does. And a difference
that is clear but tiny is not called one. Of a column in which nothing happened no word is said
anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from smile_core.comparison import Comparison, Difference, WordRow
from smile_core.explanation import AGAINST, DRIVES, NO_EFFECT, Explanation, UnitWeight
from smile_core.intervals import verdict
from smile_core.sentence import (
    join_names,
    no_weights,
    nothing_happened,
    signed,
    summarize,
    weight_text,
)

BOTH = "both"  # it matters to both, and no difference is clear and large
ALIKE = "alike"  # the difference is surely small, whatever the word does
NEITHER = "neither"  # it has no effect in both
MORE_FIRST = "more in the first"
MORE_OTHER = "more in the other"
ONLY_FIRST = "only in the first"
ONLY_OTHER = "only in the other"
OPPOSITE = "opposite"  # it drives one and works against the other
UNCLEAR = "unclear"  # whether there is a difference needs more edits
SAME = (ALIKE, BOTH, NEITHER, UNCLEAR)  # no difference is claimed
KINDS = (BOTH, ALIKE, NEITHER, MORE_FIRST, MORE_OTHER, ONLY_FIRST, ONLY_OTHER, OPPOSITE, UNCLEAR)


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


def find(one: UnitWeight, other: UnitWeight, low: float, high: float, negligible: float) -> Finding:
    """Judge a word from its two weights and the interval of `one` minus `other`.

    Parameters
    ----------
    one, other : UnitWeight
        The word in the two columns.
    low, high : float
        Ends of the interval of the difference.
    negligible : float
        The smallest difference that matters, as a share of the way.
    """
    if one.verdict == other.verdict == NO_EFFECT:
        return Finding(NEITHER)
    difference = verdict(low, high, negligible)
    if difference not in (DRIVES, AGAINST):
        if one.verdict == other.verdict and one.verdict in (DRIVES, AGAINST):
            return Finding(BOTH, against=one.verdict == AGAINST)
        return Finding(ALIKE if difference == NO_EFFECT else UNCLEAR)
    if {one.verdict, other.verdict} == {DRIVES, AGAINST}:
        return Finding(OPPOSITE, swapped=one.verdict == AGAINST)
    # The column in which the word does more, whether for the edit or against it.
    swapped = abs(other.weight) > abs(one.weight)
    leader, follower = (other, one) if swapped else (one, other)
    only = leader.verdict in (DRIVES, AGAINST) and follower.verdict == NO_EFFECT
    kinds = (ONLY_FIRST, ONLY_OTHER) if only else (MORE_FIRST, MORE_OTHER)
    return Finding(kinds[swapped], swapped, leader.weight < 0)


def say(finding: Finding, words: Sequence[str], first: str, *others: str) -> str:
    """Return a finding as a sentence without full stop.

    Parameters
    ----------
    finding : Finding
        What was found about the first column and each of the others.
    words : sequence of str
        The words in quotes that it was found about.
    first, *others : str
        Names of the columns.
    """
    what, end = join_names(words), "s" if len(words) == 1 else ""
    all_others, any_other = join_names(others), join_names(others, "or")
    one, two = (all_others, first) if finding.swapped else (first, any_other)
    works = f"{what} work{end} against {one}"
    if finding.kind == BOTH:
        everyone = join_names((first, *others))
        listen = "both listen" if len(others) == 1 else "all listen"
        both = f"{what} work{end} against {everyone} alike"
        return both if finding.against else f"{everyone} {listen} to {what}"
    if finding.kind == NEITHER:
        return f"neither {' nor '.join((first, *others))} listens to {what}"
    if finding.kind == OPPOSITE:
        driven, worked_against = (one, two) if finding.swapped else (first, all_others)
        return f"{what} drive{end} {driven} and work{end} against {worked_against}"
    if finding.kind in (ONLY_FIRST, ONLY_OTHER):
        only = f"{works}, not against {two}"
        return only if finding.against else f"{what} matter{end} to {one}, not to {two}"
    if finding.kind in (MORE_FIRST, MORE_OTHER):
        listens = "listen" if finding.swapped and len(others) > 1 else "listens"
        more = f"{works} more than against {two}"
        return more if finding.against else f"{one} {listens} to {what} more than {two}"
    if finding.kind == ALIKE:
        return f"{what}: no difference between {first} and {any_other}"
    return f"{what}: no clear difference between {first} and {any_other}"


def summarize_comparison(comparison: Comparison) -> str:
    """Say in a few sentences what sets the columns apart and what they share.

    What holds against several columns is said of them together.

    Returns
    -------
    str
        Plain text. It holds the user's own words: escape it.
    """
    waiting = [
        name
        for name, column in zip(comparison.names, comparison.columns, strict=True)
        if column.explanation is None
    ]
    if waiting:
        have = "has" if len(waiting) == 1 else "have"
        return f"There is nothing to compare yet: {join_names(waiting)} {have} no edit."
    apart = _uncompared(comparison.explanations)
    return " ".join(
        [
            *_own_column_sentences(comparison, apart),
            *_shared_word_sentences(comparison),
            *_own_word_sentences(comparison, apart),
        ]
    )


def difference_texts(difference: Difference) -> tuple[str, str]:
    """Return the number and both ends; `exact` in their place where nothing was left to chance.

    There are two decimals, or three where the interval of a difference would begin at 0.00.
    """
    alike = difference.kind in SAME
    nearest = min(abs(difference.low), abs(difference.high))
    value, low, high = (
        signed(number, 2 if alike or nearest >= 0.005 else 3)
        for number in (difference.value, difference.low, difference.high)
    )
    return value, "exact" if difference.exact else f"{low} to {high}"


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


def _uncompared(found: Sequence[Explanation]) -> list[int]:
    """Return the columns whose words are compared with no other's, so that each tells its own.

    In some of them no word has a weight of its own; the others would be compared with these only.
    """
    silent = [bool(no_weights(one)) for one in found]
    if silent[0] or all(silent[1:]):  # all are held against the first
        return list(range(len(found)))
    return [index for index, is_silent in enumerate(silent) if is_silent]


def _own_column_sentences(comparison: Comparison, apart: Sequence[int]) -> list[str]:
    """Say what came of each column that is not compared, and once what to try."""
    found = comparison.explanations
    still = [index for index in apart if not found[index].happened]
    return [
        nothing_happened(found[index], comparison.names[index], advice=index == still[-1])
        if index in still
        else f"{comparison.names[index]}: {summarize(found[index])}"
        for index in apart
    ]


def _shared_word_sentences(comparison: Comparison) -> list[str]:
    """Say what is found about the words that the first column shares with another."""
    names = comparison.names
    groups: dict[tuple[Finding, tuple[int, ...]], list[str]] = {}  # by what, and against which
    for row in sorted(comparison.rows, key=lambda row: -abs(row.peak)):
        found = _findings(comparison, row)
        for finding in dict.fromkeys(found.values()):
            others = tuple(index for index in found if found[index] == finding)
            groups.setdefault((finding, others), []).append(row.label)
    telling = [kind for kind in KINDS if kind not in SAME]
    sentences = [
        as_sentence(say(finding, words, names[0], *(names[index] for index in others)))
        for kind in (*telling, BOTH)
        for (finding, others), words in groups.items()
        if finding.kind == kind
    ]
    apart = {index for finding, others in groups if finding.kind in telling for index in others}
    judged = {index for _, others in groups for index in others}
    alike = [
        names[index]
        for index, contrast in enumerate(comparison.contrasts, start=1)
        if contrast is not None and contrast.words and index not in apart and index in judged
    ]
    if alike:
        than = f"{names[0]} than to {join_names(alike, 'or')}"
        sentences.append(f"No word clearly matters more or less to {than}.")
    return sentences


def _findings(comparison: Comparison, row: WordRow) -> dict[int, Finding]:
    """Return what is found about a word against each other column that has it too."""
    one, *units = row.units
    negligible = max(column.config.negligible for column in comparison.columns)
    return {
        index: find(one, unit, difference.low, difference.high, negligible)
        for index, (unit, difference) in enumerate(zip(units, row.differences, strict=True), 1)
        if one is not None and unit is not None and difference is not None
    }


def _own_word_sentences(comparison: Comparison, apart: Sequence[int]) -> list[str]:
    """Name the words that drive some columns and that others do not have.

    Of a word that the first column has only what it does there is told. Columns that are `apart`
    have told their own.
    """
    groups: dict[tuple[tuple[int, ...], tuple[int, ...]], list[str]] = {}
    for row in comparison.rows:
        missing = tuple(i for i, unit in enumerate(row.units) if unit is None)
        driven = tuple(
            i for i, unit in enumerate(row.units) if i not in apart and unit and _drives(unit)
        )
        driven = driven if 0 in missing else tuple(i for i in driven if i == 0)
        if missing and driven:
            unit = row.units[driven[0]]
            weight = f" ({weight_text(unit)})" if unit is not None and len(driven) == 1 else ""
            groups.setdefault((driven, missing), []).append(row.label + weight)
    sentences = []
    for (driven, missing), words in sorted(groups.items()):
        names, without = ([comparison.names[i] for i in places] for places in (driven, missing))
        drive = "drives" if len(words) == 1 else "drive"
        have = "has" if len(without) == 1 else "have"
        sentences.append(
            f"{join_names(words)} {drive} {join_names(names)}; {join_names(without)} {have} no "
            "such word."
        )
    return sentences


def _drives(unit: UnitWeight) -> bool:
    return unit.verdict == DRIVES
