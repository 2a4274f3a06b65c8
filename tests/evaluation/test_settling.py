"""Working out where a run would have ended gives what a run that ends there gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from smile_core.evaluation.settling import end_when_settled, first_edits
from tests.toy_editors import ToyEditor, toy_card
from tests.toy_runs import last, same

LONG = "make it very snowy and foggy with some light over the quiet hills"
NO_SEED = toy_card(takes_seed=False)
DRAWS = (0, 0, 1, 1, 2, 0, *np.random.default_rng(4).integers(0, 3, 71).tolist())


def drawing(**fields: Any) -> ToyEditor:
    return ToyEditor(chance=DRAWS, card=NO_SEED, **fields)


@pytest.mark.parametrize(
    ("make", "settings", "early"),
    [
        (ToyEditor, {}, True),
        (lambda: ToyEditor(pair=("very", "snowy"), bonus=30), {}, False),
        (drawing, {}, True),
        (lambda: drawing(effects={}), {}, True),  # no more than chance
        (lambda: ToyEditor(effects={}), {}, True),
    ],
)
def test_it_ends_where_a_run_ends(
    make: Callable[[], ToyEditor], settings: dict[str, Any], early: bool
) -> None:
    given = {"instruction": LONG, "perturbations": 64} | settings
    run = last(make(), stop_when_settled=True, **given)
    ended = end_when_settled(last(make(), **given))
    assert ended.edits == len(run.samples)
    assert ended.explanation.units == run.units
    assert ended.explanation.outcome == run.outcome
    assert ended.saved == pytest.approx(1 - len(run.samples) / 64)
    assert (ended.saved > 0) == early


@pytest.mark.parametrize(
    ("make", "settings"),
    [(ToyEditor, {}), (drawing, {}), (ToyEditor, {"blank": "photo"})],
)
def test_a_shorter_run_lies_in_a_longer(
    make: Callable[[], ToyEditor], settings: dict[str, Any]
) -> None:
    whole, short = (last(make(), perturbations=n, **settings) for n in (40, 24))
    found = first_edits(whole, 24)
    known = {"config": short.config, "projection": short.projection}
    # A run that goes on has no p-values; those that are there are of the first 24 too.
    samples = tuple(
        replace(sample, p_value=other.p_value)
        for sample, other in zip(found.samples, short.samples, strict=True)
    )
    assert same(replace(found, samples=samples, **known), short)
