"""The edit without any instruction: what stands in for it, and when nothing happened."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from PIL import Image

from smile_core import to_json
from smile_core.config import ConfigError
from smile_core.editors import EditFailure
from smile_core.explanation import (
    ANY_UNIT,
    CHANCE,
    DRIVES,
    EDITED,
    NOTHING_HAPPENED,
    ONE_IS_ENOUGH,
    UNCHANGED,
    Explanation,
)
from smile_core.response import FARTHEST, PHOTO
from tests.toy_editors import BASE, EFFECTS, INSTRUCTION, ToyEditor, photo, toy_card
from tests.toy_runs import WORDS, last, run, same, weights

LEVELS = np.array([EFFECTS[word] for word in WORDS])
# The toy encoder reads the first pixel: 168 in the photo, 20 + 66 in the full edit.
WAY_FROM_PHOTO = photo().getpixel((0, 0))[0] - (BASE + LEVELS.sum())

_GAPS = np.abs(np.asarray(photo(), dtype=float) - (BASE + LEVELS.sum()))  # (32, 48, 3)
VISIBLE_FROM_PHOTO = _GAPS.reshape(2, 16, 3, 16, 3).mean(axis=(1, 3, 4)).max()


class WantsWords(ToyEditor):
    """Refuses an empty text, in one of the ways in which editors do."""

    error: type[Exception] | None = None

    def edit(
        self, image: Image.Image, prompts: Sequence[str], *, seed: int, **rest: object
    ) -> list[Image.Image | EditFailure]:
        if self.error is not None and "" in prompts:
            self.calls.append(list(prompts))
            self.seeds.append(seed)
            raise self.error("Write something.")
        answers = super().edit(image, prompts, seed=seed, **rest)
        return [
            answer if prompt else EditFailure("Write something.")
            for prompt, answer in zip(prompts, answers, strict=True)
        ]


def check_photo_stands_in(found: Explanation) -> None:
    assert WAY_FROM_PHOTO == 168 - 86
    without = found.without_instruction
    assert without.image.tobytes() == photo().tobytes()
    assert (without.prompt, without.mask, without.failed) == ("", (0,) * 6, None)
    assert without.image_distance == pytest.approx(WAY_FROM_PHOTO)
    assert found.scale.rests_on == PHOTO
    assert found.scale.value == pytest.approx(WAY_FROM_PHOTO)
    assert found.scale.visible == pytest.approx(VISIBLE_FROM_PHOTO)
    assert weights(found) == pytest.approx(LEVELS / WAY_FROM_PHOTO, abs=1e-9)


@pytest.mark.parametrize("batch_size", [1, 8])
@pytest.mark.parametrize("error", [None, ValueError, ConfigError])
def test_where_the_editor_wants_words_the_photo_stands_in(
    error: type[Exception] | None, batch_size: int
) -> None:
    editor = WantsWords()
    editor.error = error
    end = run(editor, perturbations=20, batch_size=batch_size)[-1]
    found = end.explanation
    check_photo_stands_in(found)
    (note,) = found.notes
    assert note.startswith("The editor made no edit without an instruction, so the photo itself")
    assert "Write something." in note
    assert end.done == end.total == 22
    assert len(found.samples) == 20
    assert not any(sample.failed for sample in found.samples)


def test_an_editor_that_refuses_everything_is_not_taken_for_one_that_wants_words() -> None:
    class Refuses(ToyEditor):
        def edit(self, image: Image.Image, prompts: Sequence[str], **rest: object) -> list:
            self.calls.append(list(prompts))
            raise ConfigError("The key is wrong.")

    editor = Refuses()
    with pytest.raises(ConfigError, match="The key is wrong"):
        run(editor)
    assert editor.calls == [[INSTRUCTION, ""], [INSTRUCTION]]


def test_a_setting_that_only_shortened_texts_break_is_still_refused() -> None:
    class Refuses(ToyEditor):
        def edit(self, image: Image.Image, prompts: Sequence[str], **rest: object) -> list:
            if not {INSTRUCTION, ""} & set(prompts):
                raise ConfigError("The text is too short.")
            return super().edit(image, prompts, **rest)

    with pytest.raises(ConfigError, match="too short"):
        run(Refuses())


@pytest.mark.parametrize(
    ("card", "settings"), [({"key_variable": "A_KEY"}, {}), ({}, {"blank": "photo"})]
)
def test_where_it_is_not_asked_for_the_photo_stands_in(card: dict, settings: dict) -> None:
    editor = ToyEditor(card=toy_card(**card))
    found = last(editor, perturbations=20, **settings)
    check_photo_stands_in(found)
    assert found.notes == ()  # nothing failed
    assert "" not in {prompt for _, prompt in editor.asked}


def test_several_seeds_each_have_the_photo() -> None:
    editor = WantsWords(seed_step=2)
    found = last(editor, perturbations=20, seeds=2)
    assert found.without_instruction.image.tobytes() == photo().tobytes()
    # The full edit of the second seed is 2 levels brighter, so 2 nearer to the photo.
    assert found.scale.value == pytest.approx(WAY_FROM_PHOTO - 1)
    assert weights(found) == pytest.approx(LEVELS / (WAY_FROM_PHOTO - 1), abs=1e-9)


def test_the_published_scale_is_that_of_the_farthest_edit_whatever_the_photo() -> None:
    # The heaviest word is missing alone and with all but one of the others, "very" staying.
    found = last(response="min-max", perturbations=62)
    assert found.scale.rests_on == FARTHEST
    assert found.scale.value == pytest.approx(66)
    few = last(response="min-max", perturbations=6)
    assert few.scale.value == pytest.approx(40)  # each word left out once
    assert min(sample.similarity for sample in few.samples) == 0


# Nothing happened


def check_nothing_is_said(found: Explanation, outcome: str) -> None:
    assert found.outcome == outcome
    assert not found.happened
    for unit in found.units:
        assert (unit.weight, unit.low, unit.high) == (0, 0, 0)
        assert unit.verdict == NOTHING_HAPPENED
        assert not unit.measured
    assert {sample.similarity for sample in found.samples} <= {1.0}
    assert found.fidelity["r2"] is None
    assert "NaN" not in to_json(found)


@pytest.mark.parametrize("batch_size", [1, 8])
@pytest.mark.parametrize("levels", [0, 1, 2])
def test_a_difference_that_nobody_sees_is_no_edit(levels: int, batch_size: int) -> None:
    settings = {"perturbations": 20, "batch_size": batch_size}
    editor = ToyEditor(effects={"snowy": levels})
    end = run(editor, stop_when_settled=True, **settings)[-1]
    assert editor.asked == [(0, INSTRUCTION), (0, "")]
    assert (end.state, end.done, end.total) == ("finished", 2, 2)
    found = end.explanation
    assert found.samples == ()
    assert found.scale.visible == levels
    assert found.without_instruction.image.getpixel((0, 0))[0] == BASE
    check_nothing_is_said(found, UNCHANGED)

    whole = ToyEditor(effects={"snowy": levels})
    found = last(whole, **settings)
    assert whole.made == 22
    assert len(found.samples) == 20
    assert len(found.projection) == 21
    check_nothing_is_said(found, UNCHANGED)


def test_three_levels_are_an_edit() -> None:
    found = last(ToyEditor(effects={"snowy": 3}), perturbations=20)
    assert found.outcome == EDITED
    assert weights(found) == pytest.approx([0, 0, 0, 1, 0, 0], abs=1e-9)


def test_nothing_is_seen_under_the_first_seed_already() -> None:
    editor = ToyEditor(effects={}, seed_step=9)
    end = run(editor, perturbations=20, seeds=3, stop_when_settled=True)[-1]
    assert end.done == editor.made == 2
    check_nothing_is_said(end.explanation, UNCHANGED)


@pytest.mark.parametrize("batch_size", [1, 8])
def test_what_chance_does_as_well_is_no_edit(batch_size: int) -> None:
    # Full edits of 20, 40 and 30 levels, edits without instruction of 30, 50 and 20: on average
    # 110/9 apart, while two full edits are up to 20 apart.
    def draws() -> ToyEditor:
        return ToyEditor(effects={}, chance=(0, 10, 20, 30, 10, 0), card=toy_card(takes_seed=False))

    settings = {"perturbations": 20, "batch_size": batch_size}
    editor = draws()
    end = run(editor, stop_when_settled=True, **settings)[-1]
    assert (end.done, editor.made) == (6, 6)
    found = end.explanation
    check_nothing_is_said(found, CHANCE)
    assert found.scale.value == pytest.approx(110 / 9)
    assert found.noise_floor == pytest.approx((20 + 10 + 10) / 3)
    found = last(editor := draws(), **settings)
    assert editor.made == 26
    check_nothing_is_said(found, CHANCE)


def test_edits_beyond_chance_are_edits_and_weigh_what_is_beyond_it() -> None:
    editor = ToyEditor(
        effects={"snowy": 60},
        chance=(0, 5, 10, 15, 5, 0, *[5] * 62),
        card=toy_card(takes_seed=False),
    )
    found = last(editor, perturbations=62)
    assert found.outcome == EDITED
    # Full edits of 80, 90 and 85 levels; without instruction 25, 35 and 20.
    way, floor = 85 - 80 / 3, 20 / 3
    assert (found.scale.value, found.scale.floor) == (pytest.approx(way), pytest.approx(floor))
    # Without the word an edit has 25 levels, 60 from them; with it 85, which is 5, 5 and 0.
    weight = (60 - 10 / 3) / (way - floor)
    assert weights(found) == pytest.approx([0, 0, 0, weight, 0, 0], abs=0.05)
    assert [unit.text for unit in found.units if unit.verdict == DRIVES] == ["snowy"]
    assert not any(unit.exact for unit in found.units)  # though everything was run


def test_one_word_is_enough_when_each_is() -> None:
    class Either(ToyEditor):
        def level(self, prompt: str, seed: int = 0) -> int:
            return BASE + 40 * bool(prompt)

    early, *_, end = run(Either(), instruction="snowy winter night", batch_size=1)
    assert early.explanation.outcome == EDITED  # too early to say
    found = end.explanation
    assert found.outcome == ANY_UNIT
    assert found.happened
    assert {unit.verdict for unit in found.units} == {ONE_IS_ENOUGH}
    assert not any(unit.measured for unit in found.units)
    assert {sample.similarity for sample in found.samples} == {1.0}
    assert found.without_instruction.image_distance == pytest.approx(40)


def test_batches_change_nothing_of_a_run_in_which_nothing_happens() -> None:
    one, other = (last(ToyEditor(effects={}), perturbations=20, batch_size=n) for n in (1, 8))
    other.config["batch_size"] = 1
    assert same(one, other)
