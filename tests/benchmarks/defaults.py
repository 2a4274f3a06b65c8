"""Which image distance, text distance and surrogate, and how many perturbations?

    python -m tests.benchmarks.defaults [--editors NAME ...] [--out DIR]

Every editor x photo x instruction of `DECIDED_ON` (`labelled_edits`) is edited once, by 32
perturbations, and then explained with every image distance x text distance x surrogate on the same
pictures. Printed are the averages over all pairs of AUROC and leave-one-out R²_w, of the stability
under `###` (Ruzicka's index, on one photo per instruction), and the milliseconds that distances
and fit take for one explanation. On the same photo of each instruction, accuracy against the
number of perturbations for each mask design. `--out` keeps both tables as CSV and the curves as
a picture; the latter needs Chromium. Edits that the cache has are not made again.
"""

from __future__ import annotations

import argparse
import csv
import os
import platform
import time
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

import numpy as np

from smile_core.config import (
    DESIGNS,
    IMAGE_DISTANCES,
    SURROGATES,
    TEXT_DISTANCES,
    RunConfig,
)
from smile_core.edit_cache import EditCache
from smile_core.editing import BLANK
from smile_core.editors.protocol import Editor
from smile_core.editors.registry import load_editor
from smile_core.encoders import Encoder, Features, load_encoder
from smile_core.evaluation.accuracy import accuracy
from smile_core.evaluation.stability import change_neutrally, keyed_weights, ruzicka
from smile_core.fidelity import fidelity
from smile_core.image_distance import distances_to_reference
from smile_core.kernel import kernel_weights
from smile_core.planning import edit_maker, plan_run
from smile_core.response import Distances
from smile_core.surrogate import fit_surrogate
from smile_core.text_distance import load_word_vectors, text_distances
from tests.benchmarks.defaults_picture import draw_curves
from tests.benchmarks.labelled_edits import DECIDED_ON, PAIRS, PHOTOS, LabelledInstruction

EDITORS = ("scene-pix2pix", "one-step")
PERTURBATIONS = 32
COUNTS = (4, 8, 12, 16, 24, 32, 48, 64)
# LIME is the linear fit on cosine distances, which the grid has anyway.
GRID = tuple(product(IMAGE_DISTANCES, TEXT_DISTANCES, (s for s in SURROGATES if s != "lime")))
DEFAULT = RunConfig(instruction="x")

Choice = tuple[str, str, str]  # image distance, text distance, surrogate


@dataclass
class Edits:
    """The edits of one instruction on one photo, with the distances that were asked for so far.

    Attributes
    ----------
    units : tuple of str, length m
    masks : ndarray, shape (n + 1, m)
        Row 0 is the reference, all ones.
    features : Features
        One row per mask, and last the edit without instruction.
    """

    units: tuple[str, ...]
    masks: np.ndarray
    features: Features
    _known: dict[tuple[str, str], np.ndarray] = field(default_factory=dict)
    seconds: dict[tuple[str, str], float] = field(default_factory=dict)

    def distances(self, kind: str, name: str) -> np.ndarray:
        """Return the `image` or `text` distance of every row to the first, (n + 1,).

        The edit without instruction follows the image distances, (n + 2,).
        """
        if (kind, name) not in self._known:
            started = time.perf_counter()
            if kind == "image":
                first = Features(self.features.tokens[:1], self.features.pooled[:1])
                found = distances_to_reference(name, first, self.features)
            else:
                found = text_distances(name, self.units, self.masks, load_word_vectors())
            self._known[kind, name] = found
            self.seconds[kind, name] = time.perf_counter() - started
        return self._known[kind, name]


def make_edits(
    photo: Path, text: str, editor: Editor, encoder: Encoder, **settings: object
) -> Edits:
    """Edit a photo by an instruction and its perturbations."""
    config = RunConfig(instruction=text, editor=editor.name, **settings)
    plan = plan_run(photo, None, config, editor.card, encoder.name)
    batches = list(edit_maker(plan, editor, EditCache()).batches(lambda: False))
    images = {made.ask.row: made.answer for batch in batches for made in batch}
    assert not [image for image in images.values() if not hasattr(image, "size")], text
    features = encoder.encode([images[row] for row in (*range(len(plan.masks)), BLANK)])
    return Edits(plan.units, plan.masks, features)


def explain(
    edits: Edits, choice: Choice, rows: int | None = None
) -> tuple[np.ndarray, float | None]:
    """Return the weights (m,) and the leave-one-out R²_w of a fit to the first `rows` + 1 edits."""
    image, text, surrogate = choice
    n = len(edits.masks) if rows is None else rows + 1
    *distances, way = edits.distances("image", image)
    y = Distances(np.array(distances)[:n, None], np.array([[way]])).response()
    kernel, _ = kernel_weights(edits.distances("text", text)[:n], None)
    fit = fit_surrogate(surrogate, edits.masks[:n].astype(float), y, kernel, empty=0.0)
    figures = fidelity(
        y, fit.predicted, fit.weights, n_parameters=fit.n_parameters, leverage=fit.leverage
    )
    return fit.coefficients, figures["r2_w_loo"]


