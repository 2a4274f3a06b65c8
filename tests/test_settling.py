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
from smile_core.explanation import (
    AGAINST,
    DRIVES,
    NO_EFFECT,
    ONE_IS_ENOUGH,
    UNCLEAR,
    Explanation,
    UnitWeight,
)
from smile_core.settling import is_check, is_judged, is_open, is_settled, look_at
from tests.toy_editors import INSTRUCTION, ToyEditor
from tests.toy_runs import WORDS, last, run, same, weights

LONG = "make it very snowy and foggy with some light over the quiet hills"


def unit(weight: float, verdict: str, reach: float = 0.3) -> UnitWeight:
    """Return a unit whose interval reaches so far to both sides of 0."""
    return UnitWeight(text="word", weight=weight, low=-reach, high=reach, verdict=verdict)


UNKNOWN = UnitWeight(text="word", weight=0.0, low=-1, high=1, verdict=UNCLEAR, measured=False)
ENOUGH = UnitWeight(text="word", weight=0.0, low=0, high=0, verdict=ONE_IS_ENOUGH, measured=False)


CLEAR = [unit(0.7, DRIVES), unit(0.0, NO_EFFECT), unit(-0.3, AGAINST)]


@pytest.mark.parametrize(
    ("more", "open"),
    [
        (unit(0.5, DRIVES), False),
        (unit(0.0999, UNCLEAR), False),  # too little to matter, either way
        (unit(-0.0999, UNCLEAR), False),
        (unit(0.1, UNCLEAR), True),
        (unit(-0.1, UNCLEAR), True),
        (unit(0.05, UNCLEAR, reach=0.49), False),
        (unit(0.05, UNCLEAR, reach=0.5), True),  # it may do half of the edit
        (unit(0.0, NO_EFFECT, reach=0.5), False),
        (UNKNOWN, True),  # nobody knows how much it weighs
        (ENOUGH, False),
    ],
)
def test_what_is_open_by_hand(more: UnitWeight, open: bool) -> None:
    assert is_open(more) == open
    assert look_at([*CLEAR, more], judged=True)[0] == open
    assert look_at([*CLEAR, more], judged=False)[0]  # everything is, before there are verdicts


def test_the_rule_by_hand() -> None:
    clear = look_at(CLEAR, judged=True)
    vague = look_at([*CLEAR[:2], unit(-0.3, UNCLEAR)], judged=True)
    turned = look_at([*CLEAR[:2], unit(-0.3, NO_EFFECT)], judged=True)
    assert is_settled([clear, clear])
    assert not is_settled([])
    assert not is_settled([clear])
    assert not is_settled([clear, vague])
    assert not is_settled([vague, clear])
    assert not is_settled([clear, clear, vague])
    assert is_settled([vague, clear, clear])  # what is longer ago does not count
    assert not is_settled([clear, turned])  # nothing is open, but the answers differ
    assert not is_settled([look_at(CLEAR, judged=False), clear])


def test_the_verdict_on_a_word_that_does_not_matter_may_change() -> None:
    faint = [look_at([*CLEAR, unit(0.06, verdict)], judged=True) for verdict in (DRIVES, UNCLEAR)]
    assert is_settled(faint)
    # A word that comes to matter between the looks has no verdict in the first of them.
    grown = look_at([*CLEAR, unit(0.12, DRIVES)], judged=True)
    assert not is_settled([faint[0], grown])


def test_looks_are_at_fixed_numbers() -> None:
    looks = [edits for edits in range(400) if is_check(edits, n_units=5)]
    assert looks == [*range(12, 129, 4), 192, 256, 320, 384]
    assert is_check(26 * 2, n_units=26)
    assert not is_check(48, n_units=26)  # no verdict is given before 52


def settled(editor: ToyEditor | None = None, **settings: object) -> Explanation:
    given = {"stop_when_settled": True, "instruction": LONG, "perturbations": 64} | settings
    return last(editor or ToyEditor(), **given)


# Of 13 words there are verdicts from 26 edits on, and two looks agree at 28 and 32.
FIRST = 32


def test_a_clear_run_ends_early_and_says_so() -> None:
    editor = ToyEditor()
    found = settled(editor)
    assert len(found.samples) == FIRST
    assert editor.made == FIRST + 2  # the full edit and the edit without an instruction
    assert found.notes == (
        f"Settled after {FIRST} of 64 perturbations: no word that matters is unclear.",
    )
    assert all(sample.p_value is not None for sample in found.samples)
    assert len(found.projection) == FIRST + 1
    assert np.argmax(weights(found)) == WORDS.index("snowy")
    assert not any(is_open(unit) for unit in found.units)


def test_verdicts_take_twice_as_many_edits_as_words() -> None:
    assert [is_judged(last(instruction=LONG, perturbations=n)) for n in (25, 26)] == [False, True]
    whole = last(instruction="make it snowy")  # there are six, all of which were run
    assert is_judged(whole)
    assert not is_judged(replace(whole, samples=whole.samples[:5]))
    failed = (*whole.samples[:5], replace(whole.samples[5], sample_weight=None))
    assert not is_judged(replace(whole, samples=failed))


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
    assert snapshots[-1].done == snapshots[-1].total == FIRST + 2
    assert snapshots[-1].seconds_left == pytest.approx(0, abs=1e-6)
    assert snapshots[0].total == 66


def test_all_seeds_are_made_of_what_is_left() -> None:
    editor = ToyEditor(seed_step=1)
    found = settled(editor, seeds=2)
    assert len(found.samples) == FIRST
    assert editor.made == 2 * (FIRST + 2)
    assert found.noise_floor is not None


def test_where_a_word_that_matters_stays_unclear_all_is_run() -> None:
    """What "snowy" does hangs on "foggy", so that its weight alone is known to no good."""
    editor = ToyEditor(effects={"foggy": 30}, pair=("snowy", "foggy"), bonus=60)
    found = settled(editor, perturbations=40)
    assert any(map(is_open, found.units))
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
