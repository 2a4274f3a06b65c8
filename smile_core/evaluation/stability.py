"""Stability: does a change that means nothing leave the explanation alone.

The paper appends `###` to the instruction and compares the two explanations. Units are matched
by their word and occurrence: neither case nor punctuation around it counts, so `Snowy.` is `snowy`,
and an added unit is one that the other explanation lacks.

The paper prints a Jaccard index of 0.85 for every editor. Sets of all words give n/(n + 1) when one
word is appended, 0.857 for six words, whatever an editor does: such an index needs no editor at
all. Sets of the k heaviest words do.

References
----------
[1] SMILE for instruction-based image editing, arXiv 2412.16277, equation 7 (Jaccard).
[2] Ruzicka, Anwendung mathematisch-statistischer Methoden in der Geobotanik, 1958.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
from scipy.stats import spearmanr

from smile_core.config import check_choice
from smile_core.explanation import UnitWeight
from smile_core.instruction import UNIT_GAPS, plain_word

NEUTRAL_SUFFIX = "###"
# Changes of an instruction that mean nothing, by name. What is added becomes a unit of its own, so
# the gap before it is that between units.
NEUTRAL_CHANGES: Mapping[str, Callable[[str, str], str]] = MappingProxyType(
    {
        "###": lambda text, gap: f"{text}{gap}{NEUTRAL_SUFFIX}",
        "full stop": lambda text, gap: text[:-1] if text[-1:] in ".!?" else f"{text}.",
        # Prompts are joined anew from their words, so nothing may change, by construction.
        "doubled space": lambda text, gap: text.replace(" ", "  ", 1),
        "capital letter": lambda text, gap: text[:1].swapcase() + text[1:],
        "please": lambda text, gap: f"please{gap}{text}",
    }
)

# A unit as (word, how many times it came before) with its weight.
KeyedWeights: TypeAlias = Mapping[tuple[str, int], float]


@dataclass(frozen=True)
class Stability:
    """Agreement of two explanations; 1 is perfect.

    Attributes
    ----------
    jaccard : float
        Shared part of the two sets of k heaviest units, in [0, 1].
    ruzicka : float
        Σ min/Σ max of the absolute weights, in [0, 1].
    spearman : float or None
        Rank correlation of the signed weights of the units both have, in [-1, 1]; None when
        fewer than two are shared or all weights of one side are equal.
    """

    jaccard: float
    ruzicka: float
    spearman: float | None


def change_neutrally(instruction: str, change: str, granularity: str = "word") -> str:
    """Return the instruction after one of `NEUTRAL_CHANGES`.

    `full stop` takes a final mark away where there is one; `capital letter` turns the case of the
    first letter.

    Raises
    ------
    ConfigError
        When there is no such change.
    """
    check_choice("change", change, NEUTRAL_CHANGES)
    return NEUTRAL_CHANGES[change](instruction, UNIT_GAPS[granularity])


def keyed_weights(units: Sequence[str], weights: Sequence[float]) -> dict[tuple[str, int], float]:
    """Name each unit by its `plain_word` and occurrence, so that duplicates stay apart."""
    seen: Counter[str] = Counter()
    keyed: dict[tuple[str, int], float] = {}
    for unit, weight in zip(units, weights, strict=True):
        word = plain_word(unit)
        keyed[word, seen[word]] = float(weight)
        seen[word] += 1
    return keyed


def keyed_units(units: Sequence[UnitWeight]) -> dict[tuple[str, int], float]:
    """Return `keyed_weights` of the units of an explanation."""
    return keyed_weights([unit.text for unit in units], [unit.weight for unit in units])


def stability(before: KeyedWeights, after: KeyedWeights, k: int = 3) -> Stability:
    """Compare two explanations of instructions that mean the same.

    Parameters
    ----------
    before, after : mapping of (str, int) to float
        Weights as `keyed_weights` returns them.
    k : int
        Size of the sets that Jaccard compares.
    """
    return Stability(
        jaccard=top_k_jaccard(before, after, k),
        ruzicka=ruzicka(before, after),
        spearman=spearman(before, after),
    )


def top_k_jaccard(before: KeyedWeights, after: KeyedWeights, k: int) -> float:
    """Return |A ∩ B|/|A ∪ B| of the k units of largest absolute weight on each side.

    Ties go to the unit that comes first. A side with fewer than k units gives all it has.

    Raises
    ------
    ValueError
        When k is below 1 or a side has no unit.
    """
    if k < 1 or not before or not after:
        raise ValueError("Jaccard needs k of at least 1 and at least one unit on either side.")
    top_before, top_after = (
        set(sorted(side, key=lambda unit: -abs(side[unit]))[:k]) for side in (before, after)
    )
    return len(top_before & top_after) / len(top_before | top_after)


def ruzicka(before: KeyedWeights, after: KeyedWeights) -> float:
    """Return Σ min(|a|, |b|)/Σ max(|a|, |b|) over the units of both; a missing one has weight 0.

    Signs do not count: a weight that only changes its sign goes unnoticed, as in the published
    definition; `spearman` notices. Two explanations of zeros agree perfectly.
    """
    pairs = np.abs([(before.get(unit, 0.0), after.get(unit, 0.0)) for unit in {**before, **after}])
    largest = pairs.max(axis=1).sum()
    return float(pairs.min(axis=1).sum() / largest) if largest > 0 else 1.0


def spearman(before: KeyedWeights, after: KeyedWeights) -> float | None:
    """Return the rank correlation of the signed weights of the units that both have."""
    shared = [unit for unit in before if unit in after]
    a, b = [before[unit] for unit in shared], [after[unit] for unit in shared]
    if len(set(a)) < 2 or len(set(b)) < 2:
        return None
    return float(spearmanr(a, b).statistic)
