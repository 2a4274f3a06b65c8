"""An explanation with nothing but its weights and how well they fit, for evaluations.

The page also wants p-values and a map; they cost time, and no evaluation looks at them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from smile_core.assembling import Ending, Plan, assemble
from smile_core.config import RunConfig
from smile_core.edit_cache import EditCache
from smile_core.editing import Made
from smile_core.editors.protocol import EditFailure, Editor, Stop, StopRequested
from smile_core.encoders import Encoder
from smile_core.ending import edit_p_values
from smile_core.engine import RunError, remembering, shared_encoder
from smile_core.evaluation.mask_edits import Tools
from smile_core.evaluation.steps import Steps
from smile_core.explanation import Explanation
from smile_core.measuring import Measurements
from smile_core.photo import Source
from smile_core.planning import edit_maker, plan_run


def explanation_steps(
    image: Source, config: RunConfig, editor: Editor, tools: Tools
) -> Steps[Explanation]:
    """Explain with `editor`, pausing after every batch of edits.

    Parameters
    ----------
    image : str, Path, bytes or PIL.Image.Image
        The photo.
    config : RunConfig
        The settings.
    editor : Editor
        Makes the edits, in the place of that of `tools`.
    tools : Tools
        The rest of what makes and measures them.

    Raises
    ------
    ConfigError
        When something given cannot be used.
    RunError
        As `measure_made`.
    StopRequested
        When `tools.stop` answered True.
    """
    eyes = remembering(tools.encoder) if tools.encoder else shared_encoder(config.encoder)
    plan = plan_run(image, tools.mask, config, editor.card, eyes.name)
    maker = edit_maker(plan, editor, EditCache() if tools.cache == "default" else tools.cache)
    stop = tools.stop or (lambda: False)
    made: list[Made] = []
    for batch in maker.batches(stop):
        made += batch
        yield
        if has_no_reference(made):
            break
    if maker.stopped:
        raise StopRequested
    return fit_measured(plan, measure_made(plan, made, eyes), stop)


def has_no_reference(made: Sequence[Made]) -> bool:
    """Say whether the edit by the full instruction, the first, failed."""
    return isinstance(made[0].answer, EditFailure)


def measure_made(plan: Plan, made: Iterable[Made], eyes: Encoder) -> Measurements:
    """Measure edits one by one, so that nothing depends on the batches they came in.

    Raises
    ------
    RunError
        When the edit by the full instruction failed, or more than half of the others.
    """
    measured = Measurements(len(plan.prompts), plan.config, eyes)
    for one in made:
        measured.add([one])
    if plan.photo_stands_in or measured.blank is None:
        measured.stand_in(plan.photo)
    if measured.images[0] is None:
        raise RunError(f"The edit by the full instruction failed: {measured.failures[0]}")
    failed, planned = measured.failed(), len(plan.prompts) - 1
    if len(failed) > planned / 2:
        first = next(iter(failed.values()))
        raise RunError(f"{len(failed)} of {planned} edits failed. The first failure: {first}")
    return measured


def fit_measured(plan: Plan, measured: Measurements, stop: Stop) -> Explanation:
    """Fit what was measured; p-values are computed only where the plan cuts off by them.

    Raises
    ------
    StopRequested
        When `stop` answered True meanwhile.
    """
    cut = plan.config.p_cutoff is not None
    p_values = edit_p_values(plan, measured, stop) if cut else None
    return assemble(plan, measured, Ending(p_values, (), ()))
