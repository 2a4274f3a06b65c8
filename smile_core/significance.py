"""Bootstrap p-values of image distances: Algorithm 1 of the paper, all samples at once.

The test asks whether the coordinates of two pooled vectors could be draws from one distribution.
It is defined for one-dimensional samples, so distances of token clouds are tested by the
one-dimensional Wasserstein distance of the pooled vectors.

Where only the side of a cutoff matters, a sample is done with once its side is beyond doubt:
after t iterations, b of them larger, when (t + 1)·P(Binomial(t, cutoff) = b) <= 1e-6. A sample
whose true p-value is on one side of the cutoff is then put on the other with a probability of at
most 1e-6, over all iterations together [2].

References
----------
[1] SMILE for instruction-based image editing, arXiv 2412.16277, Algorithm 1.
[2] Robbins, Statistical methods related to the law of the iterated logarithm, Annals of
    Mathematical Statistics 1970; used for Monte Carlo tests by Ding, Gandy and Hahn, A simple
    method for implementing Monte Carlo tests, Computational Statistics 2020.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.stats import binom

from smile_core.editors.protocol import Stop, StopRequested

# Iterations between two looks at who is done with. Part of the result: it must not depend on the
# machine.
ROUND = 1000
# Probability of a verdict on the wrong side of the cutoff, per sample.
ERROR = 1e-6
# Products and look-ups at a time: what fits near the processor, and between two questions to `stop`
# no more than a fraction of a second.
_WORK = 2**23
# Values held at a time while ranks are looked up, for the same reason.
_LOOKED_UP = 2**17

Measure = Callable[[np.ndarray, np.ndarray], np.ndarray]


def p_values(
    reference_pooled: np.ndarray,
    pooled: np.ndarray,
    *,
    order: float = 1.0,
    distance: str,
    iterations: int,
    rng: np.random.Generator,
    cutoff: float | None = None,
    stop: Stop | None = None,
) -> np.ndarray:
    """Return the share of resamples whose distance exceeds the observed one.

    Each iteration draws, from the 2d joint coordinates, one sample of size d without replacement
    and, independently, a second one (the two may overlap, as printed), and measures them.

    Parameters
    ----------
    reference_pooled : ndarray, shape (d,)
        Pooled vector of the reference.
    pooled : ndarray, shape (n, d)
        Pooled vectors of the samples.
    order : float
        Order p of the Wasserstein distance.
    distance : str
        `kolmogorov-smirnov` and `cramer-von-mises` test themselves; every other name is tested
        by the one-dimensional Wasserstein distance.
    iterations : int
        Number of resamples; the paper takes 100,000.
    rng : numpy.random.Generator
        Source of randomness.
    cutoff : float or None
        Where p-values are to be cut, in [0, 1]. A sample whose side is beyond doubt (see the top
        of this module) is not resampled further; it gets its share of the iterations so far, a
        multiple of 1,000. None resamples all to the end.
    stop : callable or None
        Asked some times a second.

    Returns
    -------
    ndarray, shape (n,)
        p-values in [0, 1]; small means that picture and reference differ.

    Raises
    ------
    StopRequested
        When `stop` answered True.

    Notes
    -----
    A draw is a choice of ranks in the sorted joint sample, so the same draws serve every sample.
    Each p-value has the distribution that the paper's loop gives it; between samples they are
    not independent.
    """
    pooled = np.asarray(pooled, dtype=float)
    n, d = pooled.shape
    joint = np.concatenate([np.tile(reference_pooled, (n, 1)), pooled], axis=1)  # (n, 2d)
    ranks = np.argsort(joint, axis=1, kind="stable")
    ordered = np.take_along_axis(joint, ranks, axis=1)  # (n, 2d)
    # The observed split as a draw: which ranks belong to the reference, and which to the sample.
    from_reference = ranks < d  # (n, 2d)
    limits = np.array(
        [
            _measure(distance, values[None], order)(mine[None], ~mine[None])[0, 0]
            for mine, values in zip(from_reference, ordered, strict=True)
        ]
    )
    # Strictly greater, as printed; the margin keeps rounding from breaking a tie.
    limits = limits * (1 + 1e-12)

    bigger, drawn = np.zeros(n, dtype=int), np.zeros(n, dtype=int)
    going = np.arange(n)
    measure = _measure(distance, ordered, order)
    for start in range(0, iterations, ROUND):
        rows = min(ROUND, iterations - start)
        _ask(stop)
        first, second = _draw(rows, d, rng), _draw(rows, d, rng)  # (rows, 2d)
        part = max(16, _WORK // (2 * d * len(going)))
        for begin in range(0, rows, part):
            _ask(stop)
            some = slice(begin, begin + part)
            bigger[going] += np.sum(measure(first[some], second[some]) > limits[going], axis=0)
        drawn[going] += rows
        if cutoff is not None:
            doubtful = ~_beyond_doubt(bigger[going], drawn[going], cutoff)
            if not doubtful.any():
                break
            if not doubtful.all():
                going = going[doubtful]
                measure = _measure(distance, ordered[going], order)
    return bigger / drawn


def _ask(stop: Stop | None) -> None:
    if stop is not None and stop():
        raise StopRequested


def _beyond_doubt(bigger: np.ndarray, drawn: np.ndarray, cutoff: float) -> np.ndarray:
    """Say for which samples the side of the cutoff is settled, shape (n,)."""
    return np.log(drawn + 1) + binom.logpmf(bigger, drawn, cutoff) <= np.log(ERROR)


def _draw(rows: int, d: int, rng: np.random.Generator) -> np.ndarray:
    """Return `rows` random choices of d ranks out of 2d, as booleans (rows, 2d).

    A fair coin for every rank chooses a random set of about d; random ranks on the side that has
    too many then change over until there are d. All sets of d ranks come out equally often,
    because nothing here tells one rank from another.
    """
    coins = rng.integers(0, 256, (rows, -(-2 * d // 8)), dtype=np.uint8)
    chosen = np.unpackbits(coins, axis=1)[:, : 2 * d]  # (rows, 2d), 0 or 1
    surplus = chosen.sum(axis=1, dtype=np.int64) - d  # (rows,)
    uneven = np.flatnonzero(surplus)
    while len(uneven):
        at = rng.integers(0, 2 * d, len(uneven))
        hit = chosen[uneven, at] == (surplus[uneven] > 0)
        row, rank = uneven[hit], at[hit]
        chosen[row, rank] ^= 1
        surplus[row] -= np.sign(surplus[row])
        uneven = uneven[surplus[uneven] != 0]
    return chosen.astype(bool)


def _measure(name: str, ordered: np.ndarray, order: float) -> Measure:
    """Return the function that measures drawn samples, in any unit that keeps their order.

    It takes two arrays (draws, 2d) that choose ranks of the joint samples `ordered` (n, 2d), and
    returns (draws, n).
    """
    if name == "kolmogorov-smirnov":
        return _largest_gap(ordered)
    if name == "cramer-von-mises":
        return _squared_gaps(ordered)
    if order == 1:  # the area between the ECDFs: one matrix product for all samples
        steps = np.diff(ordered, axis=1).T  # (2d - 1, n)
        return lambda first, second: np.abs(_gaps(first, second)[:, :-1]).astype(float) @ steps
    return _transport(ordered, order)


def _gaps(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return d times the difference of the two ECDFs behind every rank, int32 (draws, 2d)."""
    return np.cumsum(first.view(np.int8) - second.view(np.int8), axis=1, dtype=np.int32)


