from __future__ import annotations

from urllib.parse import parse_qsl

import gradio as gr
import pytest

from components.advanced import FIELDS, build, meant, preset_values, shown
from components.link import from_query, to_query
from smile_core.config import ConfigError, RunConfig
from tests.sample_explanations import HOSTILE


@pytest.mark.parametrize(
    "config",
    [
        RunConfig(instruction="make it snowy"),
        RunConfig(instruction=HOSTILE, seed=12, perturbations=7, interactions=True, order=1.5),
        RunConfig.preset("paper", instruction="make it snowy & foggy", guidance_scale=3.0),
        RunConfig(instruction="make it snowy", scheduler="dpm-solver", steps=20),
        RunConfig(instruction="make it snowy", response="min-max", blank="photo", negligible=0.1),
        RunConfig(instruction="make it snowy", blank="edit", perturbations=64),
    ],
)
def test_a_link_brings_every_setting_back(config: RunConfig):
    params = dict(parse_qsl(to_query(config, "temple")))
    assert params["photo"] == "temple"
    assert from_query(params) == config


def test_a_link_names_only_what_differs_from_the_defaults():
    query = to_query(RunConfig(instruction="make it snowy"), None)
    assert query == "instruction=make+it+snowy&editor=scene-pix2pix&seed=0"


def test_an_address_without_settings_is_no_link():
    assert from_query({}) is None
    assert from_query({"__theme": "dark", "photo": "temple"}) is None


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"instruction": "make it snowy", "wobble": "1"}, "Unknown setting: wobble"),
        ({"instruction": "make it snowy", "perturbations": "many"}, "not 'many'"),
        ({"instruction": "make it snowy", "perturbations": "[" * 9999}, "whole number"),
        ({"instruction": "make it snowy", "order": "NaN"}, "must be a number"),
        ({"instruction": "make it snowy", "blank": "none"}, "Unknown blank 'none'"),
        ({"instruction": "make it snowy", "negligible": "0"}, "smallest effect that matters"),
        ({"seed": "1"}, "no instruction"),
    ],
)
def test_a_broken_link_is_refused_with_a_sentence(params: dict[str, str], sentence: str):
    with pytest.raises(ConfigError, match=sentence.replace("[", r"\[")):
        from_query(params)


@pytest.mark.parametrize("value", [None, 20, 7.5, 0, 0.353])
def test_an_optional_number_survives_its_text_box(value: float | None):
    assert meant("guidance_scale", shown("guidance_scale", value)) == value


@pytest.mark.parametrize(
    ("name", "empty", "values"),
    [("scheduler", "editor's own", ["dpm-solver"]), ("blank", "automatic", ["edit", "photo"])],
)
def test_an_optional_choice_survives_its_menu(name: str, empty: str, values: list[str]):
    with gr.Blocks():
        _, settings = build(RunConfig(instruction="make it snowy"))
    menu = settings[name]
    assert menu.choices == [(empty, ""), *((value, value) for value in values)]
    assert menu.value == ""
    for value in (None, *values):
        assert shown(name, value) in dict(map(reversed, menu.choices))
        assert meant(name, shown(name, value)) == value


def test_text_that_is_no_number_is_left_for_the_check_to_name():
    assert meant("kernel_width", " wide ") == "wide"
    assert meant("instruction", "12") == "12"
    with pytest.raises(ConfigError, match="not 'wide'"):
        RunConfig(instruction="make it snowy", kernel_width=meant("kernel_width", "wide"))


def test_presets_fill_every_advanced_setting():
    paper = dict(zip(FIELDS, preset_values("paper"), strict=True))
    assert paper["p_cutoff"] == "0.05"
    assert paper["steps"] == ""
    values = {name: meant(name, value) for name, value in paper.items()}
    # The number of perturbations is no advanced setting.
    assert RunConfig(instruction="a b", perturbations=64, **values) == RunConfig.preset(
        "paper", instruction="a b"
    )
