"""Where a model runs, in which precision, and whether it fits there.

A graphics card where there is one (CUDA, then Apple's), else the processor. Large models run in
half precision on a graphics card and in single precision on a processor, which is slow at halves.
Nothing is compiled: `torch.compile` warms up for a minute or so for every new size of photo, which
is more than a run of 64 edits could win back.

References
----------
[1] Hugging Face, diffusers 0.24 documentation, "Speed up inference" and "Reduce memory usage".
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psutil
import torch
from torch import nn

from smile_core.config import ConfigError

GIGABYTE = 1e9
# Bytes of weights; a smaller model gains nothing worth having from half precision.
HALF_PRECISION_FROM = 400_000_000
_CGROUP = Path("/sys/fs/cgroup")  # a container's own limit, where there is one


def best_device() -> str:
    """Return `cuda`, `mps` or `cpu`, the first of them that is there."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def best_precision(device: str, weight_bytes: int) -> torch.dtype:
    """Return the precision for a model whose files hold `weight_bytes` of weights.

    bfloat16 rather than float16 where the card has it: today's large models overflow in float16.
    """
    if device == "cpu" or weight_bytes < HALF_PRECISION_FROM:
        return torch.float32
    if device == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False):
        return torch.float16
    return torch.bfloat16


def runs_mixed(device: str) -> bool:
    """Return whether a model in single precision should compute in mixed bfloat16 there.

    On a processor with instructions for bfloat16 that takes little more than half the time. It is
    for networks in which rounding does not add up from step to step.
    """
    return device == "cpu" and torch.cpu._is_avx512_bf16_supported()  # torch has no public name


def use_channels_last(pipe: Any, device: str) -> bool:
    """Order the weights of a pipeline's convolutional networks by pixel where that is faster.

    On a CUDA card in half precision, where the kernels of cuDNN want them so. [1] measured 3.30 s
    instead of 3.61 s a picture (Stable Diffusion, 512 px, 50 steps, float16, TITAN RTX); it was
    not measured here. The pixels change by rounding. Networks that convolve in three dimensions
    have no such order and stay as they are.

    Parameters
    ----------
    pipe : DiffusionPipeline
        Its `unet` and its `vae` are ordered, in place.
    device : str
        Where it runs.

    Returns
    -------
    bool
        Whether any was.
    """
    if device != "cuda" or pipe.dtype not in (torch.float16, torch.bfloat16):
        return False
    parts = [getattr(pipe, name, None) for name in ("unet", "vae")]
    flat: list[Any] = [
        part for part in parts if isinstance(part, nn.Module) and _convolves_planes(part)
    ]
    for part in flat:
        part.to(memory_format=torch.channels_last)
    return bool(flat)


def _convolves_planes(network: nn.Module) -> bool:
    """Return whether a network has convolutions, all of them in two dimensions."""
    kinds = {type(layer) for layer in network.modules()}
    return any(issubclass(kind, nn.Conv2d) for kind in kinds) and not any(
        issubclass(kind, nn.Conv3d) for kind in kinds
    )


def free_gb(device: str) -> float:
    """Return the memory that a model could take on `device` now, in GB."""
    if device == "cuda":
        free, _ = torch.cuda.mem_get_info()
        # What torch holds and does not use is free to the next model.
        free += torch.cuda.memory_reserved() - torch.cuda.memory_allocated()
        return free / GIGABYTE
    free = psutil.virtual_memory().available
    try:
        limit = int((_CGROUP / "memory.max").read_text())
        used = int((_CGROUP / "memory.current").read_text())
    except (OSError, ValueError):  # no container, or no limit ("max")
        return free / GIGABYTE
    return min(free, limit - used) / GIGABYTE


def total_gb(device: str) -> float:
    """Return the memory of `device`, or of the container, in GB, whoever uses it now."""
    if device == "cuda":
        return torch.cuda.mem_get_info()[1] / GIGABYTE
    total = psutil.virtual_memory().total
    try:
        return min(total, int((_CGROUP / "memory.max").read_text())) / GIGABYTE
    except (OSError, ValueError):  # no container, or no limit ("max")
        return total / GIGABYTE


def needed_gb(memory_gb: float, device: str, weight_bytes: int) -> float:
    """Return what a model takes on `device`, in GB.

    Parameters
    ----------
    memory_gb : float
        What its card says; for a large model that is in half precision.
    device : str
        A processor runs it in single precision, which takes twice as much.
    weight_bytes : int
        Size of its weight files.
    """
    return memory_gb * (2 if device == "cpu" and weight_bytes >= HALF_PRECISION_FROM else 1)


def check_memory(name: str, needed: float, device: str) -> None:
    """Refuse a model that takes more than is free.

    Raises
    ------
    ConfigError
        When it does not fit.
    """
    free = free_gb(device)
    if needed > free:
        raise ConfigError(
            f"The editor {name!r} takes about {needed:.3g} GB of memory, and on this machine's "
            f"{device} {free:.1f} GB are free. Close other programs, choose a smaller editor, or "
            "run it on a machine with a larger graphics card."
        )


def describe(device: str, precision: object) -> str:
    """Return where and how a model runs, for the result: `NVIDIA H200, bfloat16`."""
    name = torch.cuda.get_device_name() if device == "cuda" else device
    return f"{name}, {str(precision).removeprefix('torch.')}"


def release_memory(device: str) -> None:
    """Hand memory that torch holds and does not use back to the device."""
    if device == "cuda":
        torch.cuda.empty_cache()
    elif device == "mps":
        torch.mps.empty_cache()
