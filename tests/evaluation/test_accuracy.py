"""Accuracy by hand, and the paper's own example."""

from __future__ import annotations

import numpy as np
import pytest

from smile_core.evaluation.accuracy import (
    Accuracy,
    accuracy,
    mean_accuracy,
)


def test_by_hand() -> None:
    """Called: 1st, 3rd, 4th. Right: 1st, 2nd, 4th. Precision 2/3, recall 1, F1 0.8."""
    result = accuracy([0.5, -0.4, 0.2, 0.1], [1, 0, 0, 1])
    assert result.acc == pytest.approx(3 / 4)
    assert result.f1 == pytest.approx(0.8)
    assert result.auroc == pytest.approx(3 / 4)  # 0.1 is below one of the other two


def test_the_threshold_is_met_by_equality() -> None:
    assert accuracy([0.1, 0.0999], [1, 0]) == Accuracy(acc=1.0, f1=1.0, auroc=1.0)
    assert accuracy([0.1, 0.0999], [1, 0], threshold=0.5).f1 == 0


def test_signs_count() -> None:
    """A large negative weight does not find a keyword."""
    assert accuracy([-0.9, 0.0, 0.0], [1, 0, 0]).auroc == 0


def test_the_papers_figure() -> None:
    """Figure 6, with the caption's two keywords."""
    assert accuracy([0.1, 0.1, 0.01, 0.7, 0.2, 0.9], [0, 0, 0, 1, 0, 1]).auroc == 1


# Weights of one instruction on ten photos in hundredths, as published with the paper's box plot:
# a row per photo, the keyword ("snowing") last.
PUBLISHED = [
    [0, 6, -14, -4, 5, -1, 46],
    [-7, -14, -18, 0, 12, 4, 27],
    [1, 4, -1, 2, 2, 6, 57],
    [0, -1, -7, 2, 0, 3, 23],
    [-3, 1, -5, 10, 0, 18, 49],
    [-7, 5, 2, 4, 0, 0, 42],
    [-7, 1, -7, 1, 1, -5, 50],
    [-10, -7, -7, 8, 7, 6, 21],
    [3, -7, -11, -2, -1, 0, 27],
    [3, 2, -6, -11, 2, 3, 48],
]


def test_table_1_comes_out_of_its_own_weights() -> None:
    """One word too many on the second photo, two on the fifth: ACC 67/70, F1 (8 + 2/3 + 1/2)/10."""
    truth = [0, 0, 0, 0, 0, 0, 1]
    found = mean_accuracy([accuracy(np.array(row) / 100, truth) for row in PUBLISHED])
    assert found.acc == pytest.approx(67 / 70)
    assert found.f1 == pytest.approx(11 / 12)
    printed = Accuracy(acc=0.9571, f1=0.9166, auroc=1.0)
    for name in ("acc", "f1", "auroc"):
        assert getattr(found, name) == pytest.approx(getattr(printed, name), abs=1e-4)
    # The rule that was not printed: other thresholds give other tables.
    for threshold in (0.05, 0.15, 0.5):
        other = [accuracy(np.array(row) / 100, truth, threshold) for row in PUBLISHED]
        assert abs(mean_accuracy(other).acc - printed.acc) > 0.01


@pytest.mark.parametrize("truth", [[0, 0], [1, 1]])
def test_one_class_gives_a_half(truth: list[int]) -> None:
    assert accuracy([0.3, 0.1], truth).auroc == 0.5


def test_every_explanation_counts_the_same() -> None:
    parts = [Accuracy(1.0, 0.5, 0.75), Accuracy(0.0, 0.0, 0.25)]
    assert mean_accuracy(parts) == Accuracy(0.5, 0.25, 0.5)


def test_refusals() -> None:
    with pytest.raises(ValueError, match="do not match"):
        accuracy([0.1], [1, 0])
    with pytest.raises(ValueError, match="1 for keywords"):
        accuracy([0.1, 0.2], [1, 2])
    with pytest.raises(ValueError, match="no results"):
        mean_accuracy([])
