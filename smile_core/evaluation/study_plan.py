"""The runs of a study, which of them share edits, and how many edits they need."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from itertools import product
from pathlib import Path
from typing import Any

from PIL import Image

from smile_core.config import RunConfig
from smile_core.edit_cache import EditCache, pixel_digest
from smile_core.editors.protocol import EditorCard
from smile_core.evaluation.baselines import FIT_SETTINGS, METHOD_SETTINGS
from smile_core.evaluation.stability import change_neutrally
from smile_core.evaluation.study import AXES, Instruction, Part, Study
from smile_core.evaluation.study_file import bundled_photos
from smile_core.photo import open_photo
from smile_core.planning import SeenDigests, edit_keys, seen_digests
from smile_core.versions import versions

UNCHANGED = ""
# Settings that only a fit depends on; runs that agree in all others share their edits.
FIT_FIELDS = (*FIT_SETTINGS, "p_iterations")


@dataclass(frozen=True)
class EditorFacts:
    """What planning has to know of an editor, which itself may be unloaded meanwhile."""

    card: EditorCard
    fingerprint: str | None


FactsOf = Mapping[str, EditorFacts]


@dataclass(frozen=True, kw_only=True)
class Run:
    """One explanation of a study.

    Attributes
    ----------
    part : Part
        What it belongs to.
    photo : str
        Name of a bundled photo, or a path.
    instruction : Instruction
        As the part has it; `config.instruction` may be a changed one.
    change : str
        One of `stability.NEUTRAL_CHANGES`, or empty.
    method : str
        One of `study.METHODS`.
    config : RunConfig
        Everything else.
    """

    part: Part
    photo: str
    instruction: Instruction
    change: str
    method: str
    config: RunConfig

    @property
    def perturbations(self) -> int:
        """How many shortened instructions are asked for; a part always names a number."""
        assert self.config.perturbations is not None
        return self.config.perturbations

    @property
    def label(self) -> str:
        """What is being run, for a line of progress."""
        return f"{self.config.editor} · {photo_name(self.photo)} · “{self.config.instruction}”"


@dataclass(frozen=True)
class StudyCost:
    """What a study needs before it is begun.

    Attributes
    ----------
    runs : int
        Explanations.
    edits : int
        Different edits behind them.
    to_make : dict of str to int
        Those that the cache does not have, by editor.
    seconds : float or None
        Time to make them, from how fast the editors were on this machine the last time; None when
        that is not known of all of them.
    """

    runs: int
    edits: int
    to_make: dict[str, int]
    seconds: float | None


def plan_study(study: Study) -> list[Run]:
    """Return all runs of a study: part by part, in each the editor changes last."""
    return [run for part in study.parts for run in _plan_part(part)]


def _plan_part(part: Part) -> list[Run]:
    default = RunConfig(instruction="x", **part.settings)
    grid = [getattr(part, key) or (getattr(default, name),) for key, name in AXES.items()]
    changes = (UNCHANGED, *part.changes)
    runs = []
    for editor, photo, instruction, change in product(
        part.editors, part.photos, part.instructions, changes
    ):
        text = instruction.text
        if change:
            text = change_neutrally(text, change, default.granularity)
        config = default.with_(instruction=text, editor=editor)
        for values, method in product(product(*grid), part.methods):
            own = dict(zip(AXES.values(), values, strict=True)) | METHOD_SETTINGS[method]
            runs.append(
                Run(
                    part=part,
                    photo=photo,
                    instruction=instruction,
                    change=change,
                    method=method,
                    config=config.with_(**own),
                )
            )
    return runs


def edit_settings(config: RunConfig) -> RunConfig:
    """Return the settings without those that only a fit depends on."""
    plain = RunConfig(instruction="x")
    return config.with_(**{name: getattr(plain, name) for name in FIT_FIELDS})


def group_by_edits(runs: Sequence[Run]) -> list[list[Run]]:
    """Put runs together that are fits of the same edits, in order of their first."""
    groups: dict[tuple[Any, ...], list[Run]] = {}
    for run in runs:
        key = (run.photo, run.part.mask, edit_settings(run.config))
        groups.setdefault(key, []).append(run)
    return list(groups.values())


def run_key(run: Run, editor: EditorFacts, encoder: str) -> str:
    """Return the name of a run in the journal: everything that its result depends on."""
    config = run.config.to_dict()
    del config["batch_size"]
    parts = [
        photo_digest(run.photo),
        editor.fingerprint,
        encoder,
        run.part.mask and mask_digest(run.part.mask),
        run.part.protocol if run.part.protocol in ("faithfulness", "robustness") else "",
        run.instruction.keywords,
        config,
        versions(),
    ]
    return sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def mask_digest(mask: str) -> str:
    """Return what tells one mask of a study from another."""
    return mask if mask == "whole" else photo_digest(mask)


def wanted_edits(groups: Sequence[Sequence[Run]], facts: FactsOf) -> dict[str, set[str]]:
    """Return the keys of all edits of the groups by editor.

    Those of an editor that keeps nothing are counted run by run, for it makes them anew.
    """
    wanted: dict[str, set[str]] = {}
    for number, group in enumerate(groups):
        editor = facts[group[0].config.editor]
        own = "" if editor.fingerprint else f"{number} "
        keys = {own + key for key in group_keys(group, editor)}
        wanted.setdefault(group[0].config.editor, set()).update(keys)
    return wanted


def group_keys(group: Sequence[Run], editor: EditorFacts) -> set[str]:
    """Return the cache keys of the edits that a group shares."""
    return run_edit_keys(group[0], group[0].config, editor)


def run_edit_keys(run: Run, config: RunConfig, editor: EditorFacts) -> set[str]:
    """Return the cache keys of the edits of `config` on the photo of a run."""
    seen = _seen(run.photo, mask_of(run, editor.card), editor.card)
    return edit_keys(seen, config, editor.card, editor.fingerprint)


def mask_of(run: Run, card: EditorCard) -> str | None:
    """Return the mask for an editor that needs one."""
    return run.part.mask if card.needs_mask else None


def missing_edits(
    wanted: Mapping[str, set[str]], facts: FactsOf, cache: EditCache | None
) -> dict[str, set[str]]:
    """Return those of `wanted` that have to be made."""
    return {
        name: {
            key
            for key in keys
            if cache is None or facts[name].fingerprint is None or not cache.holds(key)
        }
        for name, keys in wanted.items()
    }


def load_photo(name: str) -> Image.Image:
    """Return a photo of a study as RGB."""
    return _open_once(*_version(name))


def photo_digest(name: str) -> str:
    """Return `pixel_digest` of a photo of a study."""
    return _digest_once(*_version(name))


def _version(name: str) -> tuple[Path, int]:
    """Return the file of a photo, and when it was changed, which tells its versions apart."""
    path = Path(bundled_photos().get(name, name))
    return path, path.stat().st_mtime_ns if path.exists() else 0


@lru_cache(maxsize=32)
def _open_once(path: Path, changed: int) -> Image.Image:
    return open_photo(path)


@lru_cache(maxsize=1024)
def _digest_once(path: Path, changed: int) -> str:
    return pixel_digest(_open_once(path, changed))


def _seen(photo: str, mask: str | None, card: EditorCard) -> SeenDigests:
    """Return the digests of a photo and a mask at the working size of an editor, worked out once.

    Resizing a photo takes longer than all the rest of counting its edits.
    """
    size = (card.short_side, card.long_side, card.enlarge, card.multiple_of, card.needs_mask)
    key = (_version(photo), _version(mask) if mask and mask != "whole" else mask, size)
    if key not in _SEEN:
        _SEEN[key] = seen_digests(load_photo(photo), mask, card)
    return _SEEN[key]


_SEEN: dict[tuple[object, ...], SeenDigests] = {}  # some hundred bytes for each photo and size


def photo_name(name: str) -> str:
    """Return what to call a photo: the name of its file."""
    return name.replace("\\", "/").rsplit("/", 1)[-1]
