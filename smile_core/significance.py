"""Bootstrap p-values of image distances: Algorithm 1 of the paper, all samples at once.

The test asks whether the coordinates of two pooled vectors could be draws from one distribution.
It is defined for one-dimensional samples, so distances of token clouds are tested by the
one-dimensional Wasserstein distance of the pooled vectors.

References
----------
[1] SMILE for instruction-based image editing, arXiv 2412.16277, Algorithm 1.
"""

from __future__ import annotations

import numpy as np

from smile_core.editors.protocol import Stop, StopRequested

# Doubles held at a time by the resampling (64 MiB).
_CHUNK = 8 * 2**20
# Products and look-ups between two questions to `stop`, so that it is asked some times a second.
_WORK = 2**25
_DRAWS = 1024  # random choices between two such questions


def p_values(
    reference_pooled: np.ndarray,
    pooled: np.ndarray,
    *,
    order: float = 1.0,
    distance: str,
    iterations: int,
    rng: np.random.Generator,
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
    observed = np.array(
        [
            _distances(distance, mine[None], ~mine[None], values[None], order)[0, 0]
            for mine, values in zip(from_reference, ordered, strict=True)
        ]
    )

    bigger = np.zeros(n, dtype=int)
    chunk = max(1, _CHUNK // (2 * d))
    part = max(16, _WORK // (2 * d * n))
    for start in range(0, iterations, chunk):
        rows = min(chunk, iterations - start)
        first, second = _draw(rows, d, rng, stop), _draw(rows, d, rng, stop)  # (rows, 2d)
        # Strictly greater, as printed; the margin keeps rounding from breaking a tie.
        limit = observed * (1 + 1e-12)
        for begin in range(0, rows, part):
            _ask(stop)
            some = slice(begin, begin + part)
            drawn = _distances(distance, first[some], second[some], ordered, order)
            bigger += np.sum(drawn > limit, axis=0)
    return bigger / iterations


def _ask(stop: Stop | None) -> None:
    if stop is not None and stop():
        raise StopRequested


def _draw(rows: int, d: int, rng: np.random.Generator, stop: Stop | None) -> np.ndarray:
    """Return `rows` random choices of d ranks out of 2d, as booleans (rows, 2d)."""
    chosen = np.zeros((rows, 2 * d), dtype=bool)
    chosen[:, :d] = True
    for begin in range(0, rows, _DRAWS):
        _ask(stop)
        some = chosen[begin : begin + _DRAWS]
        some[:] = rng.permuted(some, axis=1)
    return chosen


def _distances(
    name: str, first: np.ndarray, second: np.ndarray, ordered: np.ndarray, order: float
) -> np.ndarray:
    """Return distances between drawn samples, (draws, n).

    `first` and `second` (draws, 2d) choose ranks of the joint samples `ordered` (n, 2d).
    """
    d = ordered.shape[1] // 2
    if name in ("kolmogorov-smirnov", "cramer-von-mises"):
        gaps = _ecdf_gaps(first, second)  # (draws, 2d)
        columns = []
        for values in ordered:
            # Equal values share the gap behind the last of them.
            at_value = gaps[:, np.searchsorted(values, values, side="right") - 1]
            columns.append(
                np.abs(at_value).max(axis=1)
                if name == "kolmogorov-smirnov"
                else np.sqrt(np.mean(at_value**2, axis=1))
            )
        return np.column_stack(columns)
    if order == 1:  # the area between the ECDFs: one matrix product for all samples
        return np.abs(_ecdf_gaps(first, second))[:, :-1] @ np.diff(ordered, axis=1).T
    a, b = (np.nonzero(chosen)[1].reshape(-1, d) for chosen in (first, second))  # (draws, d)
    columns = [
        np.mean(np.abs(values[a] - values[b]) ** order, axis=1) ** (1 / order) for values in ordered
    ]
    return np.column_stack(columns)


def _ecdf_gaps(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the difference of the two ECDFs behind every rank, (draws, 2d)."""
    steps = first.astype(np.int8) - second.astype(np.int8)
    return np.cumsum(steps, axis=1) / (first.shape[1] // 2)
