"""The edits that an evaluation needs beyond those of a run: any masks, measured like the run's.

Nothing is made twice: what the explanation or the cache holds is taken from there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from smile_core.config import RunConfig
from smile_core.edit_cache import EditCache
from smile_core.editors.callable_editor import EditFunction
from smile_core.editors.protocol import Editor, Stop, StopRequested
from smile_core.encoders import Encoder
from smile_core.engine import as_editor, remembering, shared_encoder
from smile_core.evaluation.steps import Steps, to_the_end
from smile_core.explanation import Explanation
from smile_core.instruction import join_units
from smile_core.measuring import Measurements
from smile_core.photo import Source
from smile_core.planning import edit_maker, plan_run


@dataclass(frozen=True, kw_only=True)
class Tools:
    """What makes and measures edits, as in `engine.stream`.

    Attributes
    ----------
    mask : str, Path, bytes, PIL.Image.Image or None
        Where to edit, for an editor that needs it.
    editor : Editor, callable or None
        Used in the place of the named one.
    encoder : Encoder or None
        Used in the place of the named one.
    cache : EditCache, "default" or None
        Where edits are kept.
    stop : callable or None
        Asked between batches.
    """

    mask: Source | None = None
    editor: Editor | EditFunction | None = None
    encoder: Encoder | None = None
    cache: EditCache | Literal["default"] | None = "default"
    stop: Stop | None = None


def distance_steps(
    image: Source, explanation: Explanation, masks: np.ndarray, tools: Tools
) -> Steps[np.ndarray]:
    """Measure how far the edits of other masks lie from the full edit of a run.

    Parameters
    ----------
    image : str, Path, bytes or PIL.Image.Image
        The photo of the run.
    explanation : Explanation
        The run, whose settings hold for these edits too.
    masks : ndarray of int, shape (k, m)
        Which units to keep. A row without any is the edit by the empty prompt.
    tools : Tools
        As the run was made with.

    Returns
    -------
    ndarray, shape (k,)
        Distances in the units of the run; NaN where an edit failed.

    Raises
    ------
    StopRequested
        When `tools.stop` answered True; the edits so far are in the cache.
    ConfigError
        When something given cannot be used.
    """
    config = RunConfig.from_dict(explanation.config)
    editor = as_editor(tools.editor, config.editor)
    eyes = remembering(tools.encoder) if tools.encoder else shared_encoder(config.encoder)
    plan = plan_run(image, tools.mask, config, editor.card, eyes.name)
    kept = np.unique(masks[masks.any(axis=1)], axis=0).astype(np.int8)
    wanted = np.vstack([np.ones((1, masks.shape[1]), dtype=np.int8), kept])  # the reference first
    prompts = tuple(join_units(plan.units, row, config.granularity) for row in wanted)
    plan = replace(plan, masks=wanted, prompts=prompts)
    maker = edit_maker(plan, editor, EditCache() if tools.cache == "default" else tools.cache)
    if config.seeds == 1:  # pictures of one seed only are kept in an explanation
        rows = [explanation.reference, *explanation.samples]
        if explanation.without_instruction is not None and not plan.photo_stands_in:
            rows.append(explanation.without_instruction)
        maker.know({row.prompt: row.image for row in rows if row.image is not None})
    stop = tools.stop or (lambda: False)
    measured = Measurements(len(prompts), config, eyes)
    for batch in maker.batches(stop):
        measured.add(batch)
        yield
    if maker.stopped:
        raise StopRequested
    if measured.blank is None:  # not asked for, or refused
        measured.stand_in(plan.photo)
    found = measured.distances()
    known = {
        tuple(row): distance for row, distance in zip(wanted.tolist(), found.means, strict=True)
    }
    known[(0,) * masks.shape[1]] = np.nan if found.way is None else found.way
    return np.array([known[tuple(row)] for row in masks.tolist()])


distances_of_masks = to_the_end(distance_steps)
