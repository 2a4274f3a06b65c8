"""Made-up but realistic explanations with real pictures, for tests of the views and of the page.

The numbers come from a small simulated run: a word-by-word effect on a drawn landscape, distances
with noise, fitted and judged as those of a real run. So distances, weights, intervals and verdicts
agree, and a fit of what was recorded gives them again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance

from smile_core.config import RunConfig
from smile_core.explanation import (
    ANY_UNIT,
    CHANCE,
    EDITED,
    UNCHANGED,
    Explanation,
    Repeats,
    Sample,
    Scale,
    UnitWeight,
)
from smile_core.fitting import fit_rows, model_fields, row_fields
from smile_core.intervals import verdict
from smile_core.outcome import outcome_of
from smile_core.response import FARTHEST, WITHOUT, Distances

INSTRUCTION = "make it snowy and gently foggy"
EFFECTS = (0.03, 0.01, 0.60, -0.02, 0.0, 0.36)
HOSTILE = "<script>alert(\"x\")</script> **bold** 'quoted' & שלג 🌨️ make_it [a](b) $1"


def landscape(size: int = 160, seed: int = 0) -> Image.Image:
    """Return a drawn hill, sky and house, the photo of every sample explanation."""
    rng = np.random.default_rng(seed)
    rows = np.linspace(0, 1, size)[:, None, None]  # (size, 1, 1)
    sky = np.array([110, 165, 215]) * (1 - rows) + np.array([225, 232, 236]) * rows
    pixels = np.broadcast_to(sky, (size, size, 3)) + rng.normal(0, 3, (size, size, 3))
    photo = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(photo)
    unit = size / 160
    draw.polygon(
        [(x * unit, y * unit) for x, y in ((0, 120), (55, 60), (95, 105), (125, 80), (160, 115))]
        + [(size, size), (0, size)],
        fill=(74, 118, 72),
    )
    draw.rectangle([x * unit for x in (92, 112, 124, 140)], fill=(176, 92, 70))
    draw.polygon([(x * unit, y * unit) for x, y in ((88, 112), (108, 94), (128, 112))], "#5b3a33")
    return photo


def edited(photo: Image.Image, snow: float, fog: float, seed: int = 0) -> Image.Image:
    """Return `photo` with white flakes (`snow`, 0 to 1) and a grey veil (`fog`, 0 to 1)."""
    photo = ImageEnhance.Color(photo).enhance(max(0.0, 1 - 0.6 * max(snow, fog)))
    photo = Image.blend(photo, Image.new("RGB", photo.size, (214, 219, 224)), 0.6 * max(0, fog))
    draw = ImageDraw.Draw(photo)
    rng = np.random.default_rng(seed)
    for x, y, radius in rng.uniform((0, 0, 0.8), (*photo.size, 2.2), (int(max(0, snow) * 160), 3)):
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(250, 252, 255))
    return photo


def masked(explanation: Explanation) -> Explanation:
    """Return the explanation with a mask over the left half of its photo."""
    width, height = explanation.source.size
    mask = Image.new("L", (width, height), 0)
    mask.paste(255, (0, 0, width // 2, height))
    return replace(explanation, mask=mask)


def sample_explanation(
    instruction: str = INSTRUCTION,
    effects: Sequence[float] = EFFECTS,
    *,
    n: int = 24,
    planned: int | None = None,
    size: int = 160,
    failed: int = 0,
    projected: bool = True,
    compared: bool = True,
    outcome: str = EDITED,
    response: Callable[[Sequence[float]], float] | None = None,
    seed: int = 0,
    **settings: object,
) -> Explanation:
    """Return the explanation of a simulated run.

    Parameters
    ----------
    instruction : str
        Its units are the white-space separated words.
    effects : sequence of float, length m
        How far leaving out each unit moves the picture; repeated or cut to fit the instruction.
    n : int
        Samples made; unique masks, so fewer when the instruction is short.
    planned : int or None
        Perturbations asked for; more than `n` makes a run that was stopped or is still going.
    size : int
        Edge of the pictures in pixels.
    failed : int
        How many samples (the last ones) failed.
    projected : bool
        Whether there is a t-SNE projection.
    compared : bool
        Whether there is an edit without instruction; without one the farthest edit ends the scale.
    outcome : str
        What comes of the run, one of `OUTCOMES`; any but `EDITED` decides the distances.
    response : callable or None
        Share of the way that a mask comes, in the place of what `effects` gives.
    seed : int
        Seed of the masks and of the noise.
    **settings
        Further fields of `RunConfig`.
    """
    words = instruction.split()
    m = len(words)
    truth = np.resize(np.asarray(effects, dtype=float), m)  # (m,)
    rng = np.random.default_rng(seed)
    photo = landscape(size, seed)
    masks = np.vstack([np.ones((1, m)), _masks(n, m, rng)])  # (n + 1, m)
    distances = _distances(masks, truth, outcome, compared, rng)
    if response is not None:
        distances.rows[:, 0] = [40 * (1 - response(mask)) for mask in masks]
        distances.blanks[:] = 40
    distances.rows[len(masks) - failed :] = np.nan
    text_distances = (1 - masks.mean(axis=1)) * 0.9  # (n + 1,)
    config = RunConfig(
        **{"instruction": instruction, "perturbations": planned or max(n, 1), "seed": seed}
        | settings
    )
    visible = 0.4 if outcome == UNCHANGED else 61.0
    fitted = fit_rows(
        config,
        masks.astype(int),
        text_distances=text_distances,
        distances=distances,
        p_values=None,
        happened=outcome not in (UNCHANGED, CHANCE),
    )
    found = outcome_of(
        visible,
        beyond_chance=outcome != CHANCE,
        responses=fitted.similarities[fitted.rows],
        judged=fitted.judged,
        negligible=config.negligible,
    )
    means = distances.means
    strength = 1.4 * masks * truth if outcome == EDITED else np.zeros_like(masks)  # (n + 1, m)
    if outcome == ANY_UNIT:
        strength += 0.9 / m

    def sample(row: int) -> Sample:
        lost = bool(np.isnan(means[row]))
        picture = edited(
            photo, float(strength[row, : m // 2 + 1].sum()), float(strength[row, -1]), row
        )
        return Sample(
            mask=tuple(int(bit) for bit in masks[row]),
            prompt=" ".join(word for word, keep in zip(words, masks[row], strict=True) if keep),
            image=None if lost else picture,
            image_distance=None if lost else float(means[row]),
            text_distance=None if lost else float(text_distances[row]),
            p_value=None if lost or row == 0 else float(rng.uniform(0, 0.2)),
            failed="The safety filter returned a black picture." if lost else None,
            **({} if lost else row_fields(fitted, row)),
        )

    samples = tuple(sample(row) for row in range(1, len(masks)))
    return Explanation(
        instruction=instruction,
        editor=config.editor,
        encoder=config.encoder,
        seed=seed,
        config=config.to_dict(),
        **model_fields(tuple(words), fitted, config.negligible, found),
        samples=samples,
        reference=replace(sample(0), image=edited(photo, *_full(outcome))),
        without_instruction=_without_instruction(photo, m, distances) if compared else None,
        scale=_scale(distances, visible),
        repeats=_repeats(distances),
        source=photo,
        projection=_projection(fitted.similarities, masks, rng) if projected else (),
        noise_floor=distances.floor or None,
        notes=_notes(failed),
        timing={"total_s": 9.2, "edit_s": 7.1, "encode_s": 1.4, "other_s": 0.7},
        versions={"smile": "0.1.0", "python": "3.11", "torch": "2.13.0", "diffusers": "0.42.1"},
    )


def with_units(explanation: Explanation, *rows: tuple[str, float, float, float]) -> Explanation:
    """Return a copy whose units are the given (text, weight, low, high), judged by their ends."""
    negligible = explanation.config["negligible"]
    units = tuple(
        UnitWeight(text=text, weight=w, low=low, high=high, verdict=verdict(low, high, negligible))
        for text, w, low, high in rows
    )
    return replace(explanation, units=units)


def never_left_out(explanation: Explanation, index: int) -> Explanation:
    """Return a copy in which nothing is known of a unit, as when it was never left out."""
    unknown = UnitWeight(
        text=explanation.units[index].text,
        weight=0.0,
        low=-1.0,
        high=1.0,
        verdict=verdict(-1.0, 1.0, 0.05),
        measured=False,
    )
    units = list(explanation.units)
    units[index] = unknown
    return replace(explanation, units=tuple(units))


def _distances(
    masks: np.ndarray, truth: np.ndarray, outcome: str, compared: bool, rng: np.random.Generator
) -> Distances:
    """Return made-up distances of all edits, on a scale of about 40 from no instruction."""
    noise = rng.normal(0, 0.008, len(masks))  # (n + 1,)
    way = truth.sum() + 0.02
    gap = (1 - masks) @ np.abs(truth)  # whatever is left out moves the picture a little
    moved = np.clip((1 - masks) @ truth + noise + 0.02 * (gap > 0), 0, None)
    if outcome != EDITED:
        moved, way = 0.01 * np.abs(noise), 1.0 if outcome == ANY_UNIT else 0.001
    moved[0] = 0.0
    blanks = np.array([[40 * way]] if compared else []).reshape(-1, 1)
    if outcome != CHANCE:
        return Distances(40 * moved[:, None], blanks)
    # An editor without a seed: three full edits, and three without instruction, all alike.
    among = np.array([[0, 9, 11], [9, 0, 10], [11, 10, 0]], dtype=float)
    rows = rng.uniform(8, 12, (len(masks), 3))
    rows[0] = 0.0
    return Distances(rows, rng.uniform(8, 12, (3, 3)) if compared else np.zeros((0, 3)), among)


def _full(outcome: str) -> tuple[float, float]:
    """Return how much snow and fog the full edit shows."""
    return (0.0, 0.02) if outcome in (UNCHANGED, CHANCE) else (0.9, 0.5)


def _without_instruction(photo: Image.Image, m: int, distances: Distances) -> Sample:
    return Sample(
        mask=(0,) * m, prompt="", image=edited(photo, 0, 0.02), image_distance=distances.way
    )


def _scale(distances: Distances, visible: float) -> Scale:
    if distances.way is None:
        value = float(np.nanmax(distances.means)) if len(distances.rows) > 1 else None
        return Scale(rests_on=FARTHEST, value=value, visible=visible)
    return Scale(rests_on=WITHOUT, value=distances.way, floor=distances.floor, visible=visible)


def _repeats(distances: Distances) -> Repeats | None:
    if distances.among is None:
        return None
    rows = [tuple(None if np.isnan(v) else float(v) for v in row) for row in distances.rows]
    return Repeats(
        of="full edits",
        samples=tuple(rows[1:]),
        without_instruction=tuple(tuple(row) for row in distances.blanks.tolist()),
        references=tuple(tuple(row) for row in distances.among.tolist()),
    )


def _masks(n: int, m: int, rng: np.random.Generator) -> np.ndarray:
    leave_one_out = [tuple(row) for row in 1 - np.eye(m, dtype=int)] if m > 1 else []
    rows = dict.fromkeys(leave_one_out)
    tries = 0
    while len(rows) < n and tries < 50 * n:
        tries += 1
        row = tuple(int(v) for v in rng.integers(0, 2, m))
        if 0 < sum(row) < m:
            rows[row] = None
    return np.array(list(rows)[:n], dtype=float).reshape(-1, m)


def _projection(
    y: np.ndarray, masks: np.ndarray, rng: np.random.Generator
) -> tuple[tuple[float, float], ...]:
    """Return a made-up map: the reference in the middle, the others farther the less alike."""
    angle = masks @ rng.uniform(-1, 1, masks.shape[1]) + rng.normal(0, 0.15, len(masks))
    radius = np.where(np.isnan(y), 0.0, 4 + 22 * (1 - y))
    points = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])[1:]  # (n, 2)
    return ((0.0, 0.0), *((float(x), float(z)) for x, z in points))


def _notes(failed: int) -> tuple[str, ...]:
    if failed == 0:
        return ()
    return (f"{failed} edits failed and were left out of the fit.",)
