"""Which subsets of the units to try.

A mask z in {0, 1}^m keeps the units where it is 1. Masks are unique, never empty (nothing to
edit with) and never full: the full instruction is the reference, run first and separately.

Both designs have the prefix property: with the same seed, the masks for n are the first n of the
masks for any larger n. Raising the number of perturbations therefore only makes the new ones.

References
----------
[1] SMILE for instruction-based image editing, arXiv 2412.16277 (`bernoulli`).
[2] Covert and Lee, Improving KernelSHAP, AISTATS 2021 (antithetic pairs halve the variance).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import numpy as np

from smile_core.config import DESIGNS, ConfigError, check_choice

# Up to this many units all subsets are listed and shuffled (65,534 of them: a few ms); above it
# they are drawn, and a draw seldom repeats.
_LISTED_UNITS = 16
# Rows drawn at a time. Fixed, so that the stream of masks does not depend on n.
_CHUNK = 256


def design_masks(n_units: int, n: int, *, design: str, rng: np.random.Generator) -> np.ndarray:
    """Return the masks to try, in the order to try them.

    Parameters
    ----------
    n_units : int
        Number of units m, at least 2.
    n : int
        Number of masks wanted, at least 1.
    design : {"balanced", "bernoulli"}
        `bernoulli` draws each unit with probability 1/2 and redraws what was seen, as published.
        `balanced` leaves out each unit once, in random order, so that the first answers mean
        something; then come antithetic pairs (z, 1 - z), in which every unit is kept exactly
        half of the time.
    rng : numpy.random.Generator
        Source of randomness; the same state gives the same masks.

    Returns
    -------
    ndarray of int8, shape (n', m)
        n' = min(n, 2**m - 2) unique masks. When n >= 2**m - 2 these are all there are.

    Raises
    ------
    ConfigError
        For fewer than two units, fewer than one mask, or an unknown design.

    Notes
    -----
    With fewer masks than units the balanced design leaves out n of the units, once each. Their
    weights are then measured; the other units cannot be judged, and the fit says it is deficient.
    """
    check_choice("mask design", design, DESIGNS)
    if n_units < 2:
        raise ConfigError(f"Masks need at least two units to choose from, not {n_units}.")
    if n < 1:
        raise ConfigError(f"The number of perturbations must be at least 1, not {n}.")

    head = np.empty((0, n_units), dtype=np.int8)
    if design == "balanced":
        head = 1 - np.eye(n_units, dtype=np.int8)[rng.permutation(n_units)]  # (m, m)
    chunks = _chunks(n_units, rng, paired=design == "balanced")
    return _first_unique(head, chunks, min(n, 2**n_units - 2))


def _first_unique(head: np.ndarray, chunks: Iterator[np.ndarray], n: int) -> np.ndarray:
    """Take the first n different rows of `head` and then `chunks`, neither empty nor full."""
    rows: list[np.ndarray] = list(head)
    seen = {row.tobytes() for row in rows}
    for row in chain.from_iterable(chunks):
        if len(rows) >= n:
            break
        key = row.tobytes()
        if key not in seen and 0 < row.sum() < len(row):
            seen.add(key)
            rows.append(row)
    return np.array(rows[:n], dtype=np.int8)  # (n, m)


def _chunks(n_units: int, rng: np.random.Generator, *, paired: bool) -> Iterator[np.ndarray]:
    """Yield random rows for ever, or every row once where all can be listed."""
    if n_units <= _LISTED_UNITS:
        # Without repeats, independent draws are a random order of all subsets. Of a pair
        # (z, 1 - z) exactly one has its highest bit clear.
        codes = rng.permutation(np.arange(2 ** (n_units - paired)))  # (2^m,) or (2^(m-1),)
        rows = (codes[:, None] >> np.arange(n_units) & 1).astype(np.int8)
        if paired:
            rows ^= rng.integers(0, 2, (len(rows), 1), dtype=np.int8)
        yield _with_complements(rows) if paired else rows
        return
    while True:
        rows = rng.integers(0, 2, (_CHUNK, n_units), dtype=np.int8)
        yield _with_complements(rows) if paired else rows


def _with_complements(rows: np.ndarray) -> np.ndarray:
    """Follow each row by its complement."""
    return np.stack([rows, 1 - rows], axis=1).reshape(-1, rows.shape[1])  # (2n, m)
