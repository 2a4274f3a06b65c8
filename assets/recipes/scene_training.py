"""Training of the bundled editors: the loop with its checkpoints, and what they begin with.

A run has stages on pictures of growing size: what the words mean is learnt on small pictures, where
it costs little. It writes a checkpoint every five minutes and goes on from it when started again.

References
----------
[1] Pennington et al., GloVe: Global vectors for word representation, 2014.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from scene_effects import EFFECTS
from scene_pairs import Edits
from scene_text import (
    LENGTH,
    blur_vectors,
    build_text_encoder,
    build_tokenizer,
    load_glove,
    neutral_words,
)
from scene_words import BASE_STRENGTH
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader
from train_scene_details import NAMES as DRAWN_NAMES
from train_scene_details import maps_of
from train_scene_text import Instructions
from transformers import PreTrainedTokenizerFast

from smile_core.editors.scene_model import SceneUNet

SEED = 20261121
LEARNING_RATE = 6e-4
# Times the learning rate, for the parts that have learnt something before: the text encoder, and
# the branch that draws details.
TEXT_RATE, DETAIL_RATE = 0.3, 2.0
WARM_UP = 200  # steps
CHECKPOINT_MINUTES = 5
READ_BATCHES = 30  # of 256 texts
AVERAGE_EVERY, AVERAGE_DECAY = 10, 0.98  # steps; of the weights that are shipped


class Editor(torch.nn.Module):
    """Text encoder and U-Net trained as one."""

    def __init__(self, text_encoder: torch.nn.Module, unet: SceneUNet) -> None:
        super().__init__()
        self.text_encoder, self.unet = text_encoder, unet


class Batch(NamedTuple):
    """Pictures (B, 3, H, W): photo and edit in [-1, 1], standard normal noise; tokens (B, 77)."""

    photo: torch.Tensor
    edit: torch.Tensor
    noise: torch.Tensor
    tokens: torch.Tensor


LossOfBatch = Callable[[Editor, Batch, torch.Generator], torch.Tensor]
Stage = tuple[Sequence[tuple[int, int]], int]  # picture shapes and batch size


def tokenize(
    tokenizer: PreTrainedTokenizerFast, texts: list[str], length: int = LENGTH
) -> torch.Tensor:
    """Return token numbers (B, length)."""
    return tokenizer(
        texts,
        padding="max_length",
        max_length=length,
        truncation=True,
        return_tensors="pt",
    ).input_ids


def begin(unet: SceneUNet, text: Path, details: Path) -> tuple[Editor, PreTrainedTokenizerFast]:
    """Return an editor that reads and draws as the two trainings before taught it to.

    Parameters
    ----------
    unet : SceneUNet
        Freshly initialised.
    text, details : Path
        From `train_scene_text.py` and `train_scene_details.py`.
    """
    words, vectors = load_glove()
    tokenizer = build_tokenizer(words)
    text_encoder = build_text_encoder(tokenizer, words, vectors)
    text_encoder.load_state_dict(torch.load(text, weights_only=True))
    learnt = torch.load(details, weights_only=True)
    unet.load_state_dict(learnt["branch"], strict=False)
    # The straight path from the text to the maps begins with the table of the details.
    nothing, slopes = maps_of(learnt["table"], BASE_STRENGTH)  # (maps,), (effects, maps)
    weight, bias = read_strengths(text_encoder, tokenizer)
    chosen = [list(EFFECTS).index(name) for name in DRAWN_NAMES]
    with torch.no_grad():
        unet.text_to_maps.weight.copy_((weight[:, chosen] @ slopes).T)
        unet.text_to_maps.bias.copy_(bias[chosen] @ slopes + nothing)
    blur_vectors(text_encoder)
    return Editor(text_encoder, unet), tokenizer


@torch.no_grad()
def read_strengths(
    text_encoder: torch.nn.Module, tokenizer: PreTrainedTokenizerFast
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return weight (WIDTH, effects) and bias (effects,) that read strengths off the last token.

    Least squares on `READ_BATCHES` batches of instructions.
    """
    words, vectors = load_glove()
    stream = iter(Instructions(neutral_words(words, vectors), SEED + 1))
    read, asked = [], []
    for texts, target in islice(stream, READ_BATCHES):
        read.append(text_encoder(tokenize(tokenizer, texts))[0][:, -1])
        asked.append(target[:, : len(EFFECTS)])
    rows = torch.cat(read)  # (n, WIDTH)
    rows = torch.cat([rows, torch.ones(len(rows), 1)], dim=1)
    solution = torch.linalg.lstsq(rows, torch.cat(asked)).solution  # (WIDTH + 1, effects)
    return solution[:-1], solution[-1]


