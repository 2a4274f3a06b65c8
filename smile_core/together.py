"""Units that are to be read together, because no sum of weights says what each of them does."""

from __future__ import annotations

import math
from dataclasses import dataclass

from smile_core.colors import color_limit
from smile_core.explanation import ANY_UNIT, Explanation
from smile_core.sentence import signed
from smile_core.word_pairs import find_word_pair


@dataclass(frozen=True)
class Together:
    """What a unit does only together with others.

    Attributes
    ----------
    weight : float
        What they do together.
    label : str
        What stands under each of them, for example `either 0.90`.
    about : str
        The same as a clause, for tooltips and screen readers.
    """

    weight: float
    label: str
    about: str


def joined_units(explanation: Explanation) -> dict[int, Together]:
    """Return by index the units that are to be read together, and what they do."""
    texts = [unit.text for unit in explanation.units]
    if explanation.outcome == ANY_UNIT:
        word, all_of = ("either", "two") if len(texts) == 2 else ("any one", str(len(texts)))
        about = f"{word} of the {all_of} is enough for the full edit"
        return dict.fromkeys(range(len(texts)), Together(1.0, f"{word} {signed(1.0)}", about))
    pair = find_word_pair(explanation)
    if pair is None:
        return {}
    word, which = ("either", "either of them") if pair.product < 0 else ("both", "both together")

    def with_other(other: int) -> Together:
        how = "stands in for" if pair.product < 0 else "needs"
        about = f"{how} {texts[other]}, {which} {signed(pair.weight)}"
        return Together(pair.weight, f"{word} {signed(pair.weight)}", about)

    return {pair.i: with_other(pair.j), pair.j: with_other(pair.i)}


def shown_limit(*explanations: Explanation) -> float:
    """Return `color_limit`, wide enough for what units do together."""
    weights = (abs(found.weight) for one in explanations for found in joined_units(one).values())
    return max(color_limit(*explanations), math.ceil(max(weights, default=0.0) * 4 - 1e-9) / 4)
