"""The sample weights."""

from __future__ import annotations

import numpy as np
import pytest

from smile_core.kernel import effective_sample_size, kernel_weights


def test_effective_sample_size_by_hand() -> None:
    assert effective_sample_size(np.ones(7)) == pytest.approx(7)
    assert effective_sample_size(np.array([3.0, 1.0, 0.0])) == pytest.approx(16 / 10)


def test_the_kernel_is_limes() -> None:
    """LIME: sqrt(exp(-D²/width²)), which is our kernel with σ = width·√2."""
    distances = np.linspace(0, 1, 11)
    width = 0.25
    weights, used = kernel_weights(distances, width * np.sqrt(2))
    np.testing.assert_allclose(weights, np.sqrt(np.exp(-(distances**2) / width**2)))
    assert used == width * np.sqrt(2)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("n", [2, 3, 9, 65, 513])
def test_automatic_width_keeps_half_of_the_samples(n: int, scale: float) -> None:
    distances = scale * np.append(0, np.random.default_rng(n).random(n - 1) + 0.01)
    weights, width = kernel_weights(distances, None)
    expected = n / 2 if n > 2 else 1.5  # with 2 samples half would be the reference alone
    assert effective_sample_size(weights) == pytest.approx(expected, rel=1e-6)
    np.testing.assert_allclose(weights, kernel_weights(distances, width)[0])


def test_automatic_width_with_equal_distances() -> None:
    weights, _ = kernel_weights(np.array([0.0, 1, 1, 1, 1, 1]), None)
    assert effective_sample_size(weights) == pytest.approx(3)


def test_automatic_width_when_prompts_mean_the_same() -> None:
    weights, width = kernel_weights(np.zeros(4), None)
    np.testing.assert_array_equal(weights, np.ones(4))
    assert width == 1.0
    mostly, _ = kernel_weights(np.array([0.0, 0, 0, 1]), None)
    assert effective_sample_size(mostly) == pytest.approx(3.5)


def test_automatic_width_needs_the_reference() -> None:
    with pytest.raises(ValueError, match="reference's own 0"):
        kernel_weights(np.array([0.5, 1.0]), None)
