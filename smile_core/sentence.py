"""The answer first: what an explanation says, in a few plain words.

First whether anything happened at all; then the words. A sentence never claims more than the
verdicts do: a unit drives the edit or works against it only when its whole interval lies beyond the
smallest effect that matters, it can go only when the whole interval lies within, and otherwise it
is unclear.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from html import escape

from smile_core.config import PERTURBATIONS_PER_UNIT, automatic_perturbations
from smile_core.explanation import (
    AGAINST,
    ANY_UNIT,
    CHANCE,
    DRIVES,
    NO_EFFECT,
    NOTHING_HAPPENED,
    ONE_IS_ENOUGH,
    UNCLEAR,
    Explanation,
    UnitWeight,
)
from smile_core.response import PHOTO
from smile_core.settling import is_judged, is_open
from smile_core.word_pairs import GOOD_FIT, WordPair, find_word_pair

# Below this leave-one-out R²_w a linear model of the words says little about the pictures.
POOR_FIT = 0.3
NUMBER_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")

Labelled = tuple[str, UnitWeight]


def summarize(explanation: Explanation) -> str:
    """Say what happened, which units drive the edit, which work against it and which can go.

    Returns
    -------
    str
        One to six short sentences of plain text. It holds the user's own words: escape it.
    """
    if not explanation.happened:
        return nothing_happened(explanation)
    trouble = _nothing_to_compare(explanation)
    if trouble:
        return trouble
    if explanation.outcome == ANY_UNIT:
        return _any_unit(explanation)
    noun = unit_noun(explanation)
    if not is_judged(explanation):
        return _too_few(explanation, noun)
    labels = quote_units([unit.text for unit in explanation.units])
    joint = find_word_pair(explanation)
    apart = () if joint is None else (joint.i, joint.j)
    pairs = [
        pair
        for index, pair in enumerate(zip(labels, explanation.units, strict=True))
        if index not in apart
    ]
    by_weight = sorted(pairs, key=lambda pair: -pair[1].weight)
    drivers = [pair for pair in by_weight if pair[1].verdict == DRIVES]
    against = [pair for pair in reversed(by_weight) if pair[1].verdict == AGAINST]
    idle = [pair for pair in pairs if pair[1].verdict == NO_EFFECT]
    unclear = [pair for pair in by_weight if pair[1].verdict == UNCLEAR]

    sentences = []
    if joint is not None:
        sentences.append(_acting_together(joint, labels))
    if drivers:
        sentences.append(_driving(drivers, unclear, noun, alone=joint is None))
    elif joint is None and unclear:
        sentences.append(f"No {noun} has a clear effect yet.")
    elif joint is None and against:
        sentences.append(f"No {noun} drives this edit.")
    elif joint is None:
        sentences.append(f"No {noun} has an effect of its own.")
    if against:
        sentences.append(_opposing(against, noun))
    sentences += _open(unclear, noun)
    if drivers or against or joint:
        sentences += _idle(idle, noun, is_rest=not unclear, fits=_fits(explanation))
    sentences += _caution(explanation)
    return " ".join(sentences)


def nothing_happened(
    explanation: Explanation, who: str = "This editor", *, advice: bool = True
) -> str:
    """Say that there is no edit to explain, what the editor can do and what to try.

    Parameters
    ----------
    explanation : Explanation
        One whose `happened` is False.
    who : str
        What to call the editor.
    advice : bool
        Whether to say what to try.
    """
    from smile_core.editors import list_editors  # here, because the editors' imports take a while

    card = {card.name: card for card in list_editors()}.get(explanation.editor)
    if explanation.outcome == CHANCE:
        sentences = [
            f"{who} did nothing beyond chance: its edits with the instruction differ from those "
            "without it no more than they differ from each other."
        ]
    else:
        by_photo = explanation.scale is not None and explanation.scale.rests_on == PHOTO
        other = "the photo" if by_photo else "an edit without any instruction"
        sentences = [f"{who} changed nothing: the full edit looks the same as {other}."]
    if card is not None and card.does:
        knows = f"; it knows no {card.does_not}" if card.does_not else ""
        sentences.append(f"It does {card.does}{knows}.")
    if advice:
        known = card.example if card is not None else ""
        works = f"“{known}”" if known and known != explanation.instruction else "another wording"
        sentences.append(f"Try {works}, or another editor.")
    return " ".join(sentences)


def no_weights(explanation: Explanation) -> str:
    """Return why there is nothing to draw of the weights; empty where there is something."""
    if not explanation.happened:
        return "Nothing happened, so there is nothing to explain."
    if explanation.outcome == ANY_UNIT:
        return f"Any one {unit_noun(explanation)} is enough, so none has a weight of its own."
    return ""


def sentence_html(sentence: str) -> str:
    """Return a sentence as HTML, in which the two ends of an interval stay on one line."""
    return re.sub(r"(\d) to (−?\d)", "\\1\u00a0to\u00a0\\2", escape(sentence))


def signed(value: float, decimals: int = 2) -> str:
    """Return `value` with two decimals and a true minus sign; never a negative zero."""
    text = f"{value:.{decimals}f}"
    return (text if float(text) else text.removeprefix("-")).replace("-", "−")


def weight_text(unit: UnitWeight) -> str:
    """Return `0.81, 0.75 to 0.86`, or the number alone where it has no interval."""
    mark = unit_mark(unit)
    return f"{mark}, {interval_text(unit)}" if unit.measured and not unit.exact else mark


def interval_text(unit: UnitWeight) -> str:
    """Return both ends, `0.75 to 0.86`, or `exact` where nothing was left to chance."""
    if not unit.measured:
        return "not measured" if unit.verdict == UNCLEAR else "–"
    decimals = _decimals(unit)
    ends = f"{signed(unit.low, decimals)} to {signed(unit.high, decimals)}"
    return "exact" if unit.exact else ends


def unit_mark(unit: UnitWeight) -> str:
    """Return the number under a unit, or what stands there where it has none."""
    if unit.measured:
        return signed(unit.weight, _decimals(unit))
    return {NOTHING_HAPPENED: "–", ONE_IS_ENOUGH: "any one"}.get(unit.verdict, "?")


def _decimals(unit: UnitWeight) -> int:
    """Return two, or three where the interval of a unit with an effect would begin at 0.00."""
    nearest = min(abs(unit.low), abs(unit.high))
    return 3 if unit.verdict in (DRIVES, AGAINST) and nearest < 0.005 else 2


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
    m = len(explanation.units)
    asked = explanation.config.get("perturbations", len(explanation.samples))
    return min(int(asked or automatic_perturbations(m)), _proper_subsets(m))


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
    if all(s.image_distance is None for s in explanation.samples):
        return f"All {len(explanation.samples)} shortened edits failed, so no {noun} can be judged."
    return None


def _any_unit(explanation: Explanation) -> str:
    """Say that the editor needs no more than one of the units."""
    labels = quote_units([unit.text for unit in explanation.units])
    noun = unit_noun(explanation)
    if len(labels) == 2:
        return (
            f"Either {noun} is enough: {labels[0]} alone gives the full edit, and so does "
            f"{labels[1]}."
        )
    tried = [sample.mask for sample in explanation.samples if sample.image_distance is not None]
    if sum(sum(mask) == 1 for mask in tried) == len(labels):
        return f"Any one {noun} is enough: each of them alone gives the full edit."
    return (
        f"No single {noun} is needed: all {len(tried)} shortened instructions that were tried "
        "gave the full edit."
    )


def _too_few(explanation: Explanation, noun: str) -> str:
    """Say that more edits are needed before anything can be said of a unit."""
    m = len(explanation.units)
    needed = min(PERTURBATIONS_PER_UNIT * m, _proper_subsets(m))
    known = sum(sample.sample_weight is not None for sample in explanation.samples)
    return (
        f"No {noun} can be judged yet: with {m} {noun}s that takes {needed} shortened "
        f"instructions, and there {'is' if known == 1 else 'are'} {known}."
    )


def _fits(explanation: Explanation) -> bool:
    """Return whether a sum of weights predicts the pictures well."""
    fit = explanation.fidelity.get("r2_w_loo")
    return fit is not None and fit >= GOOD_FIT


def _acting_together(joint: WordPair, labels: Sequence[str]) -> str:
    """Say what two units do together that no sum of weights says."""
    names = f"{labels[joint.i]} and {labels[joint.j]}"
    if joint.product < 0:
        return f"{names} stand in for each other: either of them gives {signed(joint.weight)}."
    return f"{names} need each other: both together give {signed(joint.weight)}."


def _driving(drivers: list[Labelled], unclear: list[Labelled], noun: str, *, alone: bool) -> str:
    """Name the units that drive the edit; one of them as the first only if it surely is.

    `alone` says that there is no pair of units besides, which may do more.
    """
    if len(drivers) == 1:
        label, unit = drivers[0]
        return f"{label} drives this edit ({weight_text(unit)})."
    named = [f"{label} ({weight_text(unit)})" for label, unit in drivers[:3]]
    more = len(drivers) - len(named)
    tail = [_more(more, noun)] if more else []
    rivals = [unit.high for _, unit in (*drivers[1:], *unclear)]
    if alone and drivers[0][1].low > max(rivals):
        return f"{named[0]} drives this edit most, then {join_names(named[1:] + tail)}."
    return f"{join_names(named + tail)} drive this edit."


def _opposing(against: list[Labelled], noun: str) -> str:
    named = [f"{label} ({weight_text(unit)})" for label, unit in against[:2]]
    more = len(against) - len(named)
    tail = [_more(more, noun)] if more else []
    return f"{join_names(named + tail)} {'works' if len(against) == 1 else 'work'} against it."


def _open(unclear: list[Labelled], noun: str) -> list[str]:
    """Name the units of which more edits would tell what they do."""
    known = [pair for pair in unclear if pair[1].measured]
    telling = [pair for pair in known if is_open(pair[1])]
    sentences = []
    if len(telling) == 1:
        label, unit = telling[0]
        sentences.append(f"{label} is unclear ({weight_text(unit)}) and needs more edits.")
    elif telling:
        named = [f"{label} ({weight_text(unit)})" for label, unit in telling[:3]]
        more = len(telling) - len(named)
        named += [_more(more, noun)] if more else []
        sentences.append(f"{join_names(named)} are unclear and need more edits.")
    small = [label for label, unit in known if not is_open(unit)]
    if len(small) > 2:
        what = f"{_count(len(small)).capitalize()} {noun}s are unclear, with weights below 0.1"
        sentences.append(f"{what}.")
    elif small:
        are = "is unclear, with a weight" if len(small) == 1 else "are unclear, with weights"
        sentences.append(f"{join_names(small)} {are} below 0.1.")
    return sentences


def _idle(idle: list[Labelled], noun: str, *, is_rest: bool, fits: bool) -> list[str]:
    """Name the units without effect; they can go together only where weights add up."""
    if not idle:
        return []
    have = "has" if len(idle) == 1 else "have"
    go = " and can go" if fits else " of its own" if len(idle) == 1 else " of their own"
    if len(idle) > 2:
        who = f"{_count(len(idle))} {noun}s"
        who = f"The other {who}" if is_rest else who.capitalize()
    else:
        who = join_names([label for label, _ in idle])
    return [f"{who} {have} no effect{go}."]


def _caution(explanation: Explanation) -> list[str]:
    """Say what weakens the answer: missing edits, and a poor fit."""
    measured = sum(sample.image_distance is not None for sample in explanation.samples)
    planned = planned_edits(explanation)
    sentences = []
    if len(explanation.samples) < planned:
        sentences.append(f"This rests on {measured} of {planned} edits.")
    fit = explanation.fidelity.get("r2_w_loo")
    if fit is not None and fit < POOR_FIT:
        sentences.append(
            f"The {unit_noun(explanation)}s taken one by one predict the pictures poorly "
            f"(leave-one-out R² {signed(fit)}), so take the numbers with care."
        )
    return sentences


def join_names(names: Sequence[str], last: str = "and") -> str:
    """Return `a`, `a and b` or `a, b and c`; `last` is the word before the last name."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {last} {names[-1]}"


def _more(count: int, noun: str) -> str:
    return f"{_count(count)} more {noun}{'' if count == 1 else 's'}"


def _count(count: int) -> str:
    return NUMBER_WORDS[count] if count < len(NUMBER_WORDS) else str(count)
