"""p-values against a literal transcription of the paper's Algorithm 1."""

from __future__ import annotations

import random
import time

import numpy as np
import pytest
from scipy import stats

from smile_core import significance
from smile_core.editors import StopRequested
from smile_core.significance import p_values

ITERATIONS = 4000
RNG = np.random.default_rng(7)
REFERENCE = RNG.normal(0, 1, 12)
SAMPLES = np.array(
    [
        REFERENCE,
        REFERENCE + RNG.normal(0, 0.3, 12),
        RNG.normal(0, 1, 12),
        RNG.normal(0.7, 1, 12),
        RNG.normal(0, 2.5, 12),
        RNG.normal(4, 1, 12),
    ]
)


def wasserstein(order: float):
    def distance(a: np.ndarray, b: np.ndarray) -> float:
        return float(np.mean(np.abs(np.sort(a) - np.sort(b)) ** order) ** (1 / order))

    return distance


def kolmogorov_smirnov(a: np.ndarray, b: np.ndarray) -> float:
    return float(stats.ks_2samp(a, b, method="asymp").statistic)


def cramer_von_mises(a: np.ndarray, b: np.ndarray) -> float:
    joint = np.concatenate([a, b])
    gaps = [np.mean(a <= point) - np.mean(b <= point) for point in joint]
    return float(np.sqrt(np.mean(np.square(gaps))))


def algorithm_1(x: np.ndarray, y: np.ndarray, distance, iterations: int) -> float:
    draw = random.Random(3)
    observed = distance(x, y)
    xy = np.concatenate([x, y])
    n, bigger = len(xy), 0
    for _ in range(iterations):
        e = draw.sample(range(n), len(x))
        f = draw.sample(range(n), len(y))
        if distance(xy[e], xy[f]) > observed + 1e-12:
            bigger += 1
    return bigger / iterations


@pytest.mark.parametrize(
    ("name", "order", "literal", "iterations"),
    [
        ("wasserstein-1d", 1.0, wasserstein(1), 2000),
        ("wasserstein-1d", 2.0, wasserstein(2), 2000),
        ("wasserstein", 1.0, wasserstein(1), 2000),
        ("cosine", 3.0, wasserstein(3), 2000),
        ("cramer-von-mises", 1.0, cramer_von_mises, 800),
        ("kolmogorov-smirnov", 1.0, kolmogorov_smirnov, 300),
    ],
)
def test_same_answer_as_the_printed_loop(name, order, literal, iterations) -> None:
    rng = np.random.default_rng(0)
    measured = p_values(
        REFERENCE, SAMPLES, order=order, distance=name, iterations=ITERATIONS, rng=rng
    )
    for p, sample in zip(measured, SAMPLES, strict=True):
        expected = algorithm_1(REFERENCE, sample, literal, iterations)
        # Five standard errors of the difference of two proportions.
        error = np.sqrt(0.25 / iterations + 0.25 / ITERATIONS)
        assert abs(p - expected) < 5 * error


def test_ties_are_ties() -> None:
    """Many equal values, as dead channels give: the ECDFs are compared behind the last of them."""
    x, y = np.array([0, 0, 0, 1, 2, 2.0]), np.array([0, 0, 1, 1, 2, 3.0])
    for name, literal in (
        ("kolmogorov-smirnov", kolmogorov_smirnov),
        ("cramer-von-mises", cramer_von_mises),
    ):
        rng = np.random.default_rng(0)
        (p,) = p_values(x, y[None], distance=name, iterations=ITERATIONS, rng=rng)
        assert abs(p - algorithm_1(x, y, literal, 400)) < 5 * np.sqrt(0.25 / 400 + 0.25 / 4000)


def test_same_pictures_are_not_significant_and_far_ones_are() -> None:
    rng = np.random.default_rng(0)
    same, *_, far = p_values(REFERENCE, SAMPLES, distance="wasserstein", iterations=1000, rng=rng)
    assert same > 0.99
    assert far < 0.01


def test_seed_decides() -> None:
    def run(seed: int) -> np.ndarray:
        rng = np.random.default_rng(seed)
        return p_values(REFERENCE, SAMPLES, distance="wasserstein-1d", iterations=500, rng=rng)

    np.testing.assert_array_equal(run(1), run(1))
    assert not np.array_equal(run(1), run(2))


def test_many_iterations_of_wide_vectors_come_in_chunks() -> None:
    rng = np.random.default_rng(0)
    wide = rng.normal(size=(3, 1280))
    p = p_values(wide[0], wide, distance="wasserstein-1d", iterations=4000, rng=rng)
    assert p[0] == 1.0
    assert ((p >= 0) & (p <= 1)).all()


