r"""How well is the bundled editor explained, on photos and wordings it never saw?

    python -m tests.benchmarks.bundled_editor [--editor NAME] [--perturbations 32] \
        [--fresh] [--distances]

Explains every photo x instruction of `labelled_edits` with the recommended settings and prints the
averages of AUROC (signed weights against the labelled keywords), ATT ACC and F1 (weight >= 0.1) and
of the weighted R², in-sample and leave-one-out. `--distances` repeats it for every image distance
on the same edits. `--fresh` takes the instructions alone that no decision was taken on. Edits that
the cache has are not made again.
"""

from __future__ import annotations

import argparse
import platform
from collections.abc import Sequence

import numpy as np

from smile_core import explain
from smile_core.config import BUNDLED_EDITOR, IMAGE_DISTANCES, RunConfig
from smile_core.evaluation.accuracy import accuracy
from tests.benchmarks.labelled_edits import INSTRUCTIONS, PHOTOS, LabelledInstruction

COLUMNS = ("auroc", "att_acc", "att_f1", "r2_w", "r2_w_loo")


def measure(photo: object, labelled: LabelledInstruction, **settings: object) -> dict[str, float]:
    """Explain one edit and return its figures, named as in `COLUMNS`."""
    result = explain(photo, labelled.text, **settings)
    truth = labelled.truth(tuple(unit.text for unit in result.units))
    assert sum(truth) == len(labelled.keywords), labelled
    score = accuracy([unit.weight for unit in result.units], truth)
    return {
        "auroc": score.auroc,
        "att_acc": score.acc,
        "att_f1": score.f1,
        "r2_w": result.fidelity["r2_w"],
        "r2_w_loo": result.fidelity["r2_w_loo"],
    }


def table(
    instructions: Sequence[LabelledInstruction],
    distances: tuple[str, ...],
    settings: dict[str, object],
) -> np.ndarray:
    """Return the figures of every pair, (distances, instructions, photos, columns)."""
    # The distances take turns on one pair, while the features of its pictures are in memory.
    figures = [
        [
            [
                list(measure(photo, labelled, image_distance=name, **settings).values())
                for name in distances
            ]
            for photo in PHOTOS
        ]
        for labelled in instructions
    ]
    return np.moveaxis(np.array(figures, dtype=float), 2, 0)


def row(name: str, values: np.ndarray) -> str:
    """Return one line of the report: a name and the mean of every column over (..., columns).

    A leave-one-out R² is undefined where one edit decides its own prediction, as happens with 18
    words and 32 edits; the mean is over the others, and nan where there is none.
    """
    flat = values.reshape(-1, len(COLUMNS))
    means = (column[~np.isnan(column)] for column in flat.T)
    return f"{name[:64]:<66}" + "".join(
        f"{column.mean() if len(column) else np.nan:>10.3f}" for column in means
    )


def main() -> None:
    """Print the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--editor", default=BUNDLED_EDITOR)
    parser.add_argument("--perturbations", type=int, default=32)
    parser.add_argument("--fresh", action="store_true")
    parser.add_argument("--distances", action="store_true")
    args = parser.parse_args()
    # No p-value is looked at.
    settings = {"editor": args.editor, "perturbations": args.perturbations, "p_iterations": 100}
    print(f"{args.editor}, {args.perturbations} perturbations, {platform.processor() or 'CPU'}")
    print(f"{'':<66}" + "".join(f"{name:>10}" for name in COLUMNS))
    default = RunConfig(instruction="x").image_distance
    others = tuple(name for name in IMAGE_DISTANCES if args.distances and name != default)
    instructions = [labelled for labelled in INSTRUCTIONS if labelled.fresh or not args.fresh]
    figures, *further = table(instructions, (default, *others), settings)
    undefined = int(np.isnan(figures[..., COLUMNS.index("r2_w_loo")]).sum())
    for labelled, values in zip(instructions, figures, strict=True):
        print(row(labelled.text, values))
    fresh = np.array([labelled.fresh for labelled in instructions])
    held_out = np.array([labelled.held_out for labelled in instructions])
    for start in range(0, len(instructions), 12):
        dozen = INSTRUCTIONS.index(instructions[start]) // 12 + 1
        print(row(f"dozen {dozen}", figures[start : start + 12]))
    for name, chosen in (
        ("instructions looked at while training", ~fresh),
        ("fresh instructions", fresh),
        ("words held out", held_out),
    ):
        if chosen.any():
            print(row(name, figures[chosen]))
    print(row(f"all, image distance {default}", figures))
    for name, other in zip(others, further, strict=True):
        print(row(f"all, image distance {name}", other))
    print(f"Leave-one-out R² undefined: {undefined} of {len(instructions) * len(PHOTOS)}")


if __name__ == "__main__":
    main()
