from __future__ import annotations

import json
from dataclasses import replace

import pytest

from smile_core.config import ConfigError
from smile_core.explanation import (
    ANY_UNIT,
    CHANCE,
    EDITED,
    NOTHING_HAPPENED,
    ONE_IS_ENOUGH,
    OUTCOMES,
    UNCHANGED,
    UNCLEAR,
    Explanation,
)
from smile_core.explanation_json import SCHEMA, from_json, image_name, to_json
from tests.sample_explanations import HOSTILE, masked, never_left_out, sample_explanation

KEYS = {
    "schema", "instruction", "editor", "encoder", "seed", "config", "units", "fidelity",
    "effective_sample_size", "samples", "reference", "projection", "timing", "versions",
    "outcome", "scale", "repeats", "without_instruction",
}  # fmt: skip


def without_pictures(explanation: Explanation) -> Explanation:
    return replace(
        explanation,
        source=None,
        reference=replace(explanation.reference, image=None),
        samples=tuple(replace(sample, image=None) for sample in explanation.samples),
        without_instruction=explanation.without_instruction
        and replace(explanation.without_instruction, image=None),
    )


@pytest.mark.parametrize(("failed", "compared"), [(0, True), (3, False)])
def test_there_and_back_without_loss(failed: int, compared: bool) -> None:
    explanation = without_pictures(sample_explanation(failed=failed, compared=compared))
    explanation = replace(explanation, interactions=((0, 2, 0.25),), noise_floor=0.5)
    assert from_json(to_json(explanation)) == explanation


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_what_came_of_a_run_comes_back(outcome: str) -> None:
    explanation = without_pictures(sample_explanation(n=14, outcome=outcome))
    assert explanation.outcome == outcome
    found = from_json(to_json(explanation))
    assert found == explanation
    assert found.happened == (outcome in (EDITED, ANY_UNIT))


@pytest.mark.parametrize(
    ("outcome", "verdict"),
    [(UNCHANGED, NOTHING_HAPPENED), (CHANCE, NOTHING_HAPPENED), (ANY_UNIT, ONE_IS_ENOUGH)],
)
def test_a_unit_without_a_weight_has_no_number(outcome: str, verdict: str) -> None:
    values = json.loads(to_json(sample_explanation("a b c", n=6, outcome=outcome)))
    nothing = dict.fromkeys(("weight", "low", "high"))
    assert values["units"] == [{"text": text, "verdict": verdict, **nothing} for text in "abc"]


def test_a_unit_that_was_never_left_out_has_no_number() -> None:
    explanation = without_pictures(never_left_out(sample_explanation(n=14), 3))
    values = json.loads(to_json(explanation))
    nothing = dict.fromkeys(("weight", "low", "high"))
    assert values["units"][3] == {"text": "and", "verdict": UNCLEAR, **nothing}
    assert from_json(json.dumps(values)) == explanation


def test_files_of_earlier_versions_are_read() -> None:
    """They know neither outcome, scale nor repeats, and call a unit that is unclear otherwise."""
    explanation = without_pictures(sample_explanation(n=14, compared=False))
    values = json.loads(to_json(explanation))
    for name in ("outcome", "scale", "repeats"):
        del values[name]
    for unit in values["units"]:
        if unit["verdict"] == UNCLEAR:
            unit["verdict"] = "not distinguishable from nothing"
    for name in ("response", "blank", "negligible"):
        del values["config"][name]
    found = from_json(json.dumps(values))
    assert UNCLEAR in {unit.verdict for unit in found.units}
    assert (found.outcome, found.scale, found.repeats) == (EDITED, None, None)
    assert found.units == explanation.units
    kept = {name: v for name, v in explanation.config.items() if name in values["config"]}
    assert found == replace(explanation, scale=None, config=kept)


def test_pictures_come_back_through_a_loader() -> None:
    explanation = masked(sample_explanation(n=4, compared=True))
    named = {"input.png": explanation.source, "edits/reference.png": explanation.reference.image}
    named["mask.png"] = explanation.mask.convert("RGB")  # as files are read
    named["edits/without-instruction.png"] = explanation.without_instruction.image
    named |= {image_name(i): sample.image for i, sample in enumerate(explanation.samples)}
    assert from_json(to_json(explanation, with_images=True), named.get) == explanation


def test_the_keys_that_others_read() -> None:
    values = json.loads(to_json(sample_explanation(n=4), with_images=True))
    assert values.keys() >= KEYS
    assert values["schema"] == SCHEMA
    assert values["units"][0].keys() == {"text", "weight", "low", "high", "verdict"}
    assert values["scale"].keys() == {"rests_on", "value", "floor", "visible"}
    assert values["samples"][1].keys() == {
        "mask", "prompt", "image", "image_distance", "text_distance", "sample_weight",
        "similarity", "predicted", "p_value", "failed",
    }  # fmt: skip
    assert values["samples"][1]["image"] == "edits/0001.png"
    assert values["reference"]["image"] == "edits/reference.png"
    assert values["reference"]["prompt"] == values["instruction"]
    assert values["fidelity"].keys() == {
        "mse", "wmse", "mae", "wmae", "l1", "l2", "r2", "r2_w", "r2_w_adj", "r2_w_loo",
    }  # fmt: skip


