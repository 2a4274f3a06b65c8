"""What does it save to end a run when its words have settled, and what does it cost?

    python -m tests.benchmarks.settling [--editor NAME] [--perturbations 64]

Explains labelled instructions on photos that the bundled editor never saw, each to its end, and
works out where the rule of `smile_core.settling` would have ended it. Prints the perturbations and
the AUROC of both, run by run, and the means. Edits are kept in the ordinary cache.
"""

from __future__ import annotations

import argparse

import numpy as np

from smile_core import RunConfig, stream
from smile_core.config import BUNDLED_EDITOR
from smile_core.evaluation.accuracy import accuracy
from smile_core.evaluation.settling import end_when_settled
from smile_core.explanation import Explanation
from tests.benchmarks.labelled_edits import PAIRS


def auroc(explanation: Explanation, truth: list[int]) -> float:
    """Return how well the weights rank the keywords first."""
    return accuracy([unit.weight for unit in explanation.units], truth).auroc


def main() -> None:
    """Print the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--editor", default=BUNDLED_EDITOR)
    parser.add_argument("--perturbations", type=int, default=64)
    args = parser.parse_args()
    rows = []
    for instruction, photo in PAIRS:
        config = RunConfig(
            instruction=instruction.text,
            editor=args.editor,
            perturbations=args.perturbations,
            p_iterations=100,
        )
        *_, last = stream(photo, config)
        assert last.explanation is not None
        ended = end_when_settled(last.explanation)
        truth = instruction.truth(tuple(unit.text for unit in last.explanation.units))
        rows.append((ended.saved, auroc(last.explanation, truth), auroc(ended.explanation, truth)))
        print(
            f"{photo.stem}, {instruction.text!r}: {ended.edits} of {ended.planned}, AUROC "
            f"{rows[-1][2]:.2f} in the place of {rows[-1][1]:.2f}"
        )
    saved, whole, early = np.mean(rows, axis=0)
    print(
        f"{len(rows)} runs: {saved:.0%} of the perturbations saved, AUROC {early:.3f} in the "
        f"place of {whole:.3f}"
    )


if __name__ == "__main__":
    main()
