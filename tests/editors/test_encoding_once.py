"""In every family texts of a batch are encoded in one call, and the photo once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from smile_core.editors import load_editor
from smile_core.editors.batch_editor import TEXTS_TOGETHER, BatchEditor, fill_up
from smile_core.editors.encoding_once import remember_pictures
from smile_core.editors.img2img_turbo import load_turbo
from tests import tiny_parts, tiny_pipeline, tiny_stable_diffusion, tiny_transformers, tiny_turbo
from tests.pixels import gap

PROMPTS = [f"snow {number}" for number in range(13)]
SIZE = (128, 64)
FITTED = {"long_side": 128, "multiple_of": 64}
GUIDED = {**FITTED, "steps": 2, "knobs": {"guidance_scale": 3.0, "strength": 0.5}}
BOTH_SCALES = {
    **FITTED,
    "steps": 2,
    "knobs": {"guidance_scale": 5.0, "image_guidance_scale": 1.5},
}


def load_sketch(folder: Path) -> BatchEditor:
    """Return a sketch model of Img2Img-Turbo, made of random weights."""
    base = tiny_turbo.save_sd_turbo(folder / "sd-turbo")
    file = folder / "sketch_to_image_stochastic_lora.pkl"
    tiny_turbo.save_pix2pix(file, base, sketch=True)
    return load_turbo(file, base=base)


def saved_by(save: Callable[[Path], Path], card: dict[str, Any]) -> Callable[[Path], BatchEditor]:
    """Return a function that loads what `save` saved in a folder, with such a card."""
    return lambda folder: load_editor(
        str(tiny_parts.write_card(save(folder / save.__name__), **card))
    )


LOADED: dict[str, Callable[[Path], BatchEditor]] = {
    "instruct-pix2pix": saved_by(tiny_pipeline.save_tiny_pipeline, BOTH_SCALES),
    "xl-instruct-pix2pix": saved_by(tiny_stable_diffusion.save_xl_instruct_pix2pix, BOTH_SCALES),
    "img2img": saved_by(tiny_stable_diffusion.save_img2img, GUIDED),
    "inpaint": saved_by(tiny_stable_diffusion.save_inpaint, GUIDED),
    "xl-inpaint": saved_by(tiny_stable_diffusion.save_xl_inpaint, GUIDED),
    "flux-kontext": saved_by(tiny_transformers.save_flux_kontext, {**FITTED, "steps": 2}),
    "flux2-klein": saved_by(tiny_transformers.save_flux2_klein, {**FITTED, "steps": 2}),
    "img2img-turbo": load_sketch,
    "one-step": lambda _: load_editor("one-step"),
}


@pytest.fixture(scope="module")
def photo() -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 256, (SIZE[1], SIZE[0], 3), dtype=np.uint8)
    return Image.fromarray(pixels)


@pytest.fixture(scope="module", params=LOADED)
def editor(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> BatchEditor:
    return LOADED[request.param](tmp_path_factory.mktemp("editors"))


def edit(editor: BatchEditor, photo: Image.Image, prompts: list[str]) -> list[Image.Image]:
    half = Image.new("L", photo.size, 0)
    half.paste(255, (0, 0, photo.width // 2, photo.height))
    mask = half if editor.card.needs_mask else None
    edits = editor.edit(photo, prompts, seed=7, mask=mask)
    assert all(isinstance(made, Image.Image) for made in edits)
    return edits


def parts_of(editor: BatchEditor, start: str) -> list[Any]:
    """Return the networks of the pipeline whose names begin so."""
    return [part for name, part in editor._pipe.components.items() if name.startswith(start)]


@contextmanager
def watched(networks: list[torch.nn.Module], most: int = 1000) -> Iterator[list[int]]:
    """Collect how many rows each call has; with more than `most` it is out of memory."""
    calls: list[int] = []

    def watch(_: torch.nn.Module, given: tuple, named: dict[str, Any]) -> None:
        rows = len(given[0] if given else named["input_ids"])
        if rows > most:
            raise torch.OutOfMemoryError("out of memory")
        calls.append(rows)

    hooks = [network.register_forward_pre_hook(watch, with_kwargs=True) for network in networks]
    yield calls
    for hook in hooks:
        hook.remove()


def text_encoders(editor: BatchEditor) -> list[torch.nn.Module]:
    return [part for part in parts_of(editor, "text_encoder") if part is not None]


def test_all_texts_of_a_batch_are_encoded_in_one_call(
    editor: BatchEditor, photo: Image.Image
) -> None:
    with watched(text_encoders(editor)) as calls:
        edits = edit(editor, photo, [*PROMPTS, *PROMPTS])
    assert calls == [16] * len(text_encoders(editor))  # thirteen of them, and the negative prompt
    assert len({made.tobytes() for made in edits}) > 1


def test_how_many_texts_there_are_moves_no_pixel(editor: BatchEditor, photo: Image.Image) -> None:
    together = edit(editor, photo, PROMPTS)
    for row in (0, 5, 12):
        assert edit(editor, photo, PROMPTS[row : row + 1]) == together[row : row + 1]


def test_the_photo_is_encoded_once(editor: BatchEditor, photo: Image.Image) -> None:
    fresh = photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    with watched([vae.encoder for vae in parts_of(editor, "vae")]) as calls:
        edit(editor, fresh, PROMPTS)
        edit(editor, fresh, PROMPTS[::-1])
    pictures = 2 if editor.card.needs_mask else 1  # the photo, and what the mask leaves of it
    assert calls == [1] * pictures * len(parts_of(editor, "vae"))


def test_different_pictures_are_encoded_each() -> None:
    torch.manual_seed(0)
    plain, remembering = tiny_parts.vae(), tiny_parts.vae()
    remembering.load_state_dict(plain.state_dict())
    remember_pictures(remembering)
    two = torch.rand(2, 3, 32, 32)
    for pixels in (two, two, two[:1].expand(3, -1, -1, -1), two.flip(0), two[1:]):
        with torch.inference_mode():
            found, expected = (vae.encode(pixels).latent_dist for vae in (remembering, plain))
        assert torch.allclose(found.mode(), expected.mode(), atol=1e-6)
        draws = [d.sample(torch.Generator().manual_seed(1)) for d in (found, expected)]
        assert torch.allclose(*draws, atol=1e-6)


def test_texts_that_do_not_fit_together_are_encoded_apart(
    editor: BatchEditor, photo: Image.Image
) -> None:
    whole = edit(editor, photo, PROMPTS)
    with watched(text_encoders(editor), most=3) as calls:
        apart = edit(editor, photo, PROMPTS)
    assert calls
    assert max(calls) <= 3
    assert max(gap(*pair) for pair in zip(whole, apart, strict=True)) <= 2


def test_a_memory_too_small_for_any_text_is_told(editor: BatchEditor, photo: Image.Image) -> None:
    with watched(text_encoders(editor), most=0), pytest.raises(torch.OutOfMemoryError):
        edit(editor, photo, PROMPTS)


def test_texts_are_filled_up_with_the_last() -> None:
    assert fill_up(["a", "b", "c"], 4) == ["a", "b", "c", "c"]
    assert fill_up(["a", "b"], 2) == ["a", "b"]
    assert len(fill_up(PROMPTS, TEXTS_TOGETHER)) == 16
