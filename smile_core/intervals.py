"""How sure the weights of a surrogate are: where their error comes from, intervals and verdicts.

A weight is uncertain for two reasons, and each adds its variance:

- only some of the shortened instructions were run, and a sum of weights does not fit them exactly.
  The effect of every edit's error on every weight is known in closed form; the errors are
  leave-one-out residuals, as in the HC3 errors of a regression [1], because the residuals of a fit
  are smaller than its errors. When a share f of all shortened instructions was run, the variance
  is (1 - f) times as large: with all of them nothing was sampled, and nothing is left of it. This
  holds for an editor with a seed only, whose answer to a text is always the same;
- the full edit and the edit without instruction, to which everything is compared, differ by
  chance: under another seed, or for an editor without a seed each time. They were repeated, and
  the jackknife leaves out one repeat at a time [2].

The variances have few degrees of freedom each, so the interval is Student's, with the degrees of
freedom of their sum after Satterthwaite [3]. Looking at m words at once would find something by
chance in one run of three; each interval is therefore as wide as Šidák's rule asks for [4], so that
all of them hold together with the stated confidence. Nothing here is drawn at random: the same
edits always give the same intervals.

References
----------
[1] MacKinnon and White, Some heteroskedasticity-consistent covariance matrix estimators,
    Journal of Econometrics 1985.
[2] Efron and Stein, The jackknife estimate of variance, Annals of Statistics 1981.
[3] Satterthwaite, An approximate distribution of estimates of variance components, Biometrics 1946.
[4] Šidák, Rectangular confidence regions for the means of multivariate normal distributions,
    Journal of the American Statistical Association 1967.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student_t

from smile_core.explanation import AGAINST, DRIVES, NO_EFFECT, UNCLEAR
from smile_core.regression import SATURATED, Problem, pose, smoother, truncate
from smile_core.surrogate import fit_surrogate

LEVEL = 0.95
# Smaller than any effect, larger than the rounding of a fit: two equal words get one verdict.
_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class Uncertainty:
    """What moves the weights of a fit.

    Attributes
    ----------
    weights : ndarray, shape (m,)
        Those of the fit.
    influence : ndarray, shape (n, m)
        What the error of each sample adds to each weight.
    freedom : ndarray, shape (m,)
        Degrees of freedom of the variance that comes from the samples.
    repeats : tuple of ndarray, shape (k, m)
        For each thing that was made k times, what each repeat adds to each weight.
    unjudged : ndarray of bool, shape (m,)
        Units that the samples cannot judge; the rest means nothing for them.
    """

    weights: np.ndarray
    influence: np.ndarray
    freedom: np.ndarray
    repeats: tuple[np.ndarray, ...]
    unjudged: np.ndarray

    def spread(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the standard error of every weight and its degrees of freedom, (m,) each."""
        counts = [self.freedom, *(np.full(len(self.weights), len(r) - 1) for r in self.repeats)]
        return combined_error([self.influence, *self.repeats], counts)

    def intervals(self, level: float = LEVEL, *, together: bool = True) -> np.ndarray:
        """Return low and high end for every weight, (m, 2).

        Parameters
        ----------
        level : float
            Confidence, in (0, 1).
        together : bool
            Whether it is that of all intervals holding at once, or of each by itself.

        Returns
        -------
        ndarray, shape (m, 2)
            The weight lies in the middle. A unit that the samples cannot judge gets the whole range
            of the response, [-1, 1] at least. Both ends are the weight itself where nothing was
            sampled.
        """
        error, freedom = self.spread()
        half = half_width(error, freedom, int(np.sum(~self.unjudged)) if together else 1, level)
        low = np.where(self.unjudged, np.minimum(-1.0, self.weights), self.weights - half)
        high = np.where(self.unjudged, np.maximum(1.0, self.weights), self.weights + half)
        return np.column_stack([low, high])


