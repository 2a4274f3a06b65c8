from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from smile_core.config import KNOBS, ConfigError
from smile_core.editors import ability_sentences, list_editors
from smile_core.editors.callable_editor import CallableEditor
from smile_core.editors.card_file import CARD_FILE, read_card
from smile_core.editors.protocol import EditorCard, fit_to_card, resolve_knobs

SCENE = EditorCard(
    name="scene", title="Scene", family="test", short_side=256, long_side=768, multiple_of=8
)
STABLE = EditorCard(name="sd", title="SD", family="test", long_side=512, multiple_of=64)
FREE = EditorCard(name="free", title="Free", family="test")
NOTHING = dict.fromkeys(KNOBS)


@pytest.mark.parametrize(
    ("card", "size", "expected"),
    [
        (SCENE, (640, 480), (344, 256)),  # 341.3 rounds to 43 * 8
        (SCENE, (480, 640), (256, 344)),
        (SCENE, (100, 100), (256, 256)),
        (SCENE, (2000, 500), (768, 192)),  # the long side is what limits
        (STABLE, (2048, 1024), (512, 256)),
        (STABLE, (1000, 125), (512, 64)),
        (FREE, (123, 77), (123, 77)),
    ],
)
def test_working_size(card: EditorCard, size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert fit_to_card(Image.new("RGB", size), card).size == expected


@pytest.mark.parametrize("card", [SCENE, STABLE, FREE])
def test_fitting_twice_changes_nothing(card: EditorCard) -> None:
    rng = np.random.default_rng(0)
    for width, height in rng.integers(32, 400, (50, 2)).tolist():
        once = fit_to_card(Image.new("RGB", (width, height)), card)
        assert fit_to_card(once, card) is once


def test_knobs_fall_back_to_the_card() -> None:
    card = EditorCard(name="e", title="E", family="f", steps=4, knobs={"guidance_scale": 1.5})
    assert resolve_knobs(card, **NOTHING) == {"steps": 4, "guidance_scale": 1.5}
    changed = resolve_knobs(card, **{**NOTHING, "steps": 7, "guidance_scale": 0.0})
    assert changed == {"steps": 7, "guidance_scale": 0.0}
    with pytest.raises(ConfigError, match=r"no image_guidance_scale\. .* steps, guidance_scale"):
        resolve_knobs(card, **{**NOTHING, "image_guidance_scale": 2.0})
    with pytest.raises(ConfigError, match="Knobs it has: none"):
        resolve_knobs(FREE, **{**NOTHING, "steps": 2})


def test_a_negative_prompt_is_a_knob_of_the_editors_that_take_one() -> None:
    card = EditorCard(name="e", title="E", family="f", takes_negative_prompt=True)
    assert resolve_knobs(card, **NOTHING) == {"negative_prompt": ""}
    assert resolve_knobs(card, negative_prompt="blurry") == {"negative_prompt": "blurry"}
    with pytest.raises(ConfigError, match="no negative_prompt"):
        resolve_knobs(FREE, negative_prompt="blurry")


def test_a_scheduler_is_a_knob_only_when_one_is_given() -> None:
    card = EditorCard(name="e", title="E", family="f", steps=4, takes_scheduler=True)
    assert resolve_knobs(card, **NOTHING) == {"steps": 4}
    few = resolve_knobs(card, **{**NOTHING, "scheduler": "dpm-solver"})
    assert few == {"steps": 4, "scheduler": "dpm-solver"}
    with pytest.raises(ConfigError, match="Knobs it has: steps, scheduler"):
        resolve_knobs(card, **{**NOTHING, "strength": 0.5})
    with pytest.raises(ConfigError, match="'free' has no scheduler but its own"):
        resolve_knobs(FREE, scheduler="dpm-solver")


def test_nobody_vouches_that_a_function_repeats_itself() -> None:
    assert EditorCard(name="e", title="E", family="f").repeatable
    assert not CallableEditor(lambda image, prompts, seed: [image] * len(prompts)).card.repeatable


def test_a_folder_brings_its_own_card(tmp_path: Path) -> None:
    assert read_card(tmp_path, SCENE) is SCENE
    own = {"name": "own", "title": "Own", "family": "instruct-pix2pix", "steps": 9}
    (tmp_path / CARD_FILE).write_text(json.dumps(own), encoding="utf-8")
    assert read_card(tmp_path, SCENE).steps == 9
    able = {"does": "hats", "does_not": "coats", "example": "add a hat"}
    (tmp_path / CARD_FILE).write_text(json.dumps(own | able), encoding="utf-8")
    found = read_card(tmp_path, SCENE)
    assert (found.does, found.does_not, found.example) == ("hats", "coats", "add a hat")


def test_a_text_of_a_card_is_a_text(tmp_path: Path) -> None:
    own = {"name": "own", "title": "Own", "family": "test", "does": ["hats"]}
    (tmp_path / CARD_FILE).write_text(json.dumps(own), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"does must be a text, not \['hats'\]"):
        read_card(tmp_path, SCENE)


@pytest.mark.parametrize(
    ("fields", "sentences"),
    [
        ({}, ""),
        ({"does": "hats"}, "Does hats."),
        ({"does": "hats.", "does_not": "coats."}, "Does hats. Knows no coats."),
        ({"does_not": "coats", "example": "bow!"}, "Knows no coats. For example: “bow!”."),
    ],
)
def test_an_ability_is_told_in_sentences(fields: dict[str, str], sentences: str) -> None:
    assert ability_sentences(EditorCard(name="e", title="E", family="f", **fields)) == sentences


def test_what_the_cards_say_of_abilities_completes_a_sentence() -> None:
    told = [text for card in list_editors() for text in (card.does, card.does_not) if text]
    assert len(told) > 30
    for text in told:
        assert not text.endswith(".")
        assert not text.lower().startswith(("does", "knows", "it ", "no "))


@pytest.mark.parametrize("text", ["{", "[]", '{"name": "x"}', '{"speed": 9}', "3"])
def test_a_card_that_cannot_be_read(text: str, tmp_path: Path) -> None:
    (tmp_path / CARD_FILE).write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_card(tmp_path, SCENE)
