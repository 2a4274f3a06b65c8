"""The answer first: what an explanation says, in a few plain words.

A sentence never claims more than the intervals do: a unit "drives" or "works against" an edit only
when its verdict says so, it "can go" only when its whole interval lies close to zero, and otherwise
it is called uncertain. An effect that is certain but tiny is not announced beside large ones.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from html import escape

from smile_core.explanation import AGAINST, DRIVES, NOTHING, Explanation, UnitWeight
from smile_core.word_pairs import find_word_pair

# A weight is announced from here on, where the paper calls a word relevant; and a unit can go when
# its whole interval lies within this distance of zero.
NEGLIGIBLE = 0.1
# Below this leave-one-out R²_w a linear model of the words says little about the pictures.
POOR_FIT = 0.3
NUMBER_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def summarize(explanation: Explanation) -> str:
    """Say which units drive the edit, which work against it and which can go.

    Returns
    -------
    str
        One to five short sentences of plain text. It holds the user's own words: escape it.
    """
    trouble = _nothing_to_compare(explanation)
    if trouble:
        return trouble
    labels = quote_units([unit.text for unit in explanation.units])
    pairs = list(zip(labels, explanation.units, strict=True))
    large = [pair for pair in pairs if abs(pair[1].weight) >= NEGLIGIBLE]
    if all(unit.verdict == NOTHING for _, unit in large):
        large = pairs  # a small effect is an answer where there is no other
    by_weight = sorted(large, key=lambda pair: -pair[1].weight)
    drivers = [pair for pair in by_weight if pair[1].verdict == DRIVES]
    against = [pair for pair in reversed(by_weight) if pair[1].verdict == AGAINST]
    rest = [pair for pair in pairs if pair not in drivers and pair not in against]
    idle = [pair for pair in rest if is_negligible(pair[1])]
    unsure = [pair for pair in rest if pair not in idle]

    noun = unit_noun(explanation)
    sentences = []
    if drivers:
        sentences.append(_driving(drivers, noun))
    elif against:
        sentences.append(f"No {noun} clearly drives this edit.")
    else:
        sentences.append(f"No {noun} stands out: no weight can be told from nothing yet.")
    if against:
        sentences.append(_opposing(against, noun))
    if drivers or against:
        sentences += _leftover(idle, unsure, noun)
    sentences += _caution(explanation)
    return " ".join(sentences)


def sentence_html(sentence: str) -> str:
    """Return a sentence as HTML, in which a number stays on one line with its margin."""
    return escape(sentence).replace(" ± ", "\u00a0±\u00a0")


def signed(value: float) -> str:
    """Return `value` with two decimals and a true minus sign; never a negative zero."""
    text = f"{value:.2f}"
    return "0.00" if text == "-0.00" else text.replace("-", "−")


def weight_text(unit: UnitWeight) -> str:
    """Return `0.81 ± 0.05`; the margin is the longer side of the interval, rounded up."""
    side = max(unit.high - unit.weight, unit.weight - unit.low, 0.0)
    return f"{signed(unit.weight)} ± {math.ceil(round(side * 100, 6)) / 100:.2f}"


def is_negligible(unit: UnitWeight) -> bool:
    """Return whether the whole interval of a unit lies close to zero, so that it can go."""
    return max(-unit.low, unit.high) <= NEGLIGIBLE


def unit_noun(explanation: Explanation) -> str:
    """Return what this run calls a unit: `word` or `phrase`."""
    return str(explanation.config.get("granularity", "word"))


def quote_units(texts: Sequence[str]) -> list[str]:
    """Quote each unit; where a text occurs more than once, each says which one it is."""
    labels = []
    for i, text in enumerate(texts):
        # First-strong isolates keep a right-to-left word from reordering the sentence around it.
        quoted = f'"\u2068{text}\u2069"' if is_right_to_left(text) else f'"{text}"'
        place = f" (no. {texts[: i + 1].count(text)})" if texts.count(text) > 1 else ""
        labels.append(quoted + place)
    return labels


def is_right_to_left(text: str) -> bool:
    """Return whether the first letter of `text` with a direction is read from right to left."""
    strong = (unicodedata.bidirectional(letter) for letter in text)
    return next((kind in ("R", "AL") for kind in strong if kind in ("L", "R", "AL")), False)


def planned_edits(explanation: Explanation) -> int:
    """Return how many shortened instructions a whole run tries: no more than there are."""
    asked = int(explanation.config.get("perturbations", len(explanation.samples)))
    return min(asked, _proper_subsets(len(explanation.units)))


def edits_made(explanation: Explanation) -> str:
    """Return `24 of 64`: the shortened instructions that were edited, of those to try."""
    made = sum(sample.failed is None for sample in explanation.samples)
    return f"{made} of {planned_edits(explanation)}"


def _proper_subsets(m: int) -> int:
    """Return how many shortened instructions `m` units allow: neither empty nor whole."""
    return 2**m - 2


def _nothing_to_compare(explanation: Explanation) -> str | None:
    noun = unit_noun(explanation)
    if len(explanation.units) == 1:
        return f"The instruction is a single {noun}, so nothing can be left out and compared."
    if not explanation.samples:
        return f"No shortened instruction has been tried yet, so no {noun} can be judged."
    distances = [s.image_distance for s in explanation.samples if s.image_distance is not None]
    if not distances:
        return f"All {len(explanation.samples)} shortened edits failed, so no {noun} can be judged."
    if len(distances) > 1 and math.isclose(max(distances), min(distances), abs_tol=1e-9):
        if max(distances) <= 1e-9:
            return "This instruction changed nothing: whichever words go, the picture stays."
        return f"No {noun} stands out: every shortened version ends equally far from the full edit."
    return None


def _driving(drivers: list[tuple[str, UnitWeight]], noun: str) -> str:
    if len(drivers) == 1:
        label, unit = drivers[0]
        return f"{label} drives this edit ({weight_text(unit)})."
    named = [f"{label} ({weight_text(unit)})" for label, unit in drivers[:3]]
    more = len(drivers) - len(named)
    tail = [_more(more, noun)] if more else []
    if drivers[0][1].low > drivers[1][1].high:
        return f"{named[0]} drives this edit most, then {join_names(named[1:] + tail)}."
    return f"{join_names(named + tail)} drive this edit."


def _opposing(against: list[tuple[str, UnitWeight]], noun: str) -> str:
    named = [f"{label} ({weight_text(unit)})" for label, unit in against[:2]]
    more = len(against) - len(named)
    tail = [_more(more, noun)] if more else []
    return f"{join_names(named + tail)} {'works' if len(against) == 1 else 'work'} against it."


def _leftover(
    idle: list[tuple[str, UnitWeight]], unsure: list[tuple[str, UnitWeight]], noun: str
) -> list[str]:
    sentences = []
    if len(idle) > 2:
        who = f"{_count(len(idle))} {noun}s"
        sentences.append(f"{who.capitalize() if unsure else f'The other {who}'} can go.")
    elif idle:
        what = "nothing" if all(u.verdict == NOTHING for _, u in idle) else "next to nothing"
        does = "does" if len(idle) == 1 else "do"
        sentences.append(f"{join_names([label for label, _ in idle])} {does} {what}.")
    if len(unsure) == 1:
        label, unit = unsure[0]
        sentences.append(f"{label} is still uncertain ({weight_text(unit)}).")
    elif len(unsure) == 2:
        sentences.append(f"{join_names([label for label, _ in unsure])} are still uncertain.")
    elif unsure:
        sentences.append(f"{_count(len(unsure)).capitalize()} {noun}s are still uncertain.")
    return sentences


def _caution(explanation: Explanation) -> list[str]:
    measured = sum(sample.image_distance is not None for sample in explanation.samples)
    planned = planned_edits(explanation)
    m = len(explanation.units)
    sentences = []
    if len(explanation.samples) < planned:
        sentences.append(f"This rests on {measured} of {planned} edits.")
    elif measured < min(m + 2, _proper_subsets(m)):
        sentences.append(f"This rests on {measured} edits only.")
    fit = explanation.fidelity.get("r2_w_loo")
    pair = find_word_pair(explanation)
    if pair is not None:
        labels = quote_units([unit.text for unit in explanation.units])
        one, other = labels[pair.i], labels[pair.j]
        how = "stand in for each other" if pair.product < 0 else "need each other"
        sentences.append(
            f"{one} and {other} {how}: what one does depends on whether the other is there, so "
            "their weights are to be read together."
        )
    elif fit is not None and fit < POOR_FIT:
        sentences.append(
            f"But the {unit_noun(explanation)}s taken one by one predict the pictures poorly "
            f"(leave-one-out R² {signed(fit)}), so take this with care."
        )
    return sentences


def join_names(names: Sequence[str], last: str = "and") -> str:
    """Return `a`, `a and b` or `a, b and c`; `last` is the word before the last name."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {last} {names[-1]}"


def _more(count: int, noun: str) -> str:
    return f"{_count(count)} more {noun}{'' if count == 1 else 's'}"


def _count(count: int) -> str:
    return NUMBER_WORDS[count] if count < len(NUMBER_WORDS) else str(count)
