"""What a run does by rule, seen from outside: how it tests its edits, and when it gives up."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from PIL import Image

from smile_core import RunConfig, RunError, stream
from smile_core.encoders import Features
from smile_core.significance import p_values
from tests.toy_editors import ToyEditor, photo
from tests.toy_runs import last

BARS = 8
# Grey levels that a word adds to each of the bars. Of order 1, a shift of all bars weighs as much
# as one bar that is far off; of a high order the one bar is everything.
LEVELS = {
    "snowy": [0, 0, 0, 0, 0, 0, 0, 90],
    "foggy": [20] * BARS,
    "bright": [0, 40, 0, 40, 0, 40, 0, 40],
}


def paint_bars(image: Image.Image, prompts: Sequence[str], seed: int) -> list[Image.Image]:
    """Paint eight bars: a slope, and on it what each word adds."""
    pictures = []
    for prompt in prompts:
        levels = 5 * np.arange(BARS) + np.sum([LEVELS[word] for word in prompt.split()], axis=0)
        row = np.repeat(levels, image.width // BARS).astype(np.uint8)
        pictures.append(Image.fromarray(np.tile(row, (image.height, 1))).convert("RGB"))
    return pictures


class BarReader:
    """Reads the grey of each bar as one coordinate of the pooled vector."""

    name = "bars"

    def encode(self, images: Sequence[Image.Image]) -> Features:
        rows = [np.asarray(image.convert("L"))[0, :: image.width // BARS] for image in images]
        pooled = np.array(rows, dtype=np.float32)
        return Features(tokens=pooled[:, None, :], pooled=pooled)


def p_values_of_a_run(order: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the p-values of a run, and those of its pictures for that order, other draws."""
    config = RunConfig(
        instruction=" ".join(LEVELS),
        image_distance="wasserstein-1d",
        order=order,
        p_iterations=40_000,
    )
    *_, end = stream(photo(), config, editor=paint_bars, encoder=BarReader(), cache=None)
    assert end.explanation is not None
    pictures = [end.explanation.reference.image, *(s.image for s in end.explanation.samples)]
    pooled = BarReader().encode(pictures).pooled
    expected = p_values(
        pooled[0],
        pooled[1:],
        order=order,
        distance="wasserstein-1d",
        iterations=40_000,
        rng=np.random.default_rng(11),
    )
    return np.array([sample.p_value for sample in end.explanation.samples]), expected


def test_p_values_are_those_of_the_order_that_was_set() -> None:
    first, first_expected = p_values_of_a_run(1.0)
    fourth, fourth_expected = p_values_of_a_run(4.0)
    # Two shares of 40,000 draws each differ by that much less than once in ten million times.
    np.testing.assert_allclose(first, first_expected, atol=0.02)
    np.testing.assert_allclose(fourth, fourth_expected, atol=0.02)
    assert np.abs(first - fourth).max() > 0.1


@pytest.mark.parametrize("raises", [False, True])
@pytest.mark.parametrize(("planned", "most"), [(30, 15), (31, 15)])
def test_a_run_goes_on_until_more_than_half_of_its_edits_failed(
    planned: int, most: int, raises: bool
) -> None:
    whole = last(perturbations=planned)
    prompts = [sample.prompt for sample in whole.samples]
    assert len(set(prompts)) == planned
    # The last ones, so that no other reason ends the run before they were tried.
    found = last(ToyEditor(fails=tuple(prompts[-most:]), raises=raises), perturbations=planned)
    assert sum(sample.failed is not None for sample in found.samples) == most
    with pytest.raises(RunError, match="more than half"):
        last(ToyEditor(fails=tuple(prompts[-most - 1 :]), raises=raises), perturbations=planned)