def test_every_choice_of_ranks_comes_equally_often() -> None:
    """Three of six ranks: 20 sets, 2,000 times each but for chance (chi square, 19 degrees)."""
    chosen = significance._draw(40_000, 3, np.random.default_rng(0))
    assert (chosen.sum(axis=1) == 3).all()
    sets, times = np.unique(chosen @ (1 << np.arange(6)), return_counts=True)
    assert len(sets) == 20
    assert stats.chisquare(times).pvalue > 1e-3


@pytest.mark.parametrize("name", ["wasserstein-1d", "kolmogorov-smirnov", "cramer-von-mises"])
@pytest.mark.parametrize("order", [1.0, 2.0])
def test_a_cutoff_saves_work_and_changes_no_verdict(name: str, order: float) -> None:
    def run(cutoff: float | None, asked: list) -> np.ndarray:
        return p_values(
            REFERENCE, SAMPLES, distance=name, order=order, iterations=30_000,
            rng=np.random.default_rng(0), cutoff=cutoff, stop=lambda: bool(asked.append(1)),
        )  # fmt: skip

    long, short = [], []
    whole, cut = run(None, long), run(0.05, short)
    np.testing.assert_array_equal(cut <= 0.05, whole <= 0.05)
    assert (np.abs(cut - whole) < 5 * np.sqrt(0.25 / significance.ROUND)).all()
    assert len(short) < len(long) / 2


def test_the_rule_errs_no_more_often_than_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """Coins whose true share is the cutoff itself are decided, wrongly, at most so often."""
    monkeypatch.setattr(significance, "ERROR", 0.05)
    rng = np.random.default_rng(0)
    heads = np.zeros(2000, dtype=int)
    decided = np.zeros(2000, dtype=bool)
    for tossed in range(1, 501):
        heads += rng.random(2000) < 0.05
        decided |= significance._beyond_doubt(heads, np.full(2000, tossed), 0.05)
    assert decided.mean() <= 0.05


@pytest.mark.parametrize("cutoff", [0.0, 1.0])
def test_a_cutoff_at_the_end_of_the_scale(cutoff: float) -> None:
    p = p_values(
        REFERENCE, SAMPLES, distance="wasserstein-1d", iterations=3000, cutoff=cutoff,
        rng=np.random.default_rng(0),
    )  # fmt: skip
    assert ((p >= 0) & (p <= 1)).all()


def test_ties_of_another_kind_for_every_sample() -> None:
    """Rounded values: equal ones lie elsewhere in every joint sample."""
    rng = np.random.default_rng(3)
    x, y = np.round(rng.normal(size=12)), np.round(rng.normal(0.4, 1, (3, 12)))
    for name, literal in (
        ("kolmogorov-smirnov", kolmogorov_smirnov),
        ("cramer-von-mises", cramer_von_mises),
    ):
        together = p_values(x, y, distance=name, iterations=2000, rng=np.random.default_rng(0))
        for sample, p in zip(y, together, strict=True):
            alone = p_values(
                x, sample[None], distance=name, iterations=2000, rng=np.random.default_rng(0)
            )
            assert alone[0] == p
            expected = algorithm_1(x, sample, literal, 100)
            assert abs(p - expected) < 5 * np.sqrt(0.25 / 100 + 0.25 / 2000)


@pytest.mark.parametrize(
    ("name", "order"), [("wasserstein-1d", 1.0), ("wasserstein", 2.0), ("cramer-von-mises", 1.0)]
)
def test_asking_stop_often_changes_nothing(name, order, monkeypatch: pytest.MonkeyPatch) -> None:
    def run() -> tuple[np.ndarray, int]:
        asked: list[int] = []
        rng = np.random.default_rng(0)
        p = p_values(
            REFERENCE, SAMPLES, distance=name, order=order, iterations=3000, rng=rng,
            stop=lambda: bool(asked.append(1)),
        )  # fmt: skip
        return p, len(asked)

    whole, few = run()
    monkeypatch.setattr(significance, "_WORK", 1)
    sliced, many = run()
    np.testing.assert_array_equal(sliced, whole)
    assert many > 10 * few


def test_stop_is_asked_several_times_a_second() -> None:
    """The size of the `paper` preset: 64 pictures, 768 coordinates, 1e5 iterations."""
    rng = np.random.default_rng(0)
    pooled = rng.normal(size=(65, 768))
    asked: list[float] = []

    def stop() -> bool:
        asked.append(time.perf_counter())
        return len(asked) > 30

    with pytest.raises(StopRequested):
        p_values(
            pooled[0], pooled[1:], distance="wasserstein-1d", iterations=100_000, rng=rng, stop=stop
        )
    assert np.median(np.diff(asked)) < 0.5
    assert np.diff(asked).max() < 1
