"""From an instruction to its units, and from a subset of the units back to a prompt.

A unit is what can be left out: a word, or a phrase. Every occurrence is its own unit, in order,
with its punctuation, so that the text of a perturbation and its mask always agree.

Prompt-engineer syntax stays whole: in `make it (very snowy:1.2) at [night]` the two bracketed
parts are one unit each. A bracket that is never closed is an ordinary character.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from smile_core.config import GRANULARITIES, MAX_UNITS, ConfigError, check_choice

_CLOSING = {"(": ")", "[": "]"}
# Latin, Arabic and Chinese commas; a comma between two digits belongs to the number.
_COMMA = re.compile(r"(?<!\d)[,،，、]|[,،，、](?!\d)")
# What stands between the units of a prompt.
UNIT_GAPS: Mapping[str, str] = MappingProxyType({"word": " ", "phrase": ", "})
# Thai, Lao, Burmese and Khmer, kana and Chinese characters: scripts without spaces between words.
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
_PUNCTUATION = " .,;:!?\"'“”‘’()[]"


def split_units(instruction: str, granularity: str = "word") -> tuple[str, ...]:
    """Split an instruction into the units that SMILE leaves out.

    Parameters
    ----------
    instruction : str
        What the editor is asked to do, in any script.
    granularity : {"word", "phrase"}
        `word` splits on white space outside brackets. `phrase` splits on commas outside brackets,
        and makes every bracketed part a phrase of its own.

    Returns
    -------
    tuple of str
        2 to 64 units in order, duplicates kept, each with single inner spaces.

    Raises
    ------
    ConfigError
        When there are fewer than two units or more than `MAX_UNITS`.

    Examples
    --------
    >>> split_units("make the (blue sky:1.2) snowy, please")
    ('make', 'the', '(blue sky:1.2)', 'snowy,', 'please')
    >>> split_units("make it snowy, at night", "phrase")
    ('make it snowy', 'at night')
    """
    check_choice("granularity", granularity, GRANULARITIES)
    units = units_in(instruction, granularity)
    _check_count(units, granularity)
    return tuple(units)


def units_in(prompt: str, granularity: str = "word") -> list[str]:
    """Return the units of a text that may have any number of them, as a shortened prompt has."""
    return _words(prompt) if granularity == "word" else _phrases(prompt)


def plain_word(unit: str) -> str:
    """Return a unit in lower case, without punctuation at its ends, unless nothing else is left."""
    return unit.casefold().strip(_PUNCTUATION) or unit


def join_units(units: Sequence[str], mask: Sequence[int], granularity: str = "word") -> str:
    """Return the prompt of the kept units, in order.

    Parameters
    ----------
    units : sequence of str
        All units of the instruction, length m.
    mask : sequence of int
        1 for each unit to keep, 0 for each to leave out, length m.
    granularity : {"word", "phrase"}
        Words are joined by a space, phrases by a comma and a space.

    Raises
    ------
    ValueError
        When the mask is not as long as the units.
    """
    kept = [unit for unit, keep in zip(units, mask, strict=True) if keep]
    return UNIT_GAPS[granularity].join(kept)


def _check_count(units: Sequence[str], granularity: str) -> None:
    if not units:
        raise ConfigError(
            "The instruction holds no words. Write what the editor should do, "
            "for example: make it a snowy evening."
        )
    if len(units) == 1:
        raise ConfigError(
            f"The instruction is a single {granularity}, {units[0]!r}. SMILE finds out what each "
            f"{granularity} does by leaving others out, so it needs at least two. "
            f"{_hint_for_one(units[0], granularity)}"
        )
    if len(units) > MAX_UNITS:
        hint = " or choose the granularity 'phrase'" if granularity == "word" else ""
        raise ConfigError(
            f"The instruction has {len(units)} {granularity}s; at most {MAX_UNITS} can be told "
            f"apart. Shorten it{hint}."
        )


def _hint_for_one(unit: str, granularity: str) -> str:
    """Say how to make more than one unit of an instruction."""
    if granularity == "phrase":
        return "Separate at least two phrases with commas, or choose the granularity 'word'."
    if _UNSPACED.search(unit):
        return (
            "Chinese, Japanese and Thai are written without spaces, and words are told apart by "
            "spaces here: put a space between the parts that are to be explained."
        )
    return (
        "Write at least two words, for example: make it snowy. Words inside one pair of brackets "
        "count as one."
    )


def _spans(text: str) -> list[tuple[int, int]]:
    """Return [start, end) of every outermost balanced bracket, left to right."""
    open_brackets: list[int] = []
    spans: list[tuple[int, int]] = []
    for position, character in enumerate(text):
        if position and text[position - 1] == "\\":  # an escaped bracket is a character
            continue
        if character in _CLOSING:
            open_brackets.append(position)
        elif open_brackets and character == _CLOSING[text[open_brackets[-1]]]:
            start = open_brackets.pop()
            # A bracket swallows those inside it, which are the last ones found.
            while spans and spans[-1][0] > start:
                spans.pop()
            spans.append((start, position + 1))
    return spans


def _shield(text: str) -> list[bool]:
    """Say for every character whether it lies inside a balanced bracket."""
    inside = [False] * len(text)
    for start, end in _spans(text):
        inside[start:end] = [True] * (end - start)
    return inside


def _words(text: str) -> list[str]:
    """Split on white space outside brackets; runs of white space inside become one space."""
    words: list[str] = []
    current: list[str] = []
    for character, inside in zip(text, _shield(text), strict=True):
        if character.isspace() and not inside:
            words.append("".join(current))
            current = []
        else:
            current.append(character)
    words.append("".join(current))
    return [" ".join(word.split()) for word in words if word]


def _phrases(text: str) -> list[str]:
    """Split on commas outside brackets; a bracketed part is a phrase of its own."""
    inside = _shield(text)
    cuts = [match.start() for match in _COMMA.finditer(text) if not inside[match.start()]]
    phrases: list[str] = []
    for start, end in zip([0, *(cut + 1 for cut in cuts)], [*cuts, len(text)], strict=True):
        loose: list[str] = []
        for word in _words(text[start:end]):
            if _spans(word) == [(0, len(word))]:
                phrases += [" ".join(loose), word]
                loose = []
            else:
                loose.append(word)
        phrases.append(" ".join(loose))
    return [phrase for phrase in phrases if phrase]
