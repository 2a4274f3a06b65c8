"""Models are loaded once, however many threads ask for them first."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from smile_core import encoders, engine, text_distance
from smile_core.config import RunConfig
from smile_core.editors import load_editor, registry
from smile_core.encoders import BUNDLED_ENCODER, load_encoder
from smile_core.engine import stream
from smile_core.explanation import Explanation
from smile_core.text_distance import load_word_vectors
from tests.toy_editors import photo
from tests.toy_runs import same


@pytest.fixture(autouse=True)
def _nothing_loaded() -> None:
    for cached in (registry._load, encoders._load, text_distance._load, engine._load_remembering):
        cached.cache_clear()


def at_once(*works: Callable[[], object]) -> list[object]:
    """Return what each of `works` returns, started in threads of their own at the same moment."""
    start = threading.Barrier(len(works))
    found: list[object] = [None] * len(works)

    def do(index: int) -> None:
        start.wait()
        found[index] = works[index]()

    threads = [threading.Thread(target=do, args=(index,)) for index in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_threads_share_one_load_of_each_kind(tiny_pipeline: Path) -> None:
    found = at_once(
        *[lambda: load_encoder(BUNDLED_ENCODER)] * 3,
        *[load_word_vectors] * 3,
        *[lambda: load_editor(str(tiny_pipeline))] * 3,
    )
    for alike in (found[:3], found[3:6], found[6:]):
        assert alike[0] is not None
        assert all(one is alike[0] for one in alike)


def test_two_first_runs_at_once_agree(tiny_pipeline: Path) -> None:
    config = RunConfig(instruction="snow fog", editor=str(tiny_pipeline), p_iterations=100)

    def run() -> Explanation | None:
        return [*stream(photo(), config, cache=None)][-1].explanation

    one, other = at_once(run, run)
    assert isinstance(one, Explanation)
    assert isinstance(other, Explanation)
    assert same(one, other)
    assert np.isfinite([unit.weight for unit in one.units]).all()
    assert engine.shared_encoder(BUNDLED_ENCODER) is engine.shared_encoder(BUNDLED_ENCODER)
