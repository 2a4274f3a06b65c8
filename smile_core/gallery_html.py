"""Every edit of a run as HTML: its picture, its prompt with the left-out units struck through."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from PIL import Image

from smile_core.explanation import Explanation, Sample
from smile_core.sentence import is_right_to_left, signed

HELP = {
    "distance": "Distance of this picture from the full edit; 0 is the same, larger is farther.",
    "similarity": "Measured similarity to the full edit, from 0 (farthest of the run) to 1 (same).",
    "predicted": "The similarity that the weights predict; near the measured one is good.",
    "p": "How often chance alone gives such a distance (Algorithm 1 of the paper); small is real.",
}
NO_PROMPT = "no instruction at all"


def gallery_html(explanation: Explanation, picture_url: Callable[[Image.Image], str]) -> str:
    """Return a `<figure>` per edit: the reference, the run in order, the one without instruction.

    Parameters
    ----------
    explanation : Explanation
        Failed edits show why instead of a picture.
    picture_url : callable
        Gives the address of a picture, for example a data URI.

    Returns
    -------
    str
        Each figure has the id `edit-0` (reference), `edit-1`, … and carries what it can be sorted
        by as `data-order`, `data-distance`, `data-error` and `data-units` (absent if unknown).
    """
    samples = [explanation.reference, *explanation.samples]
    if explanation.without_instruction is not None:
        samples.append(explanation.without_instruction)
    return "".join(
        _figure(explanation, sample, index, picture_url) for index, sample in enumerate(samples)
    )


def struck_prompt(explanation: Explanation, sample: Sample) -> str:
    """Return the instruction as HTML with the units that `sample` left out struck through."""
    return " ".join(
        escape(unit.text) if keep else f"<s>{escape(unit.text)}</s>"
        for unit, keep in zip(explanation.units, sample.mask, strict=True)
    )


def sample_numbers(sample: Sample) -> dict[str, str]:
    """Return the measured numbers of one edit as text; what is not known is left out."""
    numbers = {}
    if sample.image_distance is not None:
        numbers["distance"] = f"{sample.image_distance:.3g}"
    if sample.similarity is not None:
        numbers["similarity"] = signed(sample.similarity)
    if sample.predicted is not None:
        numbers["predicted"] = signed(sample.predicted)
    if sample.p_value is not None:
        numbers["p"] = f"{sample.p_value:.3f}"
    return numbers


def _figure(
    explanation: Explanation, sample: Sample, index: int, picture_url: Callable[[Image.Image], str]
) -> str:
    direction = "rtl" if is_right_to_left(explanation.instruction) else "ltr"
    numbers = "the full edit, the reference" if index == 0 else _numbers(sample)
    if not sample.prompt:
        numbers = f"<span>{NO_PROMPT}, for comparison</span>{numbers}"
    keys = {
        "order": index,
        "units": sum(sample.mask),
        "distance": sample.image_distance,
        "error": _error(sample),
    }
    data = "".join(f' data-{k}="{value:.6g}"' for k, value in keys.items() if value is not None)
    return (
        f'<figure id="edit-{index}" class="edit{" reference" if index == 0 else ""}"{data}>'
        f"{_picture(sample, picture_url)}"
        f'<figcaption><span class="prompt" dir="{direction}">{struck_prompt(explanation, sample)}'
        f"</span><small>{numbers}</small></figcaption></figure>"
    )


def _picture(sample: Sample, picture_url: Callable[[Image.Image], str]) -> str:
    if sample.image is None:
        reason = escape(sample.failed or "This picture was not kept.")
        return f'<div class="no-picture"><p>{reason}</p></div>'
    width, height = sample.image.size
    label = escape(sample.prompt or NO_PROMPT)
    return (
        f'<button type="button" class="zoom" aria-label="Enlarge: {label}">'
        f'<img src="{escape(picture_url(sample.image))}" width="{width}" height="{height}" '
        'alt=""></button>'
    )


def _numbers(sample: Sample) -> str:
    if sample.failed is not None:
        return "failed, left out of the fit" if sample.prompt else "failed"
    return "".join(
        f'<span title="{HELP[name]}">{name} <b>{value}</b></span>'
        for name, value in sample_numbers(sample).items()
    )


def _error(sample: Sample) -> float | None:
    if sample.similarity is None or sample.predicted is None:
        return None
    return abs(sample.predicted - sample.similarity)
