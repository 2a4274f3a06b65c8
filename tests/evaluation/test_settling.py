"""Working out where a run would have ended gives what a run that ends there gives."""

from __future__ import annotations

import pytest

from smile_core.evaluation.settling import end_when_settled, first_edits
from tests.toy_editors import ToyEditor
from tests.toy_runs import last

LONG = "make it very snowy and foggy with some light over the quiet hills"


@pytest.mark.parametrize(
    "editor", [ToyEditor(), ToyEditor(pair=("very", "snowy"), bonus=30), ToyEditor(effects={})]
)
def test_it_ends_where_a_run_ends(editor: ToyEditor) -> None:
    run = last(editor, instruction=LONG, perturbations=64, stop_when_settled=True)
    ended = end_when_settled(last(editor, instruction=LONG, perturbations=64))
    assert ended.edits == len(run.samples)
    assert ended.explanation.units == run.units
    assert ended.saved == pytest.approx(1 - len(run.samples) / 64)


def test_a_shorter_run_lies_in_a_longer() -> None:
    whole, short = last(perturbations=40), last(perturbations=24)
    assert first_edits(whole, 24).units == short.units
    assert first_edits(whole, 24).fidelity == short.fidelity
