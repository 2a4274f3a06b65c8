"""What a run yields: `Snapshot` while it goes, `Explanation` when it ends.

Both are immutable. An explanation keeps the raw samples beside the fitted weights, so every
number on the page can be recomputed from it, and it goes to JSON and back without loss
(`to_json`, `from_json`); pictures travel as files beside the JSON.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from math import isfinite
from typing import Any

from PIL import Image

from smile_core.config import ConfigError, RunConfig
from smile_core.instruction import split_units

SCHEMA = 1

DRIVES = "drives the edit"
AGAINST = "works against it"
NOTHING = "not distinguishable from nothing"
VERDICTS = (DRIVES, AGAINST, NOTHING)


@dataclass(frozen=True, kw_only=True)
class UnitWeight:
    """One unit of the instruction with its influence.

    Attributes
    ----------
    text : str
        The unit as written.
    weight : float
        Surrogate coefficient: how much similarity to the full edit is gained by keeping the unit.
        Positive pulls the picture towards the edit. Usually within [-1, 1].
    low, high : float
        Ends of the 95 % bootstrap interval.
    verdict : str
        One of `VERDICTS`.
    """

    text: str
    weight: float
    low: float
    high: float
    verdict: str


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One perturbation: the prompt that was run and what came of it.

    Attributes
    ----------
    mask : tuple of int
        1 for each unit that was kept, 0 for each that was left out; length m.
    prompt : str
        The kept units, in order.
    image : PIL.Image.Image or None
        The edit; None when it failed or was not loaded.
    image_distance : float or None
        Distance to the reference edit, >= 0, in the units of the chosen distance.
    text_distance : float or None
        Distance of the prompt to the full instruction, >= 0.
    sample_weight : float or None
        Kernel weight in (0, 1]; how much the sample counts in the fit.
    similarity : float or None
        The response y in [0, 1]; 1 is the full edit.
    predicted : float or None
        The surrogate's answer for this mask.
    p_value : float or None
        Bootstrap p-value of the image distance (Algorithm 1), in [0, 1].
    failed : str or None
        Why there is no picture; None when there is one.
    """

    mask: tuple[int, ...]
    prompt: str
    image: Image.Image | None = None
    image_distance: float | None = None
    text_distance: float | None = None
    sample_weight: float | None = None
    similarity: float | None = None
    predicted: float | None = None
    p_value: float | None = None
    failed: str | None = None


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """Which words drive one edit of one photo, and everything that was measured on the way.

    Attributes
    ----------
    instruction, editor, encoder, seed
        As in the settings, repeated at the top level for readers of the JSON.
    config : dict
        All settings, see `RunConfig.to_dict`.
    units : tuple of UnitWeight
        The instruction's units in order.
    intercept : float
        The surrogate's constant.
    interactions : tuple of (int, int, float)
        Pairs of unit indices with the coefficient of their product; empty unless asked for.
    fidelity : dict of str to float or None
        Keys mse, wmse, mae, wmae, l1, l2, r2, r2_w, r2_w_adj, r2_w_loo; None where undefined.
    effective_sample_size : float
        (Σπ)²/Σπ² over the samples in the fit.
    samples : tuple of Sample
        The perturbations, in the order they were run. The reference is not among them.
    reference : Sample
        The edit by the full instruction.
    source : PIL.Image.Image or None
        The photo as the editor saw it.
    projection : tuple of (float, float)
        Coordinates in the plane; first the reference, then one per sample, a failed one at the
        place of the reference. Two principal components of the pooled features while a run goes
        and in a stopped one of more than 128 pictures; t-SNE in every other that has ended.
    noise_floor : float or None
        Mean image distance between edits that differ in the seed alone; None for one seed.
    notes : tuple of str
        Plain sentences a reader must know: failures, a deficient design, nothing changed.
    timing : dict of str to float
        Seconds: total_s, edit_s, encode_s, other_s.
    versions : dict of str to str
        Versions of this project, Python and the libraries that shape the numbers.
    """

    instruction: str
    editor: str
    encoder: str
    seed: int
    config: dict[str, Any]
    units: tuple[UnitWeight, ...]
    intercept: float
    fidelity: dict[str, float | None]
    effective_sample_size: float
    samples: tuple[Sample, ...]
    reference: Sample
    source: Image.Image | None = None
    interactions: tuple[tuple[int, int, float], ...] = ()
    projection: tuple[tuple[float, float], ...] = ()
    noise_floor: float | None = None
    notes: tuple[str, ...] = ()
    timing: dict[str, float] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """The state of a run after a batch of edits.

    Attributes
    ----------
    explanation : Explanation or None
        What is known so far; None until the reference edit exists. While the run goes the
        projection is by principal components, and the last snapshot replaces it by t-SNE;
        p-values are filled in by the last snapshot only.
    done, total : int
        Edits made (cached ones included) and edits in all, the reference included.
    edits_per_second : float or None
        Newly made edits for each second spent making them; None until one was made.
    seconds_left : float or None
        Estimate of the time left; None until it can be told. Edits that the cache has cost no
        editing.
    stable : bool
        True once the ranking of the units has stopped moving.
    state : {"running", "finished", "stopped"}
        `finished` and `stopped` mark the last snapshot.
    """

    explanation: Explanation | None
    done: int
    total: int
    edits_per_second: float | None
    seconds_left: float | None
    stable: bool
    state: str


def image_name(index: int) -> str:
    """Return where the edit of sample `index` lies, relative to `explanation.json`."""
    return f"edits/{index:04d}.png"


