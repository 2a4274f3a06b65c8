"""One map for the edits of several columns: near points look alike, whoever made them.

The pooled features of all edits are projected together: by principal components while the columns
run, by t-SNE when they have ended. That needs one encoder for all. The features are asked of the
encoder that measured the edits, which remembers them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from smile_core.ending import STOPPED_PROJECTION_ROWS
from smile_core.explanation import Explanation
from smile_core.feature_memory import RememberingEncoder
from smile_core.projection import principal_components, tsne

Places = tuple[tuple[float, float] | None, ...]


class JointMap:
    """Places the edits of all columns in one plane.

    Parameters
    ----------
    encoder : RememberingEncoder
        The one that all columns use.
    seed : int
        Seed of t-SNE.
    """

    def __init__(self, encoder: RememberingEncoder, seed: int) -> None:
        self._encoder, self._seed = encoder, seed
        # The picture is kept beside its features, so that its id is not given to another.
        self._known: dict[int, tuple[Image.Image, np.ndarray]] = {}

    def places(
        self, explanations: Sequence[Explanation | None], *, state: str
    ) -> tuple[Places, ...]:
        """Return for each column a point per edit, the reference first; None for a failed one.

        Parameters
        ----------
        explanations : sequence of (Explanation or None)
            One per column; None gets no points.
        state : {"running", "finished", "stopped"}
            While it runs, and when more than 128 pictures were made by a stopped one, the points
            are principal components, else t-SNE.
        """
        columns = [
            () if found is None else (found.reference, *found.samples) for found in explanations
        ]
        # Edit by edit rather than column by column: the axes of a live map come from the first
        # pictures, and must not be those of one column alone.
        spots = sorted(
            (index, column)
            for column, samples in enumerate(columns)
            for index, sample in enumerate(samples)
            if sample.image is not None
        )
        pictures = [columns[column][index].image for index, column in spots]
        if not spots:
            return tuple(() for _ in columns)
        pooled = self._pooled([image for image in pictures if image is not None])  # (r, d)
        quick = state == "running" or (state == "stopped" and len(pooled) > STOPPED_PROJECTION_ROWS)
        points = principal_components(pooled) if quick else tsne(pooled, self._seed)  # (r, 2)
        found_at = dict(zip(spots, points.tolist(), strict=True))
        return tuple(
            tuple(
                (found_at[index, column][0], found_at[index, column][1])
                if (index, column) in found_at
                else None
                for index in range(len(samples))
            )
            for column, samples in enumerate(columns)
        )

    def _pooled(self, images: Sequence[Image.Image]) -> np.ndarray:
        """Return the pooled features, (n, d), asking the encoder for new pictures only."""
        new = {id(image): image for image in images if id(image) not in self._known}
        if new:
            vectors = self._encoder.encode(list(new.values())).pooled
            for (key, image), vector in zip(new.items(), vectors, strict=True):
                self._known[key] = (image, vector)
        return np.stack([self._known[id(image)][1] for image in images])
