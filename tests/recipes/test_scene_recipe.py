"""What the bundled editor is taught: what instructions mean, and the effects drawn for them."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[2] / "assets" / "recipes"))
cv2 = pytest.importorskip("cv2", reason="the recipes need opencv (assets/recipes/requirements.txt)")

from scene_effects import EFFECTS, render  # noqa: E402
from scene_grammar import Word, meaning, sample_instruction  # noqa: E402
from scene_pairs import shrink  # noqa: E402
from scene_words import (  # noqa: E402
    BASE_STRENGTH,
    FORMS,
    HEAVY,
    HEAVY_FACTOR,
    HELD_OUT,
    HINTS,
    LIGHT,
    LIGHT_FACTOR,
    STRONG_FORMS,
    WEAK_FORMS,
)
from train_scene_details import NAMES, maps_of  # noqa: E402

from smile_core.editors.scene_model import COLOUR_MAPS, UNET_MAPS  # noqa: E402
from tests.benchmarks.labelled_edits import INSTRUCTIONS  # noqa: E402


def effect_word(effect: str, **fields) -> Word:
    return Word(FORMS[effect].split()[0], effect=effect, **fields)


def test_every_effect_has_words_and_every_word_an_effect() -> None:
    assert set(FORMS) == set(EFFECTS)


def test_words_without_an_effect_ask_for_nothing() -> None:
    assert meaning([Word("make"), Word("it")]) == ({}, set())


def test_degrees_scale_the_effect_they_stand_by() -> None:
    slightly = Word("slightly", degree=LIGHT_FACTOR, group=0)
    heavy = Word("heavy", degree=HEAVY_FACTOR, group=1)
    words = [slightly, effect_word("fog", group=0), heavy, effect_word("snow", group=1)]
    strengths, _ = meaning(words)
    assert strengths == pytest.approx(
        {"fog": BASE_STRENGTH * LIGHT_FACTOR, "snow": BASE_STRENGTH * HEAVY_FACTOR}
    )
    assert meaning([slightly, heavy]) == ({}, set())  # a degree of nothing is nothing


def test_an_effect_named_twice_is_asked_for_more_than_once_and_at_most_fully() -> None:
    snowy, winter = (Word(FORMS["snow"].split()[i], effect="snow", group=i) for i in (0, 1))
    slightly = Word("slightly", degree=LIGHT_FACTOR, group=0)
    assert meaning([snowy, winter])[0] == {"snow": 1.0}
    assert meaning([slightly, snowy, winter])[0] == {"snow": 1.0}
    assert meaning([slightly, snowy, replace(winter, strength=0.3)])[0] == pytest.approx(
        {"snow": BASE_STRENGTH * LIGHT_FACTOR + 0.3}
    )


def test_a_source_clause_means_nothing_while_its_frame_stands() -> None:
    source = effect_word("fog", role="source")
    frame = Word("change", role="frame")
    assert meaning([frame, source, effect_word("clear")])[0] == {"clear": BASE_STRENGTH}
    assert set(meaning([source, effect_word("clear")])[0]) == {"fog", "clear"}


def test_a_negation_takes_away() -> None:
    words = [Word("without", role="negation"), effect_word("rain", role="negated")]
    assert meaning(words) == ({}, {"rain"})
    assert set(meaning(words[1:])[0]) == {"rain"}


def test_instructions_repeat_with_the_seed_and_never_use_held_out_words() -> None:
    def some(seed: int) -> list:
        rng = np.random.default_rng(seed)
        return [sample_instruction(None, ["table", "horse"], rng) for _ in range(500)]

    first = some(3)
    assert first == some(3)
    assert first != some(4)
    used = {word for text, _, _ in first for word in text.split()}
    assert not used & set(HELD_OUT)


def test_a_word_has_one_meaning() -> None:
    groups = [
        *(set(forms.split()) for forms in FORMS.values()),
        *(set(LIGHT.split()), set(HEAVY.split()), set(HELD_OUT), set(HINTS)),
    ]
    assert len(set().union(*groups)) == sum(map(len, groups))
    assert {*WEAK_FORMS, *STRONG_FORMS} <= set().union(*groups[: len(FORMS)])


def test_instructions_of_the_benchmark_are_marked_when_training_never_saw_their_words() -> None:
    known = {"black", "white"}.union(*(forms.split() for forms in FORMS.values()))
    for labelled in INSTRUCTIONS:
        assert labelled.held_out == (not set(labelled.keywords) <= known), labelled


@pytest.mark.parametrize("name", EFFECTS)
def test_an_effect_changes_the_picture_more_when_stronger(name: str) -> None:
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[0:64, 0:64] / 63
    picture = np.stack([rows, columns, 1 - rows], -1).astype(np.float32) * 0.8 + 0.1
    noise = rng.standard_normal((64, 64, 3)).astype(np.float32)
    before = picture.copy()
    some, much = (np.abs(render(picture, noise, {name: s}) - before).mean() for s in (0.4, 1.0))
    assert 0 < some < much
    assert np.array_equal(picture, before)


def test_effects_are_laid_on_in_one_order_whatever_the_wording() -> None:
    rng = np.random.default_rng(0)
    picture = rng.random((64, 64, 3), dtype=np.float32)
    noise = rng.standard_normal((64, 64, 3)).astype(np.float32)
    one = render(picture, noise, {"snow": 0.7, "night": 0.7})
    other = render(picture, noise, {"night": 0.7, "snow": 0.7})
    assert np.array_equal(one, other)
    assert one.min() >= 0
    assert one.max() <= 1


def test_the_table_of_details_is_met_at_the_base_strength() -> None:
    """Nothing plus strength times slope is what the table says of each effect, details at least."""
    torch.manual_seed(0)
    table = torch.nn.Linear(2 * len(NAMES), UNET_MAPS)
    nothing, slopes = maps_of(table.state_dict(), 0.7)
    assert not nothing[:COLOUR_MAPS].any()
    for index in range(len(NAMES)):
        asked = torch.zeros(2 * len(NAMES))
        asked[index], asked[index + len(NAMES)] = 1.0, 0.7
        torch.testing.assert_close(nothing + 0.7 * slopes[index], table(asked).detach())


def test_a_photo_is_shrunk_and_never_enlarged() -> None:
    photo = np.zeros((400, 640, 3), np.uint8)
    assert shrink(photo, 160).shape == (160, 256, 3)
    assert shrink(photo, 500) is photo
