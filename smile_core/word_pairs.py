"""Two words that a linear surrogate cannot tell apart: they stand in for each other, or need both.

A linear surrogate gives every word its own share. Where "winter" and "snowflakes" ask for the same
snow, either is enough: leaving out one changes little, both a lot, and no two shares say that. The
product of the two masks does, and this module looks for the pair whose product repairs the fit.

References
----------
[1] Allen, The relationship between variable selection and data augmentation and a method for
    prediction, Technometrics 1974 (leave-one-out in closed form, with one column more).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from smile_core.explanation import EDITED, Explanation
from smile_core.regression import SATURATED

# A linear fit is looked into below the first leave-one-out R²_w, and a pair is named when its
# product raises that to the second at least, halves what is left unexplained, and there are three
# edits for each unit. `tests/test_word_pairs.py` counts how seldom that finds a pair in noise.
GOOD_FIT, REPAIRED_FIT = 0.8, 0.6
LEAST_ROWS = 3


@dataclass(frozen=True)
class WordPair:
    """Two units whose product repairs the fit.

    Attributes
    ----------
    i, j : int
        Indices of the units, i < j.
    product : float
        Coefficient of the product: below 0 either unit stands in for the other, above 0 they do
        more together than each alone adds up to.
    weight : float
        What the two do together: the response that is lost when both are left out.
    r2_w_loo : float
        Leave-one-out R²_w with the product.
    """

    i: int
    j: int
    product: float
    weight: float
    r2_w_loo: float


def find_word_pair(explanation: Explanation) -> WordPair | None:
    """Return the pair that the linear surrogate misses most.

    Parameters
    ----------
    explanation : Explanation
        A finished or a running one.

    Returns
    -------
    WordPair or None
        None when the fit is good, was made with interactions, or no product repairs it, and where
        no unit has a weight of its own.
    """
    if explanation.interactions or explanation.outcome != EDITED:
        return None
    inside = [
        sample
        for sample in (explanation.reference, *explanation.samples)
        if sample.sample_weight is not None and sample.similarity is not None
    ]
    masks = np.array([sample.mask for sample in inside], dtype=float)  # (n, m)
    y = np.array([sample.similarity for sample in inside], dtype=float)  # (n,)
    weights = np.array([sample.sample_weight for sample in inside], dtype=float)  # (n,)
    pairs = list(combinations(range(masks.shape[1]), 2))
    if not pairs or len(y) < LEAST_ROWS * masks.shape[1] or y.min() == y.max():
        return None
    before, scores, products = _with_each_product(masks, y, weights / weights.sum(), pairs)
    best = int(np.argmax(scores))
    halved = 1 - scores[best] <= (1 - before) / 2
    if before >= GOOD_FIT or scores[best] < REPAIRED_FIT or not halved:
        return None
    i, j = pairs[best]
    design = np.column_stack([masks, masks[:, i] * masks[:, j], np.ones(len(y))])  # (n, m + 2)
    root = np.sqrt(weights)
    slopes = np.linalg.lstsq(root[:, None] * design, root * y)[0]  # (m + 2,)
    return WordPair(
        i=i,
        j=j,
        product=float(products[best]),
        weight=float(slopes[i] + slopes[j] + slopes[-2]),
        r2_w_loo=float(scores[best]),
    )


def _with_each_product(
    masks: np.ndarray, y: np.ndarray, share: np.ndarray, pairs: list[tuple[int, int]]
) -> tuple[float, np.ndarray, np.ndarray]:
    """Return leave-one-out R²_w without a product, and with that of each pair; then the products.

    The latter two have shape (pairs,).

    The linear fit is made once; a column more changes residuals and leverages in closed form.
    """
    root = np.sqrt(share)  # (n,)
    design = root[:, None] * np.column_stack([np.ones(len(y)), masks])  # (n, m + 1)
    U, s, _ = np.linalg.svd(design, full_matrices=False)
    U = U[:, s > 1e-9 * s[0]]  # (n, r)
    alone = root * y - U @ (U.T @ (root * y))  # (n,)
    variance = share @ (y - share @ y) ** 2
    first, second = np.array(pairs).T
    columns = root[:, None] * masks[:, first] * masks[:, second]  # (n, pairs)
    rest = columns - U @ (U.T @ columns)  # what the words alone do not say of it
    length = np.sum(rest**2, axis=0)  # (pairs,)
    told = length > 1e-9 * np.maximum(np.sum(columns**2, axis=0), 1e-30)
    length = np.where(told, length, 1.0)
    product = np.where(told, alone @ rest / length, 0.0)  # (pairs,)
    error = alone[:, None] - rest * product  # (n, pairs)
    free = 1 - np.sum(U**2, axis=1)[:, None]  # (n, 1)
    linear = 1 - np.sum((alone[:, None] / np.maximum(free, SATURATED)) ** 2) / variance
    free = np.maximum(free - np.where(told, rest**2 / length, 0.0), SATURATED)  # (n, pairs)
    return float(linear), 1 - np.sum((error / free) ** 2, axis=0) / variance, product
