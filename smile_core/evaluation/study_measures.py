"""What a study measures on a finished explanation besides its weights, by protocol.

An evaluation plugs in by one function: it is given the run, its explanation and the tools to make
further edits with, and returns figures by name, which become columns of the CSV.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from smile_core.evaluation.faithfulness import faithfulness
from smile_core.evaluation.mask_edits import Tools
from smile_core.evaluation.robustness import robustness
from smile_core.evaluation.study import METHODS
from smile_core.evaluation.study_plan import Run, load_photo
from smile_core.explanation import Explanation
from smile_core.instruction import split_units

RANDOM_ORDERS = 5

Measures = dict[str, float | None]
Measure = Callable[[Run, Explanation, Tools], Measures]


def measure(run: Run, explanation: Explanation, tools: Tools) -> Measures:
    """Return what the protocol of a run measures, by name.

    Raises
    ------
    StopRequested
        When `tools.stop` answered True.
    """
    function = _MEASURES.get(run.part.protocol)
    # Where nothing changes there is no order of words to be right or wrong about.
    changed = any(sample.image_distance for sample in explanation.samples)
    return {} if function is None or not changed else function(run, explanation, tools)


def extra_edits(run: Run) -> int:
    """Return how many edits `measure` makes at most, beyond those of the run."""
    config, protocol = run.config, run.part.protocol
    if protocol == "robustness":  # four attacks, and the edit without words of each run
        return config.seeds * 4 * (config.perturbations + 1) + 5
    if protocol != "faithfulness":
        return 0
    m = len(split_units(config.instruction, config.granularity))
    there = min(config.perturbations, 2**m - 2)
    return config.seeds * min((RANDOM_ORDERS + 1) * (2 * m - 2), 2**m - 2 - there) + 1


def robustness_name(figure: str, attack: str, method: str) -> str:
    """Return the name of a figure of robustness; `attacks_measured` reads it back."""
    return f"{figure} {method} {attack}"


def attacks_measured(measures: Measures) -> list[str]:
    """Return the attacks among the figures of robustness, in order."""
    start = robustness_name("rank", "", METHODS[0])
    return [name.removeprefix(start) for name in measures if name.startswith(start)]


def _faithfulness(run: Run, explanation: Explanation, tools: Tools) -> Measures:
    found = faithfulness(
        load_photo(run.photo),
        explanation,
        tools=tools,
        random_orders=RANDOM_ORDERS,
        seed=run.config.seed,
    )
    return {name: None if math.isnan(v) else v for name, v in found.to_dict().items()}


def _robustness(run: Run, explanation: Explanation, tools: Tools) -> Measures:
    words = [word for keyword in run.instruction.keywords for word in keyword.split()]
    photo = load_photo(run.photo)
    found: Measures = {}
    for row in robustness(photo, run.config, words, methods=METHODS, tools=tools):
        found[robustness_name("rank", row.attack, row.method)] = float(row.rank)
        found[robustness_name("jaccard", row.attack, row.method)] = row.jaccard
    return found


_MEASURES: dict[str, Measure] = {"faithfulness": _faithfulness, "robustness": _robustness}
