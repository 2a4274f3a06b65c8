"""Another scheduler in the place of a pipeline's own: few steps, and no noise after the first.

DPM-Solver++ is made for 15 to 20 steps [1], and draws no noise on the way, as ancestral ones do. It
is built from the settings of the pipeline's own scheduler, the way diffusers documents it: betas
and prediction type stay those that the model was trained with, and where the model's file asks for
a spacing of the steps or for zero terminal SNR, these stay too.

References
----------
[1] Lu et al. DPM-Solver++: Fast Solver for Guided Sampling of Diffusion Probabilistic Models.
    arXiv 2211.01095.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import diffusers
from diffusers import DPMSolverMultistepScheduler

from smile_core.config import DPM_SOLVER, ConfigError

# What the network may predict; flow matching has another schedule of noise.
_PREDICTIONS = ("epsilon", "sample", "v_prediction")


def has_replaceable(index: Mapping[str, Any]) -> bool:
    """Return whether diffusers calls a pipeline's scheduler compatible with DPM-Solver.

    Parameters
    ----------
    index : mapping
        The pipeline's `model_index.json`. It names the class of the scheduler and not its
        settings, so `with_scheduler` may refuse it all the same.
    """
    named = index.get("scheduler")
    if not isinstance(named, list | tuple) or not named:
        return False
    kind = getattr(diffusers, str(named[-1]), None)
    compatible = (getattr(kind, "__name__", ""), *getattr(kind, "_compatibles", ()))
    return DPMSolverMultistepScheduler.__name__ in compatible


def dpm_solver(own: Any, name: str) -> DPMSolverMultistepScheduler:
    """Return the deterministic DPM-Solver++ of order 2 for a model with the scheduler `own`.

    Parameters
    ----------
    own : SchedulerMixin
        The scheduler that the model came with.
    name : str
        Name of the editor, for the message.

    Raises
    ------
    ConfigError
        When diffusers does not call the two compatible, or the model was trained for flow matching.
    """
    prediction = own.config.get("prediction_type")
    fits = DPMSolverMultistepScheduler in own.compatibles and prediction in _PREDICTIONS
    if not fits:
        raise ConfigError(
            f"The editor {name!r} cannot run with the scheduler {DPM_SOLVER!r}: its own, "
            f"{type(own).__name__}, has another schedule of noise. Leave the scheduler unset."
        )
    return DPMSolverMultistepScheduler.from_config(
        own.config, algorithm_type="dpmsolver++", solver_order=2
    )


@contextmanager
def with_scheduler(pipe: Any, scheduler: str | None, name: str) -> Iterator[None]:
    """Give a pipeline another scheduler meanwhile; None leaves it its own.

    Parameters
    ----------
    pipe : DiffusionPipeline
        The pipeline, which nobody else uses meanwhile.
    scheduler : {"dpm-solver"} or None
        See `config.SCHEDULERS`.
    name : str
        Name of the editor, for the message.

    Raises
    ------
    ConfigError
        As `dpm_solver`.
    """
    if scheduler is None:
        yield
        return
    own = pipe.scheduler
    pipe.scheduler = dpm_solver(own, name)
    try:
        yield
    finally:
        pipe.scheduler = own
