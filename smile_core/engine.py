"""The run itself: edit, encode, measure, fit, and tell what is known after every batch.

Stations and their files, in the order in which data passes them: `planning` (with `instruction`,
`masks`, `text_distance`), `editing`, `measuring` (with `encoders`, `image_distance`), `assembling`
(with `surrogate`, `fidelity`), `projection`, and when all edits are there `ending` (with
`significance`).

References
----------
[1] SMILE for instruction-based image editing, arXiv 2412.16277.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, Literal

from smile_core.assembling import Plan, assemble
from smile_core.config import BUNDLED_EDITOR, RunConfig
from smile_core.edit_cache import EditCache
from smile_core.editing import REFERENCE, EditMaker, Made
from smile_core.editors.callable_editor import CallableEditor, EditFunction
from smile_core.editors.protocol import Editor, Stop
from smile_core.editors.registry import list_editors, load_editor
from smile_core.encoders import Encoder, load_encoder
from smile_core.ending import end_run, project_edits
from smile_core.explanation import UNCHANGED, Explanation, Snapshot
from smile_core.feature_memory import RememberingEncoder
from smile_core.loading import LOADING
from smile_core.mask_picture import check_mask
from smile_core.measuring import Measurements
from smile_core.photo import Source
from smile_core.planning import edit_maker, plan_run
from smile_core.progress import Progress, is_fit_due
from smile_core.projection import principal_components
from smile_core.settling import Look, is_check, is_judged, is_settled, look_at

UNSTEADY = (
    "The editor gave two different edits by the same text and seed, so it counts as an editor "
    "without a seed: the full edit and the edit without instruction are made three times, and the "
    "intervals count chance too."
)


class RunError(RuntimeError):
    """A run that cannot lead to an explanation; its edits stay in the cache.

    Attributes
    ----------
    explanation : Explanation or None
        What was known when it ended, with every edit that was made.
    """

    def __init__(self, message: str, explanation: Explanation | None = None) -> None:
        super().__init__(message)
        self.explanation = explanation


def explain(
    image: Source,
    instruction: str,
    *,
    editor: str | Editor | EditFunction = BUNDLED_EDITOR,
    preset: str = "recommended",
    mask: Source | None = None,
    **settings: Any,
) -> Explanation:
    """Explain which words of `instruction` drive the edit of `image`.

    Parameters
    ----------
    image : str, Path, bytes or PIL.Image.Image
        The photo.
    instruction : str
        What the editor is asked to do.
    editor : str, Editor or callable
        A name (see `load_editor`), an editor, or a function (image, prompts, seed) -> images.
    preset : {"recommended", "paper"}
        Where the settings start from.
    mask : str, Path, bytes, PIL.Image.Image or None
        For an editor that needs one: a picture of the photo's size, white where it may edit and
        black elsewhere, or "whole" for the whole picture.
    **settings
        Any other field of `RunConfig`.

    Returns
    -------
    Explanation
        The finished explanation.

    Raises
    ------
    ConfigError
        When something given cannot be used.
    RunError
        When too many edits fail.

    Examples
    --------
    >>> from smile_core import explain
    >>> result = explain("photo.jpg", "make it a snowy evening")
    >>> [(unit.text, unit.weight) for unit in result.units]
    """
    named = {"editor": editor} if isinstance(editor, str) else {}
    config = RunConfig.preset(preset, instruction=instruction, **named, **settings)
    tool = None if isinstance(editor, str) else editor
    *_, last = stream(image, config, mask=mask, editor=tool)
    assert last.explanation is not None  # only a run that is stopped may end without one
    return last.explanation


def stream(
    image: Source,
    config: RunConfig,
    mask: Source | None = None,
    *,
    editor: Editor | EditFunction | None = None,
    encoder: Encoder | None = None,
    cache: EditCache | Literal["default"] | None = "default",
    stop: Stop | None = None,
) -> Iterator[Snapshot]:
    """Run an explanation and yield what is known after every batch of edits.

    Everything that can be checked is checked, and models are loaded, before this returns.

    Parameters
    ----------
    image : str, Path, bytes or PIL.Image.Image
        The photo.
    config : RunConfig
        The settings.
    mask : str, Path, bytes, PIL.Image.Image or None
        Where to edit, see `mask_picture.mask_for`.
    editor : Editor, callable or None
        Used in the place of `config.editor`; a function (image, prompts, seed) -> images will do.
    encoder : Encoder or None
        Used in the place of `config.encoder`.
    cache : EditCache, "default" or None
        Where edits are kept; None keeps none.
    stop : callable or None
        Asked between batches, while p-values are computed and, by editors that can, between
        steps or pictures. When it answers True the run ends with what there is.

    Yields
    ------
    Snapshot
        State `running` after every batch, with a projection by principal components; the last
        one is `finished`, with p-values and a projection by t-SNE, or `stopped`, without p-values,
        and with t-SNE for up to 128 edits. The p-value cutoff acts on the finished one only. The
        explanation of a run stopped before its first edit is None. With `stop_when_settled` a run
        in which nothing happened ends after the full edit and the one without instruction. Up to
        128 edits each snapshot is fitted to all of them; later ones count every edit, but carry
        the same explanation until there are 5 % more, so that a large run does not spend its time
        on fits.

    Raises
    ------
    ConfigError
        When something given cannot be used.
    RunError
        When the edit by the full instruction fails, or more than half of the others do.
    """
    started = time.perf_counter()
    for card in list_editors() if editor is None else ():
        if card.name == config.editor:
            check_mask(mask, card)  # before gigabytes are loaded
    tool = as_editor(editor, config.editor)
    config = config if editor is None else config.with_(editor=tool.name)
    eyes = shared_encoder(config.encoder) if encoder is None else remembering(encoder)
    plan = plan_run(image, mask, config, tool.card, eyes.name)
    maker = edit_maker(plan, tool, EditCache() if cache == "default" else cache)
    measured = Measurements(len(plan.prompts), plan.config, eyes)
    return _run(plan, maker, measured, stop or (lambda: False), started)


def as_editor(given: Editor | EditFunction | None, name: str) -> Editor:
    """Return the given editor, a function as one, or for None the editor called `name`."""
    if given is None:
        return load_editor(name)
    return given if isinstance(given, Editor) else CallableEditor(given)


def shared_encoder(name: str) -> RememberingEncoder:
    """Return an encoder by name; its memory outlives the run, so asking again is instant."""
    with LOADING:
        return _load_remembering(name)


def remembering(encoder: Encoder) -> RememberingEncoder:
    """Return `encoder` with a memory, unless it has one."""
    return encoder if isinstance(encoder, RememberingEncoder) else RememberingEncoder(encoder)


@lru_cache(maxsize=2)
def _load_remembering(name: str) -> RememberingEncoder:
    return RememberingEncoder(load_encoder(name))


def _run(
    plan: Plan, maker: EditMaker, measured: Measurements, stop: Stop, started: float
) -> Iterator[Snapshot]:
    progress = Progress(maker, measured, started)
    explanation: Explanation | None = None
    fitted = 0  # answers behind it
    looks: list[Look] = []  # at whether the run is settled
    for batch in maker.batches(stop):
        measured.add(batch)
        plan = _after_first_edits(plan, maker, measured, batch)
        edited = int(measured.answered[1:].sum())
        failing = _failing(measured, maker.planned)
        check = _is_check_due(plan, maker, measured, edited)
        if failing or check or is_fit_due(measured.done, fitted):
            explanation = replace(
                assemble(plan, measured), projection=project_edits(measured, principal_components)
            )
            explanation, fitted = progress.stamp(explanation), measured.done
        if failing:
            raise RunError(failing, explanation)
        if explanation is not None and plan.config.stop_when_settled:
            # What chance does shows in all repeats only, and what nobody sees in the first edits.
            certain = maker.begun or explanation.outcome == UNCHANGED
            if not explanation.happened and not edited and certain:
                maker.end()  # more edits of nothing would be nothing
            elif check:
                looks.append(look_at(explanation.units, judged=is_judged(explanation)))
                if is_settled(looks) and not _failing(measured, edited):
                    plan = _end_settled(plan, maker, edited)
        yield progress.snapshot(explanation, "running")
    if explanation is not None:
        ending = end_run(plan, maker, measured, stop)
        explanation = progress.stamp(assemble(plan, measured, ending))
    yield progress.snapshot(explanation, "stopped" if maker.stopped else "finished")


def _after_first_edits(
    plan: Plan, maker: EditMaker, measured: Measurements, batch: Sequence[Made]
) -> Plan:
    """Do what follows from the full edit, the one without instruction and their repeats.

    Returns
    -------
    Plan
        With a note where the editor turned out to be one without a seed after all.

    Raises
    ------
    RunError
        When there is no full edit.
    """
    if batch[0].ask.row > REFERENCE:
        return plan
    if measured.images[REFERENCE] is None:
        raise RunError(
            "The edit by the full instruction failed, so there is nothing to compare with: "
            f"{measured.failures[REFERENCE]} Try another seed, wording or photo."
        )
    no_blank = plan.photo_stands_in or measured.blank_failure is not None
    if no_blank and measured.blank is None:
        measured.stand_in(plan.photo)
    if maker.unsteady and UNSTEADY not in plan.notes:
        return replace(plan, notes=(*plan.notes, UNSTEADY))
    return plan


def _is_check_due(plan: Plan, maker: EditMaker, measured: Measurements, edited: int) -> bool:
    """Say whether to look now if the run is settled; never once all of the first seed is made."""
    wanted = plan.config.stop_when_settled and not maker.stopped
    first_seed = edited < maker.planned and measured.done < maker.total
    return wanted and first_seed and is_check(edited, len(plan.units))


def _end_settled(plan: Plan, maker: EditMaker, edited: int) -> Plan:
    """Leave out the edits that are not made yet, and return the plan with a note that says so."""
    note = (
        f"Settled after {edited} of {maker.planned} perturbations: no word that matters is unclear."
    )
    maker.shorten_to(edited)
    return replace(plan, notes=(*plan.notes, note))


def _failing(measured: Measurements, planned: int) -> str:
    """Say why the run cannot go on when more than half of its edits failed, else nothing."""
    failed = measured.failed()
    if len(failed) <= planned / 2:
        return ""
    return (
        f"{len(failed)} of {planned} edits failed, more than half; what is left is too little to "
        f"explain. The first failure: {next(iter(failed.values()))} The edits that were made are "
        "kept."
    )
