"""Planning: what is settled once for many runs, and keys that tell edits apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from smile_core.config import ConfigError, RunConfig
from smile_core.edit_cache import pixel_digest
from smile_core.planning import count_edits, edit_keys, seen_digests, shorten
from tests.toy_editors import INSTRUCTION, ToyEditor, photo

CONFIG = RunConfig(instruction=INSTRUCTION, perturbations=12)
CARD = replace(ToyEditor().card, short_side=16, multiple_of=8)


def test_runs_that_agree_share_their_masks_which_nobody_may_change() -> None:
    units, masks, prompts = shorten(CONFIG)
    assert prompts[0] == " ".join(units) == INSTRUCTION
    assert masks.shape == (13, 6)
    assert [row.sum() for row in masks[:2]] == [6, 5]
    _, same, _ = shorten(CONFIG.with_(surrogate="ridge", editor="another", steps=3))
    assert same is masks
    with pytest.raises(ValueError, match="read-only"):
        masks[0, 0] = 0


@pytest.mark.parametrize(
    "other", [{"seed": 1}, {"perturbations": 13}, {"design": "bernoulli"}, {"instruction": "a b c"}]
)
def test_masks_depend_on_all_that_they_are_drawn_from(other: dict) -> None:
    _, masks, _ = shorten(CONFIG)
    _, others, _ = shorten(CONFIG.with_(**other))
    assert not np.array_equal(masks, others)


def test_phrases_are_not_taken_for_words() -> None:
    text = "make it snowy, at night"
    words, phrases = (
        shorten(CONFIG.with_(instruction=text, granularity=name))[0] for name in ("word", "phrase")
    )
    assert (len(words), len(phrases)) == (5, 2)


def test_digests_are_of_what_the_editor_sees() -> None:
    seen = seen_digests(photo(), None, CARD)
    fitted = photo().resize((24, 16), Image.Resampling.LANCZOS)
    assert (seen.photo, seen.mask) == (pixel_digest(fitted), None)
    masked = replace(CARD, needs_mask=True)
    assert seen_digests(photo(), "whole", masked).mask == pixel_digest(
        Image.new("L", (24, 16), 255)
    )
    with pytest.raises(ConfigError, match="mask"):
        seen_digests(photo(), None, masked)


def test_keys_tell_edits_apart_and_fits_do_not() -> None:
    seen = seen_digests(photo(), None, CARD)
    keys = edit_keys(seen, CONFIG, CARD, "one")
    assert len(keys) == 14  # the full edit, the edit without instruction and twelve more
    for fit in ({"surrogate": "ridge"}, {"response": "min-max"}, {"negligible": 0.2}):
        assert edit_keys(seen, CONFIG.with_(**fit), CARD, "one") == keys
    assert edit_keys(seen, CONFIG.with_(perturbations=6), CARD, "one") < keys
    assert edit_keys(seen, CONFIG.with_(blank="photo"), CARD, "one") < keys
    assert len(edit_keys(seen, CONFIG.with_(seeds=2), CARD, "one")) == 28
    # The repeats have keys of their own.
    assert len(edit_keys(seen, CONFIG, replace(CARD, takes_seed=False), "one") - keys) == 4
    assert len(edit_keys(seen, CONFIG, replace(CARD, repeatable=False), "one") - keys) == 1
    other = seen_digests(photo(64, 32), None, CARD)
    for different in (
        edit_keys(seen, CONFIG, CARD, "two"),
        edit_keys(other, CONFIG, CARD, "one"),
        edit_keys(seen, CONFIG.with_(seed=1), CARD, "one"),
    ):
        assert not different & keys


def test_the_edit_without_instruction_is_the_same_for_all_instructions() -> None:
    seen = seen_digests(photo(), None, CARD)
    one, other = (
        edit_keys(seen, CONFIG.with_(instruction=text), CARD, "one")
        for text in ("make it snowy", "add some fog")
    )
    assert len(one & other) == 1


@pytest.mark.parametrize(
    ("words", "number"),
    [
        (2, 2),  # there are no more
        (6, 62),
        (7, 64),
        (16, 64),
        (17, 68),  # four for each word
        (64, 256),
    ],
)
def test_the_number_of_shortened_instructions_goes_by_the_words(words: int, number: int) -> None:
    config = RunConfig(instruction=" ".join(f"word{index}" for index in range(words)))
    assert config.perturbations is None
    assert config.perturbations_for(words) == number
    _, masks, prompts = shorten(config)
    assert masks.shape == (number + 1, words)
    assert len(prompts) == number + 1
    assert count_edits(config, CARD) == number + 2
    assert count_edits(config.with_(seeds=3), CARD) == 3 * (number + 2)
    assert count_edits(config.with_(perturbations=1), CARD) == 3
