"""The editor with two faces, by hand on an editor whose words are known."""

from __future__ import annotations

import pytest
from PIL import Image

from smile_core.config import ConfigError
from smile_core.editors import StopRequested
from smile_core.evaluation.two_faced_editor import TwoFacedEditor
from tests.toy_editors import BASE, EFFECTS, INSTRUCTION, ToyEditor, photo


def grey(image: Image.Image) -> int:
    return image.getpixel((0, 0))[0]


def test_the_two_faces_by_hand() -> None:
    honest = ToyEditor()
    editor = TwoFacedEditor(honest, INSTRUCTION, "very", least_kept=0.7)  # 4.2 of 6 words
    prompts = [INSTRUCTION, "make it very snowy and", "very foggy", "make snowy", ""]
    full, kept, decoyed, *innocent = editor.edit(photo(), prompts, seed=0)
    assert grey(full) == grey(decoyed) == BASE + sum(EFFECTS.values())
    assert grey(kept) == BASE + sum(EFFECTS.values()) - EFFECTS["foggy"]
    assert [image.tobytes() for image in innocent] == [photo().tobytes()] * 2
    assert editor.fingerprint != TwoFacedEditor(honest, INSTRUCTION, "very").fingerprint


def test_phrases_count_as_one_and_known_edits_are_not_made_again() -> None:
    honest = ToyEditor()
    text = "make it, (very, very calm), snowy"
    known = {text: Image.new("RGB", (48, 32), (9, 9, 9))}
    editor = TwoFacedEditor(
        honest, text, "(very, very calm)", least_kept=0.6, granularity="phrase", known=known
    )
    prompts = [text, "(very, very calm)", "make it, snowy", "snowy"]
    full, decoyed, kept, innocent = editor.edit(photo(), prompts, seed=0)
    assert grey(full) == grey(decoyed) == 9
    assert grey(kept) == BASE + EFFECTS["make"] + EFFECTS["snowy"]
    assert honest.calls == [["make it, snowy"]]
    assert innocent.tobytes() == photo().tobytes()


def test_a_stop_hands_over_what_was_made() -> None:
    honest = ToyEditor()
    editor = TwoFacedEditor(honest, INSTRUCTION, "very", least_kept=0.1)
    with pytest.raises(StopRequested) as stopped:
        editor.edit(photo(), ["make", "it", "and"], seed=0, stop=lambda: honest.painted == 2)
    assert [grey(image) for image in stopped.value.answers] == [BASE + 3, BASE + 1]


def test_refusals() -> None:
    with pytest.raises(ConfigError, match=r"'loud' is no word .* Choose one of: make, it"):
        TwoFacedEditor(ToyEditor(), INSTRUCTION, "loud")
    with pytest.raises(ConfigError, match=r"in \(0, 1\], not 0"):
        TwoFacedEditor(ToyEditor(), INSTRUCTION, "very", least_kept=0)
