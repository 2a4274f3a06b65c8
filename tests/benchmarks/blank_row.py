"""Should the edit without instruction be in the fit, and with which weight?

    python -m tests.benchmarks.blank_row [--photos 2] [--perturbations 32 64]

Its response is 0 by definition, so a surrogate could be told. Fits labelled edits on photos that
the bundled editors never saw, with the edit without instruction left out, with the sample weight
that its text distance to the full instruction would give (the mean of all words moved to an empty
text: none, so it is taken as the largest of the run), and with the weight of the full edit. Prints
AUROC and leave-one-out R²_w of the other edits, for instructions that name each effect once and for
those of the dozens in which some name it twice (either word is enough), and the sum of the weights.
"""

from __future__ import annotations

import argparse

import numpy as np

from smile_core import explain
from smile_core.config import RunConfig
from smile_core.evaluation.accuracy import accuracy
from smile_core.explanation import Explanation
from smile_core.fidelity import fidelity
from smile_core.kernel import kernel_weights
from smile_core.recorded import distances_of, masks_of, text_distances_of
from smile_core.surrogate import fit_surrogate
from tests.benchmarks.labelled_edits import INSTRUCTIONS, PHOTOS, LabelledInstruction

WAYS = ("left out", "at its distance", "as the full edit")
GROUPS = (
    ("effects named once", [labelled for labelled in INSTRUCTIONS if labelled.fresh]),
    ("some named twice", INSTRUCTIONS[12:36]),
)


def figures(found: Explanation, truth: list[int], edits: int) -> np.ndarray:
    """Return AUROC, leave-one-out R²_w and sum of the weights of each way, (ways, 3)."""
    masks = masks_of(found)[: edits + 1].astype(float)
    response = distances_of(found).response()[: edits + 1]
    texts = text_distances_of(found)[: edits + 1]
    weights, width = kernel_weights(texts, None)
    rows = []
    for weight in (None, float(np.exp(-((texts.max() / width) ** 2))), 1.0):
        X, y, pi = masks, response, weights
        if weight is not None:
            X, y = np.vstack([X, np.zeros(X.shape[1])]), np.append(y, 0.0)
            pi = np.append(pi, weight)
        fit = fit_surrogate("linear", X, y, pi)
        kept = slice(len(masks))
        honest = fidelity(
            y[kept],
            fit.predicted[kept],
            fit.weights[kept],
            n_parameters=fit.n_parameters,
            leverage=fit.leverage[kept],
        )["r2_w_loo"]
        score = accuracy(list(fit.coefficients), truth)
        rows.append([score.auroc, np.nan if honest is None else honest, fit.coefficients.sum()])
    return np.array(rows)


def main() -> None:
    """Print the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=int, default=2)
    parser.add_argument("--perturbations", type=int, nargs="+", default=[32, 64])
    args = parser.parse_args()
    photos = PHOTOS[1 : 1 + 5 * args.photos : 5]
    for editor in ("scene-pix2pix", "one-step"):
        for name, instructions in GROUPS:
            found = [
                (run(photo, labelled, editor, max(args.perturbations)), labelled)
                for labelled in instructions
                for photo in photos
            ]
            for edits in args.perturbations:
                table = np.array(
                    [
                        figures(result, labelled.truth(tuple(u.text for u in result.units)), edits)
                        for result, labelled in found
                    ]
                )  # (runs, ways, 3)
                for way, values in zip(WAYS, np.nanmean(table, axis=0), strict=True):
                    print(
                        f"{editor:<14} {name:<19} {edits:>3} edits, {len(found)} runs, "
                        f"{way:<17} AUROC {values[0]:.3f}, leave-one-out R²_w {values[1]:6.3f}, "
                        f"sum of weights {values[2]:.2f}",
                        flush=True,
                    )


def run(photo: object, labelled: LabelledInstruction, editor: str, edits: int) -> Explanation:
    """Return one whole run."""
    config = RunConfig(instruction=labelled.text, editor=editor, perturbations=edits)
    return explain(photo, **config.to_dict() | {"p_iterations": 100})


if __name__ == "__main__":
    main()
