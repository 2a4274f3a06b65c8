"""The default distance against an editor whose words move the picture at right angles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from PIL import Image

from smile_core import stream
from smile_core.config import SURROGATES, RunConfig
from smile_core.encoders import Features
from tests.toy_editors import BASE, EFFECTS, INSTRUCTION, photo
from tests.toy_runs import WORDS, weights


def paint_stripes(image: Image.Image, prompts: Sequence[str], seed: int) -> Iterator[Image.Image]:
    """Paint a stripe for every word of the instruction, brighter where the prompt has the word."""
    for prompt in prompts:
        levels = [BASE + EFFECTS[word] * (word in prompt.split()) for word in WORDS]
        stripes = np.repeat(np.array(levels, dtype=np.uint8), image.width // len(WORDS))  # (width,)
        yield Image.fromarray(np.tile(stripes, (image.height, 1))).convert("RGB")


class StripeEncoder:
    """Reads the grey of each stripe: every word has a direction of its own."""

    name = "stripes"

    def encode(self, images: Sequence[Image.Image]) -> Features:
        width = images[0].width // len(WORDS)
        rows = [np.asarray(image, dtype=np.float32)[0, ::width, 0] for image in images]
        pooled = np.stack(rows)  # (n, 6)
        return Features(tokens=pooled[:, None, :], pooled=pooled)


@pytest.mark.parametrize("surrogate", [name for name in SURROGATES if name != "lime"])
@pytest.mark.parametrize("perturbations", [24, 64])
def test_words_at_right_angles_get_their_weights_back_under_the_default_distance(
    surrogate: str, perturbations: int
) -> None:
    config = RunConfig(instruction=INSTRUCTION, surrogate=surrogate, perturbations=perturbations)
    *_, end = stream(photo(), config, editor=paint_stripes, encoder=StripeEncoder(), cache=None)
    found = end.explanation
    # By Pythagoras the cost of the words left out is the sum of their squared effects.
    costs = {word: EFFECTS[word] ** 2 for word in WORDS}
    for sample in found.samples:
        missing = sum(costs[w] for w, kept in zip(WORDS, sample.mask, strict=True) if not kept)
        assert sample.image_distance == pytest.approx(missing)
    truth = np.array([costs[word] for word in WORDS]) / sum(costs.values())
    assert np.abs(weights(found) - truth).max() < 1e-6
    assert found.fidelity["r2_w"] == pytest.approx(1, abs=1e-9)
