"""Every edit of a run as HTML: its picture, its prompt with the left-out units struck through."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from html import escape

from PIL import Image

from smile_core.explanation import Explanation, Sample
from smile_core.response import FARTHEST, PHOTO
from smile_core.sentence import is_right_to_left, no_weights, signed

HELP = {
    "distance": "Distance of this picture from the full edit; 0 is the same, larger is farther.",
    "similarity": "Share of the way from no instruction (0) to the full edit (1), as measured.",
    "predicted": "The similarity that the weights predict; near the measured one is good.",
    "p": "How often chance alone gives such a distance (Algorithm 1 of the paper).",
}
NO_PROMPT = "no instruction"
WITHOUT_ID = "edit-without"


def gallery_html(explanation: Explanation, picture_url: Callable[[Image.Image], str]) -> str:
    """Return a `<figure>` per edit: the reference, the one without instruction, the run in order.

    Parameters
    ----------
    explanation : Explanation
        Failed edits show why instead of a picture.
    picture_url : callable
        Gives the address of a picture, for example a data URI.

    Returns
    -------
    str
        The figures have the ids `edit-0` (reference), `edit-without`, `edit-1`, `edit-2`, … and
        carry what they can be sorted by as `data-order`, `data-distance`, `data-error` and
        `data-units` (absent if unknown).
    """
    ends = [explanation.reference]
    if explanation.without_instruction is not None:
        ends.append(explanation.without_instruction)
    figures = [_figure(explanation, sample, 0, picture_url) for sample in ends]
    figures += [
        _figure(explanation, sample, index, picture_url)
        for index, sample in enumerate(explanation.samples, start=1)
    ]
    return "".join(figures)


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
    without, shown = not any(sample.mask), _with_meaning(explanation, sample)
    if without:
        numbers = f"<span>{_without_caption(explanation)}</span>{_numbers(shown)}"
    else:
        numbers = "the full edit, the reference" if index == 0 else _numbers(shown)
    keys = {
        "order": index,
        "units": sum(sample.mask),
        "distance": sample.image_distance,
        "error": _error(shown),
    }
    data = "".join(f' data-{k}="{value:.6g}"' for k, value in keys.items() if value is not None)
    name = WITHOUT_ID if without else f"edit-{index}"
    kind = " reference" if index == 0 and not without else ""
    return (
        f'<figure id="{name}" class="edit{kind}"{data}>'
        f"{_picture(sample, picture_url)}"
        f'<figcaption><span class="prompt" dir="{direction}">{struck_prompt(explanation, sample)}'
        f"</span><small>{numbers}</small></figcaption></figure>"
    )


def _with_meaning(explanation: Explanation, sample: Sample) -> Sample:
    """Return a sample without the numbers that mean nothing where no unit has a weight."""
    if not explanation.happened:
        return replace(sample, similarity=None, predicted=None, p_value=None)
    return replace(sample, predicted=None) if no_weights(explanation) else sample


def _without_caption(explanation: Explanation) -> str:
    """Say what the edit without instruction is on the scale of the weights."""
    rests_on = FARTHEST if explanation.scale is None else explanation.scale.rests_on
    if rests_on == FARTHEST:
        return f"{NO_PROMPT}, for comparison"
    zero = "the zero of the scale"
    return f"the photo, for {NO_PROMPT}: {zero}" if rests_on == PHOTO else f"{NO_PROMPT}: {zero}"


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
