"""Reading studies: what is spelt out, and a sentence for whatever cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from smile_core.config import ConfigError
from smile_core.evaluation.study import PROTOCOLS, Instruction
from smile_core.evaluation.study_file import (
    bundled_photos,
    bundled_studies,
    load_study,
    read_study,
)
from smile_core.evaluation.study_plan import group_by_edits, plan_study
from smile_core.instruction import split_units

SMALL = """
title: Small
parts:
  - name: one
    protocol: accuracy
    photos: [meadow]
    instructions: [{text: make it snowy, keywords: [snowy]}]
"""


def read(text: str) -> object:
    return read_study(text, Path())


def test_every_study_that_ships_can_be_read() -> None:
    studies = {name: load_study(name) for name in bundled_studies()}
    assert {
        "accuracy", "stability", "consistency", "fidelity", "cost", "one-prompt-many-photos",
        "one-photo-many-wordings", "scenarios", "faithfulness", "robustness", "quick",
    } <= set(studies)  # fmt: skip
    for name, study in studies.items():
        assert study.title, name
        assert study.about, name
        for part in study.parts:
            assert "scene-pix2pix" in part.editors, name
    assert {part.protocol for part in studies["quick"].parts} == set(PROTOCOLS)


def test_the_ten_prompts_are_ten_and_labelled() -> None:
    prompts, photos = load_study("accuracy").parts
    assert len(prompts.instructions) == 10
    assert photos.photos == tuple(bundled_photos())
    assert len(photos.photos) == 10
    for name, place in (("one-prompt-many-photos", 0), ("quick", 1), ("quick", 2)):
        assert load_study(name).parts[place].photos == photos.photos
    for instruction in prompts.instructions:
        truth = instruction.truth(split_units(instruction.text))
        assert 0 < sum(truth) < len(truth)


def test_what_holds_for_all_parts_and_what_one_sets_itself() -> None:
    text = SMALL.replace("title: Small", "perturbations: 12\nsettings: {steps: 3}")
    text += text[text.index("  - name") :].replace("one", "two") + "    perturbations: [4, 8]\n"
    study = read(text)
    assert [part.perturbations for part in study.parts] == [(12,), (4, 8)]
    assert [part.name for part in study.only(["two"]).parts] == ["two"]
    assert {run.config.steps for run in plan_study(study)} == {3}


def test_the_grid_is_whole_and_fits_share_their_edits() -> None:
    text = SMALL + (
        "    seeds: [0, 1]\n    perturbations: [5, 6]\n    image_distances: [cosine, energy]\n"
        "    text_distances: [wmd, cosine]\n    surrogates: [linear, ridge, lasso]\n"
    )
    runs = plan_study(read(text))
    assert len(runs) == len({(run.config, run.photo) for run in runs}) == 2 * 2 * 2 * 2 * 3
    groups = group_by_edits(runs)
    assert [len(group) for group in groups] == [12] * 4


def test_methods_bring_their_own_settings() -> None:
    runs = plan_study(read(SMALL + "    methods: [smile, lime, bay-lime, kernel-shap]\n"))
    found = [(r.config.surrogate, r.config.image_distance, r.config.text_distance) for r in runs]
    assert found == [
        ("linear", "transport-cost", "wmd"),
        ("lime", "cosine", "cosine"),
        ("bayesian-ridge", "cosine", "cosine"),
        ("shapley", "transport-cost", "wmd"),
    ]
    assert len(group_by_edits(runs)) == 1


@pytest.mark.parametrize(
    ("text", "keywords", "truth"),
    [
        ("Make it a Snowy, cold day.", ("snowy", "cold"), [0, 0, 0, 1, 1, 0]),
        ("a clear sky, a clear blue sky", ("clear blue sky",), [0, 0, 0, 0, 1, 1, 1]),
        ("snow on snow", ("snow",), [1, 0, 1]),
        ("take the lady's hat", ("lady's",), [0, 0, 1, 0]),
        ("a (clear blue sky:1.2) at (bright, wide) noon", ("bright", "noon"), [0, 0, 0, 1, 1]),
    ],
)
def test_truth(text: str, keywords: tuple[str, ...], truth: list[int]) -> None:
    assert Instruction(text=text, keywords=keywords).truth(split_units(text)) == truth


def test_a_phrase_belongs_to_the_keyword_that_it_holds() -> None:
    text = "make it a snowy evening, with clear, bright stars"
    units = split_units(text, "phrase")
    assert Instruction(text=text, keywords=("snowy",)).truth(units) == [1, 0, 0]
    assert Instruction(text=text, keywords=("clear bright",)).truth(units) == [0, 1, 1]
    one = Instruction(text=text, keywords=("evening", "stars"))
    assert one.keyword_units(units) == ["make it a snowy evening", "bright stars"]
    assert Instruction(text=text).keyword_units(units) == []


@pytest.mark.parametrize(
    ("keywords", "words"),
    [
        ("[]", "needs 'keywords' for every instruction"),
        ("[snowy, at night]", "Every phrase of .* is a keyword, so none is left"),
        ("[foggy]", "The keyword 'foggy' is not in the instruction"),
    ],
)
def test_attacks_that_cannot_be_made_are_refused_before_anything_runs(
    keywords: str, words: str
) -> None:
    text = SMALL.replace("accuracy", "robustness")
    text = text.replace("make it snowy,", "'make it snowy, at night',")
    text = text.replace("[snowy]", keywords) + "    settings: {granularity: phrase}\n"
    with pytest.raises(ConfigError, match=words):
        read(text)
    assert read(text.replace(keywords, "[night]"))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("photos: [meadow]", "photos: []", "The list 'photos' of part 'one' is empty"),
        ("photos: [meadow]", "photos:", "The list 'photos' of part 'one' is empty"),
        ("photos: [meadow]", "photo: [meadow]", "Did you mean 'photos'"),
        ("photos: [meadow]", "photos: [medow]", "There is no photo 'medow'"),
        ("    photos: [meadow]\n", "", "Part 'one' has no photos"),
        ("accuracy", "acuracy", "Did you mean 'accuracy'"),
        ("title", "titel", "Did you mean 'title'"),
        ("keywords: [snowy]", "keywords: [snow]", "The keyword 'snow' is not in the instruction"),
        ("keywords: [snowy]", "key: [snowy]", "Unknown key of an instruction of part 'one'"),
        ("text: make it snowy", "text: [make]", "neither a text nor has a key 'text'"),
        ("text: make it snowy", "text: snowy", "a single word"),
        ("accuracy", "stability", "needs 'changes': some of ###, full stop"),
        ("accuracy", "consistency", "needs at least two 'seeds'"),
        ("    photos", "    surrogates: [liner]\n    photos", "Did you mean 'linear'"),
        ("    photos", "    seeds: [0, 1, 0]\n    photos", "has 0 twice. Drop one"),
        ("[meadow]", "[bundled, meadow]", "The list 'photos' of part 'one' has 'meadow' twice"),
        ("    photos", "    methods: [shap]\n    photos", "Choose one of: bay-lime"),
        ("    photos", "    perturbations: [0]\n    photos", "from 1 to 4096"),
        ("    photos", "    perturbations: many\n    photos", "must be a whole number"),
        ("    photos", "    settings: {step: 3}\n    photos", "Did you mean 'steps'"),
        ("    photos", "    settings: 3\n    photos", "must be keys with values"),
        ("parts:", "parts: []\nabout:", "has no parts"),
        ("title: Small", "title: [Small", "The study is not YAML (line"),
    ],
)
def test_what_cannot_be_used_is_told(old: str, new: str, words: str) -> None:
    assert old in SMALL
    with pytest.raises(ConfigError) as caught:
        read(SMALL.replace(old, new, 1))
    assert words in str(caught.value)


def test_names_are_told_apart_and_files_have_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Two parts are called 'one'"):
        read(SMALL + SMALL[SMALL.index("  - name") :])
    with pytest.raises(ConfigError, match="The study is empty"):
        read("")
    with pytest.raises(ConfigError, match=r"cannot be read.*quick"):
        load_study(tmp_path / "missing.yaml")
