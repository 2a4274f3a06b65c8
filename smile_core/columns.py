"""The columns of a comparison from settings, and what to call them.

A setting that is given two or three values makes a column of each: two editors, three
instructions, two numbers of steps, or several of these at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from smile_core.comparison import FEWEST_COLUMNS, LETTERS, MOST_COLUMNS, Column, Comparison
from smile_core.config import ConfigError, RunConfig
from smile_core.word_differences import compare_columns

LONGEST_QUOTE = 60  # letters of an instruction in a label


def column_configs(**settings: Any) -> list[RunConfig]:
    """Return the settings of each column.

    Parameters
    ----------
    **settings
        Fields of `RunConfig`, and `preset`. A list or tuple of two or three gives every column
        its own value, anything else is the same in all.

    Raises
    ------
    ConfigError
        When no setting has several values, their numbers differ, or a value cannot be used.

    Examples
    --------
    >>> [c.steps for c in column_configs(instruction="make it snowy", steps=[10, 50])]
    [10, 50]
    """
    several = {name: v for name, v in settings.items() if isinstance(v, list | tuple)}
    counts = {len(values) for values in several.values()}
    if len(counts) > 1:
        told = ", ".join(f"{len(values)} of {name}" for name, values in several.items())
        raise ConfigError(
            f"The columns do not match: {told}. Give each of these as many values as there are "
            "columns, or a single one for all."
        )
    check_count(counts.pop() if counts else 1)
    number = len(next(iter(several.values())))
    own = [{name: values[i] for name, values in several.items()} for i in range(number)]
    return [_config({**settings, **values}) for values in own]


def _config(settings: dict[str, Any]) -> RunConfig:
    preset = settings.pop("preset", "recommended")
    return RunConfig.preset(preset, **settings)


def check_count(columns: int) -> None:
    """Refuse a comparison of fewer than two columns or more than three.

    Raises
    ------
    ConfigError
        For any other number.
    """
    if not FEWEST_COLUMNS <= columns <= MOST_COLUMNS:
        raise ConfigError(
            f"A comparison has two or three columns, not {columns}. Choose two or three editors, "
            "instructions, or values of a setting."
        )


def check_different(configs: Sequence[RunConfig], editors: Sequence[object]) -> None:
    """Refuse two columns that are the same in everything.

    Raises
    ------
    ConfigError
        When two columns have the same editor, instruction and settings.
    """
    for index, config in enumerate(configs):
        for before in range(index):
            if config == configs[before] and editors[index] is editors[before]:
                raise ConfigError(
                    f"Columns {LETTERS[before]} and {LETTERS[index]} are the same: "
                    f"{config.editor}, “{config.instruction}”, and all settings. Choose another "
                    "editor, instruction or setting for one of them."
                )


def column_labels(configs: Sequence[RunConfig]) -> list[str]:
    """Return for each column what sets it apart, for example its editor's name.

    Labels that come out the same are followed by a letter.
    """
    apart = [
        entry.name
        for entry in fields(RunConfig)
        if len({getattr(config, entry.name) for config in configs}) > 1
    ]
    # The editor is the subject where it differs, whatever else does.
    apart.sort(key=lambda name: (name != "editor", name != "instruction"))
    labels = [
        ", ".join(_part(name, getattr(config, name)) for name in apart) or config.editor
        for config in configs
    ]
    counts = Counter(labels)
    return [
        f"{label} ({LETTERS[index]})" if counts[label] > 1 else label
        for index, label in enumerate(labels)
    ]


def empty_comparison(
    configs: Sequence[RunConfig], labels: Sequence[str] | None = None
) -> Comparison:
    """Return the comparison of columns that have not begun, to show while models are loaded."""
    named = column_labels(configs) if labels is None else labels
    return compare_columns(
        [Column(label=label, config=c) for label, c in zip(named, configs, strict=True)]
    )


def _part(name: str, value: object) -> str:
    if name == "editor":
        return str(value)
    if name == "instruction":
        text = " ".join(str(value).split())
        cut = text if len(text) <= LONGEST_QUOTE else f"{text[: LONGEST_QUOTE - 1]}…"
        return f"“{cut}”"
    plain = name.replace("_", " ")
    return f"default {plain}" if value is None else f"{plain} {value}"