REFERENCE_IMAGE = "edits/reference.png"
SOURCE_IMAGE = "input.png"


def to_json(explanation: Explanation, *, with_images: bool = False) -> str:
    """Write an explanation as strict JSON (no NaN, no infinity).

    Parameters
    ----------
    explanation : Explanation
        The result to write.
    with_images : bool
        Name the picture files that lie beside the JSON (`image_name`, `REFERENCE_IMAGE`,
        `SOURCE_IMAGE`); otherwise every picture is null.

    Raises
    ------
    ValueError
        When a number is not finite: the engine gives None for what is undefined.
    """

    def plain_sample(sample: Sample, name: str) -> dict[str, Any]:
        values = {entry.name: getattr(sample, entry.name) for entry in fields(Sample)}
        return {**values, "image": name if with_images and sample.image else None}

    values = {entry.name: getattr(explanation, entry.name) for entry in fields(Explanation)}
    values["units"] = [asdict(unit) for unit in explanation.units]
    values["samples"] = [
        plain_sample(sample, image_name(index)) for index, sample in enumerate(explanation.samples)
    ]
    values["reference"] = plain_sample(explanation.reference, REFERENCE_IMAGE)
    values["source"] = SOURCE_IMAGE if with_images and explanation.source else None
    return json.dumps({"schema": SCHEMA, **values}, allow_nan=False, indent=1)


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
    try:
        values = json.loads(text, parse_constant=_refuse_constant)
        if not isinstance(values, dict) or "schema" not in values:
            raise ConfigError("This JSON is not an explanation: it has no schema number.")
        if values["schema"] != SCHEMA:
            raise ConfigError(
                f"This explanation has schema {values['schema']!r}, and this version reads "
                f"{SCHEMA}. Open it with the version that wrote it."
            )
        return _read_explanation(values, load_image)
    except ConfigError:
        raise
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
        said = " ".join(str(error).split())
        detail = f"{said} is missing" if isinstance(error, KeyError) else said
        raise ConfigError(
            f"This file is not an explanation, or it is damaged ({detail}). "
            "Choose the explanation.json of a finished run."
        ) from error


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number")


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise ValueError(f"{value!r} is not a number")
    return float(value)


def _optional_number(value: object) -> float | None:
    return None if value is None else _number(value)


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{value!r} is not a whole number")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not text")
    return value


def _mapping(values: object, what: str) -> dict[str, Any]:
    if not isinstance(values, dict):
        raise ValueError(f"{what} is not a mapping")
    return values


def _read_sample(
    values: dict[str, Any], load_image: Callable[[str], Image.Image | None] | None
) -> Sample:
    name = values["image"]
    numbers = ("image_distance", "text_distance", "sample_weight", "similarity", "predicted")
    if not set(values["mask"]) <= {0, 1}:
        raise ValueError("a mask holds something other than 0 and 1")
    return Sample(
        mask=tuple(int(bit) for bit in values["mask"]),
        prompt=_text(values["prompt"]),
        image=load_image(_text(name)) if load_image and name is not None else None,
        p_value=_optional_number(values["p_value"]),
        failed=None if values["failed"] is None else _text(values["failed"]),
        **{number: _optional_number(values[number]) for number in numbers},
    )


def _read_unit(values: dict[str, Any]) -> UnitWeight:
    unit = UnitWeight(
        text=_text(values["text"]),
        weight=_number(values["weight"]),
        low=_number(values["low"]),
        high=_number(values["high"]),
        verdict=_text(values["verdict"]),
    )
    if unit.verdict not in VERDICTS:
        raise ValueError(f"{unit.verdict!r} is not a verdict")
    return unit


def _read_explanation(
    values: dict[str, Any], load_image: Callable[[str], Image.Image | None] | None
) -> Explanation:
    units = tuple(_read_unit(_mapping(unit, "a unit")) for unit in values["units"])
    samples = tuple(_read_sample(sample, load_image) for sample in values["samples"])
    reference = _read_sample(values["reference"], load_image)
    source = values["source"]
    explanation = Explanation(
        instruction=_text(values["instruction"]),
        editor=_text(values["editor"]),
        encoder=_text(values["encoder"]),
        seed=_whole(values["seed"]),
        config=_mapping(values["config"], "config"),
        units=units,
        intercept=_number(values["intercept"]),
        fidelity={
            key: _optional_number(v) for key, v in _mapping(values["fidelity"], "fidelity").items()
        },
        effective_sample_size=_number(values["effective_sample_size"]),
        samples=samples,
        reference=reference,
        source=load_image(_text(source)) if load_image and source is not None else None,
        interactions=tuple(
            (_whole(i), _whole(j), _number(c)) for i, j, c in values["interactions"]
        ),
        projection=tuple((_number(x), _number(y)) for x, y in values["projection"]),
        noise_floor=_optional_number(values["noise_floor"]),
        notes=tuple(_text(note) for note in values["notes"]),
        timing={key: _number(v) for key, v in _mapping(values["timing"], "timing").items()},
        versions={key: _text(v) for key, v in _mapping(values["versions"], "versions").items()},
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
    if any(len(s.mask) != m for s in (*explanation.samples, explanation.reference)):
        raise ValueError("a mask has another length than the instruction")
    if len(explanation.projection) not in (0, n + 1):
        raise ValueError(
            f"there are {len(explanation.projection)} points in the projection for {n + 1} edits"
        )
    if not all(0 <= i < m and 0 <= j < m for i, j, _ in explanation.interactions):
        raise ValueError("an interaction names a unit that there is not")
