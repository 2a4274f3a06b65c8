"""The edits as points in the plane: t-SNE of their pooled features.

References
----------
[1] van der Maaten and Hinton, Visualizing data using t-SNE, JMLR 2008.
"""

from __future__ import annotations

import numpy as np

# Below this many points t-SNE has no neighbourhoods to keep; the two widest directions are drawn.
_FEWEST = 5


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
    centred = pooled - pooled.mean(axis=0)
    U, s, _ = np.linalg.svd(centred, full_matrices=False)
    components = np.zeros((n, 2))
    rank = min(2, len(s))
    components[:, :rank] = U[:, :rank] * s[:rank]
    spread = components[:, 0].std()
    if n < _FEWEST or spread <= 1e-9 * (1 + np.abs(pooled).max()):
        return components
    # Distances between n points need n - 1 dimensions at most; U·s keeps them exactly. The start
    # is the usual one of t-SNE: the principal components at a small scale.
    model = TSNE(
        perplexity=min(30, (n - 1) / 3),
        init=(components / spread * 1e-4).astype(np.float32),
        method="exact" if n <= 300 else "barnes_hut",
        random_state=seed,
    )
    return model.fit_transform(U * s).astype(float)
