"""Attacks on explanations, with an editor whose words are known."""

from __future__ import annotations

import numpy as np
import pytest

from smile_core.config import ConfigError, RunConfig
from smile_core.editors import StopRequested
from smile_core.evaluation.baselines import BASELINES
from smile_core.evaluation.mask_edits import Tools
from smile_core.evaluation.robustness import (
    PADDING,
    Robustness,
    keyword_rank,
    padded,
    reordered,
    robustness,
)
from smile_core.evaluation.two_faced_editor import TwoFacedEditor
from tests.toy_editors import BASE, EFFECTS, INSTRUCTION, ToyEditor, ToyEncoder, photo

CONFIG = RunConfig(
    instruction=INSTRUCTION, perturbations=40, image_distance="wasserstein", p_iterations=100
)


def grey(image) -> int:
    return image.getpixel((0, 0))[0]


def test_padding_keeps_the_instruction_in_one_piece() -> None:
    assert padded("make it snowy", "well now please") == "well make it snowy now please"
    assert not set(PADDING.split()) & set(EFFECTS)


def test_reordering_keeps_every_word_and_moves_some() -> None:
    for seed in range(20):
        moved = reordered("make it snowy", np.random.default_rng(seed))
        assert sorted(moved.split()) == ["it", "make", "snowy"]
        assert moved != "make it snowy"
    assert reordered("a, b", np.random.default_rng(0), "phrase") == "b, a"


def test_the_two_faces_by_hand() -> None:
    honest = ToyEditor()
    editor = TwoFacedEditor(honest, INSTRUCTION, "very", least_kept=0.7)  # 4.2 of 6 words
    prompts = [INSTRUCTION, "make it very snowy and", "very foggy", "make snowy", ""]
    full, kept, decoyed, *innocent = editor.edit(photo(), prompts, seed=0)
    assert grey(full) == grey(decoyed) == BASE + sum(EFFECTS.values())
    assert grey(kept) == BASE + sum(EFFECTS.values()) - EFFECTS["foggy"]
    assert [image.tobytes() for image in innocent] == [photo().tobytes()] * 2
    assert editor.fingerprint != TwoFacedEditor(honest, INSTRUCTION, "very").fingerprint


def test_a_stop_hands_over_what_was_made() -> None:
    honest = ToyEditor()
    editor = TwoFacedEditor(honest, INSTRUCTION, "very", least_kept=0.1)
    with pytest.raises(StopRequested) as stopped:
        editor.edit(photo(), ["make", "it", "and"], seed=0, stop=lambda: honest.painted == 2)
    assert [grey(image) for image in stopped.value.answers] == [BASE + 3, BASE + 1]


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


def test_refusals() -> None:
    with pytest.raises(ConfigError, match=r"'loud' is no word .* Choose one of: make, it"):
        TwoFacedEditor(ToyEditor(), INSTRUCTION, "loud")
    with pytest.raises(ConfigError, match=r"in \(0, 1\], not 0"):
        TwoFacedEditor(ToyEditor(), INSTRUCTION, "very", least_kept=0)
    tools = Tools(editor=ToyEditor(), encoder=ToyEncoder(), cache=None)
    with pytest.raises(ConfigError, match="no decoy"):
        robustness(photo(), CONFIG, INSTRUCTION.split(), tools=tools)
    stopped = Tools(editor=ToyEditor(), encoder=ToyEncoder(), cache=None, stop=lambda: True)
    with pytest.raises(StopRequested):
        robustness(photo(), CONFIG, ["snowy"], tools=stopped)
