"""Made-up but realistic explanations with real pictures, for tests of the views and of the page.

The numbers come from a small simulated run: a word-by-word effect on a drawn landscape, distances
with noise, and a weighted least-squares fit, so weights, predictions and distances agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance

from smile_core.config import RunConfig
from smile_core.explanation import AGAINST, DRIVES, NOTHING, Explanation, Sample, UnitWeight

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


def verdict(low: float, high: float) -> str:
    """Return the verdict that an interval allows."""
    if low > 0:
        return DRIVES
    return AGAINST if high < 0 else NOTHING


def sample_explanation(
    instruction: str = INSTRUCTION,
    effects: Sequence[float] = EFFECTS,
    *,
    n: int = 24,
    planned: int | None = None,
    half_width: float = 0.05,
    size: int = 160,
    failed: int = 0,
    projected: bool = True,
    compared: bool = False,
    seed: int = 0,
) -> Explanation:
    """Return the explanation of a simulated run.

    Parameters
    ----------
    instruction : str
        Its units are the white-space separated words.
    effects : sequence of float, length m
        True influence of each unit on the similarity; repeated or cut to fit the instruction.
    n : int
        Samples made; unique masks, so fewer when the instruction is short.
    planned : int or None
        Perturbations asked for; more than `n` makes a run that was stopped or is still going.
    half_width : float
        Half of every interval.
    size : int
        Edge of the pictures in pixels.
    failed : int
        How many samples (the last ones) failed.
    projected : bool
        Whether there is a t-SNE projection.
    compared : bool
        Whether there is an edit without instruction.
    """
    words = instruction.split()
    m = len(words)
    truth = np.resize(np.asarray(effects, dtype=float), m)  # (m,)
    rng = np.random.default_rng(seed)
    photo = landscape(size, seed)
    masks = _masks(n, m, rng)  # (n, m)
    gap = (1 - masks) @ np.abs(truth)
    distance = (1 - masks) @ truth + rng.normal(0, 0.015, len(masks)) + 0.02 * (gap > 0)
    distance = np.clip(distance, 0, None) * 40  # (n,)
    similarity = 1 - distance / max(distance.max(initial=0), 1e-9)  # (n,)
    text_distance = (1 - masks.mean(axis=1)) * 0.9  # (n,)
    weight = np.exp(-((text_distance / 0.6) ** 2))  # (n,)
    design = np.column_stack([np.ones(len(masks)), masks])  # (n, 1 + m)
    root = np.sqrt(weight)[:, None]
    fit = np.linalg.lstsq(design * root, similarity * root[:, 0], rcond=None)[0]  # (1 + m,)
    predicted = design @ fit
    samples = []
    for i, mask in enumerate(masks):
        kept = [word for word, keep in zip(words, mask, strict=True) if keep]
        if i >= len(masks) - failed:
            samples.append(
                Sample(
                    mask=tuple(int(v) for v in mask),
                    prompt=" ".join(kept),
                    failed="The safety filter returned a black picture.",
                )
            )
            continue
        strength = 1.4 * mask * truth
        samples.append(
            Sample(
                mask=tuple(int(v) for v in mask),
                prompt=" ".join(kept),
                image=edited(photo, float(strength[: m // 2 + 1].sum()), float(strength[-1]), i),
                image_distance=float(distance[i]),
                text_distance=float(text_distance[i]),
                sample_weight=float(weight[i]),
                similarity=float(similarity[i]),
                predicted=float(predicted[i]),
                p_value=float(rng.uniform(0, 0.2)),
            )
        )
    units = tuple(
        UnitWeight(
            text=word,
            weight=float(value),
            low=float(value - half_width),
            high=float(value + half_width),
            verdict=verdict(value - half_width, value + half_width),
        )
        for word, value in zip(words, fit[1:], strict=True)
    )
    config = RunConfig(instruction=instruction, perturbations=planned or max(n, 1), seed=seed)
    return Explanation(
        instruction=instruction,
        editor=config.editor,
        encoder=config.encoder,
        seed=seed,
        config=config.to_dict(),
        units=units,
        intercept=float(fit[0]),
        fidelity=_fidelity(similarity, predicted, weight, m),
        effective_sample_size=float(weight.sum() ** 2 / max((weight**2).sum(), 1e-12)),
        samples=tuple(samples),
        reference=Sample(
            mask=(1,) * m,
            prompt=" ".join(words),
            image=edited(photo, 0.9, 0.5),
            image_distance=0.0,
            text_distance=0.0,
            sample_weight=1.0,
            similarity=1.0,
            predicted=float(fit.sum()),
        ),
        without_instruction=_without_instruction(photo, m) if compared else None,
        source=photo,
        projection=_projection(similarity, masks, rng) if projected else (),
        notes=_notes(failed),
        timing={"total_s": 9.2, "edit_s": 7.1, "encode_s": 1.4, "other_s": 0.7},
        versions={"smile": "0.1.0", "python": "3.11", "torch": "2.13.0", "diffusers": "0.42.1"},
    )


def with_units(explanation: Explanation, *rows: tuple[str, float, float, float]) -> Explanation:
    """Return a copy whose units are the given (text, weight, low, high)."""
    units = tuple(
        UnitWeight(text=text, weight=w, low=low, high=high, verdict=verdict(low, high))
        for text, w, low, high in rows
    )
    return replace(explanation, units=units)


def _without_instruction(photo: Image.Image, m: int) -> Sample:
    return Sample(mask=(0,) * m, prompt="", image=edited(photo, 0, 0.02), image_distance=39.5)


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


def _fidelity(
    y: np.ndarray, predicted: np.ndarray, weight: np.ndarray, m: int
) -> dict[str, float | None]:
    keys = ("mse", "wmse", "mae", "wmae", "l1", "l2", "r2", "r2_w", "r2_w_adj", "r2_w_loo")
    if len(y) <= m + 1:
        return dict.fromkeys(keys, None)
    error = y - predicted
    share = weight / weight.sum()
    r2 = 1 - (error**2).sum() / ((y - y.mean()) ** 2).sum()
    r2_w = 1 - (share @ error**2) / (share @ (y - share @ y) ** 2)
    values = (
        (error**2).mean(),
        share @ error**2,
        np.abs(error).mean(),
        share @ np.abs(error),
        np.abs(error).sum(),
        np.sqrt((error**2).sum()),
        r2,
        r2_w,
        1 - (1 - r2_w) * (len(y) - 1) / (len(y) - m - 1),
        r2_w - 0.06,
    )
    return {key: float(value) for key, value in zip(keys, values, strict=True)}


def _projection(
    y: np.ndarray, masks: np.ndarray, rng: np.random.Generator
) -> tuple[tuple[float, float], ...]:
    angle = masks @ rng.uniform(-1, 1, masks.shape[1]) + rng.normal(0, 0.15, len(y))
    radius = 4 + 22 * (1 - y)
    points = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])  # (n, 2)
    return ((0.0, 0.0), *((float(x), float(z)) for x, z in points))


def _notes(failed: int) -> tuple[str, ...]:
    if failed == 0:
        return ()
    return (f"{failed} edits failed and were left out of the fit.",)
