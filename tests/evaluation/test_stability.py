"""Stability by hand."""

from __future__ import annotations

import pytest

from smile_core.config import ConfigError
from smile_core.evaluation.stability import (
    NEUTRAL_CHANGES,
    NEUTRAL_SUFFIX,
    change_neutrally,
    keyed_units,
    keyed_weights,
    ruzicka,
    spearman,
    stability,
    top_k_jaccard,
)
from smile_core.instruction import split_units
from tests.toy_editors import EFFECTS, INSTRUCTION, ToyEditor
from tests.toy_runs import last

UNITS = ("make", "it", "very", "very", "snowy")
BEFORE = keyed_weights(UNITS, (0.1, 0.0, 0.2, 0.3, 0.8))
AFTER = keyed_weights((*UNITS, NEUTRAL_SUFFIX), (0.2, 0.0, 0.1, 0.3, 0.6, -0.25))


def test_duplicates_stay_apart() -> None:
    assert BEFORE["very", 0] == 0.2
    assert BEFORE["very", 1] == 0.3


def test_jaccard_by_hand() -> None:
    """Top 3: {snowy, very 1, very 0} and {snowy, very 1, ###}: 2 of 4."""
    assert top_k_jaccard(BEFORE, AFTER, 3) == pytest.approx(2 / 4)
    assert top_k_jaccard(BEFORE, AFTER, 2) == 1
    assert top_k_jaccard(BEFORE, AFTER, 99) == pytest.approx(5 / 6)


def test_ruzicka_by_hand() -> None:
    """min: .1 0 .1 .3 .6 0; max: .2 0 .2 .3 .8 .25."""
    assert ruzicka(BEFORE, AFTER) == pytest.approx(1.1 / 1.75)
    assert ruzicka(BEFORE, {unit: -weight for unit, weight in BEFORE.items()}) == 1
    assert ruzicka({("a", 0): 0.0}, {("a", 0): 0.0}) == 1


def test_spearman_by_hand() -> None:
    """Ranks 2 1 3 4 5 and 3 1 2 4 5: 1 - 6·2/(5·24)."""
    assert spearman(BEFORE, AFTER) == pytest.approx(0.9)
    assert spearman(BEFORE, {unit: -weight for unit, weight in BEFORE.items()}) == pytest.approx(-1)
    assert spearman(BEFORE, {("snowy", 0): 1.0}) is None
    assert spearman(BEFORE, dict.fromkeys(BEFORE, 0.5)) is None


def test_all_three_together() -> None:
    same = stability(BEFORE, BEFORE)
    assert (same.jaccard, same.ruzicka) == (1, 1)
    assert same.spearman == pytest.approx(1)


@pytest.mark.parametrize(
    ("change", "changed"),
    [
        ("###", "make it snowy ###"),
        ("full stop", "make it snowy."),
        ("doubled space", "make  it snowy"),
        ("capital letter", "Make it snowy"),
        ("please", "please make it snowy"),
    ],
)
def test_changes_that_mean_nothing(change: str, changed: str) -> None:
    assert change_neutrally("make it snowy", change) == changed
    assert set(NEUTRAL_CHANGES) == {"###", "full stop", "doubled space", "capital letter", "please"}


def test_a_mark_is_taken_away_and_a_capital_made_small() -> None:
    assert change_neutrally("Make it snowy!", "full stop") == "Make it snowy"
    assert change_neutrally("Make it snowy!", "capital letter") == "make it snowy!"


def test_what_is_added_to_phrases_is_a_phrase() -> None:
    text = "make it snowy, at night"
    assert change_neutrally(text, "###", "phrase") == "make it snowy, at night, ###"
    assert change_neutrally(text, "please", "phrase") == "please, make it snowy, at night"
    before, after = (keyed_weights(split_units(t, "phrase"), [0.5, 0.2, 0.1][: t.count(",") + 1])
                     for t in (text, change_neutrally(text, "###", "phrase")))  # fmt: skip
    assert top_k_jaccard(before, after, 2) == 1


def test_neither_case_nor_punctuation_makes_a_word_another() -> None:
    before = keyed_weights(("make", "it", "snowy"), (0.1, 0.2, 0.7))
    after = keyed_weights(("Make", "it", "snowy."), (0.1, 0.2, 0.7))
    assert before == after
    assert keyed_weights(("###", "..."), (0.1, 0.2)) == {("###", 0): 0.1, ("...", 0): 0.2}


def test_words_alone_reach_the_published_index() -> None:
    """All words of six and of the same six with ### appended: 6/7, whatever the weights."""
    words = ("a", "b", "c", "d", "e", "f")
    before, after = keyed_weights(words, range(6)), keyed_weights((*words, "###"), range(7, 0, -1))
    assert top_k_jaccard(before, after, 99) == pytest.approx(6 / 7)


@pytest.mark.parametrize("change", NEUTRAL_CHANGES)
def test_an_editor_deaf_to_the_change_is_explained_alike(change: str) -> None:
    editor = ToyEditor(effects={"Make": 3, "foggy.": 20, **EFFECTS})
    before = keyed_units(last(editor, perturbations=62).units)
    changed = last(editor, perturbations=62, instruction=change_neutrally(INSTRUCTION, change))
    found = stability(before, keyed_units(changed.units))
    assert found.jaccard == 1
    assert found.ruzicka == pytest.approx(1)  # the way is the same, whatever else is run
    assert found.spearman == pytest.approx(1)


def test_refusals() -> None:
    with pytest.raises(ValueError, match="k of at least 1"):
        top_k_jaccard(BEFORE, AFTER, 0)
    with pytest.raises(ValueError, match="at least one unit"):
        top_k_jaccard(BEFORE, {}, 3)
    with pytest.raises(ConfigError, match="Unknown change"):
        change_neutrally("make it snowy", "shout")
