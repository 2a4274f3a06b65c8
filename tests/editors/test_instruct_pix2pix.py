from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionInstructPix2PixPipeline
from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
from PIL import Image
from transformers import CLIPConfig, CLIPImageProcessorPil

from smile_core.config import ConfigError
from smile_core.editors import EditFailure, StopRequested, load_editor, registry
from smile_core.editors.batch_editor import ROWS_PER_CALL
from smile_core.editors.instruct_pix2pix import InstructPix2Pix
from smile_core.editors.pretrained import load_pretrained, weights_digest
from tests.pixels import gap
from tests.tiny_parts import MAX_TOKENS
from tests.tiny_pipeline import save_tiny_pipeline

PROMPTS = ["snow", "rain at dusk", "a b", "fog"]


@pytest.fixture(scope="module")
def photo() -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 70, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


@pytest.fixture
def editor(tiny_pipeline: Path) -> InstructPix2Pix:
    registry._load.cache_clear()
    loaded = load_editor(str(tiny_pipeline))
    assert isinstance(loaded, InstructPix2Pix)
    return loaded


def test_the_folder_brings_its_card_and_working_size(
    editor: InstructPix2Pix, photo: Image.Image
) -> None:
    assert editor.name == "tiny"
    assert editor.card.steps == 3
    (edit,) = editor.edit(photo, ["snow"], seed=0)
    assert edit.size == (64, 32)


def test_the_same_seed_gives_the_same_bytes(editor: InstructPix2Pix, photo: Image.Image) -> None:
    first = editor.edit(photo, PROMPTS, seed=7)
    again = editor.edit(photo, PROMPTS, seed=7)
    other = editor.edit(photo, PROMPTS, seed=8)
    assert [edit.tobytes() for edit in first] == [edit.tobytes() for edit in again]
    assert all(gap(one, two) > 10 for one, two in zip(first, other, strict=True))


@pytest.mark.parametrize("latent_channels", [4, 6])
def test_the_batch_does_not_matter_and_the_prompt_does(
    latent_channels: int, photo: Image.Image, tmp_path: Path
) -> None:
    folder = save_tiny_pipeline(tmp_path / "tiny", latent_channels=latent_channels, ancestral=True)
    editor = load_editor(str(folder))
    prompts = [*PROMPTS, "sun", "a", "night"]  # more than one call, and a rest
    together = dict(zip(prompts, editor.edit(photo, prompts, seed=1), strict=True))
    for batch in (*([prompt] for prompt in prompts), prompts[::-1], prompts[2:7]):
        assert editor.edit(photo, batch, seed=1) == [together[prompt] for prompt in batch]
    assert gap(together["snow"], together["fog"]) > 5


def test_equal_to_the_pipeline_called_by_hand(
    editor: InstructPix2Pix, tiny_pipeline: Path, photo: Image.Image
) -> None:
    pipe = StableDiffusionInstructPix2PixPipeline.from_pretrained(tiny_pipeline)
    expected = pipe(
        prompt="rain at dusk",
        image=photo.resize((64, 32), Image.Resampling.LANCZOS),
        num_inference_steps=5,
        guidance_scale=4.0,
        image_guidance_scale=2.0,
        generator=torch.Generator().manual_seed(11),
    ).images[0]
    (edit,) = editor.edit(
        photo, ["rain at dusk"], seed=11, steps=5, guidance_scale=4.0, image_guidance_scale=2.0
    )
    assert gap(edit, expected) <= 1


def test_equal_prompts_are_made_once(editor: InstructPix2Pix, photo: Image.Image) -> None:
    edits = editor.edit(photo, ["snow", "fog", "snow"], seed=0)
    assert edits[0] is edits[2]


def test_more_prompts_than_fit_in_one_call(editor: InstructPix2Pix, photo: Image.Image) -> None:
    prompts = [f"snow {number}" for number in range(11)]
    edits = editor.edit(photo, prompts, seed=0, steps=1)
    (ninth,) = editor.edit(photo, prompts[8:9], seed=0, steps=1)
    assert len(edits) == 11
    assert edits[8] == ninth


def test_an_instruction_that_is_too_long_is_refused(
    editor: InstructPix2Pix, photo: Image.Image
) -> None:
    longest = " ".join("a" * (MAX_TOKENS - 2))
    assert len(editor.edit(photo, [longest], seed=0, steps=1)) == 1
    with pytest.raises(ConfigError, match=f"17 tokens.* only {MAX_TOKENS}"):
        editor.edit(photo, ["snow", f"{longest} a"], seed=0, steps=1)


@pytest.mark.parametrize(
    ("knobs", "words"),
    [
        ({"image_guidance_scale": 0.5}, "1 and above"),
        ({"guidance_scale": 0.0}, "1 and above"),
        ({"guidance_scale": 1.0}, "no guidance at all"),
    ],
)
def test_scales_that_would_be_ignored_are_refused(
    knobs: dict[str, float], words: str, editor: InstructPix2Pix, photo: Image.Image
) -> None:
    with pytest.raises(ConfigError, match=words):
        editor.edit(photo, ["snow"], seed=0, **knobs)


def test_stop_ends_the_edit_between_two_steps(editor: InstructPix2Pix, photo: Image.Image) -> None:
    asked = 0

    def stop() -> bool:
        nonlocal asked
        asked += 1
        return asked >= 2

    started = time.perf_counter()
    with pytest.raises(StopRequested):
        editor.edit(photo, PROMPTS, seed=0, steps=1000, stop=stop)
    assert time.perf_counter() - started < 5
    assert len(editor.edit(photo, ["snow"], seed=0)) == 1  # and it still works


