"""Faithfulness: do the words that an explanation ranks first matter most to the editor.

Two curves answer by making edits. *Deletion* drops the words from the most to the least important,
one more at every step, and asks how far the picture has left the full edit. *Insertion* begins with
no word and adds them in the same order, and asks how near it has come; it is also what dropping
them from the least to the most important gives, read backwards. An order that knows the editor
leaves early and comes near early. Random orders say what can be had without knowing anything.

References
----------
[1] Petsiuk, Das and Saenko, RISE: randomized input sampling for explanation of black-box models,
    BMVC 2018 (deletion and insertion).
[2] Samek et al., Evaluating the visualization of what a deep neural network has learned, IEEE
    TNNLS 2017 (most against least relevant first).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from smile_core.config import ConfigError
from smile_core.evaluation.mask_edits import Tools, distance_steps
from smile_core.evaluation.steps import Steps, to_the_end
from smile_core.explanation import Explanation
from smile_core.photo import Source

RANDOM_ORDERS = 10
# Shares of the words, dropped or added, at which curves of different lengths are put together.
SHARES = tuple(tenth / 10 for tenth in range(11))


@dataclass(frozen=True)
class Curves:
    """What one order of the words gives.

    Attributes
    ----------
    order : tuple of int, length m
        Units from the most to the least important.
    deletion : ndarray, shape (m + 1,)
        Closeness to the full edit with the first 0, 1, ..., m units of `order` dropped: 1 for the
        full edit, 0 for an edit as far from it as the farthest of the run, below 0 beyond. NaN
        where an edit failed.
    insertion : ndarray, shape (m + 1,)
        The same with only the first 0, 1, ..., m units kept; ends at 1.
    """

    order: tuple[int, ...]
    deletion: np.ndarray
    insertion: np.ndarray

    @property
    def deletion_area(self) -> float:
        """Area above the deletion curve, 0 (the picture stays) to about 1 (it leaves at once)."""
        return 1.0 - _area(self.deletion)

    @property
    def insertion_area(self) -> float:
        """Area under the insertion curve; higher is better."""
        return _area(self.insertion)

    @property
    def between(self) -> float:
        """Area between the curves of least and of most important words first; 0 is chance."""
        return _area(self.insertion[::-1]) - _area(self.deletion)


@dataclass(frozen=True)
class Faithfulness:
    """The curves of an explanation beside those of random orders of the same words.

    Attributes
    ----------
    curves : Curves
        Those of the explanation.
    random : tuple of Curves
        Those of random orders, all different from each other where there are enough.
    failed : int
        Points of the explanation's curves whose edit failed; areas go straight past them.
    """

    curves: Curves
    random: tuple[Curves, ...]
    failed: int

    @property
    def beats(self) -> float:
        """Share of the random orders with a smaller `between`, ties by half; 0.5 is chance.

        NaN where so many edits failed that a curve has no area.
        """
        gaps = np.array([self.curves.between - other.between for other in self.random])
        return float(np.mean((1 + np.sign(np.round(gaps, 9))) / 2))

    def to_dict(self) -> dict[str, float]:
        """Return the areas, and their means over the random orders, by name."""
        names = ("deletion_area", "insertion_area", "between")
        mine = {name: float(getattr(self.curves, name)) for name in names}
        random = {
            f"random_{name}": float(np.mean([getattr(curves, name) for curves in self.random]))
            for name in names
        }
        return {**mine, **random, "beats": self.beats, "failed_on_curves": float(self.failed)}

    def heights(self) -> dict[str, float]:
        """Return the curves at `SHARES`, and their means over the random orders, by `height_name`.

        Between two words a curve is straight; NaN where so many edits failed that there is none.
        """
        found = {}
        for curve in ("deletion", "insertion"):
            mine = _at_shares(getattr(self.curves, curve))
            random = np.mean([_at_shares(getattr(c, curve)) for c in self.random], axis=0)
            for share, height, chance in zip(SHARES, mine, random, strict=True):
                found[height_name(curve, share)] = float(height)
                found[height_name(f"random_{curve}", share)] = float(chance)
        return found


def height_name(curve: str, share: float) -> str:
    """Return the name of the height of a curve where so much of the words is dropped or added."""
    return f"{curve}_at_{share:.1f}"


def order_masks(order: Sequence[int]) -> np.ndarray:
    """Return the masks of one order: m + 1 of the deletion, then m + 1 of the insertion.

    Returns
    -------
    ndarray of int8, shape (2m + 2, m)
    """
    kept = np.tri(len(order) + 1, len(order), -1, dtype=np.int8)  # row k keeps the first k
    masks = np.empty((2, len(order) + 1, len(order)), dtype=np.int8)
    masks[0][:, list(order)] = 1 - kept
    masks[1][:, list(order)] = kept
    return masks.reshape(-1, len(order))


def faithfulness_steps(
    image: Source,
    explanation: Explanation,
    *,
    weights: Sequence[float] | None = None,
    tools: Tools | None = None,
    random_orders: int = RANDOM_ORDERS,
    seed: int = 0,
) -> Steps[Faithfulness]:
    """Make the edits of the deletion and insertion curves and measure them.

    Parameters
    ----------
    image : str, Path, bytes or PIL.Image.Image
        The photo that was explained.
    explanation : Explanation
        A run that has ended. Its settings hold for the new edits, and what it or the cache holds
        is not made again.
    weights : sequence of float or None
        Judge the order of these weights instead, those of a baseline say.
    tools : Tools or None
        As the run was made with; None for named editors and encoders.
    random_orders : int
        How many random orders to compare with, at least 1. Each costs up to 2m - 2 edits.
    seed : int
        Seed of the random orders.

    Returns
    -------
    Faithfulness
        Ties between words go to the one that comes first.

    Raises
    ------
    ConfigError
        When nothing changed in the run, so that there is nothing to be faithful to, or when
        something given cannot be used.
    StopRequested
        When `tools.stop` answered True.
    """
    m = len(explanation.units)
    given = [unit.weight for unit in explanation.units] if weights is None else list(weights)
    if len(given) != m or random_orders < 1:
        raise ConfigError(
            f"Give one weight for each of the {m} words and at least one random order, not "
            f"{len(given)} and {random_orders}."
        )
    distances = [s.image_distance for s in explanation.samples if s.image_distance is not None]
    scale = max(distances, default=0.0)
    if scale == 0 or not explanation.happened:
        raise ConfigError(
            "This instruction changed nothing, whichever words were left out, so no order of its "
            "words can be right or wrong. Try a stronger instruction, or another editor."
        )
    own = sorted(range(m), key=lambda unit: -given[unit])
    orders = [own, *_random_orders(m, random_orders, np.random.default_rng(seed))]
    masks = np.vstack([order_masks(order) for order in orders])  # (r (2m + 2), m)
    found = yield from distance_steps(image, explanation, masks, tools or Tools())
    close = (1.0 - found / scale).reshape(len(orders), 2, m + 1)
    curves = [
        Curves(tuple(order), deletion, insertion)
        for order, (deletion, insertion) in zip(orders, close, strict=True)
    ]
    return Faithfulness(curves[0], tuple(curves[1:]), int(np.isnan(close[0]).sum()))


faithfulness = to_the_end(faithfulness_steps)


def _random_orders(m: int, wanted: int, rng: np.random.Generator) -> list[list[int]]:
    """Return random orders of m units, different ones as far as there are enough."""
    orders: list[list[int]] = []
    for _ in range(20 * wanted):
        order = rng.permutation(m).tolist()
        if order not in orders:
            orders.append(order)
        if len(orders) == wanted:
            break
    return orders


def _at_shares(curve: np.ndarray) -> np.ndarray:
    """Return the heights of a curve at `SHARES`, straight past what is unknown."""
    known = np.flatnonzero(~np.isnan(curve))
    if len(known) < 2:
        return np.full(len(SHARES), np.nan)
    return np.interp(SHARES, known / (len(curve) - 1), curve[known])


def _area(curve: np.ndarray) -> float:
    """Return the mean height of a curve over [0, 1], by trapezoids past what is unknown."""
    known = np.flatnonzero(~np.isnan(curve))
    if len(known) < 2:
        return float("nan")
    return float(np.trapezoid(curve[known], known) / (known[-1] - known[0]))
