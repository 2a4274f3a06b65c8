"""How many perturbations the words ask for, and what is offered where there are many words."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest

from components import inputs, perturbations
from components.bring_back import BringBack
from components.link import to_query
from components.runs import Runs
from components.session import session_of
from smile_core.config import RunConfig
from tests.components.explain_tab import page_parts, request

PHOTO = {"path": str(inputs.PHOTOS["temple"]), "orig_name": "temple.jpg"}


def words(count: int, commas: int = 0) -> str:
    texts = [f"word{index}" for index in range(count)]
    return " ".join([f"{text}," for text in texts[:commas]] + texts[commas:])


@pytest.mark.parametrize(
    ("instruction", "granularity", "number"),
    [
        ("make it snowy", "word", 32),
        (words(8), "word", 32),
        (words(9), "word", 36),
        (words(64), "word", 256),
        (words(70), "word", 256),  # refused anyway
        (words(40, commas=20), "phrase", 84),
        (words(40), "phrase", 32),
        ("", "word", 32),
        (None, "word", 32),
        ({"no": "text"}, "word", 32),
    ],
)
def test_there_are_four_perturbations_for_each_unit(
    instruction: object, granularity: str, number: int
):
    assert perturbations.wanted_for([instruction], granularity) == number
    both = perturbations.wanted_for(["make it snowy", instruction], granularity)
    assert both == number


@pytest.mark.parametrize(
    ("instruction", "granularity", "visible", "text"),
    [
        (words(19, commas=3), "word", False, ""),
        (words(20), "word", False, ""),  # a single phrase
        (words(20, commas=1), "word", True, "20 words: explain phrases instead of words"),
        (words(80, commas=3), "word", True, "80 words: explain phrases instead of words"),
        (words(40, commas=5), "phrase", False, ""),
        ("make it snowy", "phrase", True, "A single phrase: explain words instead of phrases"),
        ("snowy", "phrase", False, ""),
        (None, "word", False, ""),
    ],
)
def test_phrases_are_offered_for_many_words_and_words_for_one_phrase(
    instruction: str | None, granularity: str, visible: bool, text: str
):
    offer = inputs.unit_offer(instruction, granularity)
    assert offer["visible"] is visible
    assert not visible or offer["value"] == text


def begin(key: str, follows: bool, **settings: object):
    left, panels = page_parts()
    given = {name: component.value for name, component in left.settings.items()} | settings
    runs = Runs(left, panels)
    updates = runs.begin(request(key), PHOTO, False, True, "", follows, *given.values())
    return left, updates, session_of(request(key)).job


def test_a_run_takes_the_number_of_its_own_words_unless_another_was_set():
    left, updates, job = begin("follows", True, instruction=words(25), perturbations=32)
    assert job.config.perturbations == 100
    assert (updates[left.amount.number], updates[left.amount.slider]) == (100, 96)
    _, _, job = begin("set", False, instruction=words(25), perturbations=7.0)
    assert job.config.perturbations == 7
    left, updates, job = begin("empty", False, perturbations=None)
    assert "number of perturbations is empty" in updates[left.message]
    assert job is None


@pytest.mark.parametrize(
    ("number", "shown", "follows"),
    [(None, 64, False), (32, 32, True), (64, 64, False), (7, 7, False)],
)
def test_a_link_keeps_its_number(number: int | None, shown: int, follows: bool):
    left, panels = page_parts()
    opening = request(f"link {number}")
    config = RunConfig(instruction="make it very snowy and bright", perturbations=number)
    opening.query_params = dict(parse_qsl(to_query(config, None)))
    updates = BringBack(left, panels, None, None).open_page(opening)
    assert updates[left.amount.number] == shown
    assert updates[left.amount.follows] is follows


def test_the_page_opens_with_the_number_of_its_words():
    left, _ = page_parts(RunConfig(instruction=words(30)))
    assert [part.value for part in left.amount] == [120, 120, True, 120]
    left, _ = page_parts(RunConfig(instruction=words(30), perturbations=32))
    assert [part.value for part in left.amount] == [32, 32, False, 120]
