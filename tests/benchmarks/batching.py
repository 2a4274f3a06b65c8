"""How much faster is a batch of edits than the plain loop, one pipeline call for each prompt?

    python -m tests.benchmarks.batching [--full-size] [--perturbations 64] [--repeats 3]

The plain loop is `pipe(prompt, image)` for every perturbation with the pipeline as it was loaded,
the way the published code runs it; the other side is one `edit` of all of them. Both make the same
edits with the same settings in one process and take turns, and the median of the ratios counts.
The editor chooses its own precision, which is part of the gain and printed.

`--full-size` takes an InstructPix2Pix of the size of `timbrooks/instruct-pix2pix` with random
weights at 512 x 512, in half precision, which wants a graphics card; otherwise the bundled editor
is run. Printed as well: which fraction of the device's rate of matrix products the edits reach,
counting the operations of the U-Net alone.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    StableDiffusionInstructPix2PixPipeline,
    UNet2DConditionModel,
)
from PIL import Image
from torch.utils.flop_counter import FlopCounterMode
from transformers import CLIPTextConfig, CLIPTextModel

from smile_core import load_editor
from smile_core.config import BUNDLED_EDITOR
from smile_core.editors.bundled_cards import bundled_folder
from smile_core.editors.devices import best_device
from smile_core.editors.pretrained import load_pretrained
from smile_core.editors.protocol import fit_to_card
from smile_core.photo import open_photo
from tests.benchmarks.labelled_edits import PHOTOS

INSTRUCTION = "make it a snowy evening with some lights"
FULL_STEPS = 10


def prompts_of(n: int) -> list[str]:
    """Return n different prompts, parts of one instruction."""
    words = INSTRUCTION.split()
    rng = np.random.default_rng(0)
    found: dict[str, None] = {}
    while len(found) < n:
        kept = rng.random(len(words)) < 0.5
        found[" ".join(word for word, keep in zip(words, kept, strict=True) if keep)] = None
        found.pop("", None)
    return list(found)


def save_full_size(folder: Path) -> None:
    """Save an InstructPix2Pix of full size with random weights, in half precision."""
    torch.manual_seed(0)
    tokenizer = load_editor(BUNDLED_EDITOR)._pipe.tokenizer  # any will do: the weights are random
    pipe = StableDiffusionInstructPix2PixPipeline(
        vae=AutoencoderKL(
            block_out_channels=(128, 256, 512, 512),
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            layers_per_block=2,
            latent_channels=4,
        ),
        text_encoder=CLIPTextModel(
            CLIPTextConfig(
                vocab_size=len(tokenizer),
                hidden_size=768,
                intermediate_size=3072,
                num_hidden_layers=12,
                num_attention_heads=12,
            )
        ),
        tokenizer=tokenizer,
        unet=UNet2DConditionModel(sample_size=64, in_channels=8, cross_attention_dim=768),
        scheduler=DDIMScheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipe.to(dtype=torch.float16).save_pretrained(folder)


def plain_edit(pipe: Any, photo: Image.Image, prompt: str, knobs: dict[str, Any]) -> None:
    """Make one edit with a call of the pipeline, as the published code does."""
    pipe(
        prompt,
        image=photo,
        num_inference_steps=knobs["steps"],
        guidance_scale=knobs["guidance_scale"],
        image_guidance_scale=knobs["image_guidance_scale"],
        generator=torch.Generator().manual_seed(0),
    )


def seconds_of(work: Callable[[], object]) -> float:
    """Return how long `work` takes, the graphics card's part included."""
    started = time.perf_counter()
    work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - started


def matrix_rate(device: str, dtype: torch.dtype) -> float:
    """Return the operations per second of a large matrix product, the best of some."""
    side = 8192 if device == "cuda" else 2048
    a, b = (torch.randn(side, side, device=device, dtype=dtype) for _ in range(2))
    return max(2 * side**3 / seconds_of(lambda: a @ b) for _ in range(5))


def operations_of_edit(pipe: Any, photo: Image.Image, knobs: dict[str, Any]) -> float:
    """Return the operations that the U-Net spends on one edit."""
    forward, total = pipe.unet.forward, 0

    def count(*given: Any, **named: Any) -> Any:
        nonlocal total
        with FlopCounterMode(display=False) as counter:
            answer = forward(*given, **named)
        total += counter.get_total_flops()
        return answer

    pipe.unet.forward = count
    plain_edit(pipe, photo, INSTRUCTION, knobs)
    pipe.unet.forward = forward
    return float(total)


def compare(plain_pipe: Any, editor: Any, n: int, repeats: int, knobs: dict[str, Any]) -> None:
    """Time both ways on the same edits and print the figures."""
    photo = fit_to_card(open_photo(PHOTOS[0]), editor.card)
    prompts = prompts_of(n)
    plain_edit(plain_pipe, photo, prompts[0], knobs)
    editor.edit(photo, prompts[:1], seed=0, **knobs)
    plain, batched = [], []
    for _ in range(repeats):
        plain.append(
            seconds_of(lambda: [plain_edit(plain_pipe, photo, text, knobs) for text in prompts])
        )
        batched.append(seconds_of(lambda: editor.edit(photo, prompts, seed=0, **knobs)))
    ratio = statistics.median(a / b for a, b in zip(plain, batched, strict=True))
    rate = n / statistics.median(batched)
    device = best_device()
    dtype = torch.float16 if device == "cuda" else torch.bfloat16
    share = rate * operations_of_edit(plain_pipe, photo, knobs) / matrix_rate(device, dtype)
    print(f"plain loop  {n / statistics.median(plain):8.2f} edits/s, {plain_pipe.dtype}")
    print(f"in batches  {rate:8.2f} edits/s, {editor.runs_on}")
    print(f"gain        {ratio:8.2f}x")
    print(f"the batches reach {share:.0%} of the device's rate of matrix products in {dtype}")


def main() -> None:
    """Print the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full-size", action="store_true")
    parser.add_argument("--perturbations", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    device = best_device()
    where = torch.cuda.get_device_name() if device == "cuda" else platform.machine()
    print(f"{where}, {os.cpu_count()} cores, torch {torch.__version__}")
    with tempfile.TemporaryDirectory() as folder:
        if args.full_size:
            save_full_size(Path(folder))
        source = Path(folder) if args.full_size else bundled_folder(BUNDLED_EDITOR)
        editor = load_pretrained(source) if args.full_size else load_editor(BUNDLED_EDITOR)
        dtype = torch.float16 if device == "cuda" else torch.float32
        plain_pipe = StableDiffusionInstructPix2PixPipeline.from_pretrained(source, dtype=dtype)
    plain_pipe.set_progress_bar_config(disable=True)
    knobs = {"steps": editor.card.steps, **editor.card.knobs}
    if args.full_size:
        knobs["steps"] = FULL_STEPS
    compare(plain_pipe.to(device), editor, args.perturbations, args.repeats, knobs)


if __name__ == "__main__":
    main()
