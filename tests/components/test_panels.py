from __future__ import annotations

import json
import re
from dataclasses import replace

import gradio as gr
import pytest

from components import advanced, answer, fidelity, gallery, inputs, scatter, words
from components.fidelity import PUBLISHED_CUTOFF
from components.method import settings_table
from smile_core.config import RunConfig
from smile_core.editors import registry
from smile_core.explanation import ANY_UNIT, CHANCE, UNCHANGED
from smile_core.fidelity import FIDELITY
from tests.sample_explanations import HOSTILE, sample_explanation
from tests.toy_editors import ToyEditor, toy_card
from tests.toy_runs import last

SAMPLE = sample_explanation()


def test_charts_carry_a_figure_and_never_a_tag():
    for text in (
        words.render(sample_explanation(HOSTILE)),
        fidelity.render_plot(sample_explanation(HOSTILE)),
        scatter.render(sample_explanation(HOSTILE), lambda picture: "p"),
    ):
        assert "<" not in text
        assert json.loads(text)["figure"]["data"]


def test_charts_are_empty_before_there_is_a_result():
    assert words.render(None) == ""
    assert fidelity.render_plot(None) == ""
    assert scatter.render(None, lambda picture: "p") == ""


def test_map_has_a_picture_for_the_reference_and_every_edit():
    failing = sample_explanation(failed=2)
    value = json.loads(scatter.render(failing, lambda picture: "p"))
    assert value["thumbnails"] == ["p"] * (len(failing.samples) - 1) + [None, None]


def test_map_is_empty_without_a_projection():
    assert scatter.render(sample_explanation(projected=False), lambda picture: "p") == ""


def test_map_can_be_coloured_by_every_unit():
    choices = scatter.render_choices([unit.text for unit in SAMPLE.units])["choices"]
    assert [value for _, value in choices] == [scatter.SIMILARITY, *range(len(SAMPLE.units))]
    for _, value in choices:
        assert scatter.render(SAMPLE, lambda picture: "p", value)


def test_gallery_has_one_figure_per_edit():
    alone = gallery.render(sample_explanation(compared=False), lambda picture: "p.webp")
    assert alone.count("<figure") == len(SAMPLE.samples) + 1
    assert "appear here" in gallery.render(None)
    compared = gallery.render(SAMPLE, lambda picture: "p.webp")
    assert compared.count("<figure") == len(SAMPLE.samples) + 2
    assert "no instruction: the zero of the scale" in compared


def test_gallery_sorts_by_attributes_that_figures_have():
    html = gallery.render(SAMPLE, lambda picture: "p.webp")
    for key in gallery.SORTS:
        assert f"data-{key.lstrip('-')}=" in html


def test_fidelity_explains_every_number_and_its_direction():
    html = fidelity.render_numbers(SAMPLE)
    assert set(fidelity.ORDER) == set(FIDELITY)
    for metric in FIDELITY.values():
        assert metric.label in html
        assert metric.meaning in html
    assert html.count("is better") == len(FIDELITY)


def test_the_effective_sample_size_is_told_only_where_the_kernel_is_given():
    assert "Effective sample size" not in fidelity.render_numbers(SAMPLE)
    fixed = sample_explanation(kernel_width=0.3)
    html = fidelity.render_numbers(fixed)
    assert f"{fixed.effective_sample_size:.1f} of {len(fixed.samples) + 1}</td>" in html


@pytest.mark.parametrize(
    ("outcome", "sentence", "has_map"),
    [
        (UNCHANGED, "Nothing happened, so there is nothing to explain.", False),
        (CHANCE, "Nothing happened, so there is nothing to explain.", False),
        (ANY_UNIT, "Any one word is enough, so none has a weight of its own.", True),
    ],
)
def test_where_no_word_has_a_weight_no_panel_shows_a_number_for_one(
    outcome: str, sentence: str, has_map: bool
):
    found = sample_explanation(outcome=outcome)
    assert found.outcome == outcome
    said = {"message": sentence}
    assert json.loads(words.render(found)) == json.loads(fidelity.render_plot(found)) == said
    assert fidelity.render_numbers(found) == ""
    points = json.loads(scatter.render(found, lambda picture: "p"))
    assert ("figure" in points) == has_map
    assert has_map or points == said
    assert answer.render_pair(found, lambda picture: "p").count("<img") == 2


