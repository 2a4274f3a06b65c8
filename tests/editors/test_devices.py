from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
import torch
from diffusers import AutoencoderKLQwenImage, StableDiffusionInstructPix2PixPipeline
from torch import nn

from smile_core.config import ConfigError, RunConfig
from smile_core.editors import devices
from smile_core.editors.devices import (
    HALF_PRECISION_FROM,
    best_device,
    best_precision,
    check_memory,
    describe,
    free_gb,
    needed_gb,
    total_gb,
    use_channels_last,
)
from smile_core.editors.instruct_pix2pix import InstructPix2Pix
from smile_core.editors.protocol import EditorCard
from smile_core.engine import stream
from tests.toy_editors import ToyEncoder, photo

LARGE = HALF_PRECISION_FROM


def test_the_device_is_one_that_is_there() -> None:
    torch.ones(1, device=best_device())


@pytest.mark.parametrize(
    ("device", "weight_bytes", "precision"),
    [
        ("cpu", 100 * LARGE, torch.float32),
        ("mps", LARGE - 1, torch.float32),
        ("mps", LARGE, torch.bfloat16),
        ("cuda", LARGE - 1, torch.float32),
    ],
)
def test_large_models_run_in_half_precision_on_a_graphics_card(
    device: str, weight_bytes: int, precision: torch.dtype
) -> None:
    assert best_precision(device, weight_bytes) == precision


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_cuda_card_has_memory_and_halves() -> None:
    assert 0 < free_gb("cuda") <= torch.cuda.get_device_properties(0).total_memory / 1e9
    assert best_precision("cuda", LARGE) in (torch.bfloat16, torch.float16)


def halved(folder: Path) -> Any:
    return StableDiffusionInstructPix2PixPipeline.from_pretrained(folder, dtype=torch.bfloat16)


def are_channels_last(network: nn.Module) -> set[bool]:
    """Return how kernels of several pixels and channels lie; of others both orders are one."""
    kernels = [layer.weight for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    return {
        kernel.is_contiguous(memory_format=torch.channels_last)
        for kernel in kernels
        if kernel[0, 0].numel() > 1 and kernel.shape[1] > 1
    }


def test_halves_on_a_cuda_card_lie_channels_last_and_compute_the_same(tiny_pipeline: Path) -> None:
    pipe = halved(tiny_pipeline)  # computed on the processor here, where the order is as good
    noise = torch.randn(2, 8, 8, 8, generator=torch.Generator().manual_seed(0)).bfloat16()
    texts = torch.randn(2, 16, 16, generator=torch.Generator().manual_seed(1)).bfloat16()
    with torch.inference_mode():
        before = pipe.unet(noise, 500, texts).sample
        assert use_channels_last(pipe, "cuda")
        after = pipe.unet(noise, 500, texts).sample
    assert are_channels_last(pipe.unet) == are_channels_last(pipe.vae) == {True}
    torch.testing.assert_close(after, before, rtol=0.05, atol=0.05)


@pytest.mark.parametrize("device", ["cpu", "mps"])
def test_elsewhere_nothing_is_ordered(device: str, tiny_pipeline: Path) -> None:
    pipe = halved(tiny_pipeline)
    assert not use_channels_last(pipe, device)
    assert are_channels_last(pipe.unet) == are_channels_last(pipe.vae) == {False}


def test_neither_single_precision_nor_three_dimensions_are_ordered(tiny_pipeline: Path) -> None:
    assert not use_channels_last(halved(tiny_pipeline).to(torch.float32), "cuda")
    deep = AutoencoderKLQwenImage(
        base_dim=4, z_dim=4, num_res_blocks=1, latents_mean=[0.0] * 4, latents_std=[1.0] * 4
    )
    assert not use_channels_last(SimpleNamespace(vae=deep, dtype=torch.bfloat16), "cuda")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_the_order_is_in_the_fingerprint_on_a_cuda_card(tiny_pipeline: Path) -> None:
    card = EditorCard(name="tiny", title="Tiny", family="instruct-pix2pix")
    editor = InstructPix2Pix(halved(tiny_pipeline), card, "digest")
    assert " cuda torch.bfloat16 channels-last " in editor.fingerprint


def test_a_processor_takes_twice_the_memory_of_a_large_model() -> None:
    assert needed_gb(13, "cpu", LARGE) == 26
    assert needed_gb(13, "cuda", LARGE) == 13
    assert needed_gb(1, "cpu", LARGE - 1) == 1


def test_free_memory_is_that_of_the_machine_or_of_its_container(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "_CGROUP", tmp_path)
    assert 0 < free_gb("cpu") <= psutil.virtual_memory().total / 1e9
    (tmp_path / "memory.current").write_text("400000000\n")
    (tmp_path / "memory.max").write_text("max\n")
    unlimited = free_gb("cpu")
    (tmp_path / "memory.max").write_text("500000000\n")
    assert free_gb("cpu") == pytest.approx(0.1)
    assert total_gb("cpu") == pytest.approx(0.5)
    assert unlimited > 0.1


def test_a_model_that_does_not_fit_is_refused() -> None:
    check_memory("small", 0.0, "cpu")
    with pytest.raises(ConfigError, match=r"'huge' takes about 1e\+06 GB .* cpu .* GB are free"):
        check_memory("huge", 1e6, "cpu")


def test_the_result_says_where_the_editor_ran(tiny_pipeline: Path) -> None:
    config = RunConfig(instruction="snow fog", editor=str(tiny_pipeline), p_iterations=100)
    (*_, last) = stream(photo(), config, encoder=ToyEncoder())
    assert last.explanation is not None
    runs_on = last.explanation.versions["editor runs on"]
    assert runs_on == describe(best_device(), torch.float32)