def test_files_from_before_there_were_masks_and_edits_without_instruction_are_read() -> None:
    explanation = without_pictures(sample_explanation(n=4, compared=False))
    values = json.loads(to_json(explanation))
    del values["without_instruction"], values["mask"]
    assert from_json(json.dumps(values)) == explanation


def test_any_text_survives() -> None:
    explanation = without_pictures(sample_explanation(HOSTILE, n=4))
    assert from_json(to_json(explanation)).units == explanation.units


def test_a_number_that_is_none_is_not_written() -> None:
    explanation = replace(sample_explanation(n=4), intercept=float("nan"))
    with pytest.raises(ValueError, match="JSON"):
        to_json(explanation)


def damaged(**changes: object) -> str:
    values = json.loads(to_json(sample_explanation(n=4)))
    return json.dumps({**values, **changes})


def damaged_unit(**changes: object) -> str:
    first, *others = json.loads(to_json(sample_explanation(n=4)))["units"]
    return damaged(units=[{**first, **changes}, *others])


def damaged_config(**changes: object) -> str:
    config = json.loads(to_json(sample_explanation(n=4)))["config"]
    return damaged(config={**config, **changes})


def damaged_repeats(**changes: object) -> str:
    values = json.loads(to_json(sample_explanation(n=4, outcome=CHANCE)))
    return json.dumps({**values, "repeats": {**values["repeats"], **changes}})


def damaged_without(**changes: object) -> str:
    values = json.loads(to_json(sample_explanation(n=4, compared=True)))["without_instruction"]
    return damaged(without_instruction={**values, **changes})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "damaged"),
        ("{", "damaged"),
        (b"\xff\xfe\x00", "damaged"),
        ("[" * 100_000, "damaged"),
        ("[]", "no schema"),
        ("{}", "no schema"),
        (damaged(schema=2), "schema 2"),
        (damaged(units=[{"text": "a"}]), "'verdict' is missing"),
        (damaged(units=[{"text": "a", "verdict": UNCLEAR}]), "'weight' is missing"),
        (damaged(outcome="splendid"), "'splendid' is not an outcome"),
        (damaged(outcome=None), "None is not text"),
        (damaged(scale=3), "scale is not a mapping"),
        (damaged(scale={"rests_on": "photo"}), "'value' is missing"),
        (damaged(repeats=[]), "repeats is not a mapping"),
        (damaged_repeats(of="days"), "the repeats are not those of its edits"),
        (damaged_repeats(samples=[]), "the repeats are not those of its edits"),
        (damaged_repeats(references=[[0.0]]), "the repeats differ in number"),
        (damaged_repeats(without_instruction=[["far"] * 3]), "'far' is not a number"),
        (damaged(units=3), "damaged"),
        (damaged(intercept="1"), "'1' is not a number"),
        (damaged(intercept=float("nan")), "NaN is not a number"),
        (damaged(instruction=["a"]), "is not text"),
        (damaged(units=[]), "weights for 0 units"),
        (damaged(units=None), "damaged"),
        (damaged(units=[3]), "a unit is not a mapping"),
        (damaged_unit(verdict="maybe"), "'maybe' is not a verdict"),
        (damaged_unit(verdict=["maybe"]), "is not text"),
        (damaged(instruction="make it so"), "not those of config"),
        (damaged_config(instruction=""), "instruction is empty"),
        (damaged_config(granularity="phrase"), "fewer than two|single phrase|one phrase"),
        (damaged_config(editor=["a"]), "'editor' must be a name"),
        (damaged_config(colour="red"), "Unknown setting: colour"),
        (damaged(config={}), "hold no instruction"),
        (damaged(config=[]), "config is not a mapping"),
        (damaged(config=None), "config is not a mapping"),
        (damaged(fidelity=[]), "fidelity is not a mapping"),
        (damaged(fidelity="r2"), "fidelity is not a mapping"),
        (damaged(timing=None), "timing is not a mapping"),
        (damaged(versions=3), "versions is not a mapping"),
        (damaged(seed=float("inf")), "Infinity is not a number"),
        (damaged(seed=0).replace('"seed": 0,', '"seed": 1e999,'), "inf is not a whole number"),
        (damaged(seed=0.5), "0.5 is not a whole number"),
        (damaged(intercept=10**400), "damaged"),
        (damaged(interactions=[[0, 99, 0.5]]), "interaction names a unit"),
        (damaged(interactions=[[-1, 1, 0.5]]), "interaction names a unit"),
        (damaged(interactions=[[0.5, 1, 0.5]]), "0.5 is not a whole number"),
        (damaged(projection=[[1, 2]]), "1 points in the projection for 5 edits"),
        (damaged(reference=None), "damaged"),
        (damaged(projection=[[1]]), "damaged"),
        (damaged(without_instruction=3), "damaged"),
        (damaged_without(mask=[0, 0]), "a mask has another length"),
        (damaged_without(image_distance="far"), "'far' is not a number"),
        (damaged(samples=[{"mask": [0, 7]}]), "damaged"),
    ],
)
def test_whatever_else_is_given_is_refused(text: str | bytes, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        from_json(text)
    assert "\n" not in str(caught.value)