def test_fidelity_says_what_a_cutoff_does_to_the_fit():
    settings = {"perturbations": 20, "p_iterations": 200}
    p_values = sorted(sample.p_value for sample in last(**settings).samples)
    middle = p_values[10]
    below = sum(p <= middle for p in p_values)
    assert PUBLISHED_CUTOFF < p_values[0] <= middle < p_values[-1]
    whole = last(**settings, p_cutoff=middle)
    html = fidelity.render_numbers(whole)
    assert "What a p-value cutoff does to the fit" in html
    assert re.findall(r"No cutoff|p ≤ [\d.]+", html) == ["No cutoff", f"p ≤ {middle:g}", "p ≤ 0.05"]
    assert "on 20 of 20 edits" in html
    assert re.search(rf"on {below} of 20 edits; .* weights move by 0\.00 at most", html)
    assert "Leaves no edit to fit" in html
    unfinished = replace(whole, samples=tuple(replace(s, p_value=None) for s in whole.samples))
    assert "cutoff" not in fidelity.render_numbers(unfinished)


def test_fidelity_shows_a_dash_for_what_is_undefined():
    few = sample_explanation(n=4)
    assert few.fidelity["r2_w_loo"] is None
    assert "<td>–</td>" in fidelity.render_numbers(few)


def test_cost_counts_the_whole_and_none_under_each_seed():
    config = RunConfig(instruction="make it very snowy and foggy", perturbations=32, seeds=2)
    assert inputs.cost_text(config, 6, None) == "68 edits."
    early = config.with_(stop_when_settled=True)
    assert inputs.cost_text(early, 6, None) == "At most 68 edits."
    assert inputs.cost_text(config.with_(blank="photo"), 6, None) == "66 edits."
    assert "about 23 s" in inputs.cost_text(config, 6, 1 / 3)


@pytest.mark.parametrize(
    ("fields", "settings", "text"),
    [
        ({}, {}, "8 edits: all 6 ways to shorten 3 words, the whole, and the edit without "
                 "instruction."),
        ({}, {"blank": "photo"}, "7 edits: all 6 ways to shorten 3 words, and the whole."),
        ({}, {"seeds": 2}, "16 edits: all 6 ways to shorten 3 words, the whole, and the edit "
                           "without instruction, each under 2 seeds."),
        ({"repeatable": False}, {}, "9 edits: all 6 ways to shorten 3 words, and 3 more with all "
                                    "words or none."),
        ({"takes_seed": False}, {}, "12 edits: all 6 ways to shorten 3 words, and 6 more with all "
                                    "words or none."),
        ({"takes_seed": False}, {"blank": "photo"}, "9 edits: all 6 ways to shorten 3 words, and 3 "
                                                    "more with all words."),
    ],
)  # fmt: skip
def test_cost_of_a_short_instruction_is_all_its_subsets(
    fields: dict[str, bool], settings: dict[str, object], text: str, monkeypatch: pytest.MonkeyPatch
):
    card = toy_card(**fields)
    monkeypatch.setitem(registry._REGISTRY, "toy", (card, ToyEditor))
    config = RunConfig(instruction="make it snowy", editor="toy", **settings)
    assert inputs.cost_text(config, 3, None) == text
    edits = int(text.split()[0])
    assert f"{text[:-1]}, about {edits} s (edits made" in inputs.cost_text(config, 3, 1.0)


def test_cost_says_what_is_wrong_with_the_settings():
    assert "must be from 1 to 4096" in inputs.say_cost("make it snowy", 0, "word", 1, "any")
    assert "single word" in inputs.say_cost("snowy", 8, "word", 1, "any")
    assert "Write an instruction" in inputs.say_cost("  ", 8, "word", 1, "any")


def test_cost_heeds_what_stands_for_no_instruction():
    given = ("make it snowy", 64, "word", 1, "scene-pix2pix", False)
    assert "8 edits:" in inputs.say_cost(*given, "")  # what the menu shows for automatic
    assert "7 edits:" in inputs.say_cost(*given, "photo")


def test_cost_of_an_editor_behind_an_api_says_who_bills_it():
    text = inputs.say_cost("make it snowy", 64, "word", 1, "gpt-image-2.5-flare")
    assert "bills every edit, and this run makes up to 9." in text


def test_chips_hold_every_example_and_its_source():
    html = inputs.render_instruction_chips()
    scenarios = json.loads((inputs.ASSETS / "scenarios.json").read_text(encoding="utf-8"))
    texts = [item["text"] for group in scenarios["groups"] for item in group["instructions"]]
    assert html.count("data-value=") == len(texts) == len(set(texts))
    assert "arXiv 2412.16277, table IX" in html


def test_every_bundled_photo_is_there_and_credited():
    credits = (inputs.ASSETS / "photos" / "CREDITS.md").read_text(encoding="utf-8")
    for path in inputs.PHOTOS.values():
        assert path.exists()
        assert path.name in credits


def test_method_explains_every_setting():
    table = settings_table()
    with gr.Blocks():
        _, settings = advanced.build(RunConfig(instruction="make it snowy"))
    assert set(settings) == set(advanced.FIELDS)
    for component in settings.values():
        assert f"| {component.label} | {component.info} |" in table
    for label in ("Perturbations", "Seed"):
        assert f"| {label} |" in table
