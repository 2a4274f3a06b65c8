"""A study: parts, each a grid of runs and the question asked of them.

`study_file` reads one from YAML; Python code may as well make it directly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from smile_core.config import BUNDLED_EDITOR, ConfigError, check_choice
from smile_core.evaluation.baselines import METHOD_SETTINGS
from smile_core.instruction import plain_word

PROTOCOLS = (
    "accuracy",
    "stability",
    "consistency",
    "fidelity",
    "cost",
    "words",
    "wordings",
    "scenarios",
    "faithfulness",
    "robustness",
)
METHODS = tuple(METHOD_SETTINGS)
# Axes of a grid: key in the file, field of `RunConfig`.
AXES = {
    "perturbations": "perturbations",
    "seeds": "seed",
    "image_distances": "image_distance",
    "text_distances": "text_distance",
    "surrogates": "surrogate",
}


@dataclass(frozen=True, kw_only=True)
class Instruction:
    """An instruction of a study.

    Attributes
    ----------
    text : str
        What the editor is asked to do.
    keywords : tuple of str
        Words or phrases of the text that ought to matter; empty when that is not known.
    group, form : str
        What it is counted under: a subject (`snowy`), and a wording of it (`verb`).
    """

    text: str
    keywords: tuple[str, ...] = ()
    group: str = ""
    form: str = ""

    def truth(self, units: Sequence[str]) -> list[int] | None:
        """Return 1 for each unit that belongs to a keyword and 0 for the others.

        None without keywords. Case and punctuation do not count; a keyword of several words has
        to be there as a whole, and every place where it is counts. A unit of several words, as a
        phrase is, belongs to a keyword that it holds any word of.

        Raises
        ------
        ConfigError
            When a keyword is not in the instruction.
        """
        if not self.keywords:
            return None
        words = [plain_word(word) for unit in units for word in unit.split()]
        owner = [place for place, unit in enumerate(units) for _ in unit.split()]
        labels = [0] * len(units)
        for keyword in self.keywords:
            phrase = [plain_word(word) for word in keyword.split()]
            places = [
                start
                for start in range(len(words) - len(phrase) + 1)
                if words[start : start + len(phrase)] == phrase
            ]
            if not places:
                raise ConfigError(
                    f"The keyword {keyword!r} is not in the instruction {self.text!r}. Give words "
                    "as they stand there, without punctuation."
                )
            for start in places:
                for place in owner[start : start + len(phrase)]:
                    labels[place] = 1
        return labels

    def keyword_units(self, units: Sequence[str]) -> list[str]:
        """Return the units that belong to a keyword, see `truth`."""
        marked = zip(units, self.truth(units) or (), strict=bool(self.keywords))
        return [unit for unit, is_keyword in marked if is_keyword]


@dataclass(frozen=True, kw_only=True)
class Part:
    """One grid of a study and the question asked of it.

    Attributes
    ----------
    name : str
        Its heading, unique in the study.
    protocol : str
        One of `PROTOCOLS`: which tables and plots its runs lead to.
    photos : tuple of str
        Names of bundled photos or paths, `bundled` spelt out.
    instructions : tuple of Instruction
    editors, methods : tuple of str
        Editors by name; `METHODS`, all on the same edits.
    perturbations, seeds : tuple of int
        Counts, and seeds of edits and masks.
    image_distances, text_distances, surrogates : tuple of str
        All combinations are fitted to the same edits.
    changes : tuple of str
        Of `stability.NEUTRAL_CHANGES`, for the protocol `stability`.
    mask : str or None
        For editors that need one: a path, or `whole`.
    settings : dict
        Other fields of `RunConfig`.
    """

    name: str
    protocol: str
    photos: tuple[str, ...]
    instructions: tuple[Instruction, ...]
    editors: tuple[str, ...] = (BUNDLED_EDITOR,)
    methods: tuple[str, ...] = ("smile",)
    perturbations: tuple[int, ...] = (30,)
    seeds: tuple[int, ...] = (0,)
    image_distances: tuple[str, ...] = ()
    text_distances: tuple[str, ...] = ()
    surrogates: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    mask: str | None = None
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Study:
    """A study that has been checked.

    Attributes
    ----------
    title, about : str
        Heading, and a sentence or two.
    parts : tuple of Part
    """

    title: str
    about: str
    parts: tuple[Part, ...]

    def only(self, names: Sequence[str]) -> Study:
        """Return the study of the named parts.

        Raises
        ------
        ConfigError
            When there is no part of a name.
        """
        for name in names:
            check_choice("part", name, [part.name for part in self.parts])
        parts = tuple(part for part in self.parts if part.name in names)
        return Study(title=self.title, about=self.about, parts=parts)
