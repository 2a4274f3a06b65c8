"""What a study measures on a finished explanation besides its weights, by protocol.

An evaluation plugs in by one function: it is given the run, its explanation and the tools to make
further edits with, pauses after every batch of them, and returns figures by name, which become
columns of the CSV.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

from smile_core.evaluation.faithfulness import faithfulness_steps
from smile_core.evaluation.mask_edits import Tools
from smile_core.evaluation.robustness import DETECTORS, attacked, robustness_steps
from smile_core.evaluation.steps import Steps
from smile_core.evaluation.study import METHODS
from smile_core.evaluation.study_plan import EditorFacts, Run, load_photo, run_edit_keys
from smile_core.explanation import Explanation
from smile_core.instruction import split_units
from smile_core.planning import count_edits, photo_stands_in

RANDOM_ORDERS = 5

Measures = dict[str, float | None]
Measure = Callable[[Run, Explanation, Tools], Steps[Measures]]


def measure(run: Run, explanation: Explanation, tools: Tools) -> Iterator[Measures | None]:
    """Measure what the protocol of a run asks for.

    Yields
    ------
    dict or None
        None after every batch of further edits, at the end the figures by name.

    Raises
    ------
    StopRequested
        When `tools.stop` answered True.
    """
    function = _MEASURES.get(run.part.protocol)
    # Where nothing changes there is no order of words to be right or wrong about.
    changed = explanation.happened and any(s.image_distance for s in explanation.samples)
    if function is None or not changed:
        yield {}
    else:
        yield (yield from function(run, explanation, tools))


def further_edits(group: Sequence[Run], editor: EditorFacts, name: str) -> set[str]:
    """Return the keys of the edits that measuring makes beyond those of the runs.

    Parameters
    ----------
    group : sequence of Run
        Runs that share their edits.
    editor : EditorFacts
        Of the editor that makes them.
    name : str
        The same for the same group only, to make up keys where it depends on the results which
        edits are needed; there are as many as there are edits at most.
    """
    keys: set[str] = set()
    config = group[0].config
    protocols = [run.part.protocol for run in group]  # parts may share edits
    if "robustness" in protocols:
        own = "" if editor.fingerprint else f"{name} "
        for changed in attacked(config).values():
            keys |= {own + key for key in run_edit_keys(group[0], changed, editor)}
        # Under one seed the editor with two faces shows edits that are there already.
        shown = 0 if config.seeds == 1 else len(DETECTORS) * config.seeds * _rows(group[0])
        keys |= _made_up(f"{name} two-faced", shown)
    if "faithfulness" in protocols:
        m = len(split_units(config.instruction, config.granularity))
        there = config.perturbations_for(m)
        orders = RANDOM_ORDERS + protocols.count("faithfulness")
        most = config.seeds * min(orders * (2 * m - 2), 2**m - 2 - there)
        if editor.fingerprint is None:  # of the full edit and its repeats the first only is kept
            firsts = config.seeds * (1 if photo_stands_in(config, editor.card) else 2)
            repeats = count_edits(config, editor.card) - config.seeds * there - firsts
            most += protocols.count("faithfulness") * repeats
        keys |= _made_up(f"{name} walk", most)
    return keys


def rows_to_measure(run: Run) -> int:
    """Return how many edits of a run have to be encoded and compared, shared or not."""
    config, m = run.config, len(split_units(run.config.instruction, run.config.granularity))
    more = {
        "robustness": (2 + len(DETECTORS)) * _rows(run),
        "faithfulness": (RANDOM_ORDERS + 1) * (2 * m - 2),
    }
    return config.seeds * (_rows(run) + more.get(run.part.protocol, 0))


def _rows(run: Run) -> int:
    """Return the edits of one explanation: the full one, that without instruction, the others."""
    return run.perturbations + 2


def _made_up(name: str, count: int) -> set[str]:
    return {f"{name} {number}" for number in range(count)}


def robustness_name(figure: str, attack: str, method: str) -> str:
    """Return the name of a figure of robustness; `attacks_measured` reads it back."""
    return f"{figure} {method} {attack}"


def attacks_measured(measures: Measures) -> list[str]:
    """Return the attacks among the figures of robustness, in order."""
    start = robustness_name("rank", "", METHODS[0])
    return [name.removeprefix(start) for name in measures if name.startswith(start)]


def _faithfulness(run: Run, explanation: Explanation, tools: Tools) -> Steps[Measures]:
    found = yield from faithfulness_steps(
        load_photo(run.photo),
        explanation,
        tools=tools,
        random_orders=RANDOM_ORDERS,
        seed=run.config.seed,
    )
    values = found.to_dict() | found.heights()
    return {name: None if math.isnan(value) else value for name, value in values.items()}


def _robustness(run: Run, explanation: Explanation, tools: Tools) -> Steps[Measures]:
    rows = yield from robustness_steps(
        load_photo(run.photo),
        run.config,
        run.instruction.keyword_units([unit.text for unit in explanation.units]),
        methods=METHODS,
        tools=tools,
        plain=explanation,
    )
    found: Measures = {}
    for row in rows:
        found[robustness_name("rank", row.attack, row.method)] = float(row.rank)
        found[robustness_name("jaccard", row.attack, row.method)] = row.jaccard
    return found


_MEASURES: dict[str, Measure] = {"faithfulness": _faithfulness, "robustness": _robustness}
