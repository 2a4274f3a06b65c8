"""Do the intervals hold what they say, and is nothing said where nothing is?

    python -m tests.benchmarks.coverage [--repeats 400]

Glass boxes whose answers are known are asked with 8 words and 64 balanced perturbations, many times
over, each time under other masks and other noise, and fitted as every run is. Printed are, over the
words, the least and the largest share of repeats in which a word's own 95 % interval holds its
limit; the share in which all intervals hold together, as they are drawn; and what verdicts say. The
limit of a word is the mean of its weights over all repeats: what this design finds on average.

By a seeded editor the edits differ from a sum by normal noise that belongs to the text, in shares
of the way. Without a seed every picture is a point of 32 coordinates, the words move it at right
angles, and normal noise is in every coordinate of every picture, those of the three full edits and
the three without instruction included.

The run that is ended early, and the editor that returns noise, go through the engine's own rules.
"""

from __future__ import annotations

import argparse
import platform
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from smile_core.config import RunConfig
from smile_core.encoders import Features
from smile_core.explanation import CHANCE, DRIVES, EDITED, UNCLEAR
from smile_core.fitting import Fitted, fit_rows, unit_weights
from smile_core.image_distance import distances_to_reference
from smile_core.masks import design_masks
from smile_core.outcome import outcome_of
from smile_core.response import Distances
from smile_core.settling import is_check, is_settled, look_at

WORDS, EDITS = 8, 64
CONFIG = RunConfig(instruction="one two three four five six seven eight", text_distance="cosine")
NAMES = tuple(CONFIG.instruction.split())
COORDINATES, REPEATED = 32, 3
EFFECTS = np.array([1.0, 0.7, 0.5, 0, 0, 0, 0, 0])  # of the words on pictures without a seed
NOISES = (0.03, 0.05, 0.10)


@dataclass(frozen=True)
class Box:
    """A black box with a seed: the response to each mask, and the noise that belongs to a text."""

    name: str
    respond: Callable[[np.ndarray], np.ndarray]
    noise: float = 0.0


def linear(masks: np.ndarray) -> np.ndarray:
    return masks @ np.array([0.4, 0.25, 0.15, 0.1, 0.05, 0.03, 0.02, 0.0])


def interacting(masks: np.ndarray) -> np.ndarray:
    one, two, three, four = masks.T[:4]
    return 0.3 * one + 0.2 * two + 0.3 * one * two + 0.2 * three * four


def either_or(masks: np.ndarray) -> np.ndarray:
    return 0.6 * np.maximum(masks[:, 0], masks[:, 1]) + 0.3 * masks[:, 2] + 0.1 * masks[:, 3]


def root(masks: np.ndarray) -> np.ndarray:
    return 1 - np.sqrt((1 - masks) @ np.array([0.5, 0.3, 0.2, 0, 0, 0, 0, 0]))


def dominated(masks: np.ndarray) -> np.ndarray:
    """Return the response to two words of 1.5 and 0.5, with one that takes 1 of it back."""
    return masks @ np.array([1.5, 0.5, -1.0, 0, 0, 0, 0, 0])


BOXES = (
    Box("linear with noise of 0.05", linear, 0.05),
    Box("interactions", interacting),
    Box("interactions with noise of 0.05", interacting, 0.05),
    Box("either-or", either_or),
    Box("root of a sum", root),
)


def draw_masks(seed: int) -> np.ndarray:
    """Return the masks of a run, (n + 1, m), the full instruction first."""
    shortened = design_masks(
        WORDS, EDITS, design=CONFIG.design, rng=np.random.default_rng([seed, 1])
    )
    return np.vstack([np.ones((1, WORDS), dtype=np.int8), shortened])


def fit(masks: np.ndarray, distances: Distances) -> Fitted:
    """Fit as every run is."""
    texts = 1 - np.sqrt(masks.mean(axis=1))  # the text distance `cosine`
    return fit_rows(CONFIG, masks, text_distances=texts, distances=distances, p_values=None)


def seeded(box: Box, seed: int) -> tuple[np.ndarray, Distances]:
    """Return masks and distances of one run of a box."""
    masks = draw_masks(seed)
    noise = box.noise * np.random.default_rng([seed, 2]).standard_normal(len(masks))
    distances = np.maximum(1 - box.respond(masks.astype(float)) + noise, 0.0)
    distances[0] = 0.0
    return masks, Distances(distances[:, None], np.array([[1.0]]))


def unseeded(noise: float, seed: int, effects: np.ndarray) -> tuple[np.ndarray, Distances, bool]:
    """Return masks, distances by the default distance, and whether it is more than chance."""
    masks, rng = draw_masks(seed), np.random.default_rng([seed, 3])
    moves = np.zeros((WORDS, COORDINATES))
    moves[range(WORDS), range(WORDS)] = effects

    def pictures(kept: np.ndarray) -> Features:
        points = kept @ moves + noise * rng.standard_normal((len(kept), COORDINATES))
        return Features(tokens=points[:, None, :], pooled=points)

    def gaps(ones: Features, others: Features) -> np.ndarray:
        """Return the distance of each of `ones` to each of `others`, (n, r)."""
        columns = [
            distances_to_reference(
                CONFIG.image_distance, Features(o.tokens, o.pooled), ones, order=CONFIG.order
            )
            for o in (_one(others, index) for index in range(len(others)))
        ]
        return np.stack(columns, axis=1)

    full, blank = pictures(np.ones((REPEATED, WORDS))), pictures(np.zeros((REPEATED, WORDS)))
    edits = gaps(pictures(masks[1:].astype(float)), full)
    rows = np.vstack([np.zeros((1, REPEATED)), edits])
    found = Distances(rows, gaps(blank, full), gaps(full, full))
    farthest = max(found.among.max(), gaps(blank, blank).max())
    return masks, found, bool(found.way > farthest)