def parameter_groups(editor: Editor) -> list[dict]:
    """Return the weights that are trained, in groups with the `scale` of their learning rate."""
    unet = editor.unet
    groups = [
        ([*unet.detail.parameters(), *unet.detail_out.parameters()], DETAIL_RATE),
        ([p for p in editor.text_encoder.parameters() if p.requires_grad], TEXT_RATE),
    ]
    special = {id(p) for weights, _ in groups for p in weights}
    groups.append(([p for p in unet.parameters() if id(p) not in special], 1.0))
    return [{"params": weights, "scale": scale} for weights, scale in groups]


def batches_of(
    photos: Path, stage: Stage, tokenizer: PreTrainedTokenizerFast, seed: int
) -> Iterator[Batch]:
    """Yield batches of a stage for ever."""
    pictures = [np.asarray(Image.open(path)) for path in sorted(photos.glob("*.jpg"))]
    stream = Edits(pictures, neutral_words(*load_glove()), *stage, seed)
    for *parts, texts in DataLoader(stream, batch_size=None, num_workers=1, prefetch_factor=4):
        yield Batch(*parts, tokenize(tokenizer, texts))


def train(
    editor: Editor,
    tokenizer: PreTrainedTokenizerFast,
    loss_of_batch: LossOfBatch,
    *,
    photos: Path,
    stages: Sequence[Stage],
    minutes: Sequence[float],
    out: Path,
) -> None:
    """Train for the given minutes at each stage; checkpoints and log in `out`.

    Raises
    ------
    FloatingPointError
        When the loss is no number any more.
    """
    out.mkdir(parents=True, exist_ok=True)
    average = AveragedModel(editor, multi_avg_fn=get_ema_multi_avg_fn(AVERAGE_DECAY))
    groups = parameter_groups(editor)
    trained = [p for group in groups for p in group["params"]]
    optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.98), weight_decay=0.01, fused=True)
    parts = {"editor": editor, "average": average, "optimizer": optimizer}
    state = {"minutes": 0.0, "step": 0, "samples": 0, "restarts": 0}
    checkpoint = out / "checkpoint.pt"
    if checkpoint.exists():
        saved = torch.load(checkpoint, weights_only=True)
        for name, part in parts.items():
            part.load_state_dict(saved[name])
        state = saved["state"]
        state["restarts"] += 1
    total, ends = sum(minutes), np.cumsum(minutes)
    generator = torch.Generator().manual_seed(SEED + state["step"])
    clock, since, running = time.monotonic(), 0.0, []
    stage = -1
    while state["minutes"] < total:
        if stage < 0 or state["minutes"] >= ends[stage]:
            stage = int(np.searchsorted(ends, state["minutes"], side="right"))
            batches = batches_of(photos, stages[stage], tokenizer, SEED + 7 * state["step"])
        rate = rate_at(state["step"], state["minutes"] / total)
        for group in optimizer.param_groups:
            group["lr"] = rate * group["scale"]
        batch = next(batches)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = loss_of_batch(editor, batch, generator)
        if not torch.isfinite(loss):
            raise FloatingPointError(f"The loss is {loss.item()} at step {state['step']}.")
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        if state["step"] % AVERAGE_EVERY == 0:
            average.update_parameters(editor)
        now = time.monotonic()
        state["minutes"] += (now - clock) / 60
        since += (now - clock) / 60
        clock = now
        state["step"] += 1
        state["samples"] += len(batch.photo)
        running.append(loss.item())
        if state["step"] % 20 == 0:
            row = {**state, "loss": float(np.mean(running)), "lr": rate, "stage": stage}
            with (out / "log.jsonl").open("a") as log:
                log.write(json.dumps(row) + "\n")
            running = []
        if since > CHECKPOINT_MINUTES or state["minutes"] >= total:
            since = 0.0
            saved = {name: part.state_dict() for name, part in parts.items()}
            torch.save({**saved, "state": state}, out / "checkpoint.tmp")
            (out / "checkpoint.tmp").replace(checkpoint)


def rate_at(step: int, progress: float) -> float:
    """Return the learning rate: a warm-up, then half a cosine over `progress` in [0, 1]."""
    falling = 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * progress))
    return LEARNING_RATE * min(1.0, (step + 1) / WARM_UP) * falling


def parse_arguments(about: str, stages: int) -> argparse.Namespace:
    """Read the command line of a training program; `about` is its docstring."""
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--text", type=Path, required=True, help="from train_scene_text.py")
    parser.add_argument("--details", type=Path, required=True, help="from train_scene_details.py")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, nargs=stages, required=True, help="of each stage")
    return parser.parse_args()
