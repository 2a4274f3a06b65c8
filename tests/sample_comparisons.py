"""Comparisons of made-up explanations, for tests of the views."""

from __future__ import annotations

from dataclasses import replace

from smile_core.comparison import Column, Comparison
from smile_core.config import RunConfig
from smile_core.word_differences import compare_columns
from tests.sample_explanations import INSTRUCTION, sample_explanation

NAMES = ("first", "second", "third")
EFFECTS = (
    (0.03, 0.01, 0.60, -0.02, 0.0, 0.36),
    (0.02, 0.00, 0.25, 0.01, 0.30, 0.26),
    (0.00, 0.00, 0.90, 0.00, 0.00, 0.00),
)


def sample_column(
    index: int, label: str | None = None, instruction: str = INSTRUCTION, **options: object
) -> Column:
    """Return a finished column; `options` go to `sample_explanation`."""
    options = {"n": 30, "size": 48, **options}
    found = sample_explanation(instruction, EFFECTS[index], **options)
    name = NAMES[index] if label is None else label
    found = replace(found, editor=NAMES[index], config={**found.config, "editor": NAMES[index]})
    places = tuple(
        None if sample.failed else (x + 5 * index, y)
        for sample, (x, y) in zip((found.reference, *found.samples), found.projection, strict=True)
    )
    return Column(
        label=name, config=RunConfig.from_dict(found.config), explanation=found, places=places
    )


def sample_comparison(columns: int = 2, **options: object) -> Comparison:
    """Return a finished comparison of editors called first, second and third."""
    return compare_columns([sample_column(index, **options) for index in range(columns)])


def unfinished(column: Column, failed: str | None = None) -> Column:
    """Return a column that has no edit yet, or none at all."""
    return replace(column, explanation=None, places=(), failed=failed)
