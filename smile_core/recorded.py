"""What a finished explanation recorded, as the arrays it was fitted on, so that it can be again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from smile_core.config import RunConfig
from smile_core.explanation import Explanation
from smile_core.fitting import Fitted, fit_rows, numbers_or_nan
from smile_core.response import Distances


def masks_of(explanation: Explanation) -> np.ndarray:
    """Return the masks of all edits, (n + 1, m), the full instruction first."""
    samples = (explanation.reference, *explanation.samples)
    return np.array([sample.mask for sample in samples], dtype=np.int8)


def text_distances_of(explanation: Explanation) -> np.ndarray:
    """Return the text distances of all edits, (n + 1,); NaN where unknown."""
    samples = (explanation.reference, *explanation.samples)
    return numbers_or_nan([sample.text_distance for sample in samples])


def p_values_of(explanation: Explanation) -> np.ndarray | None:
    """Return the p-values of all edits, (n + 1,), None where there are none at all."""
    values = [sample.p_value for sample in (explanation.reference, *explanation.samples)]
    return None if all(value is None for value in values) else numbers_or_nan(values)


def distances_of(explanation: Explanation) -> Distances:
    """Return the distances of all edits to each full edit, see `response.Distances`."""
    samples = (explanation.reference, *explanation.samples)
    repeats = explanation.repeats
    if repeats is None:
        without = explanation.without_instruction
        way = None if without is None else without.image_distance
        means = numbers_or_nan([sample.image_distance for sample in samples])  # (n + 1,)
        means[0] = 0.0
        return Distances(means[:, None], np.array([[]] if way is None else [[way]]).reshape(-1, 1))
    columns = len((*repeats.samples, *repeats.without_instruction)[0])
    rows = np.vstack([np.zeros((1, columns)), _table(repeats.samples, columns)])  # (n + 1, c)
    among = np.array(repeats.references) if repeats.of == "full edits" else None
    return Distances(rows, _table(repeats.without_instruction, columns), among)


def fitted_again(explanation: Explanation) -> Fitted:
    """Return the fit behind an explanation, the same to the last bit."""
    return fit_rows(
        RunConfig.from_dict(explanation.config),
        masks_of(explanation),
        text_distances=text_distances_of(explanation),
        distances=distances_of(explanation),
        p_values=p_values_of(explanation),
        happened=explanation.happened,
    )


def _table(rows: Sequence[Sequence[float | None]], columns: int) -> np.ndarray:
    """Return rows of numbers as an array, NaN in the place of None."""
    found = [numbers_or_nan(list(row)) for row in rows]
    return np.array(found, dtype=float).reshape(len(rows), columns)
