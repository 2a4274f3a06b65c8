"""Runs of the engine on toys, and what tests ask of their results."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from smile_core import stream, to_json
from smile_core.config import RunConfig
from smile_core.edit_cache import EditCache
from smile_core.explanation import Explanation, Snapshot
from tests.toy_editors import INSTRUCTION, ToyEditor, ToyEncoder, photo

WORDS = INSTRUCTION.split()


def run(
    editor: object = None, *, cache: EditCache | None = None, stop=None, **settings: object
) -> list[Snapshot]:
    # The words of a toy push the picture along one line, where lengths add up and squares do not.
    given = {"instruction": INSTRUCTION, "image_distance": "wasserstein"} | settings
    config = RunConfig(**given)
    tool = ToyEditor() if editor is None else editor
    return list(stream(photo(), config, editor=tool, encoder=ToyEncoder(), cache=cache, stop=stop))


def last(*args: object, **settings: object) -> Explanation:
    explanation = run(*args, **settings)[-1].explanation
    assert explanation is not None
    return explanation


def weights(explanation: Explanation) -> np.ndarray:
    return np.array([unit.weight for unit in explanation.units])


def same(one: Explanation, other: Explanation) -> bool:
    """Say whether two results agree to the last bit, their clocks aside."""
    pictures = [
        [sample.image and sample.image.tobytes() for sample in (e.reference, *e.samples)]
        for e in (one, other)
    ]
    return pictures[0] == pictures[1] and to_json(replace(one, timing={})) == to_json(
        replace(other, timing={})
    )
