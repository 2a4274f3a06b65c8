"""Repeats by editors that differ by chance, and what is made of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from smile_core import to_json
from smile_core.edit_cache import EditCache
from smile_core.editors import EditFailure
from smile_core.evaluation.baselines import refit
from smile_core.explanation import DRIVES, NO_EFFECT, Repeats
from tests.toy_editors import EFFECTS, ToyEditor, toy_card
from tests.toy_runs import WORDS, last, run, same, weights

TEXT = "make snowy"
NO_SEED, UNSURE = toy_card(takes_seed=False), toy_card(repeatable=False)
# What is added to the full edit (63) and the one without instruction (20), three times each, and
# then to the two shortened ones: full edits of 63, 66 and 69 levels, 20, 21 and 22 without.
DRAWS = (0, 0, 3, 1, 6, 2, 0, 0)


@pytest.mark.parametrize("batch_size", [1, 8])
@pytest.mark.parametrize("card", [NO_SEED, UNSURE])
def test_what_chance_does_is_no_part_of_the_scale(card: Any, batch_size: int) -> None:
    editor = ToyEditor(chance=DRAWS, card=card)
    found = last(editor, instruction=TEXT, batch_size=batch_size)
    assert editor.made == 3 + 3 + 2
    # Full edits are 3, 6 and 3 levels apart; on average the way is 66 - 21 levels.
    way, floor = 45, 4
    assert found.noise_floor == found.scale.floor == pytest.approx(floor)
    assert found.scale.value == found.without_instruction.image_distance == pytest.approx(way)
    by_prompt = {sample.prompt: sample for sample in found.samples}
    # "make" has 23 levels, so 40, 43 and 46 to the full edits; "snowy" has 60: 3, 6 and 9.
    for prompt, distance in (("make", 43), ("snowy", 6)):
        assert by_prompt[prompt].image_distance == pytest.approx(distance)
        assert by_prompt[prompt].similarity == pytest.approx(1 - (distance - floor) / (way - floor))
    assert weights(found) == pytest.approx([2 / 41, 39 / 41], abs=1e-9)
    # Two edits and the full one leave nothing over to judge three numbers by.
    assert {(unit.low, unit.high) for unit in found.units} == {(-1, 1)}
    assert found.reference.similarity == 1
    assert found.reference.image_distance == 0


def test_every_distance_is_recorded() -> None:
    found = last(ToyEditor(chance=DRAWS, card=NO_SEED), instruction=TEXT)
    expected = Repeats(
        of="full edits",
        samples=tuple(
            (3, 6, 9) if sample.prompt == "snowy" else (40, 43, 46) for sample in found.samples
        ),
        without_instruction=((43, 46, 49), (42, 45, 48), (41, 44, 47)),
        references=((0, 3, 6), (3, 0, 3), (6, 3, 0)),
    )
    for name in ("samples", "without_instruction", "references"):
        np.testing.assert_allclose(getattr(found.repeats, name), getattr(expected, name))
    assert found.repeats.of == expected.of


@pytest.mark.parametrize(("card", "words"), [
    (NO_SEED, "Toy takes no seed"),
    (UNSURE, "gave two different edits by the same text and seed"),
])  # fmt: skip
def test_chance_is_told_and_widens_the_intervals(card: Any, words: str) -> None:
    draws = (0, 0, 1, 2, 2, 1, *np.random.default_rng(0).integers(0, 3, 62).tolist())
    found = last(ToyEditor(chance=draws, card=card), perturbations=62)
    assert sum(words in note for note in found.notes) == len(found.notes) == 1
    # All was run, but every edit was a draw.
    assert all(unit.low < unit.weight < unit.high for unit in found.units)
    assert [unit.text for unit in found.units if unit.verdict == DRIVES] == ["snowy", "foggy"]
    steady = last(perturbations=62)
    assert all(unit.exact for unit in steady.units)


def test_where_only_edits_without_instruction_differ_all_edits_are_draws_too() -> None:
    found = last(ToyEditor(chance=(0, 0, 0, 2, 0, 4, *[0] * 62), card=NO_SEED), perturbations=62)
    assert found.scale.value == pytest.approx(66 - 2)
    assert found.scale.floor == 0
    assert found.repeats.references == ((0,),)
    assert not any(unit.exact for unit in found.units)
    assert same(refit(found), found)


@pytest.mark.parametrize("card", [NO_SEED, UNSURE])
def test_draws_are_kept_apart_in_the_cache_and_found_again(card: Any, tmp_path: Path) -> None:
    """Were they kept under one key, the second run would find no chance at all."""
    cache, editor = EditCache(tmp_path), ToyEditor(chance=DRAWS, card=card)
    assert editor.fingerprint is not None
    first = last(editor, instruction=TEXT, cache=cache)
    assert first.noise_floor == pytest.approx(4)
    again = ToyEditor(chance=(9, 1, 5), card=card)  # it would paint something else
    second = last(again, instruction=TEXT, cache=cache)
    assert again.made == 0
    assert same(first, second)


def test_draws_of_everything_are_kept_apart_too(tmp_path: Path) -> None:
    cache, editor = EditCache(tmp_path), ToyEditor(chance=(0, 3, 1, 7, 2), card=NO_SEED)
    first = last(editor, instruction=TEXT, seeds=3, cache=cache)
    assert editor.made == 3 * 4
    assert first.noise_floor > 0
    again = ToyEditor(card=NO_SEED)
    assert same(first, last(again, instruction=TEXT, seeds=3, cache=cache))
    assert again.made == 0


@pytest.mark.parametrize("card", [NO_SEED, UNSURE])
def test_batches_do_not_change_what_chance_does(card: Any) -> None:
    draws = (0, 0, 3, 1, 6, 2, *[0] * 40)
    one, other = (
        last(ToyEditor(chance=draws, card=card), perturbations=30, batch_size=size)
        for size in (1, 8)
    )
    assert same(replace(one, config={}), replace(other, config={}))


@pytest.mark.parametrize("batch_size", [1, 8])
def test_an_editor_without_a_seed_that_repeats_itself_has_no_noise(batch_size: int) -> None:
    found = last(ToyEditor(card=NO_SEED), perturbations=62, batch_size=batch_size)
    steady = last(perturbations=62, batch_size=batch_size)
    assert (found.noise_floor, found.repeats) == (None, None)
    assert found.units == steady.units


class Failing(ToyEditor):
    """Fails at some of its calls, the first being number 1."""

    at: tuple[int, ...] = ()

    def edit(
        self, image: Image.Image, prompts: Sequence[str], *, seed: int, **rest: object
    ) -> list[Image.Image | EditFailure]:
        answers = super().edit(image, prompts, seed=seed, **rest)
        return [EditFailure("busy")] * len(prompts) if len(self.calls) in self.at else answers


def test_a_repeat_that_fails_is_one_fewer() -> None:
    """One edit a call: the fifth is the third full edit, the sixth the third without words."""
    editor = Failing(chance=DRAWS, card=NO_SEED)
    editor.at = (5, 6)
    end = run(editor, instruction=TEXT, batch_size=1)[-1]
    found = end.explanation
    assert found.noise_floor == pytest.approx(3)
    assert found.scale.value == pytest.approx(64.5 - 20.5)
    assert end.done == end.total == 8
    assert not any("failed" in note for note in found.notes)


def test_the_edit_that_was_to_show_whether_he_repeats_himself_may_fail() -> None:
    editor = Failing(card=UNSURE)
    editor.at = (3,)
    found = last(editor, perturbations=20, batch_size=1)
    assert editor.made == 23
    np.testing.assert_allclose(weights(found), weights(last(perturbations=20)))
    assert found.noise_floor is None
    # Nobody knows whether it repeats itself, so no number is exact, even where all was run.
    editor = Failing(card=UNSURE)
    editor.at = (3,)
    assert not any(unit.exact for unit in last(editor, batch_size=1).units)


# Several seeds


class Shaky(ToyEditor):
    """Moves a picture by one level for each word that is missing, under every further seed."""

    def level(self, prompt: str, seed: int = 0) -> int:
        return super().level(prompt) + seed * (len(WORDS) - len(prompt.split()))


def test_the_noise_floor_over_seeds_rests_on_the_full_edit_and_the_next_31() -> None:
    found = last(Shaky(), seeds=2, perturbations=50)
    missing = [0, *(sample.mask.count(0) for sample in found.samples)]
    assert found.noise_floor == pytest.approx(np.mean(missing[:32]))
    assert np.mean(missing[:32]) != pytest.approx(np.mean(missing))


def test_what_differs_from_seed_to_seed_widens_the_intervals() -> None:
    found = last(Shaky(), seeds=3, perturbations=62)
    # Every word left out moves the picture by its effect less 0, 1 or 2 levels, so by 1 less on
    # average; the way is 66 levels less 6 on average.
    truth = [(EFFECTS[word] - 1) / (66 - 6) for word in WORDS]
    assert weights(found) == pytest.approx(truth, abs=0.02)
    assert not any(unit.exact for unit in found.units)
    assert found.repeats.of == "seeds"
    assert found.repeats.references == ()
    np.testing.assert_allclose(found.repeats.without_instruction, [[66, 60, 54]])
    for sample, distances in zip(found.samples, found.repeats.samples, strict=True):
        assert np.mean(distances) == pytest.approx(sample.image_distance)


@pytest.mark.parametrize("batch_size", [1, 8])
@pytest.mark.parametrize("response", ["share", "min-max"])
def test_while_the_second_seed_goes_every_number_is_known(response: str, batch_size: int) -> None:
    settings = {"seeds": 2, "perturbations": 30, "batch_size": batch_size, "response": response}
    snapshots = run(ToyEditor(seed_step=2), **settings)
    assert len(snapshots) > 8
    for snapshot in snapshots:
        found = snapshot.explanation
        assert "NaN" not in to_json(found)
        ends = [(unit.low, unit.high) for unit in found.units]
        assert np.isfinite(ends).all(), snapshot.done
        if response == "share" and len(found.samples) >= 12:
            verdicts = [unit.verdict for unit in found.units]
            assert verdicts == [NO_EFFECT, NO_EFFECT, NO_EFFECT, DRIVES, NO_EFFECT, DRIVES]


def test_an_edit_that_failed_under_one_seed_leaves_every_number_known() -> None:
    lost = last(perturbations=30).samples[5].prompt

    class Loses(ToyEditor):
        def edit(
            self, image: Image.Image, prompts: Sequence[str], *, seed: int, **rest: object
        ) -> list[Image.Image | EditFailure]:
            answers = super().edit(image, prompts, seed=seed, **rest)
            return [
                EditFailure("busy") if (prompt, seed) == (lost, 1) else answer
                for prompt, answer in zip(prompts, answers, strict=True)
            ]

    found = last(Loses(seed_step=2), seeds=2, perturbations=30)
    assert found.samples[5].failed is None  # the first seed has it
    assert found.repeats.samples[5][1] is None
    assert np.isfinite([(unit.low, unit.high) for unit in found.units]).all()
    assert weights(found) == pytest.approx([EFFECTS[word] / 66 for word in WORDS], abs=1e-9)


def test_where_all_repeats_fail_nothing_is_called_exact() -> None:
    """Two words have two shortened versions, both run; but the answers are draws."""
    asked: list[str] = []

    def draws(image: Image.Image, prompts: Sequence[str], seed: int) -> list[Image.Image | None]:
        answers: list[Image.Image | None] = []
        for prompt in prompts:
            repeated = prompt == "snowy foggy" and prompt in asked
            asked.append(prompt)
            grey = Image.new("RGB", image.size, (ToyEditor().level(prompt),) * 3)
            answers.append(None if repeated else grey)
        return answers

    found = last(draws, instruction="snowy foggy")
    assert not any(unit.exact for unit in found.units)
    assert same(refit(found), found)
