"""A run that ends when its words have settled, and what must not change its mind."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from smile_core.commands.settings import add_settings
from smile_core.config import ConfigError, RunConfig
from smile_core.edit_cache import EditCache
from smile_core.settling import CHECK_EVERY, certain_order, is_check, is_settled
from tests.toy_editors import INSTRUCTION, ToyEditor
from tests.toy_runs import WORDS, last, run, same, weights

LONG = "make it very snowy and foggy with some light over the quiet hills"


def test_certain_order_by_hand() -> None:
    """The first lies above the others; the other two overlap, or touch."""
    intervals = np.array([[0.5, 0.9], [0.0, 0.2], [0.1, 0.3]])
    assert certain_order(intervals) == {(0, 1), (0, 2)}
    touching = np.array([[0.2, 0.4], [0.0, 0.2]])
    assert certain_order(touching) == frozenset()
    unknown = np.array([[-1.0, 1.0], [0.2, 0.3]])
    assert certain_order(unknown) == frozenset()


def look(*weights: float, side: float = 0.05) -> tuple[np.ndarray, np.ndarray]:
    middle = np.array(weights)
    return middle, np.column_stack([middle - side, middle + side])


def test_the_rule_by_hand() -> None:
    clear, more = look(0.7, 0.1, 0.15), look(0.7, 0.1, 0.3)
    assert is_settled([clear, clear, clear])
    assert not is_settled([clear, clear])
    assert is_settled([clear, clear], checks=2)
    # A pair that only some looks are certain of has to stand the same way in the others.
    assert is_settled([clear, more, clear])
    assert not is_settled([look(0.7, 0.16, 0.15), more, clear])
    # What is more than three looks ago does not count, what is not certain neither.
    assert is_settled([look(0.1, 0.7, 0.2), clear, clear, clear])
    assert is_settled([clear, look(0.7, 0.15, 0.1), clear])


def test_nothing_certain_never_settles() -> None:
    vague, clear = look(0.7, 0.1, 0.15, side=0.5), look(0.7, 0.1, 0.15)
    assert not is_settled([vague, vague, vague])
    assert not is_settled([vague, vague, clear])
    assert is_settled([vague, clear, clear])  # the first of the three may be vague
    assert not is_settled([clear, vague, clear])
    assert not is_settled([])


def test_looks_are_at_fixed_numbers() -> None:
    looks = [edits for edits in range(400) if is_check(edits)]
    assert looks == [*range(8, 129, 8), 192, 256, 320, 384]


def settled(editor: ToyEditor | None = None, **settings: object):
    given = {"stop_when_settled": True, "instruction": LONG, "perturbations": 64} | settings
    return last(editor or ToyEditor(), **given)


def test_a_clear_run_ends_early_and_says_so() -> None:
    editor = ToyEditor()
    found = settled(editor)
    made = len(found.samples)
    assert made < 64
    assert made % CHECK_EVERY == 0
    assert editor.made == made + 2  # the reference and the edit without an instruction
    assert (
        f"Settled: the order of the words has stopped changing, so {made} of 64" in found.notes[-1]
    )
    assert all(sample.p_value is not None for sample in found.samples)
    assert len(found.projection) == made + 1
    assert np.argmax(weights(found)) == WORDS.index("snowy")


def test_it_is_what_a_run_of_so_many_gives() -> None:
    found = settled()
    short = last(instruction=LONG, perturbations=len(found.samples))
    assert same(replace(found, config=short.config, notes=short.notes), short)


@pytest.mark.parametrize("batch_size", [1, 3, 5, 16, 64])
def test_batches_do_not_change_it(batch_size: int) -> None:
    found, other = settled(), settled(batch_size=batch_size)
    assert same(replace(found, config=other.config), other)


def test_the_cache_does_not_change_it(tmp_path: Path) -> None:
    cache = EditCache(tmp_path)
    last(instruction=LONG, perturbations=64, cache=cache)
    editor = ToyEditor()
    again = settled(editor, cache=cache)
    assert editor.made == 0
    assert same(again, settled())


def test_more_perturbations_make_only_the_new_ones(tmp_path: Path) -> None:
    cache = EditCache(tmp_path)
    short = settled(cache=cache)
    editor = ToyEditor()
    settled(editor, cache=cache, perturbations=128)
    assert editor.made == 0  # settled at the same place
    last(editor, instruction=LONG, perturbations=64, cache=cache)
    assert editor.made == 64 - len(short.samples)


def test_the_last_snapshot_is_whole() -> None:
    snapshots = run(stop_when_settled=True, instruction=LONG, perturbations=64)
    assert snapshots[-1].state == "finished"
    assert snapshots[-1].done == snapshots[-1].total < 65
    assert snapshots[-1].seconds_left == pytest.approx(0, abs=1e-6)
    assert snapshots[0].total == 65


def test_all_seeds_are_made_of_what_is_left() -> None:
    editor = ToyEditor(seed_step=1)
    found = settled(editor, seeds=2)
    assert len(found.samples) < 64
    assert editor.made == 2 * (len(found.samples) + 1) + 1
    assert found.noise_floor is not None


def test_what_does_nothing_is_run_to_its_end() -> None:
    found = settled(ToyEditor(effects={}), perturbations=40)
    assert len(found.samples) == 40
    assert not any("Settled" in note for note in found.notes)


def test_the_command_line_has_it() -> None:
    parser = argparse.ArgumentParser()
    add_settings(parser)
    given = ["--image", "photo.jpg", "--out", "folder", "--instruction", INSTRUCTION]
    assert parser.parse_args([*given, "--stop-when-settled"]).stop_when_settled is True
    assert parser.parse_args(given).stop_when_settled is None  # the default of RunConfig


def test_off_by_default_and_either_true_or_false() -> None:
    assert not RunConfig(instruction=INSTRUCTION).stop_when_settled
    with pytest.raises(ConfigError, match="true or false"):
        RunConfig(instruction=INSTRUCTION, stop_when_settled="yes")
    found = last(instruction=LONG, perturbations=64)
    assert len(found.samples) == 64