def combined_error(
    parts: Sequence[np.ndarray], freedom: Sequence[np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the root of the summed squares of all `parts`, and Satterthwaite's freedom [3].

    Parameters
    ----------
    parts : sequence of ndarray, shape (k, m)
        What each sample, or each repeat, adds.
    freedom : sequence of ndarray, shape (m,)
        Degrees of freedom of the variance of each part.

    Returns
    -------
    error, freedom : ndarray, shape (m,)
    """
    variances = np.array([np.sum(part**2, axis=0) for part in parts])  # (parts, m)
    total = variances.sum(axis=0)
    share = variances**2 / np.maximum(np.array(freedom, dtype=float), 1.0)
    tiny = np.finfo(float).tiny
    return np.sqrt(total), np.maximum(total**2 / np.maximum(share.sum(axis=0), tiny), 1.0)


def half_width(
    error: np.ndarray, freedom: np.ndarray, looks: int, level: float = LEVEL
) -> np.ndarray:
    """Return half the width of intervals of which `looks` hold at once with confidence `level`."""
    alone = level ** (1 / max(looks, 1))  # [4]
    return np.asarray(error * student_t.ppf((1 + alone) / 2, freedom))


def measure_uncertainty(
    name: str,
    X: np.ndarray,
    y: np.ndarray,
    weights: np.ndarray,
    *,
    interactions: bool = False,
    empty: float | None = None,
    run_share: float = 0.0,
    repeats: Sequence[np.ndarray] = (),
) -> Uncertainty:
    """Say what moves the weights of a fit.

    Parameters
    ----------
    name, X, y, weights, interactions, empty
        As in `surrogate.fit_surrogate`.
    run_share : float
        Share of all shortened instructions that was run, in [0, 1], where an answer to one text is
        always the same; 0 for an editor without a seed.
    repeats : sequence of ndarray, shape (k, n)
        Responses with one repeat left out at a time, see `response.Distances.without_each`.

    Returns
    -------
    Uncertainty
        Every unit is unjudged while there are no more samples than parameters; a single one when
        it was always kept, always goes together with another, or hangs on one sample. Where
        everything was run only the first two are.
    """
    fit = fit_surrogate(name, X, y, weights, interactions=interactions, empty=empty)
    problem = pose(name, X, y, weights, interactions, empty)
    m = problem.n_units
    reach = smoother(name, problem, fit.penalty)[:m]  # (m, n)
    unseen, alone = _open(problem)  # (m,), (m, n)
    moves = tuple(_jackknife(reach @ left_out.T) for left_out in repeats)
    if run_share >= 1:
        nothing = np.zeros_like(reach.T)
        return Uncertainty(fit.coefficients, nothing, np.full(m, np.inf), moves, unseen)

    freedom = int(np.sum(problem.weights > 0)) - np.linalg.matrix_rank(problem.columns)
    freedom -= problem.free_level
    hanging = alone[:, 1 - fit.leverage < SATURATED].max(axis=1, initial=0.0) > 1e-6
    unjudged = unseen | hanging | (freedom <= 0)
    error = (np.asarray(y, dtype=float) - fit.predicted) / np.maximum(1 - fit.leverage, SATURATED)
    influence = (reach * error * np.sqrt(1 - run_share)).T  # (n, m)
    counted = np.sum(reach**2, axis=1) ** 2 / np.maximum(
        np.sum(reach**4, axis=1), np.finfo(float).tiny
    )  # (m,): how many samples a weight rests on
    return Uncertainty(
        fit.coefficients, influence, np.clip(counted, 1, max(freedom, 1)), moves, unjudged
    )


def _jackknife(left_out: np.ndarray) -> np.ndarray:
    """Return what each repeat adds, (k, m), from the weights without it, (m, k) [2].

    Their sum of squares over the repeats is the jackknife's variance.
    """
    k = left_out.shape[1]
    return np.sqrt((k - 1) / k) * (left_out - left_out.mean(axis=1, keepdims=True)).T


def _open(problem: Problem) -> tuple[np.ndarray, np.ndarray]:
    """Return which units the samples leave open, (m,), and the pull of each sample, (m, n)."""
    m = problem.n_units
    root = np.sqrt(problem.weights)[:, None]  # (n, 1)
    U, s, Vt = truncate(*np.linalg.svd(root * problem.columns, full_matrices=False))
    unseen = 1 - np.sum(Vt[:, :m] ** 2, axis=0)  # (m,) share never varied by the samples
    return unseen > 1e-6, np.abs((Vt[:, :m].T / s) @ U.T)


def verdict(low: float, high: float, negligible: float) -> str:
    """Say what an interval allows one to say of a weight.

    Parameters
    ----------
    low, high : float
        Ends of the interval.
    negligible : float
        The smallest effect that matters, as a share of the way, >= 0.

    Returns
    -------
    str
        `DRIVES` or `AGAINST` when the whole interval lies beyond it on that side, `NO_EFFECT` when
        it lies within, else `UNCLEAR`.
    """
    edge = negligible + _ROUNDING
    if low > edge:
        return DRIVES
    if high < -edge:
        return AGAINST
    return NO_EFFECT if low >= -edge and high <= edge else UNCLEAR
