"""What the inputs of the Evaluate tab ask for, as a study: a ready-made one, or a grid.

A grid becomes the YAML that the command line takes, so that both are checked by the same code.
Nothing that a visitor sends is ever a path: photos, editors and studies go by their names.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import yaml

from smile_core.config import IMAGE_DISTANCES, SURROGATES, TEXT_DISTANCES, ConfigError, check_choice
from smile_core.editors import EditorCard, list_editors
from smile_core.editors.registry import is_public_server
from smile_core.evaluation.stability import NEUTRAL_CHANGES
from smile_core.evaluation.study import METHODS, Part, Study
from smile_core.evaluation.study_file import (
    STUDY_FOLDER,
    bundled_photos,
    bundled_studies,
    load_study,
    read_study,
)
from smile_core.evaluation.study_plan import StudyCost

READY, GRID = "ready", "grid"
# What a grid can be asked, by protocol: name of its part, and the question.
QUESTIONS = {
    "accuracy": ("Accuracy", "are the marked words found?"),
    "words": ("Words", "how do the weights spread?"),
    "stability": ("Stability", "do changes without a meaning matter?"),
    "consistency": ("Consistency", "do other seeds agree?"),
    "fidelity": ("Fidelity", "how well does the linear model fit?"),
    "cost": ("Cost", "where do the seconds go?"),
    "faithfulness": ("Faithfulness", "deletion and insertion curves"),
    "robustness": ("Robustness", "padding, reordering, an editor with two faces"),
}
NEEDS_KEYWORDS = ("accuracy", "robustness")
MOST_RUNS = 2000  # explanations of a study; counting their edits alone takes a while
MOST_EDITS = 1200  # on a public server, where others wait meanwhile
_MARKED = re.compile(r"\*([^*]+)\*")


@dataclass(frozen=True)
class Asked:
    """What the inputs show, in the order of their components.

    Attributes
    ----------
    kind : {"ready", "grid"}
        Which of the two is asked for.
    study : str
        Name of a ready-made study.
    parts : list of str
        Those of its parts that are ticked.
    questions : list of str
        Keys of `QUESTIONS`; each becomes a part of the grid, on the same edits.
    photos, editors : list of str
        Names.
    instructions : str
        One a line, the words that ought to matter between asterisks.
    perturbations, seeds : str
        Whole numbers with commas between them.
    image_distances, text_distances, surrogates : list of str
        Empty for the default.
    methods : list of str
        Of `study.METHODS`.
    """

    kind: Any
    study: Any
    parts: Any
    questions: Any
    photos: Any
    instructions: Any
    editors: Any
    perturbations: Any
    seeds: Any
    image_distances: Any
    text_distances: Any
    surrogates: Any
    methods: Any


@dataclass(frozen=True, kw_only=True)
class ChosenStudy:
    """A study that was asked for and checked.

    Attributes
    ----------
    name : str
        The same whenever the same is asked: what it keeps between runs lies under it.
    text : str
        Its YAML, which `python -m smile_core study` takes.
    study : Study
        The parts that are asked for.
    """

    name: str
    text: str
    study: Study


def offered_editors() -> list[EditorCard]:
    """Return the editors that a study may take: those that need no key, or whose key is set here.

    On a public server a study never spends the key of the server.
    """
    own_keys = () if is_public_server() else os.environ
    return [
        card for card in list_editors() if not card.key_variable or card.key_variable in own_keys
    ]


def chosen_study(asked: Asked) -> ChosenStudy:
    """Return what is asked for, checked.

    Raises
    ------
    ConfigError
        When something given cannot be used, or there is too much of it.
    """
    check_choice("kind of study", asked.kind, (READY, GRID))
    chosen = _ready_made(asked) if asked.kind == READY else _grid(asked)
    _check_size(chosen.study)
    return chosen


def check_edits(cost: StudyCost) -> None:
    """Refuse a study that would keep a public server to itself.

    Raises
    ------
    ConfigError
        When it makes more edits than such a server allows.
    """
    edits = sum(cost.to_make.values())
    if is_public_server() and edits > MOST_EDITS:
        raise ConfigError(
            f"This study makes up to {edits:,} edits; on this public server a study may make "
            f"{MOST_EDITS:,}, since others wait meanwhile. Tick fewer parts or photos, or run it "
            "on a machine of your own, where there is no limit."
        )


def _ready_made(asked: Asked) -> ChosenStudy:
    _names("study", [asked.study], bundled_studies())
    study = load_study(asked.study)
    if not asked.parts:
        raise ConfigError("No part of the study is ticked. Tick at least one.")
    _names("part", asked.parts, [part.name for part in study.parts])
    text = bundled_studies()[asked.study].read_text(encoding="utf-8")
    return ChosenStudy(name=asked.study, text=text, study=study.only(asked.parts))


def _grid(asked: Asked) -> ChosenStudy:
    instructions = _instructions(asked.instructions)
    questions = _ticked("question", asked.questions, QUESTIONS)
    unmarked = [one["text"] for one in instructions if "keywords" not in one]
    for question in NEEDS_KEYWORDS:
        if question in questions and unmarked:
            raise ConfigError(
                f"{QUESTIONS[question][0]} needs to know which words ought to matter. Put "
                f"*asterisks* around them in “{unmarked[0]}”."
            )
    editors = {card.name: card for card in offered_editors()}
    values: dict[str, Any] = {
        "title": "A grid of your own",
        "photos": _ticked("photo", asked.photos, bundled_photos()),
        "instructions": instructions,
        "editors": _ticked("editor", asked.editors, editors),
        "perturbations": _numbers("The number of perturbations", asked.perturbations),
        "seeds": _numbers("The seed", asked.seeds),
        "methods": _ticked("method", asked.methods, METHODS),
    }
    if any(editors[name].needs_mask for name in values["editors"]):
        values["mask"] = "whole"
    for key, allowed in (
        ("image_distances", IMAGE_DISTANCES),
        ("text_distances", TEXT_DISTANCES),
        ("surrogates", SURROGATES),
    ):
        ticked = getattr(asked, key)
        if ticked:
            values[key] = _names(key.replace("_", " ")[:-1], ticked, allowed)
    values["parts"] = [_part(question) for question in questions]
    text = yaml.safe_dump(values, sort_keys=False, allow_unicode=True)
    name = f"grid-{sha256(text.encode()).hexdigest()[:16]}"
    return ChosenStudy(name=name, text=text, study=read_study(text, STUDY_FOLDER))


def _part(question: str) -> dict[str, Any]:
    part: dict[str, Any] = {"name": QUESTIONS[question][0], "protocol": question}
    return part | {"changes": list(NEUTRAL_CHANGES)} if question == "stability" else part


def _ticked(what: str, values: Any, allowed: Collection[str]) -> list[str]:
    """Return what is ticked, at least one."""
    if not values:
        raise ConfigError(f"No {what} is chosen. Choose at least one.")
    return _names(what, values, allowed)


def _names(what: str, values: Any, allowed: Collection[str]) -> list[str]:
    """Return names without repeats, checked one by one."""
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise ConfigError(f"Give the {what} by its name, not {values!r}.")
    for value in values:
        check_choice(what, value, list(allowed))
    return list(dict.fromkeys(values))


def _numbers(what: str, text: Any) -> list[int]:
    words = str(text or "").replace(",", " ").split()
    if not words or not all(word.isdecimal() for word in words):
        raise ConfigError(
            f"{what} must be a whole number, or several with commas between them, as in 16, 30; "
            f"not {text!r}."
        )
    return list(dict.fromkeys(map(int, words)))


def _instructions(text: Any) -> list[dict[str, Any]]:
    """Return the instructions, one a line, with the words between asterisks as keywords."""
    lines = dict.fromkeys(line.strip() for line in str(text or "").splitlines() if line.strip())
    if not lines:
        raise ConfigError("There is no instruction. Write one a line.")
    read = []
    for line in lines:
        keywords = [" ".join(found.split()) for found in _MARKED.findall(line)]
        plain = {"text": _MARKED.sub(r"\1", line)}
        read.append(plain | ({"keywords": keywords} if keywords else {}))
    return read


def _check_size(study: Study) -> None:
    runs = sum(map(runs_of, study.parts))
    if runs > MOST_RUNS:
        raise ConfigError(
            f"These are {runs:,} explanations; a study on this page has at most {MOST_RUNS:,}. "
            "Take fewer values of a setting, or use the command line, which takes any number."
        )
    longest = max(count for part in study.parts for count in part.perturbations)
    if is_public_server() and longest > MOST_EDITS:  # before all of them are thought up
        raise ConfigError(
            f"On this public server a study may make {MOST_EDITS:,} edits; {longest:,} "
            "perturbations are too many."
        )


def runs_of(part: Part) -> int:
    """Return how many explanations a part has, without planning them."""
    axes: list[Sequence[Any]] = [
        part.photos, part.instructions, part.editors, part.methods, part.perturbations, part.seeds,
        part.image_distances, part.text_distances, part.surrogates,
    ]  # fmt: skip
    count = 1 + len(part.changes)
    for axis in axes:
        count *= max(len(axis), 1)
    return count
