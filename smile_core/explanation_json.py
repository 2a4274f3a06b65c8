"""An `Explanation` as JSON: written strictly, and read back without loss.

Pictures travel as files beside the JSON. Whatever is read is checked to the last number, because
files come from strangers too.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, fields
from typing import Any

from PIL import Image

from smile_core.config import RunConfig
from smile_core.explanation import (
    EDITED,
    OUTCOMES,
    UNCLEAR,
    VERDICTS,
    Explanation,
    Repeats,
    Sample,
    Scale,
    UnitWeight,
)
from smile_core.instruction import split_units
from smile_core.strict_json import (
    read_mapping,
    read_number,
    read_object,
    read_optional_number,
    read_optional_text,
    read_text,
    read_whole,
    refusing_damage,
)

SCHEMA = 1
# What files of earlier versions call a unit that is unclear.
_EARLIER_UNCLEAR = "not distinguishable from nothing"

REFERENCE_IMAGE = "edits/reference.png"
WITHOUT_INSTRUCTION_IMAGE = "edits/without-instruction.png"
SOURCE_IMAGE = "input.png"
MASK_IMAGE = "mask.png"


def image_name(index: int) -> str:
    """Return where the edit of sample `index` lies, relative to `explanation.json`."""
    return f"edits/{index:04d}.png"


def to_json(explanation: Explanation, *, with_images: bool = False) -> str:
    """Write an explanation as strict JSON (no NaN, no infinity).

    Parameters
    ----------
    explanation : Explanation
        The result to write.
    with_images : bool
        Name the picture files that lie beside the JSON (`image_name`, `REFERENCE_IMAGE`,
        `WITHOUT_INSTRUCTION_IMAGE`, `SOURCE_IMAGE`, `MASK_IMAGE`); otherwise every picture is null.

    Raises
    ------
    ValueError
        When a number is not finite: the engine gives None for what is undefined.
    """

    def plain_sample(sample: Sample, name: str) -> dict[str, Any]:
        values = {entry.name: getattr(sample, entry.name) for entry in fields(Sample)}
        return {**values, "image": name if with_images and sample.image else None}

    values = {entry.name: getattr(explanation, entry.name) for entry in fields(Explanation)}
    values["units"] = [plain_unit(unit) for unit in explanation.units]
    values["scale"] = None if explanation.scale is None else asdict(explanation.scale)
    values["repeats"] = None if explanation.repeats is None else asdict(explanation.repeats)
    values["samples"] = [
        plain_sample(sample, image_name(index)) for index, sample in enumerate(explanation.samples)
    ]
    values["reference"] = plain_sample(explanation.reference, REFERENCE_IMAGE)
    if explanation.without_instruction is not None:
        values["without_instruction"] = plain_sample(
            explanation.without_instruction, WITHOUT_INSTRUCTION_IMAGE
        )
    values["source"] = SOURCE_IMAGE if with_images and explanation.source else None
    values["mask"] = MASK_IMAGE if with_images and explanation.mask else None
    return json.dumps({"schema": SCHEMA, **values}, allow_nan=False, indent=1)


def plain_unit(unit: UnitWeight) -> dict[str, Any]:
    """Return a unit as plain values; one that was not measured has no numbers."""
    values = asdict(unit)
    if not values.pop("measured"):
        values |= dict.fromkeys(("weight", "low", "high"))
    return values


def from_json(
    text: str | bytes, load_image: Callable[[str], Image.Image | None] | None = None
) -> Explanation:
    """Read what `to_json` wrote; whatever else is given is refused with a sentence.

    Parameters
    ----------
    text : str or bytes
        The JSON.
    load_image : callable or None
        Turns the name of a picture into the picture, or None; without it pictures are None.

    Raises
    ------
    ConfigError
        When the text is not an explanation, is damaged, contradicts itself, or has another
        schema number.
    """
    with refusing_damage("an explanation", "explanation.json"):
        return _read_explanation(read_object(text, "an explanation", SCHEMA), load_image)


def _read_sample(
    values: dict[str, Any], load_image: Callable[[str], Image.Image | None] | None
) -> Sample:
    name = values["image"]
    numbers = ("image_distance", "text_distance", "sample_weight", "similarity", "predicted")
    if not set(values["mask"]) <= {0, 1}:
        raise ValueError("a mask holds something other than 0 and 1")
    return Sample(
        mask=tuple(int(bit) for bit in values["mask"]),
        prompt=read_text(values["prompt"]),
        image=load_image(read_text(name)) if load_image and name is not None else None,
        p_value=read_optional_number(values["p_value"]),
        failed=read_optional_text(values["failed"]),
        **{number: read_optional_number(values[number]) for number in numbers},
    )


def _read_unit(values: dict[str, Any]) -> UnitWeight:
    text, told = read_text(values["text"]), read_text(values["verdict"])
    told = UNCLEAR if told == _EARLIER_UNCLEAR else told
    if told not in VERDICTS:
        raise ValueError(f"{told!r} is not a verdict")
    if values["weight"] is None:
        low, high = (-1.0, 1.0) if told == UNCLEAR else (0.0, 0.0)
        return UnitWeight(text=text, weight=0.0, low=low, high=high, verdict=told, measured=False)
    return UnitWeight(
        text=text,
        weight=read_number(values["weight"]),
        low=read_number(values["low"]),
        high=read_number(values["high"]),
        verdict=told,
    )


def _read_scale(values: dict[str, Any]) -> Scale:
    return Scale(
        rests_on=read_text(values["rests_on"]),
        value=read_optional_number(values["value"]),
        floor=read_number(values["floor"]),
        visible=read_optional_number(values["visible"]),
    )


def _read_repeats(values: dict[str, Any], n: int) -> Repeats:
    def table(name: str) -> tuple[tuple[float | None, ...], ...]:
        return tuple(tuple(read_optional_number(cell) for cell in row) for row in values[name])

    samples, without = table("samples"), table("without_instruction")
    references = tuple(tuple(read_number(cell) for cell in row) for row in values["references"])
    of, width = read_text(values["of"]), len(samples[0]) if samples else None
    if of not in ("seeds", "full edits") or len(samples) != n:
        raise ValueError("the repeats are not those of its edits")
    if any(len(row) != width for row in (*samples, *without, *references) if width is not None):
        raise ValueError("the repeats differ in number")
    return Repeats(of=of, samples=samples, without_instruction=without, references=references)


def _read_explanation(
    values: dict[str, Any], load_image: Callable[[str], Image.Image | None] | None
) -> Explanation:
    units = tuple(_read_unit(read_mapping(unit, "a unit")) for unit in values["units"])
    samples = tuple(_read_sample(sample, load_image) for sample in values["samples"])
    reference = _read_sample(values["reference"], load_image)
    # Files of earlier versions have none of these.
    without, mask = values.get("without_instruction"), values.get("mask")
    scale, repeats = values.get("scale"), values.get("repeats")
    outcome = read_text(values.get("outcome", EDITED))
    if outcome not in OUTCOMES:
        raise ValueError(f"{outcome!r} is not an outcome")
    source = values["source"]
    painted = load_image(read_text(mask)) if load_image and mask is not None else None
    explanation = Explanation(
        instruction=read_text(values["instruction"]),
        editor=read_text(values["editor"]),
        encoder=read_text(values["encoder"]),
        seed=read_whole(values["seed"]),
        config=read_mapping(values["config"], "config"),
        units=units,
        intercept=read_number(values["intercept"]),
        fidelity={
            key: read_optional_number(v)
            for key, v in read_mapping(values["fidelity"], "fidelity").items()
        },
        effective_sample_size=read_number(values["effective_sample_size"]),
        samples=samples,
        reference=reference,
        without_instruction=None if without is None else _read_sample(without, load_image),
        outcome=outcome,
        scale=None if scale is None else _read_scale(read_mapping(scale, "scale")),
        repeats=None
        if repeats is None
        else _read_repeats(read_mapping(repeats, "repeats"), len(samples)),
        source=load_image(read_text(source)) if load_image and source is not None else None,
        mask=None if painted is None else painted.convert("L"),
        interactions=tuple(
            (read_whole(i), read_whole(j), read_number(c)) for i, j, c in values["interactions"]
        ),
        projection=tuple((read_number(x), read_number(y)) for x, y in values["projection"]),
        noise_floor=read_optional_number(values["noise_floor"]),
        notes=tuple(read_text(note) for note in values["notes"]),
        timing={key: read_number(v) for key, v in read_mapping(values["timing"], "timing").items()},
        versions={
            key: read_text(v) for key, v in read_mapping(values["versions"], "versions").items()
        },
    )
    _check_agreement(explanation)
    return explanation


def _check_agreement(explanation: Explanation) -> None:
    """Refuse parts that are readable each, but cannot belong to one run."""
    config = RunConfig.from_dict(explanation.config)
    m, n = len(explanation.units), len(explanation.samples)
    written = len(split_units(config.instruction, config.granularity))
    if config.instruction != explanation.instruction or config.seed != explanation.seed:
        raise ValueError("instruction or seed are not those of config")
    if m != written:
        raise ValueError(f"there are weights for {m} units, and the instruction has {written}")
    edits = [*explanation.samples, explanation.reference]
    if explanation.without_instruction is not None:
        edits.append(explanation.without_instruction)
    if any(len(edit.mask) != m for edit in edits):
        raise ValueError("a mask has another length than the instruction")
    if len(explanation.projection) not in (0, n + 1):
        raise ValueError(
            f"there are {len(explanation.projection)} points in the projection for {n + 1} edits"
        )
    if not all(0 <= i < m and 0 <= j < m for i, j, _ in explanation.interactions):
        raise ValueError("an interaction names a unit that there is not")
