from __future__ import annotations

from pathlib import Path

import psutil
import pytest
import torch

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
)
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
