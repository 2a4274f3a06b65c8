"""Differences of two runs: their intervals hold the truth, and sharing masks makes them narrow."""

from __future__ import annotations

import numpy as np
import pytest

from smile_core.explanation import UnitWeight
from smile_core.paired_bootstrap import difference_interval, mask_draws, resample_explanation
from smile_core.resampling import bootstrap_intervals, resample
from tests.sample_explanations import sample_explanation

ONE = np.array([0.5, 0.0, 0.3, 0.1, 0.0])
OTHER = np.array([0.2, 0.0, 0.3, 0.4, 0.05])


def unit(weight: float, low: float, high: float) -> UnitWeight:
    return UnitWeight(text="word", weight=weight, low=low, high=high, verdict="")


def intervals(seed: int, shared_noise: float) -> tuple[np.ndarray, np.ndarray]:
    """Return paired and unpaired intervals (m, 2) of two runs whose errors are partly the same."""
    rng = np.random.default_rng(seed)
    masks = rng.permutation(2**5 - 1)[:28] + 1
    masks = (masks[:, None] >> np.arange(5)) & 1  # (n, m)
    common = rng.normal(0, shared_noise, len(masks))
    ys = [masks @ truth + common + rng.normal(0, 0.03, len(masks)) for truth in (ONE, OTHER)]
    found = {}
    for kind, seeds in (("paired", (seed, seed)), ("unpaired", (seed, seed + 1000))):
        made = [
            resample("linear", masks.astype(float), y, np.ones(len(y)), mask_draws(masks, s, 200))
            for y, s in zip(ys, seeds, strict=True)
        ]
        found[kind] = np.array(
            [
                difference_interval(
                    unit(made[0].weights[j], 0, 0),
                    unit(made[1].weights[j], 0, 0),
                    made[0].deviations[:, j] - made[1].deviations[:, j],
                )
                for j in range(5)
            ]
        )
    return found["paired"], found["unpaired"]


@pytest.mark.parametrize("shared_noise", [0.0, 0.08])
def test_intervals_of_differences_hold_the_truth_about_as_often_as_they_say(shared_noise) -> None:
    truth = ONE - OTHER
    ends = np.array([intervals(seed, shared_noise)[0] for seed in range(60)])  # (60, m, 2)
    inside = (ends[..., 0] <= truth) & (ends[..., 1] >= truth)
    assert 0.88 < inside.mean() <= 1


def test_shared_errors_cancel() -> None:
    paired, unpaired = zip(*(intervals(seed, 0.08) for seed in range(10)), strict=True)
    assert np.diff(paired).mean() < 0.6 * np.diff(unpaired).mean()


def test_the_random_weight_of_a_sample_belongs_to_its_mask() -> None:
    masks = np.array([[1, 0, 1], [0, 1, 1], [1, 1, 0]])
    draws = mask_draws(masks, 7, 50)
    np.testing.assert_array_equal(mask_draws(masks[::-1], 7, 50), draws[:, ::-1])
    longer = mask_draws(np.array([[1, 0, 1, 0]]), 7, 50)
    assert (longer[:, 0] != draws[:, 0]).all()
    assert (mask_draws(masks, 8, 50) != draws).all()
    assert draws.mean() == pytest.approx(1, abs=0.3)


def test_an_explanation_against_itself_differs_by_nothing() -> None:
    explanation = sample_explanation(n=20, size=32)
    one, other = (resample_explanation(explanation, 3) for _ in "ab")
    np.testing.assert_array_equal(one.deviations, other.deviations)
    assert one.deviations.shape == (500, len(explanation.units))


def test_resamples_spread_as_the_intervals_do() -> None:
    explanation = sample_explanation(n=30, size=32)
    samples = explanation.samples
    made = resample_explanation(explanation, 0)
    inside = (explanation.reference, *samples)
    separate = bootstrap_intervals(
        "linear",
        np.array([s.mask for s in inside], dtype=float),
        np.array([s.similarity for s in inside]),
        np.array([s.sample_weight for s in inside]),
        rng=np.random.default_rng(0),
    )
    spread = np.quantile(made.deviations, (0.025, 0.975), axis=0).T  # (m, 2)
    np.testing.assert_allclose(np.diff(spread), np.diff(separate), rtol=0.35)


def test_what_cannot_be_judged_has_the_widest_interval() -> None:
    low, high = difference_interval(unit(0.0, -1.0, 1.0), unit(0.3, 0.2, 0.5), None)
    assert (low, high) == (-1.5, 0.8)
