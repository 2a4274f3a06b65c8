"""Consistency by hand."""

from __future__ import annotations

import numpy as np
import pytest

from smile_core.evaluation.consistency import consistency


def test_by_hand() -> None:
    result = consistency([[1.0, 0.5], [3.0, 0.5], [2.0, 0.5]])
    np.testing.assert_allclose(result.variance, [1, 0])
    np.testing.assert_allclose(result.sd, [1, 0])
    assert result.mean_variance == pytest.approx(0.5)
    assert result.mean_sd == pytest.approx(0.5)


@pytest.mark.parametrize("repeats", [[[1.0, 2.0]], [1.0, 2.0]])
def test_one_answer_shows_no_consistency(repeats: list) -> None:
    with pytest.raises(ValueError, match="at least two repeats"):
        consistency(repeats)
