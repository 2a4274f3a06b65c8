"""What the inputs of the Compare tab ask for, as settings and as an address."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest
from PIL import Image

from components import compare_inputs, compare_link
from components.compare_asked import (
    EDITORS,
    INSTRUCTIONS,
    SETTINGS,
    asked_of,
    checked_comparison,
    chosen_configs,
)
from smile_core.config import ConfigError, RunConfig
from smile_core.mask_picture import WHOLE
from tests.components.compare_tab import NO_KEYS, TEMPLE, TEXTS, TOOLS, asked, tab_parts

MASKED = "sd2-inpainting"


def test_editors_share_the_first_instruction_and_instructions_the_first_editor() -> None:
    by_editor = chosen_configs(asked(EDITORS))
    assert [(c.editor, c.instruction) for c in by_editor] == [
        ("scene-pix2pix", "make it snowy"),
        ("sd-turbo", "make it snowy"),
    ]
    assert {(c.perturbations, c.seed) for c in by_editor} == {(8, 3)}
    three = (*TEXTS[:2], "make it night")
    by_text = chosen_configs(asked(INSTRUCTIONS, instructions=three))
    assert [(c.editor, c.instruction) for c in by_text] == [
        ("scene-pix2pix", text) for text in three
    ]


def test_settings_are_of_one_editor_and_a_third_column_has_some_of_its_own() -> None:
    own = {"steps": ("", "3", ""), "guidance_scale": (" 2 ", "", ""), "seed": ("", "5", "")}
    two = chosen_configs(asked(SETTINGS, own=own))
    assert {(c.editor, c.instruction) for c in two} == {("scene-pix2pix", "make it snowy")}
    assert [(c.steps, c.guidance_scale, c.seed) for c in two] == [(None, 2, 3), (3, None, 5)]
    own["image_guidance_scale"] = ("", "", "1.5")
    assert [c.image_guidance_scale for c in chosen_configs(asked(SETTINGS, own=own))] == [
        None, None, 1.5,
    ]  # fmt: skip


def test_every_column_has_settings_of_its_own_whatever_is_compared() -> None:
    own = {"strength": ("", "0.7", ""), "steps": ("4", "1", "")}
    both = chosen_configs(asked(EDITORS, own=own, image_distance="cosine"))
    assert [(c.steps, c.strength) for c in both] == [(4, None), (1, 0.7)]
    assert {c.image_distance for c in both} == {"cosine"}


@pytest.mark.parametrize(
    ("by", "changes", "message"),
    [
        (INSTRUCTIONS, {"instructions": ("make it snowy", "make it snowy", "")}, "A and B are"),
        (SETTINGS, {}, "A and B are the same"),
        (EDITORS, {"editors": ("scene-pix2pix", "/etc/weights", "")}, "editor"),
        (INSTRUCTIONS, {"instructions": ("make it snowy", "", "")}, "instruction"),
        (EDITORS, {"perturbations": None}, "perturbations is empty"),
        (EDITORS, {"seed": None}, "seed is empty"),
        (EDITORS, {"own": {"steps": ("many", "", "")}}, "not 'many'"),
        (EDITORS, {"own": {"strength": ("0.5", "", "")}}, "has no strength"),
        (EDITORS, {"encoder": "/etc/weights"}, "image encoder"),
    ],
)
def test_what_cannot_be_compared_is_refused(by, changes, message) -> None:
    with pytest.raises(ConfigError, match=message):
        chosen_configs(asked(by, **changes))


@pytest.mark.parametrize(
    ("by", "changes"),
    [
        (EDITORS, {"own": {"strength": ("", "0.7", "")}, "surrogate": "ridge"}),
        (EDITORS, {"editors": (*TOOLS[:2], "hq-edit"), "own": {"seed": ("1", "2", "3")}}),
        (INSTRUCTIONS, {"instructions": (*TEXTS[:2], "make it night"), "perturbations": 500}),
        (SETTINGS, {"own": {"steps": ("", "3", "")}, "p_cutoff": "0.05"}),
        (SETTINGS, {"own": {"steps": ("2", "3", ""), "seed": ("", "", "3")}}),
    ],
)
def test_what_was_asked_comes_back_from_the_settings_and_from_an_address(by, changes) -> None:
    configs = chosen_configs(asked(by, **changes))
    again = asked_of(configs)
    assert (again.by, again.columns) == (by, len(configs))
    assert chosen_configs(again) == configs
    params = dict(parse_qsl(compare_link.to_query(configs, "temple")))
    assert params["photo"] == "temple"
    assert compare_link.is_comparison(params)
    assert compare_link.from_query({**params, "__theme": "dark"}) == configs


def test_a_link_of_a_comparison_reads_like_its_settings() -> None:
    configs = chosen_configs(asked(EDITORS, own={"steps": ("", "3", "")}))
    assert dict(parse_qsl(compare_link.to_query(configs, None))) == {
        "instruction": "make it snowy",
        "editor.a": "scene-pix2pix",
        "editor.b": "sd-turbo",
        "perturbations": "8",
        "seed": "3",
        "steps.a": "null",
        "steps.b": "3",
    }


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("instruction=x&editor.a=scene-pix2pix", "two or three columns"),
        ("instruction=x&steps.b=3", "for 1 of 2 columns"),
        ("editor.a=x&editor.b=y", "nothing to compare"),
        ("instruction=x&steps.a=1&steps.b=many", "not 'many'"),
        ("instruction=x&nothing.a=1&nothing.b=2", "Unknown setting: nothing"),
    ],
)
def test_damaged_links_are_refused_in_a_sentence(query: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        compare_link.from_query(dict(parse_qsl(query)))
    assert compare_link.from_query({"instruction": "make it snowy"}) is None


def test_what_the_page_cannot_repeat_is_said() -> None:
    plain = RunConfig(instruction="make it snowy")
    other = plain.with_(editor="sd-turbo")
    with pytest.raises(ConfigError, match="differ in surrogate"):
        asked_of([plain, plain.with_(surrogate="ridge")])
    with pytest.raises(ConfigError, match="differ in editor, instruction"):
        asked_of([plain, other.with_(instruction="make it foggy")])
    with pytest.raises(ConfigError, match="no input for negative prompt"):
        asked_of([c.with_(negative_prompt="blur") for c in (plain, other)])


def test_an_editor_that_needs_a_mask_takes_one_or_the_whole_picture_or_says_so() -> None:
    masked = chosen_configs(asked(EDITORS, editors=(TOOLS[0], MASKED, "")))
    with pytest.raises(ConfigError, match="mask"):
        checked_comparison(TEMPLE, masked, None, NO_KEYS[:2])
    assert checked_comparison(TEMPLE, masked, WHOLE, NO_KEYS[:2]).mask == WHOLE
    with pytest.raises(ConfigError, match="proportions"):
        checked_comparison(TEMPLE, masked, Image.new("L", (40, 90), 255), NO_KEYS[:2])
    plain = chosen_configs(asked(EDITORS))
    assert checked_comparison(TEMPLE, plain, WHOLE, NO_KEYS[:2]).mask is None


def test_each_column_runs_with_the_key_of_its_own_provider(monkeypatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    billed = asked(EDITORS, editors=(TOOLS[0], "gpt-image-2.5-flare", ""))
    assert [billed.key(index, ("a", "b", "c")) for index in (0, 1)] == ["a", "b"]
    one = asked(INSTRUCTIONS)
    assert [one.key(index, ("a", "b", "c")) for index in (0, 1)] == ["a", "a"]
    configs = chosen_configs(billed)
    with pytest.raises(ConfigError, match="OPENAI_API_KEY"):
        checked_comparison(TEMPLE, configs, None, NO_KEYS[:2])
    job = checked_comparison(TEMPLE, configs, None, ("", "sk-of-b"))
    assert job.tools[0] is None
    assert job.tools[1].name == "gpt-image-2.5-flare"
    assert "sk-of-b" not in repr(job)
    left, _ = tab_parts()
    updates = compare_inputs.arranged(left, billed)
    assert [updates[field]["visible"] for field in left.keys] == [False, True, False]
