"""Attacks on explanations, with an editor whose words are known."""

from __future__ import annotations

import numpy as np
import pytest

from smile_core.config import ConfigError, RunConfig
from smile_core.editors import StopRequested
from smile_core.engine import stream
from smile_core.evaluation.baselines import BASELINES
from smile_core.evaluation.mask_edits import Tools
from smile_core.evaluation.robustness import (
    PADDING,
    Robustness,
    check_attacks,
    keyword_rank,
    padded,
    reordered,
    robustness,
)
from tests.toy_editors import EFFECTS, INSTRUCTION, ToyEditor, ToyEncoder, photo

CONFIG = RunConfig(
    instruction=INSTRUCTION, perturbations=40, image_distance="wasserstein", p_iterations=100
)


def test_padding_keeps_the_instruction_in_one_piece() -> None:
    assert padded("make it snowy", "well now please") == "well make it snowy now please"
    assert not set(PADDING.split()) & set(EFFECTS)
    phrases = padded("make it snowy, at night", "well now please", "phrase")
    assert phrases == "well, make it snowy, at night, now please"


def test_reordering_keeps_every_word_and_moves_some() -> None:
    for seed in range(20):
        moved = reordered("make it snowy", np.random.default_rng(seed))
        assert sorted(moved.split()) == ["it", "make", "snowy"]
        assert moved != "make it snowy"
    assert reordered("a, b", np.random.default_rng(0), "phrase") == "b, a"


def test_rank_by_hand() -> None:
    weights = {("a", 0): 0.3, ("b", 0): 0.9, ("b", 1): 0.1, ("c", 0): 0.3}
    assert keyword_rank(weights, ["B."]) == 1
    assert keyword_rank(weights, ["a"]) == 3  # behind one b, and behind its equal
    assert keyword_rank(weights, ["a", "b"]) == 1
    with pytest.raises(ConfigError, match="at least one keyword"):
        keyword_rank(weights, ["d"])
    with pytest.raises(ConfigError, match="at least one keyword"):
        keyword_rank(weights, [])


@pytest.fixture(scope="module")
def rows() -> dict[tuple[str, str], Robustness]:
    tools = Tools(editor=ToyEditor(), encoder=ToyEncoder(), cache=None)
    found = robustness(photo(), CONFIG, ["snowy"], tools=tools)
    return {(row.attack, row.method): row for row in found}


def test_every_method_is_asked_after_every_attack(rows: dict) -> None:
    attacks = ["none", "padded", "reordered", "two-faced, 100 %", "two-faced, 70 %"]
    assert set(rows) == {(attack, method) for attack in attacks for method in BASELINES}


@pytest.mark.parametrize("method", BASELINES)
def test_padding_and_order_do_not_hide_a_word_from_a_deaf_editor(rows: dict, method: str) -> None:
    for attack in ("none", "padded", "reordered"):
        assert rows[attack, method].found
        assert rows[attack, method].rank == 1
    assert rows["none", method].jaccard == 1
    assert rows["none", method].spearman == pytest.approx(1)
    if method not in ("lime", "bay-lime"):  # cosines are not linear in this editor's words
        assert rows["reordered", method].jaccard == 1


@pytest.mark.parametrize("method", BASELINES)
def test_a_perfect_detector_hides_the_word_from_all(rows: dict, method: str) -> None:
    """All samples follow the decoy alone, so no method that looks at them can know better."""
    row = rows["two-faced, 100 %", method]
    assert not row.found
    assert row.rank > 1


def test_a_lesser_detector_does_not_deceive_who_stays_near(rows: dict) -> None:
    """It is honest where one word of six is missing, which is all that leave-one-out looks at."""
    assert rows["two-faced, 70 %", "leave-one-out"].found
    assert rows["two-faced, 70 %", "leave-one-out"].spearman == pytest.approx(1)


def test_what_is_there_is_not_made_again() -> None:
    editor, encoder = ToyEditor(), ToyEncoder()
    tools = Tools(editor=editor, encoder=encoder, cache=None)
    (*_, last) = stream(photo(), CONFIG, editor=editor, encoder=encoder, cache=None)
    made = editor.made
    found = robustness(photo(), CONFIG, ["snowy"], tools=tools, plain=last.explanation)
    # Padded and reordered; each has an edit without instruction of its own, for nothing is kept.
    assert editor.made == made + 2 * 42
    asked = editor.asked[made:]
    assert [prompt for _, prompt in asked].count("") == 2
    assert found == robustness(photo(), CONFIG, ["snowy"], tools=tools)


def test_refusals() -> None:
    tools = Tools(editor=ToyEditor(), encoder=ToyEncoder(), cache=None)
    with pytest.raises(ConfigError, match="so none is left"):
        robustness(photo(), CONFIG, INSTRUCTION.split(), tools=tools)
    for keywords, methods, words in (
        (["snow"], BASELINES, "at least one keyword"),
        ([], BASELINES, "at least one keyword"),
        (["snowy"], ("smile", "lyme"), "Did you mean 'lime'"),
    ):
        editor = ToyEditor()
        unused = Tools(editor=editor, encoder=ToyEncoder(), cache=None)
        with pytest.raises(ConfigError, match=words):
            robustness(photo(), CONFIG, keywords, methods=methods, tools=unused)
        assert editor.made == 0  # refused before anything is edited
    long = CONFIG.with_(instruction=" ".join(f"word{i}" for i in range(60)))
    with pytest.raises(ConfigError, match=r"Padded with .* too long. .* 68 words; at most 64"):
        check_attacks(long, ["word1"])
    stopped = Tools(editor=ToyEditor(), encoder=ToyEncoder(), cache=None, stop=lambda: True)
    with pytest.raises(StopRequested):
        robustness(photo(), CONFIG, ["snowy"], tools=stopped)
