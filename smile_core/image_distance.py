"""How far a picture lies from the reference, measured on encoder features.

Every distance compares one picture with the reference and nothing else, so pictures may come in
any batches. A picture whose tokens equal the reference's up to float32 rounding is at distance
zero exactly, whatever the distance.

References
----------
[1] Flamary et al., POT: Python Optimal Transport, JMLR 2021.
[2] Gelbrich, On a formula for the L2 Wasserstein metric between measures, 1990 (`gaussian-w2`).
[3] Bonneel et al., Sliced and Radon Wasserstein barycenters, 2015 (`sliced-wasserstein`).
[4] Szekely and Rizzo, Energy statistics, 2013 (`energy`).
[5] Anderson, On the distribution of the two-sample Cramer-von Mises criterion, 1962.
[6] SMILE for instruction-based image editing, arXiv 2412.16277 (`wasserstein-1d`, order 1).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.spatial.distance import cdist

from smile_core.config import IMAGE_DISTANCES, check_choice
from smile_core.encoders import Features

# Directions of the sliced distance; the error falls with the square root of their number.
_PROJECTIONS = 256
# Largest token difference, relative to the largest token value, that float32 rounding explains:
# other batches and threads move tokens by 1e-6, one pixel by one grey level moves them by 1e-4.
_ROUNDING = 1e-5


def distances_to_reference(
    name: str, reference: Features, features: Features, *, order: float = 2.0, seed: int = 0
) -> np.ndarray:
    """Return the distance of every picture to the reference.

    Parameters
    ----------
    name : str
        On the token clouds, which see what is in the picture:

        - `wasserstein`: exact optimal transport, cost ‖x - y‖^p, result to the power 1/p.
        - `transport-cost`: the same without the root, mean ‖x - y‖^p under the best plan. At p = 2
          the costs of effects that move the tokens at right angles add up (Pythagoras), which is
          what a linear surrogate asks for; the root of a sum is no sum.
        - `sliced-wasserstein`: mean over 256 random directions of the transport cost of the
          projected tokens, to the power 1/p.
        - `gaussian-w2`: Wasserstein-2 distance of the Gaussians with the clouds' means and
          covariances (Bures); `order` plays no part.
        - `energy`: sqrt(2 E‖X - Y‖ - E‖X - X'‖ - E‖Y - Y'‖); in one dimension it is
          `scipy.stats.energy_distance`.

        On the coordinates of the pooled vector, taken as one-dimensional samples. A permutation
        of the coordinates goes unseen, so these are here for comparison with the paper:

        - `wasserstein-1d`: (mean |sorted x - sorted y|^p)^(1/p), the published one.
        - `kolmogorov-smirnov`: largest gap between the two ECDFs, in [0, 1].
        - `cramer-von-mises`: root mean square gap between the ECDFs over the joint sample, [0, 1].

        On the pooled vectors as vectors:

        - `cosine`: 1 - cos of the angle, in [0, 2].
        - `wasserstein+cosine`: the mean of `cosine` and of `wasserstein` divided by the root mean
          square norm of the reference's tokens, which makes it free of the encoder's scale.
    reference : Features
        One picture.
    features : Features
        n pictures of the same encoder.
    order : float
        Order p >= 1 of the transport distances.
    seed : int
        Seed of the directions of `sliced-wasserstein`.

    Returns
    -------
    ndarray of float64, shape (n,)
        Distances, >= 0.

    Raises
    ------
    ConfigError
        When there is no such distance.
    ValueError
        When `reference` is not one picture, or the encoders differ.
    """
    check_choice("image distance", name, IMAGE_DISTANCES)
    if len(reference) != 1:
        raise ValueError(f"The reference must be one picture, not {len(reference)}.")
    if reference.tokens.shape[1:] != features.tokens.shape[1:]:
        raise ValueError(
            f"The reference has tokens of shape {reference.tokens.shape[1:]}, the pictures "
            f"{features.tokens.shape[1:]}. Use one encoder for both."
        )
    # All in float64: (T, d), (n, T, d), (d,), (n, d).
    tokens_0, tokens = reference.tokens[0].astype(float), features.tokens
    pooled_0, pooled = reference.pooled[0].astype(float), features.pooled.astype(float)

    if name == "wasserstein":
        distances = _each(lambda cloud: _transport(tokens_0, cloud, order), tokens) ** (1 / order)
    elif name == "transport-cost":
        distances = _each(lambda cloud: _transport(tokens_0, cloud, order), tokens)
    elif name == "sliced-wasserstein":
        directions = _directions(tokens_0.shape[1], seed)  # (d, K)
        distances = _each(lambda cloud: _sliced(tokens_0, cloud, directions, order), tokens)
    elif name == "gaussian-w2":
        distances = _each(lambda cloud: _gaussian_w2(tokens_0, cloud), tokens)
    elif name == "energy":
        distances = _each(lambda cloud: _energy(tokens_0, cloud), tokens)
    elif name == "wasserstein-1d":
        gaps = np.abs(np.sort(pooled, axis=1) - np.sort(pooled_0))  # (n, d)
        distances = np.mean(gaps**order, axis=1) ** (1 / order)
    elif name == "kolmogorov-smirnov":
        distances = _each(lambda sample: np.abs(_ecdf_gaps(pooled_0, sample)).max(), pooled)
    elif name == "cramer-von-mises":
        distances = _each(
            lambda sample: np.sqrt(np.mean(_ecdf_gaps(pooled_0, sample) ** 2)), pooled
        )
    elif name == "cosine":
        distances = _cosine(pooled_0, pooled)
    else:
        scale = np.sqrt(np.mean(np.sum(tokens_0**2, axis=1)))
        transport = _each(lambda cloud: _transport(tokens_0, cloud, order), tokens)
        distances = (transport ** (1 / order) / scale + _cosine(pooled_0, pooled)) / 2
    return np.where(_unchanged(reference, features), 0.0, distances)


def _each(distance: Callable[[np.ndarray], float], samples: np.ndarray) -> np.ndarray:
    return np.array([distance(sample.astype(float)) for sample in samples], dtype=float)  # (n,)


def _unchanged(reference: Features, features: Features) -> np.ndarray:
    """Say which pictures equal the reference up to rounding, shape (n,)."""
    limit = _ROUNDING * np.abs(reference.tokens).max()
    largest = [np.abs(cloud - reference.tokens[0]).max() for cloud in features.tokens]
    return np.array(largest, dtype=float) <= limit


def _transport(x: np.ndarray, y: np.ndarray, order: float) -> float:
    """Return the cost of exact optimal transport between two clouds (T, d) of uniform weights."""
    import ot  # here, because it imports torch, which takes seconds

    cost = cdist(x, y) ** order  # (T, T)
    return max(float(ot.emd2([], [], cost)), 0.0)


def _directions(dimension: int, seed: int) -> np.ndarray:
    """Return random unit vectors, shape (d, K)."""
    raw = np.random.default_rng(seed).standard_normal((dimension, _PROJECTIONS))
    return raw / np.linalg.norm(raw, axis=0)


def _sliced(x: np.ndarray, y: np.ndarray, directions: np.ndarray, order: float) -> float:
    gaps = np.sort(x @ directions, axis=0) - np.sort(y @ directions, axis=0)  # (T, K)
    return float(np.mean(np.abs(gaps) ** order) ** (1 / order))


def _gaussian_w2(x: np.ndarray, y: np.ndarray) -> float:
    """Bures distance from the clouds themselves.

    With the centred clouds A and B, each over sqrt(T), the trace of (C1^½ C2 C1^½)^½ is the sum
    of the singular values of A Bᵀ, a T x T matrix; the d x d covariances are never formed.
    """
    a = (x - x.mean(axis=0)) / np.sqrt(len(x))
    b = (y - y.mean(axis=0)) / np.sqrt(len(y))
    cross = np.linalg.svd(a @ b.T, compute_uv=False).sum()
    squared = np.sum((x.mean(axis=0) - y.mean(axis=0)) ** 2) + np.sum(a**2) + np.sum(b**2)
    return float(np.sqrt(max(squared - 2 * cross, 0.0)))


def _energy(x: np.ndarray, y: np.ndarray) -> float:
    squared = 2 * cdist(x, y).mean() - cdist(x, x).mean() - cdist(y, y).mean()
    return float(np.sqrt(max(squared, 0.0)))


def _ecdf_gaps(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return F_x - F_y at every point of the joint sample, shape (len(x) + len(y),)."""
    joint = np.concatenate([x, y])
    below_x = np.searchsorted(np.sort(x), joint, side="right") / len(x)
    below_y = np.searchsorted(np.sort(y), joint, side="right") / len(y)
    return below_x - below_y


def _cosine(x: np.ndarray, samples: np.ndarray) -> np.ndarray:
    """Return 1 - cos of the angle between `x` (d,) and each row of `samples` (n, d)."""
    norms = np.linalg.norm(samples, axis=1) * np.linalg.norm(x)  # (n,)
    if not norms.all():
        raise ValueError("A picture has an all-zero feature vector; its angle is undefined.")
    return np.maximum(1 - samples @ x / norms, 0.0)
