"""How the text encoder learns more words: from itself, reading plain ones."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[2] / "assets" / "recipes"))
pytest.importorskip("cv2", reason="the recipes need opencv (assets/recipes/requirements.txt)")

import scene_text
from scene_grammar import Word
from scene_text import (
    GLOVE,
    SPECIAL,
    WIDTH,
    blur_vectors,
    build_text_encoder,
    build_tokenizer,
    learn_own_part,
    neutral_words,
)
from scene_training import tokenize
from scene_words import BASE_STRENGTH, FORMS, HEAVY_FACTOR, LIGHT_FACTOR
from train_scene_words import BATCH, NOTHING, PLAIN, SCALED, Pairs, plainly, widen


@pytest.fixture
def words_and_vectors() -> tuple[list[str], np.ndarray]:
    """Return a few words with vectors (n, 50) of length one."""
    words = "make it snow rain wedding horse".split()
    vectors = np.random.default_rng(0).standard_normal((len(words), GLOVE)).astype(np.float32)
    return words, vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_the_teacher_reads_plain_words() -> None:
    rng = np.random.default_rng(0)
    assert plainly(Word("flurries", effect="snow"), rng) in PLAIN["snow"]
    assert plainly(Word("wedding"), rng) in NOTHING
    assert plainly(Word("barely", degree=LIGHT_FACTOR), rng) == "slightly"
    assert plainly(Word("utterly", degree=HEAVY_FACTOR), rng) == "very"
    strong = BASE_STRENGTH * HEAVY_FACTOR
    assert plainly(Word("blizzard", effect="snow", strength=strong), rng) == "snowstorm"
    assert plainly(Word("sprinkle", effect="rain", strength=0.1), rng) == "drizzle"
    assert plainly(Word("gloomy", effect="darker", role="source"), rng) in PLAIN["darker"]
    for kept in (Word("change", role="frame"), Word("without", role="negation"), Word("and")):
        assert plainly(kept, rng) == kept.text


def test_both_readings_have_a_word_for_a_word() -> None:
    texts, plain = next(iter(Pairs(["table", "horse"], seed=1)))
    assert len(texts) == BATCH
    for text, other in zip(texts, plain, strict=True):
        assert len(text.split()) == len(other.split())
    said, read = (set(" ".join(some).split()) for some in (texts, plain))
    assert {"table", "horse"} <= said
    assert not {"table", "horse"} & read
    rare = {form for forms in FORMS.values() for form in forms.split() if "-" not in form}
    rare -= {form for forms in (*PLAIN.values(), *SCALED.values()) for form in forms}
    assert len(rare & said) > 50
    assert not rare & read


def test_a_wider_table_leaves_what_was_read_as_it_was(words_and_vectors) -> None:
    words, vectors = words_and_vectors
    fewer = build_tokenizer(words[:4])
    teacher = build_text_encoder(fewer, words[:4], vectors[:4]).eval()
    pupil, tokenizer = widen(teacher, words, vectors)
    pupil.eval()
    assert len(tokenizer) == len(SPECIAL) + len(words)
    text = ["make it snow", ""]
    with torch.no_grad():
        before = teacher(tokenize(fewer, text))[0]
        torch.testing.assert_close(pupil(tokenize(tokenizer, text))[0], before)


def test_training_writes_only_into_the_free_part_of_the_table(words_and_vectors) -> None:
    words, vectors = words_and_vectors
    tokenizer = build_tokenizer(words)
    torch.manual_seed(0)
    pupil = build_text_encoder(tokenizer, words, vectors).train()
    table = learn_own_part(pupil)
    blur_vectors(pupil, (0.1,), (1.0,))
    before = table.detach().clone()
    pupil(tokenize(tokenizer, ["make it snow"] * 8))[0].square().sum().backward()
    torch.optim.SGD([table], lr=1.0).step()
    moved = (table.detach() != before).any(dim=0)  # (WIDTH,)
    assert not moved[:GLOVE].any()
    assert moved[GLOVE:WIDTH].all()
    rows = (table.detach() != before).any(dim=1)
    assert not rows[: len(SPECIAL)].any()
    assert rows[len(SPECIAL) :].tolist() == [word in "make it snow".split() for word in words]


def test_the_free_part_is_hidden_now_and_then(words_and_vectors, monkeypatch) -> None:
    words, vectors = words_and_vectors
    tokenizer = build_tokenizer(words)
    for share, learns in ((1.0, False), (0.0, True)):
        monkeypatch.setattr(scene_text, "HIDDEN", share)
        pupil = build_text_encoder(tokenizer, words, vectors).train()
        table = learn_own_part(pupil)
        pupil(tokenize(tokenizer, ["make it snow"]))[0].square().sum().backward()
        assert table.grad is not None
        assert bool(table.grad.any()) is learns


def test_words_without_a_meaning_are_everyday_ones_and_ones_far_from_any(
    words_and_vectors, monkeypatch
) -> None:
    words, vectors = words_and_vectors
    vectors[[0, 5]] = vectors[2]  # "make" and "horse" lie where "snow" does
    assert neutral_words(words, vectors) == "make it wedding horse".split()
    monkeypatch.setattr(scene_text, "EVERYDAY", 1)
    assert neutral_words(words, vectors) == "make it wedding".split()
    monkeypatch.setattr(scene_text, "NEUTRAL", 2)
    assert neutral_words(words, vectors) == "make it".split()
