"""What ending a run when it is settled saves, and what it costs, worked out from a whole run.

A whole run holds every shorter one, because masks are tried in a fixed order, so nothing is made
anew.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from smile_core.evaluation.baselines import refit
from smile_core.explanation import Explanation
from smile_core.settling import Look, is_check, is_judged, is_settled, look_at


@dataclass(frozen=True)
class Ended:
    """Where a run would have ended.

    Attributes
    ----------
    explanation : Explanation
        What it would have said; that of the whole run where it would not have settled.
    edits, planned : int
        Perturbations made and planned.
    """

    explanation: Explanation
    edits: int
    planned: int

    @property
    def saved(self) -> float:
        """Share of the perturbations that were not needed, in [0, 1]."""
        return 1.0 - self.edits / self.planned


def first_edits(explanation: Explanation, edits: int) -> Explanation:
    """Return what a run of only the first `edits` perturbations would have said.

    p-values and the cutoff aside: a run that goes on has none.
    """
    repeats = explanation.repeats
    shorter = replace(
        explanation,
        samples=explanation.samples[:edits],
        repeats=repeats and replace(repeats, samples=repeats.samples[:edits]),
        projection=explanation.projection[: edits + 1],
    )
    return refit(shorter, p_cutoff=None)


def end_when_settled(explanation: Explanation) -> Ended:
    """Say where the rule of `smile_core.settling` would have ended a whole run.

    Parameters
    ----------
    explanation : Explanation
        A run that was made to its end.
    """
    planned = len(explanation.samples)
    if not explanation.happened:
        return Ended(first_edits(explanation, 0), 0, planned)
    looks: list[Look] = []
    for edits in range(planned):
        if not is_check(edits, len(explanation.units)):
            continue
        shorter = first_edits(explanation, edits)
        looks.append(look_at(shorter.units, judged=is_judged(shorter)))
        if is_settled(looks):
            return Ended(shorter, edits, planned)
    return Ended(explanation, planned, planned)