def _last_of_equals(ordered: np.ndarray) -> np.ndarray:
    """Say which ranks are the last of their value, (n, 2d); ECDFs are compared there only."""
    return np.append(np.diff(ordered, axis=1) > 0, np.ones((len(ordered), 1), bool), axis=1)


def _largest_gap(ordered: np.ndarray) -> Measure:
    """Kolmogorov-Smirnov: whole numbers, the same for all samples without equal values."""
    kinds, kind_of = np.unique(_last_of_equals(ordered), axis=0, return_inverse=True)
    shared = kinds.all(axis=0)  # (2d,)
    others = [np.flatnonzero(kind & ~shared) for kind in kinds]

    def measure(first: np.ndarray, second: np.ndarray) -> np.ndarray:
        gaps = np.abs(_gaps(first, second))
        common = (gaps if shared.all() else gaps[:, shared]).max(axis=1)  # (draws,)
        largest = [
            np.maximum(common, gaps[:, other].max(axis=1)) if len(other) else common
            for other in others
        ]
        return np.column_stack(largest)[:, kind_of.ravel()]

    return measure


def _squared_gaps(ordered: np.ndarray) -> Measure:
    """Cramer-von Mises: every value counts the squared gap behind the last of its equals."""
    counts = np.zeros(ordered.shape)  # (n, 2d)
    for row, last in zip(counts, _last_of_equals(ordered), strict=True):
        row[last] = np.diff(np.flatnonzero(last), prepend=-1)
    kinds, kind_of = np.unique(counts, axis=0, return_inverse=True)

    def measure(first: np.ndarray, second: np.ndarray) -> np.ndarray:
        squares = _gaps(first, second).astype(float) ** 2  # whole numbers, so sums are exact
        return (squares @ kinds.T)[:, kind_of.ravel()]

    return measure


def _transport(ordered: np.ndarray, order: float) -> Measure:
    """Wasserstein distance of any order: sum over i of |x_i - y_i|^p, both sorted."""
    values = np.ascontiguousarray(ordered.T)  # (2d, n): one look-up serves all samples
    d, n = len(values) // 2, values.shape[1]
    rows = max(1, _LOOKED_UP // (d * n))

    def measure(first: np.ndarray, second: np.ndarray) -> np.ndarray:
        a, b = (np.nonzero(chosen)[1].reshape(-1, d) for chosen in (first, second))  # (draws, d)
        parts = []
        for begin in range(0, len(a), rows):
            gaps = values[a[begin : begin + rows]]  # (rows, d, n)
            gaps -= values[b[begin : begin + rows]]
            if order == 2:
                parts.append(np.einsum("ijk,ijk->ik", gaps, gaps))
            else:
                parts.append(np.sum(np.abs(gaps) ** order, axis=1))
        return np.concatenate(parts)

    return measure