def _one(features: Features, index: int) -> Features:
    return Features(features.tokens[[index]], features.pooled[[index]])


@dataclass
class Tally:
    """What many repeats of one box gave: weights and ends of intervals, and the verdicts."""

    weights: list[np.ndarray]
    alone: list[np.ndarray]
    together: list[np.ndarray]
    drivers: list[bool]

    def add(self, fitted: Fitted) -> None:
        """Take in one fit."""
        self.weights.append(fitted.fit.coefficients)
        self.alone.append(fitted.uncertainty.intervals(together=False))
        self.together.append(fitted.uncertainty.intervals())
        units = unit_weights(NAMES, fitted, CONFIG.negligible, EDITED)
        self.drivers.append(any(unit.verdict == DRIVES for unit in units))

    def line(self, name: str) -> str:
        """Return the row of the table."""
        limit = np.mean(self.weights, axis=0)  # (m,)
        alone, together = (
            (ends[..., 0] <= limit + 1e-9) & (limit - 1e-9 <= ends[..., 1])
            for ends in (np.array(self.alone), np.array(self.together))
        )  # (repeats, m)
        shares = alone.mean(axis=0)
        return (
            f"{name:<44}{shares.min():>8.1%}{shares.max():>8.1%}"
            f"{together.all(axis=1).mean():>10.1%}"
        )


def tally() -> Tally:
    return Tally([], [], [], [])


def ended_early(box: Box, seed: int) -> Fitted:
    """Return the fit of a run that ends by the stopping rule, or else in full."""
    masks, found = seeded(box, seed)
    looks = []
    for edits in range(EDITS):
        if not is_check(edits, WORDS):
            continue
        fitted = fit(masks[: edits + 1], Distances(found.rows[: edits + 1], found.blanks))
        units = tuple(unit_weights(NAMES, fitted, CONFIG.negligible, EDITED))
        looks.append(look_at(units, judged=fitted.judged))
        if is_settled(looks):
            return fitted
    return fit(masks, found)


def main() -> None:
    """Print the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=400)
    repeats = parser.parse_args().repeats
    print(f"{repeats} repeats, {WORDS} words, {EDITS} perturbations, {platform.machine()}")
    print(f"{'95 % intervals: words by themselves, and all':<44}{'least':>8}{'most':>8}{'all':>10}")
    for box in BOXES:
        found = tally()
        for seed in range(repeats):
            found.add(fit(*seeded(box, seed)))
        print(found.line(box.name), flush=True)
    found, edits = tally(), []
    for seed in range(repeats):
        fitted = ended_early(BOXES[0], seed)
        found.add(fitted)
        edits.append(len(fitted.rows) - 1)
    print(found.line(f"{BOXES[0].name}, ended early ({np.mean(edits):.0f})"))
    for noise in NOISES:
        found, missed = tally(), 0
        for seed in range(repeats):
            masks, distances, beyond = unseeded(noise, seed, EFFECTS)
            found.add(fit(masks, distances))
            missed += not beyond
        print(found.line(f"no seed, noise of {noise:.2f}, {CONFIG.image_distance}"), flush=True)
        mean = ", ".join(f"{weight:.3f}" for weight in np.mean(found.weights, axis=0)[:3])
        print(f"    mean weights {mean}; taken for chance {missed / repeats:.1%}")
    for noise in NOISES:
        named = chance = 0
        for seed in range(repeats):
            masks, distances, beyond = unseeded(noise, seed, 0 * EFFECTS)
            if outcome_of(255.0, beyond_chance=beyond) == CHANCE:
                chance += 1
                continue
            result = tally()
            result.add(fit(masks, distances))
            named += result.drivers[0]
        print(
            f"an editor that only returns noise of {noise:.2f}: said to do no more than chance in "
            f"{chance / repeats:.1%}, a driver named in {named / repeats:.1%}"
        )
    left = 0
    box = Box("one dominating word and one of 0.5", dominated, 0.02)
    edits = []
    for seed in range(repeats):
        fitted = ended_early(box, seed)
        units = list(unit_weights(NAMES, fitted, CONFIG.negligible, EDITED))
        edits.append(len(fitted.rows) - 1)
        left += units[1].verdict == UNCLEAR and edits[-1] < EDITS
    print(
        f"{box.name}, ended early ({np.mean(edits):.0f} of {EDITS}): the second left unclear in "
        f"{left / repeats:.1%}"
    )


if __name__ == "__main__":
    main()
