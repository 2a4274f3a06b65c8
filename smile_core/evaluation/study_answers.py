"""From the results of a study to its answers: each part by its protocol.

Works on whatever runs are done, so that tables and plots fill while a study goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from smile_core.evaluation.study import Part, Study
from smile_core.evaluation.study_accuracy import answer_accuracy, answer_scenarios, answer_words
from smile_core.evaluation.study_answer import Answer, Pair, finished
from smile_core.evaluation.study_faithfulness import answer_faithfulness
from smile_core.evaluation.study_fidelity import answer_cost, answer_fidelity
from smile_core.evaluation.study_robustness import answer_robustness
from smile_core.evaluation.study_steadiness import answer_consistency, answer_stability
from smile_core.evaluation.study_tables import Table
from smile_core.evaluation.study_wordings import answer_wordings

PROTOCOL_ANSWERS: dict[str, Callable[[Part, Sequence[Pair]], Answer]] = {
    "accuracy": answer_accuracy,
    "stability": answer_stability,
    "consistency": answer_consistency,
    "fidelity": answer_fidelity,
    "words": answer_words,
    "wordings": answer_wordings,
    "scenarios": answer_scenarios,
    "faithfulness": answer_faithfulness,
    "robustness": answer_robustness,
}


def answer_study(study: Study, pairs: Sequence[Pair]) -> list[Answer]:
    """Return the answer of every part.

    Parameters
    ----------
    study : Study
        The study.
    pairs : sequence of (Run, RunResult)
        What is done of it, as in a `StudySnapshot`.

    Returns
    -------
    list of Answer
        One for each part, in order; without tables while nothing of it is done.
    """
    return [answer_part(part, pairs) for part in study.parts]


def answer_part(part: Part, everything: Sequence[Pair]) -> Answer:
    """Return the answer of one part from those of the study's runs that are done."""
    pairs = [pair for pair in everything if pair[0].part is part]
    if not finished(pairs):
        answer = Answer(part, "", notes=("Nothing of this part is done yet.",) if not pairs else ())
    elif part.protocol == "cost":  # the edits may have been made in another part
        answer = answer_cost(part, pairs, everything)
    else:
        answer = PROTOCOL_ANSWERS[part.protocol](part, pairs)
    failed = [f"{run.label}: {result.failed}" for run, result in pairs if result.failed]
    note = (f"{len(failed)} of {len(pairs)} runs failed. {failed[0]}",) if failed else ()
    return replace(answer, notes=(*answer.notes, *note))


def all_tables(answers: Sequence[Answer]) -> list[Table]:
    """Return the tables of all parts, the name of the part before each title."""
    return [
        replace(table, title=f"{answer.part.name}: {table.title}")
        for answer in answers
        for table in answer.tables
    ]
