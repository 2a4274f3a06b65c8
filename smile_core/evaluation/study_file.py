"""A study as its author writes it: a YAML file of parts, each a grid of runs and what to ask of it.

A key beside `parts` holds for every part that does not set it itself::

    title: Accuracy
    editors: bundled
    perturbations: 30
    parts:
      - name: ten prompts, one photo
        protocol: accuracy
        photos: [meadow]
        instructions:
          - {text: Make it a snowy evening, keywords: [snowy, evening]}

Every list is an axis: the part runs photos × instructions × editors × perturbations × distances ×
surrogates × seeds. Everything is checked before anything runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from smile_core.config import ConfigError, RunConfig, check_choice
from smile_core.evaluation.robustness import check_attacks
from smile_core.evaluation.stability import NEUTRAL_CHANGES, change_neutrally
from smile_core.evaluation.study import AXES, METHODS, PROTOCOLS, Instruction, Part, Study
from smile_core.instruction import split_units

ASSETS = Path(__file__).parents[2] / "assets"
STUDY_FOLDER = ASSETS / "studies"
PHOTO_FOLDER = ASSETS / "photos"
BUNDLED = "bundled"


def bundled_studies() -> dict[str, Path]:
    """Return the study files that ship with the project, by name."""
    return {path.stem: path for path in sorted(STUDY_FOLDER.glob("*.yaml"))}


@lru_cache(maxsize=1)
def bundled_photos() -> Mapping[str, Path]:
    """Return the photos that ship with the project, by name."""
    return MappingProxyType({path.stem: path for path in sorted(PHOTO_FOLDER.glob("*.jpg"))})


def load_study(source: str | Path) -> Study:
    """Read a study.

    Parameters
    ----------
    source : str or Path
        A YAML file, or the name of one that ships (`bundled_studies`).

    Raises
    ------
    ConfigError
        When it cannot be read or used; the message says where and what to do.
    """
    path = bundled_studies().get(str(source), Path(source))
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError(
            f"The study {str(source)!r} cannot be read: {reason}. Give a YAML file, or one of: "
            f"{', '.join(bundled_studies())}."
        ) from error
    return read_study(text, path.parent)


def read_study(text: str, folder: Path) -> Study:
    """Read a study from YAML; photos and masks are looked for beside `folder`.

    Raises
    ------
    ConfigError
        As `load_study`.
    """
    try:
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        where = getattr(error, "problem_mark", None)
        line = f" (line {where.line + 1})" if where else ""
        raise ConfigError(f"The study is not YAML{line}: {_first_line(error)}.") from error
    if not isinstance(values, Mapping):
        raise ConfigError("The study is empty. It needs a title and parts.")
    keys = {entry.name for entry in fields(Part)}
    _refuse_unknown("the study", values, {"title", "about", "parts", *(keys - {"name"})})
    parts = values.get("parts")
    if not isinstance(parts, list) or not parts:
        raise ConfigError("The study has no parts. Give a list of at least one under 'parts'.")
    shared = {key: value for key, value in values.items() if key in keys}
    read = tuple(_part(part, shared, folder, number) for number, part in enumerate(parts, 1))
    names = [part.name for part in read]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigError(f"Two parts are called {twice[0]!r}. Give every part its own name.")
    return Study(title=str(values.get("title", "Study")), about=str(values.get("about", "")),
                 parts=read)  # fmt: skip


def _part(given: Any, shared: Mapping[str, Any], folder: Path, number: int) -> Part:
    if not isinstance(given, Mapping):
        raise ConfigError(f"Part {number} must have keys, for example protocol and photos.")
    values = {**shared, **given}
    values.setdefault("name", f"part {number}")
    where = f"part {values['name']!r}"
    _refuse_unknown(where, given, {entry.name for entry in fields(Part)})
    for key in ("protocol", "photos", "instructions"):
        if key not in values:
            raise ConfigError(f"P{where[1:]} has no {key}. Add the key {key!r}.")
    check_choice("protocol", values["protocol"], PROTOCOLS)
    settings = values.get("settings", {})
    if not isinstance(settings, Mapping):
        raise ConfigError(f"The settings of {where} must be keys with values.")
    allowed = {entry.name for entry in fields(RunConfig)} - _OF_THE_GRID
    _refuse_unknown(f"the settings of {where}", settings, allowed - set(AXES.values()))
    lists = {key: _items(values, key, where) for key in _LISTS if key in values}
    part = Part(
        name=str(values["name"]),
        protocol=values["protocol"],
        photos=tuple(path for item in _items(values, "photos", where)
                     for path in _photos(item, folder)),
        instructions=tuple(_instruction(item, where)
                           for item in _items(values, "instructions", where)),
        mask=_mask(values.get("mask"), folder),
        settings=dict(settings),
        **{key: tuple(items) for key, items in lists.items()},
    )  # fmt: skip
    _check(part)
    return part


# Settings that the grid itself makes; a study's runs are as long as it says.
_OF_THE_GRID = {"instruction", "editor", "stop_when_settled"}
_LISTS = ("editors", "methods", "changes", *AXES)


def _items(values: Mapping[str, Any], key: str, where: str) -> list[Any]:
    """Return the list under `key`; one value stands for a list of one."""
    items = values[key]
    items = items if isinstance(items, list) else [items]
    if not items or items == [None]:
        raise ConfigError(f"The list {key!r} of {where} is empty. Give at least one, or drop it.")
    if key == "editors":
        return [name for item in items for name in _editors(str(item))]
    return items


def _editors(name: str) -> list[str]:
    """Spell out `bundled`: the editors whose weights ship with the project."""
    if name != BUNDLED:
        return [name]
    from smile_core.editors import list_editors

    return [
        card.name
        for card in list_editors()
        if card.source.startswith("assets/editors/") and (ASSETS.parent / card.source).is_dir()
    ]


def _photos(item: Any, folder: Path) -> list[str]:
    known = bundled_photos()
    if item == BUNDLED:
        return list(known)
    if item in known:
        return [item]
    path = folder / str(item)
    if not path.is_file():
        raise ConfigError(
            f"There is no photo {str(item)!r}. Give a file beside the study, {BUNDLED!r} for all "
            f"that ship, or some of: {', '.join(known)}."
        )
    return [str(path)]


def _mask(given: Any, folder: Path) -> str | None:
    return None if given is None else "whole" if given == "whole" else str(folder / str(given))


def _instruction(item: Any, where: str) -> Instruction:
    if isinstance(item, str):
        return Instruction(text=item)
    if not isinstance(item, Mapping) or not isinstance(item.get("text"), str):
        raise ConfigError(f"An instruction of {where} is neither a text nor has a key 'text'.")
    _refuse_unknown(f"an instruction of {where}", item, {e.name for e in fields(Instruction)})
    keywords = item.get("keywords", [])
    keywords = keywords if isinstance(keywords, list) else [keywords]
    return Instruction(
        text=item["text"],
        keywords=tuple(map(str, keywords)),
        group=str(item.get("group", "")),
        form=str(item.get("form", "")),
    )


def _check(part: Part) -> None:
    """Refuse what could only fail later: names, numbers, keywords, and too much of it all."""
    for method in part.methods:
        check_choice("method", method, METHODS)
    for change in part.changes:
        check_choice("change", change, NEUTRAL_CHANGES)
    defaults = RunConfig(instruction="x")
    for key, setting in AXES.items():
        for value in getattr(part, key):
            defaults.with_(**{**part.settings, setting: value})
    for instruction in part.instructions:
        _check_instruction(part, instruction, defaults.with_(**part.settings))
    for key in ("photos", "instructions", *_LISTS):
        values = getattr(part, key)
        twice = next((value for value in values if values.count(value) > 1), None)
        if twice is not None:
            named = twice.text if isinstance(twice, Instruction) else twice
            raise ConfigError(
                f"The list {key!r} of part {part.name!r} has {named!r} twice. Drop one, for a run "
                "that is repeated as it was adds nothing but a false certainty."
            )
    if part.protocol == "stability" and not part.changes:
        raise ConfigError(
            f"Part {part.name!r} needs 'changes': some of {', '.join(NEUTRAL_CHANGES)}."
        )
    if part.protocol == "consistency" and len(part.seeds) < 2:
        raise ConfigError(f"Part {part.name!r} needs at least two 'seeds' to repeat with.")


def _check_instruction(part: Part, instruction: Instruction, settings: RunConfig) -> None:
    config = settings.with_(instruction=instruction.text)
    units = split_units(config.instruction, config.granularity)
    instruction.truth(units)
    for change in part.changes:  # may add a unit too many
        changed = change_neutrally(config.instruction, change, config.granularity)
        split_units(changed, config.granularity)
    if part.protocol == "robustness":
        if not instruction.keywords:
            raise ConfigError(f"Part {part.name!r} needs 'keywords' for every instruction.")
        check_attacks(config, instruction.keyword_units(units))


def _refuse_unknown(where: str, values: Mapping[Any, Any], allowed: set[str]) -> None:
    for key in values:
        if key not in allowed:
            check_choice(f"key of {where}", key, allowed)


def _first_line(error: Exception) -> str:
    return str(getattr(error, "problem", None) or error).splitlines()[0]
