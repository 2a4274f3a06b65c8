from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from components import editor_card, mask
from smile_core.editors import EditorCard, devices, list_editors, load_editor
from smile_core.editors.card_file import CARD_FILE
from tests.parsed_html import Page

NBSP = "\N{NO-BREAK SPACE}"
CARD = EditorCard(
    name="a",
    title="A",
    family="test",
    licence="MIT <1>",
    memory_gb=0.5,
    source="lab/a",
    notes="Never run <b>here</b>.",
)


@pytest.fixture(autouse=True)
def _on_a_machine_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A container with 10 GB of memory, and nothing looked up yet."""
    monkeypatch.setattr(editor_card, "best_device", lambda: "cpu")
    monkeypatch.setattr(devices, "_CGROUP", tmp_path)
    (tmp_path / "memory.max").write_text("10_000_000_000")
    (tmp_path / "memory.current").write_text("0")
    monkeypatch.setattr(editor_card, "_found", {})


def shown(card: EditorCard) -> Page:
    return Page(editor_card.render_card(card))


def test_it_says_where_an_editor_runs_what_it_takes_and_its_licence():
    page = shown(CARD)
    (facts, notes) = (text for _, text in page.with_class("hint"))
    assert facts == f"Runs here on cpu · takes about 0.5{NBSP}GB of memory · licence: MIT <1>."
    assert notes == "Never run <b>here</b>. Source: lab/a"
    assert page.with_tag("a")[0][0]["href"] == "https://huggingface.co/lab/a"
    assert page.with_class("warning") == []


def test_what_an_editor_can_do_comes_first_and_is_not_folded_away():
    card = replace(CARD, does="<b>hats</b>", does_not="coats", example="add a hat")
    first, *_ = shown(card).elements
    assert (first[0], first[1]["class"]) == ("p", "ability")
    assert "".join(first[2]) == "Does <b>hats</b>. Knows no coats. For example: “add a hat”."
    assert shown(CARD).with_class("ability") == []


@pytest.mark.parametrize("name", ["scene-pix2pix", "one-step"])
def test_the_bundled_editors_say_on_the_page_what_they_can_do(name: str):
    ((_, text),) = Page(editor_card.say_about(name)).with_class("ability")
    assert text.startswith("Does weather, time of day, season, colour and style of a whole scene. ")
    assert "Knows no objects and no people." in text


def test_it_says_the_precision_of_an_editor_that_was_loaded():
    editor = load_editor("one-step")
    assert editor.runs_on.startswith("cpu, ")
    facts = shown(editor.card).with_class("hint")[0][1]
    assert facts.startswith(f"Runs here on {editor.runs_on} · ")


def test_it_says_whether_another_scheduler_can_be_chosen():
    facts = shown(replace(CARD, takes_scheduler=True)).with_class("hint")[0][1]
    assert "· can take the scheduler dpm-solver ·" in facts


def test_what_is_in_the_way_stands_out():
    page = shown(replace(CARD, memory_gb=58, gated=True))
    assert f"takes about 116{NBSP}GB" in page.with_class("hint")[0][1]  # in single precision
    (gated, memory) = (text for _, text in page.with_class("warning"))
    assert gated == "Gated: accept its licence on its page, then log in with: hf auth login"
    assert memory.startswith("Only ")


def test_an_editor_behind_an_api_runs_elsewhere():
    card = next(card for card in list_editors() if card.key_variable)
    facts = shown(card).with_class("hint")[0][1]
    assert facts.startswith("Runs at its provider, who bills every edit")
    assert "takes no seed" in facts


def test_a_folder_is_looked_up_once_and_then_known(tiny_pipeline: Path):
    name = str(tiny_pipeline)
    assert editor_card.say_at_once(name) == editor_card.LOOKING
    assert editor_card.known_card(name) is None
    about = editor_card.say_about(name)
    assert "Runs here on cpu · " in about
    assert editor_card.say_at_once(name) == about
    assert editor_card.known_card(name).title == "Tiny"


def test_a_folder_that_needs_a_mask_gets_one_asked_for(tiny_pipeline: Path, tmp_path: Path):
    folder = tmp_path / "masked"
    folder.mkdir()
    for path in (tiny_pipeline / "model_index.json", tiny_pipeline / CARD_FILE):
        text = path.read_text()
        (folder / path.name).write_text(text.replace('"steps"', '"needs_mask": true, "steps"'))
    assert not mask.needs_mask(str(folder))
    editor_card.look_up(str(folder))
    assert mask.needs_mask(str(folder))


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("nobody", "Unknown editor"),
        ("", "Unknown editor"),
        (None, "Unknown editor"),
        ("nobody/never-downloaded", "cannot be fetched from the hub"),
    ],
)
def test_what_cannot_be_used_says_why(name: str | None, sentence: str):
    ((_, text),) = Page(editor_card.say_about(name)).with_class("warning")
    assert sentence in text
