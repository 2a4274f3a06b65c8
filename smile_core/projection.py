"""The edits as points in the plane: principal components while a run goes, t-SNE at its end.

References
----------
[1] van der Maaten and Hinton, Visualizing data using t-SNE, JMLR 2008.
"""

from __future__ import annotations

import numpy as np

# Below this many points t-SNE has no neighbourhoods to keep; the two widest directions are drawn.
_FEWEST = 5
# A live map takes its axes from this many pictures: cheap, and a map that settles.
_AXES_ROWS = 128


def principal_components(pooled: np.ndarray, axes_rows: int = _AXES_ROWS) -> np.ndarray:
    """Project pooled features to the two directions in which they vary most.

    Parameters
    ----------
    pooled : ndarray, shape (n, d)
        One vector per picture.
    axes_rows : int
        The directions are those of the first `axes_rows` pictures.

    Returns
    -------
    ndarray, shape (n, 2)
        Coordinates. The largest entry of each direction is positive, so that the same pictures
        always give the same map.
    """
    pooled = np.asarray(pooled, dtype=float)
    first = pooled[:axes_rows]
    centre = first.mean(axis=0)  # (d,)
    axes = np.linalg.svd(first - centre, full_matrices=False)[2][:2]  # (1 or 2, d)
    largest = np.abs(axes).argmax(axis=1)
    axes *= np.sign(axes[np.arange(len(axes)), largest])[:, None]
    points = np.zeros((len(pooled), 2))
    points[:, : len(axes)] = (pooled - centre) @ axes.T
    return points


def tsne(pooled: np.ndarray, seed: int) -> np.ndarray:
    """Project pooled features to the plane.

    Parameters
    ----------
    pooled : ndarray, shape (n, d)
        One vector per picture.
    seed : int
        Seed of the projection.

    Returns
    -------
    ndarray, shape (n, 2)
        Coordinates; only closeness means something, neither axes nor scale do. The perplexity is
        min(30, (n - 1)/3). Fewer than five pictures, or pictures that are all alike, are placed
        by their principal components.
    """
    from sklearn.manifold import TSNE  # here, because it takes a second to import

    pooled = np.asarray(pooled, dtype=float)
    n = len(pooled)
    components = principal_components(pooled, axes_rows=n)  # (n, 2)
    spread = components[:, 0].std()
    if n < _FEWEST or spread <= 1e-9 * (1 + np.abs(pooled).max()):
        return components
    # Distances between n points need n - 1 dimensions at most; U·s keeps them exactly. The start
    # is the usual one of t-SNE: the principal components at a small scale.
    U, s, _ = np.linalg.svd(pooled - pooled.mean(axis=0), full_matrices=False)
    model = TSNE(
        perplexity=min(30, (n - 1) / 3),
        init=(components / spread * 1e-4).astype(np.float32),
        method="exact" if n <= 300 else "barnes_hut",
        random_state=seed,
    )
    return model.fit_transform(U * s).astype(float)
