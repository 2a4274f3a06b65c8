"""How fast is Algorithm 1, against the loop as printed, in this process?

    python -m tests.benchmarks.significance [--samples 64] [--coordinates 768] [--repeats 5]

For every distance of two ECDFs it prints the seconds of 100,000 iterations for all samples, with
the cutoff of the `paper` preset and without one, the seconds that the literal loop would take by a
slice of it, and their ratio: medians of interleaved repeats. The samples reach from hardly moved to
far away; one lies where its p-value is the cutoff, so that it cannot be done with early.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import time
from collections.abc import Callable
from functools import partial

import numpy as np

from smile_core.significance import p_values

ITERATIONS = 100_000
CUTOFF = 0.05
# Iterations of the literal loop that are timed, on one sample.
SLICE = 20
CASES = (
    ("wasserstein-1d", 1.0),
    ("wasserstein-1d", 2.0),
    ("kolmogorov-smirnov", 1.0),
    ("cramer-von-mises", 1.0),
)
Distance = Callable[[np.ndarray, np.ndarray], float]


def literal_distance(name: str, order: float) -> Distance:
    """Return a distance of two samples as a plain function."""

    def wasserstein(a: np.ndarray, b: np.ndarray) -> float:
        return float(np.mean(np.abs(np.sort(a) - np.sort(b)) ** order) ** (1 / order))

    def ecdf_gaps(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        joint = np.concatenate([a, b])
        below = [np.searchsorted(np.sort(x), joint, side="right") / len(x) for x in (a, b)]
        return below[0] - below[1]

    if name == "kolmogorov-smirnov":
        return lambda a, b: float(np.abs(ecdf_gaps(a, b)).max())
    if name == "cramer-von-mises":
        return lambda a, b: float(np.sqrt(np.mean(ecdf_gaps(a, b) ** 2)))
    return wasserstein


def literal_loop(x: np.ndarray, y: np.ndarray, distance: Distance, iterations: int) -> float:
    """Algorithm 1 as printed: draw, draw, measure, count."""
    draw = random.Random(0)
    joint, observed, bigger = np.concatenate([x, y]), distance(x, y), 0
    for _ in range(iterations):
        first = joint[draw.sample(range(len(joint)), len(x))]
        second = joint[draw.sample(range(len(joint)), len(y))]
        bigger += distance(first, second) > observed
    return bigger / iterations


def made_up(samples: int, coordinates: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a reference (d,) and samples (n, d) that are moved further and further away."""
    rng = np.random.default_rng(0)
    reference = rng.normal(size=coordinates)
    moved = np.linspace(0, 0.5, samples)[:, None]
    return reference, rng.normal(size=(samples, coordinates)) + moved


def ours(
    reference: np.ndarray, pooled: np.ndarray, name: str, order: float, cutoff: float | None
) -> np.ndarray:
    """Return the p-values by the project's own function."""
    return p_values(
        reference, pooled, distance=name, order=order, iterations=ITERATIONS, cutoff=cutoff,
        rng=np.random.default_rng(0),
    )  # fmt: skip


def main() -> None:
    """Print the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=64)
    parser.add_argument("--coordinates", type=int, default=768)
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args()
    reference, pooled = made_up(args.samples, args.coordinates)
    print(f"{platform.machine()}, {os.cpu_count()} cores, numpy {np.__version__}")
    print(f"{args.samples} samples of {args.coordinates} coordinates, {ITERATIONS:,} iterations")
    for name, order in CASES:
        distance = literal_distance(name, order)
        work: dict[str, Callable[[], np.ndarray | float]] = {
            "cut": partial(ours, reference, pooled, name, order, CUTOFF),
            "whole": partial(ours, reference, pooled, name, order, None),
            "literal": partial(literal_loop, reference, pooled[-1], distance, SLICE),
        }
        seconds: dict[str, list[float]] = {kind: [] for kind in work}
        answers = {}
        for _ in range(args.repeats):
            for kind, run in work.items():
                started = time.perf_counter()
                answers[kind] = run()
                seconds[kind].append(time.perf_counter() - started)
        cut, whole, literal = (float(np.median(values)) for values in seconds.values())
        literal *= ITERATIONS / SLICE * args.samples
        same = np.mean((answers["cut"] <= CUTOFF) == (answers["whole"] <= CUTOFF))
        print(
            f"{name}, order {order:g}: {cut:.2f} s with the cutoff, {whole:.2f} s without; the "
            f"literal loop {literal:,.0f} s; {literal / cut:,.0f}x and {literal / whole:,.0f}x; "
            f"{same:.0%} of the verdicts agree"
        )


if __name__ == "__main__":
    main()