def auroc(weights: np.ndarray, truth: list[int]) -> float:
    """Return the chance that a keyword outweighs another unit, quicker than scikit-learn."""
    keyword = np.array(truth, dtype=bool)
    ahead = weights[keyword][:, None] - weights[~keyword]  # (keywords, others)
    return float(np.mean((ahead > 0) + 0.5 * (ahead == 0)))


class Grid:
    """The figures of every choice, pair by pair."""

    def __init__(self) -> None:
        self._values: dict[tuple[Choice, str], list[float]] = defaultdict(list)

    def add(self, labelled: LabelledInstruction, edits: Edits, changed: Edits | None) -> None:
        """Explain one pair by every choice; `changed` are the edits of the changed instruction."""
        for choice in GRID:
            image, text, _ = choice
            edits.distances("image", image)
            edits.distances("text", text)
            started = time.perf_counter()
            weights, loo = explain(edits, choice)
            seconds = time.perf_counter() - started
            seconds += edits.seconds["image", image] + edits.seconds["text", text]
            self._note(choice, "ms", 1000 * seconds)
            self._note(choice, "auroc", auroc(weights, labelled.truth(edits.units)))
            self._note(choice, "r2_w_loo", loo)
            if changed is not None:
                after = keyed_weights(changed.units, explain(changed, choice)[0])
                before = keyed_weights(edits.units, weights)
                self._note(choice, "stability", ruzicka(before, after))

    def _note(self, choice: Choice, name: str, value: float | None) -> None:
        self._values[choice, name].append(np.nan if value is None else value)

    def rows(self) -> list[dict[str, str | float]]:
        """Return the means (of the milliseconds the median), one row per choice."""
        names = ("auroc", "r2_w_loo", "stability", "ms")
        rows: list[dict[str, str | float]] = []
        for choice in GRID:
            row: dict[str, str | float] = dict(
                zip(("image_distance", "text_distance", "surrogate"), choice, strict=True)
            )
            for name in names:
                values = self._values[choice, name]
                row[name] = float(np.median(values) if name == "ms" else np.nanmean(values))
            rows.append(row)
        return rows


def study(editor: Editor, encoder: Encoder) -> tuple[list[dict], list[dict]]:
    """Return the table of choices and the curves of one editor."""
    grid = Grid()
    curves: dict[tuple[str, int], list[tuple[float, float]]] = defaultdict(list)
    default = (DEFAULT.image_distance, DEFAULT.text_distance, DEFAULT.surrogate)
    for labelled, photo in product(DECIDED_ON, PHOTOS):
        few = make_edits(photo, labelled.text, editor, encoder, perturbations=PERTURBATIONS)
        changed = None
        if (labelled, photo) in PAIRS:
            text = change_neutrally(labelled.text, "###")
            changed = make_edits(photo, text, editor, encoder, perturbations=PERTURBATIONS)
            for design in DESIGNS:
                many = make_edits(
                    photo, labelled.text, editor, encoder, perturbations=max(COUNTS), design=design
                )
                for count in COUNTS:
                    score = accuracy(explain(many, default, count)[0], labelled.truth(many.units))
                    curves[design, count].append((score.auroc, score.f1))
        grid.add(labelled, few, changed)
    points = [
        {"design": design, "perturbations": count, "auroc": means[0], "f1": means[1]}
        for (design, count), values in curves.items()
        for means in [np.mean(values, axis=0)]
    ]
    return grid.rows(), points


def main() -> None:
    """Print the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--editors", nargs="+", default=EDITORS)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    encoder = load_encoder(DEFAULT.encoder)
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores")
    print(f"{len(PHOTOS)} photos x {len(DECIDED_ON)} instructions, {PERTURBATIONS} perturbations")
    choices, curves = [], []
    for name in args.editors:
        rows, points = study(load_editor(name), encoder)
        choices += [{"editor": name, **row} for row in rows]
        curves += [{"editor": name, **point} for point in points]
    for table in (choices, curves):
        print("\t".join(table[0]))
        for row in table:
            cells = (f"{v:.3f}" if isinstance(v, float) else str(v) for v in row.values())
            print("\t".join(cells))
    if args.out:
        args.out.mkdir(parents=True, exist_ok=True)
        for file, table in (("choices.csv", choices), ("perturbations.csv", curves)):
            with (args.out / file).open("w", newline="") as out:
                writer = csv.DictWriter(out, table[0])
                writer.writeheader()
                writer.writerows(
                    {k: f"{v:.4f}" if isinstance(v, float) else v for k, v in row.items()}
                    for row in table
                )
        draw_curves(curves, args.out / "perturbations.png")


if __name__ == "__main__":
    main()
