"""Accuracy: do the weights point at the words that matter.

The truth of an instruction is the set of its keyword units. ATT ACC and F1 call a unit relevant
when its signed weight is at least 0.1, which reproduces the one row of the paper's Table I whose
weights were published; AUROC ranks the signed weights and needs no threshold.

References
----------
[1] SMILE for instruction-based image editing, arXiv 2412.16277, section "Accuracy".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.metrics import accuracy_score, f1_score, roc_auc_score

THRESHOLD = 0.1


@dataclass(frozen=True)
class Accuracy:
    """Agreement of weights with labelled keywords; all in [0, 1], higher is better.

    Attributes
    ----------
    acc : float
        Share of units called rightly (ATT ACC).
    f1 : float
        Harmonic mean of precision and recall; 0 when no keyword was found.
    auroc : float
        Chance that a keyword outweighs another unit; 0.5 is guessing.
    """

    acc: float
    f1: float
    auroc: float


def accuracy(
    coefficients: Sequence[float] | np.ndarray,
    truth: Sequence[int] | np.ndarray,
    threshold: float = THRESHOLD,
) -> Accuracy:
    """Compare the weights of one explanation with its keywords.

    Parameters
    ----------
    coefficients : array_like, shape (m,)
        Signed weights.
    truth : array_like, shape (m,)
        1 for each keyword unit, 0 for the others.
    threshold : float
        A weight from here on calls its unit relevant.

    Returns
    -------
    Accuracy
        With an AUROC of 0.5 when the truth has one class only, as published.

    Raises
    ------
    ValueError
        When the lengths differ or the truth is not 0 and 1.
    """
    weights, labels = np.asarray(coefficients, dtype=float), np.asarray(truth)
    if weights.shape != labels.shape or weights.ndim != 1:
        raise ValueError(f"{weights.shape} weights and {labels.shape} labels do not match.")
    if not np.isin(labels, (0, 1)).all():
        raise ValueError("The truth must hold 1 for keywords and 0 for the other units.")
    labels = labels.astype(int)
    called = (weights >= threshold).astype(int)
    one_class = labels.min() == labels.max()
    return Accuracy(
        acc=float(accuracy_score(labels, called)),
        f1=float(f1_score(labels, called, zero_division=0.0)),
        auroc=0.5 if one_class else float(roc_auc_score(labels, weights)),
    )


def mean_accuracy(results: Sequence[Accuracy]) -> Accuracy:
    """Average over prompts, or over images: every explanation counts the same.

    Raises
    ------
    ValueError
        When there is nothing to average.
    """
    if not results:
        raise ValueError("There are no results to average.")
    return Accuracy(
        acc=float(np.mean([result.acc for result in results])),
        f1=float(np.mean([result.f1 for result in results])),
        auroc=float(np.mean([result.auroc for result in results])),
    )
