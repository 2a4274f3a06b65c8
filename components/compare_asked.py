"""What the inputs of the Compare tab ask for, as the settings of each column, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components import advanced, mask, perturbations
from components.perturbations import FEW_OF_EACH
from components.runs import checked_config, checked_job
from components.session import ComparisonJob
from smile_core.columns import check_count, check_different
from smile_core.comparison import MOST_COLUMNS
from smile_core.config import ConfigError, RunConfig
from smile_core.editors import EditorCard
from smile_core.editors.protocol import resolve_knobs
from smile_core.instruction import split_units
from smile_core.photo import Source, open_photo

EDITORS, INSTRUCTIONS, SETTINGS = "editors", "instructions", "settings"
# What every column can have of its own; empty is the editor's own value, or the seed of all.
KNOBS = ("steps", "guidance_scale", "image_guidance_scale", "strength", "scheduler")
OWN = (*KNOBS, "seed")
# What all columns share.
SHARED = (
    "perturbations",
    "seed",
    *(name for name in advanced.FIELDS if name not in OWN),
)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the inputs show.

    Attributes
    ----------
    by : {"editors", "instructions", "settings"}
        What the columns differ in. Of the others the first column's is that of all.
    editors, instructions : tuple of (str or None)
        One for each of three columns; an empty third one means two columns.
    own : mapping of str to tuple
        Text for each of three columns, by the names in `OWN`. With `settings` a third column is
        there once any of its texts is.
    shared : mapping
        The values of `SHARED`.
    """

    by: str
    editors: tuple[str | None, ...]
    instructions: tuple[str | None, ...]
    own: Mapping[str, tuple[Any, ...]]
    shared: Mapping[str, Any]

    @classmethod
    def from_values(cls, values: Sequence[Any]) -> Asked:
        """Return what the components show, their values given in the order of the attributes."""
        by, *rest = values
        triples = [tuple(rest[at : at + MOST_COLUMNS]) for at in range(0, len(rest), MOST_COLUMNS)]
        editors, instructions, *own = triples[: 2 + len(OWN)]
        shared = rest[MOST_COLUMNS * (2 + len(OWN)) :]
        return cls(
            by=by,
            editors=editors,
            instructions=instructions,
            own=dict(zip(OWN, own, strict=True)),
            shared=dict(zip(SHARED, shared, strict=True)),
        )

    @property
    def columns(self) -> int:
        """How many columns there are: the last may be left out."""
        if self.by == SETTINGS:
            last = "".join(str(texts[-1] or "") for texts in self.own.values())
        else:
            last = (self.editors if self.by == EDITORS else self.instructions)[-1] or ""
        return MOST_COLUMNS if last.strip() else MOST_COLUMNS - 1

    @property
    def wanted(self) -> int:
        """How many perturbations the words of the columns ask for."""
        texts = [self.instruction(index) for index in range(self.columns)]
        return perturbations.wanted_for(texts, self.shared["granularity"], FEW_OF_EACH)

    def editor(self, index: int) -> str | None:
        """Return the editor of a column."""
        return self.editors[index if self.by == EDITORS else 0]

    def key(self, index: int, keys: Sequence[str]) -> str:
        """Return which of the keys, one for each of the menus of editors, is that of a column."""
        return keys[index if self.by == EDITORS else 0]

    def instruction(self, index: int) -> str:
        """Return the instruction of a column."""
        return self.instructions[index if self.by == INSTRUCTIONS else 0] or ""


def chosen_configs(asked: Asked) -> list[RunConfig]:
    """Return the settings of each column, checked.

    Raises
    ------
    ConfigError
        When something given cannot be used.
    """
    shared = {name: advanced.meant(name, value) for name, value in asked.shared.items()}
    perturbations.typed(shared["perturbations"])
    configs = []
    for index in range(asked.columns):
        typed = {name: advanced.typed(texts[index]) for name, texts in asked.own.items()}
        own = {name: value for name, value in typed.items() if value is not None}
        config = checked_config(
            {
                **shared,
                **own,
                "editor": asked.editor(index),
                "instruction": asked.instruction(index),
            }
        )
        card = mask.card_of(config.editor)
        if card is not None:
            resolve_knobs(card, **{name: own.get(name) for name in KNOBS})
        split_units(config.instruction, config.granularity)
        configs.append(config)
    check_different(configs, [None] * len(configs))
    return configs


def asked_of(configs: Sequence[RunConfig]) -> Asked:
    """Return what the inputs show for these columns; `chosen_configs` gives them back.

    Raises
    ------
    ConfigError
        When the page has no inputs for what the columns differ in, or for a setting.
    """
    check_count(len(configs))
    values = [config.to_dict() for config in configs]
    apart = {name for name in values[0] if len({each[name] for each in values}) > 1}
    varied = apart - set(OWN)
    if len(varied) > 1 or varied - {"editor", "instruction"}:
        told = ", ".join(sorted(varied)).replace("_", " ")
        raise ConfigError(
            f"The columns differ in {told}. This page compares editors, instructions, or the "
            "settings of an editor; the command line and Python compare anything."
        )
    defaults = RunConfig(instruction="any").to_dict()
    known = {"editor", "instruction", "batch_size", *OWN, *SHARED}
    missing = [name for name, value in values[0].items() if name not in known]
    missing = [name for name in missing if values[0][name] != defaults[name]]
    if missing:
        raise ConfigError(f"This page has no input for {missing[0].replace('_', ' ')}.")
    own = {name: [advanced.written(each[name]) for each in values] for name in KNOBS}
    alike = "seed" not in apart
    own["seed"] = ["" if alike else str(each["seed"]) for each in values]
    by = varied.pop() + "s" if varied else SETTINGS
    if by == SETTINGS and len(configs) == MOST_COLUMNS and alike:
        own["seed"][-1] = str(values[-1]["seed"])  # a third column has something of its own
    return Asked(
        by=by,
        editors=_three([each["editor"] for each in values]),
        instructions=_three([each["instruction"] for each in values]),
        own={name: _three(texts) for name, texts in own.items()},
        shared={
            **{name: values[0][name] for name in SHARED},
            "perturbations": max(map(perturbations.set_in, configs)),
        },
    )


def _three(texts: Sequence[str]) -> tuple[str, ...]:
    return (*texts, *[""] * (MOST_COLUMNS - len(texts)))


def masked_cards(asked: Asked) -> list[EditorCard]:
    """Return the cards of the columns' editors that need a mask."""
    cards = [mask.card_of(asked.editor(index) or "") for index in range(asked.columns)]
    return [card for card in cards if card is not None and card.needs_mask]


def checked_comparison(
    path: Path, configs: Sequence[RunConfig], given: Source | None, keys: Sequence[str]
) -> ComparisonJob:
    """Return the comparison; where no editor takes a mask there is none.

    Parameters
    ----------
    path : Path
        The photo.
    configs : sequence of RunConfig
        The settings of each column.
    given : Source or None
        The mask.
    keys : sequence of str
        What was typed as the key of each column's editor; empty for the server's own.

    Raises
    ------
    ConfigError
        When the photo cannot be used, or an editor needs a mask or a key and there is none.
    """
    photo = open_photo(path)
    jobs = [
        checked_job(photo, config, given, key) for config, key in zip(configs, keys, strict=True)
    ]
    return ComparisonJob(
        photo=photo,
        configs=tuple(configs),
        mask=given if any(job.mask is not None for job in jobs) else None,
        tools=tuple(job.tool for job in jobs),
    )