def test_stop_hands_over_what_was_made(editor: InstructPix2Pix, photo: Image.Image) -> None:
    prompts = [f"snow {number}" for number in range(11)]
    steps_seen = 0

    def stop() -> bool:
        nonlocal steps_seen
        steps_seen += 1
        return steps_seen > 3  # in the second call of the pipeline

    with pytest.raises(StopRequested) as caught:
        editor.edit(photo, prompts, seed=0, steps=3, stop=stop)
    first = prompts[: ROWS_PER_CALL[editor._pipe.device.type]]
    assert caught.value.answers == editor.edit(photo, first, seed=0, steps=3)


def test_two_threads_do_not_disturb_each_other(editor: InstructPix2Pix, photo: Image.Image) -> None:
    expected = {seed: editor.edit(photo, PROMPTS, seed=seed) for seed in (1, 2)}
    found: dict[int, list] = {}

    def work(seed: int) -> None:
        found[seed] = editor.edit(photo, PROMPTS, seed=seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in expected]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == expected


def test_stop_while_another_run_holds_the_editor(
    editor: InstructPix2Pix, photo: Image.Image
) -> None:
    with editor._lock, pytest.raises(StopRequested):
        editor.edit(photo, ["snow"], seed=0, stop=lambda: True)


def limit_rows(editor: InstructPix2Pix, most: int) -> None:
    """Make the real U-Net refuse batches of more than `most` rows (3 per edit), as a GPU would."""

    def refuse(module: torch.nn.Module, inputs: tuple) -> None:
        if len(inputs[0]) > 3 * most:
            raise torch.OutOfMemoryError("out of memory")

    editor._pipe.unet.register_forward_pre_hook(refuse)


def test_out_of_memory_halves_the_batch(editor: InstructPix2Pix, photo: Image.Image) -> None:
    expected = editor.edit(photo, PROMPTS, seed=0)
    limit_rows(editor, 2)
    for edit, whole in zip(editor.edit(photo, PROMPTS, seed=0), expected, strict=True):
        assert gap(edit, whole) <= 2


def test_out_of_memory_for_a_single_edit_is_recorded(
    editor: InstructPix2Pix, photo: Image.Image
) -> None:
    limit_rows(editor, 0)
    answers = editor.edit(photo, PROMPTS, seed=0)
    assert all(isinstance(answer, EditFailure) for answer in answers)
    assert "memory" in answers[0].reason


def add_safety_checker(editor: InstructPix2Pix, threshold: float) -> None:
    """Give the pipeline a real checker with random weights that flags above `threshold`."""
    sizes = {"hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1}
    heads = {"num_attention_heads": 2, "projection_dim": 8}
    vision = {**sizes, **heads, "image_size": 32, "patch_size": 16}
    torch.manual_seed(0)
    checker = StableDiffusionSafetyChecker(
        CLIPConfig(text_config={**sizes, **heads}, vision_config=vision, projection_dim=8)
    )
    torch.nn.init.constant_(checker.concept_embeds_weights, threshold)
    torch.nn.init.constant_(checker.special_care_embeds_weights, 2.0)
    crop = {"height": 32, "width": 32}
    extractor = CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size=crop)
    editor._pipe.register_modules(safety_checker=checker.eval(), feature_extractor=extractor)


@pytest.mark.parametrize(("threshold", "flagged"), [(-2.0, True), (2.0, False)])
def test_what_the_safety_filter_blacks_out_is_a_failure(
    threshold: float, flagged: bool, editor: InstructPix2Pix, photo: Image.Image
) -> None:
    add_safety_checker(editor, threshold)
    answers = editor.edit(photo, PROMPTS, seed=0)
    assert {isinstance(answer, EditFailure) for answer in answers} == {flagged}
    if flagged:
        assert "safety filter" in answers[0].reason


def test_the_fingerprint_follows_the_weights(tiny_pipeline: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(tiny_pipeline, copy)
    assert weights_digest(copy) == weights_digest(tiny_pipeline)
    (copy / "README.md").write_text("a model card")
    assert weights_digest(copy) == weights_digest(tiny_pipeline)
    weights = copy / "unet" / "diffusion_pytorch_model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    assert weights_digest(copy) != weights_digest(tiny_pipeline)


def _empty(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


def _no_weights(folder: Path) -> None:
    (folder / "unet" / "diffusion_pytorch_model.safetensors").unlink()


def _cut_weights(folder: Path) -> None:
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])


@pytest.mark.parametrize("damage", [_empty, _no_weights, _cut_weights])
def test_a_folder_that_is_no_editor(
    damage: Callable[[Path], None], tiny_pipeline: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "broken"
    shutil.copytree(tiny_pipeline, folder)
    damage(folder)
    with pytest.raises(ConfigError, match="cannot be loaded") as caught:
        load_editor(str(folder))
    assert "\n" not in str(caught.value)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is not there"):
        load_pretrained(tmp_path / "missing")


def test_another_pipeline_is_refused_by_its_name(tiny_pipeline: Path, tmp_path: Path) -> None:
    folder = tmp_path / "other"
    shutil.copytree(tiny_pipeline, folder)
    index = folder / "model_index.json"
    index.write_text(
        index.read_text().replace(
            "StableDiffusionInstructPix2PixPipeline", "StableDiffusionPipeline"
        )
    )
    with pytest.raises(ConfigError, match="is a StableDiffusionPipeline, which does not edit"):
        load_editor(str(folder))
