"""Units keep order, duplicates, punctuation and prompt-engineer syntax."""

from __future__ import annotations

import pytest

from smile_core.config import ConfigError
from smile_core.instruction import join_units, split_units


@pytest.mark.parametrize(
    ("instruction", "units"),
    [
        ("make it  snowy,\n please!", ("make", "it", "snowy,", "please!")),
        ("very very cold", ("very", "very", "cold")),
        ("make the (blue sky:1.2) glow", ("make", "the", "(blue sky:1.2)", "glow")),
        ("add ((thick  fog)), now", ("add", "((thick fog)),", "now")),
        ("[[light] rain] at (night)", ("[[light] rain]", "at", "(night)")),
        ("a (big [red:0.8] house:1.1) here", ("a", "(big [red:0.8] house:1.1)", "here")),
        (r"draw a smile \(really big\)", ("draw", "a", "smile", r"\(really", r"big\)")),
        ("make it snowy :( now", ("make", "it", "snowy", ":(", "now")),
        ("make (it snowy", ("make", "(it", "snowy")),
        ("make it) snowy", ("make", "it)", "snowy")),
        ("mixed (up [here) now] ok", ("mixed", "(up", "[here) now]", "ok")),
        ("add ❄️ and 🌧️", ("add", "❄️", "and", "🌧️")),
        ("اجعلها مثلجة من فضلك", ("اجعلها", "مثلجة", "من", "فضلك")),
        ("make\u00a0it\u3000snowy", ("make", "it", "snowy")),
        ("could you make this rainy ###", ("could", "you", "make", "this", "rainy", "###")),
        ("<script>alert(1)</script> **bold**", ("<script>alert(1)</script>", "**bold**")),
    ],
)
def test_words(instruction: str, units: tuple[str, ...]) -> None:
    assert split_units(instruction) == units


@pytest.mark.parametrize(
    ("instruction", "units"),
    [
        ("make it snowy, at night", ("make it snowy", "at night")),
        ("make it (very snowy:1.2) at night", ("make it", "(very snowy:1.2)", "at night")),
        ("(fog, rain:1.3), snow", ("(fog, rain:1.3)", "snow")),
        ("1,000 lights, , please", ("1,000 lights", "please")),
        ("下雪，夜晚、安静", ("下雪", "夜晚", "安静")),
    ],
)
def test_phrases(instruction: str, units: tuple[str, ...]) -> None:
    assert split_units(instruction, "phrase") == units


@pytest.mark.parametrize(
    ("instruction", "granularity", "hint"),
    [
        (" \n ", "word", "no words"),
        ("snowy", "word", "at least two"),
        ("(make it snowy)", "word", "brackets count as one"),
        ("make it snowy", "phrase", "granularity 'word'"),
        (",,,", "phrase", "no words"),
        ("go " * 65, "word", "65 words; at most 64"),
        ("go, " * 65, "phrase", "65 phrases; at most 64"),
        ("make it snowy", "letter", "Unknown granularity"),
    ],
)
def test_refusals_say_what_to_do(instruction: str, granularity: str, hint: str) -> None:
    with pytest.raises(ConfigError, match=hint):
        split_units(instruction, granularity)


def test_sixty_four_units_are_allowed() -> None:
    assert len(split_units("go " * 64)) == 64


def test_the_prompt_is_the_kept_units_in_order() -> None:
    assert join_units(("make", "it", "snowy,", "now"), (1, 0, 1, 1)) == "make snowy, now"
    assert join_units(("snow", "at night", "quiet"), (1, 0, 1), "phrase") == "snow, quiet"
    with pytest.raises(ValueError, match="shorter"):
        join_units(("make", "it"), (1,))


def test_thousands_of_open_brackets_are_quick() -> None:
    assert len(split_units("(" * 1000 + " " + ")" * 900 + " end")) == 2


@pytest.mark.parametrize("text", ["把天空变成日落", "空を夕焼けにして", "ทำให้เป็นหิมะ"])
def test_a_script_without_spaces_is_told_to_put_them_in(text):
    with pytest.raises(ConfigError, match="written without spaces"):
        split_units(text)
    spaced = f"{text[:2]} {text[2:]}"
    assert len(split_units(spaced)) == 2


def test_a_single_word_elsewhere_is_told_to_write_two():
    with pytest.raises(ConfigError, match="at least two words"):
        split_units("snowy")
