r"""Teach the bundled editor's detail branch to draw, before it reads a word.

    python assets/recipes/train_scene_details.py --photos build/photos --out build/details \
        --minutes 4

Streaks, flakes, lamps, blur and pencil lines are drawn by a few convolutions whose gains the U-Net
sets (`SceneUNet.draw`). Trained together from nothing, neither gets a useful gradient from the
other for an hour. So the branch learns first with the U-Net replaced by a table: of every effect,
maps that are linear in its strength. `train_scene_pix2pix.py` goes on from the branch, and begins
with the table as its straight path from the text to the maps.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from scene_editor import build_unet, loss_of
from scene_effects import render
from scene_pairs import crop_photo
from torch import nn
from torch.utils.data import DataLoader, IterableDataset

from smile_core.editors.scene_model import COLOUR_MAPS, PATCH, UNET_MAPS

SEED = 20261121
NAMES = ("rain", "snow", "lights", "blur", "sketch", "night")
BATCH = 16
SIDE = 64
LEARNING_RATE = 4e-3


class Drawings(IterableDataset):
    """An endless stream of photo, edit and noise (BATCH, 3, SIDE, SIDE), effect and strength."""

    def __init__(self, photos: list[np.ndarray]) -> None:
        self.photos = photos

    def __iter__(self) -> Iterator[tuple[torch.Tensor, ...]]:
        """Yield batches for ever."""
        rng = np.random.default_rng(SEED)
        while True:
            photos = np.stack([crop_photo(self.photos, SIDE, SIDE, rng) for _ in range(BATCH)])
            noise = rng.standard_normal((BATCH, SIDE, SIDE, 3), dtype=np.float32)
            names = rng.integers(len(NAMES), size=BATCH)
            strengths = rng.uniform(0.3, 1.0, size=BATCH).astype(np.float32)
            edits = np.stack(
                [
                    render(photo, field, {NAMES[name]: float(strength)})
                    for photo, field, name, strength in zip(
                        photos, noise, names, strengths, strict=True
                    )
                ]
            )
            pictures = [
                torch.from_numpy(part).permute(0, 3, 1, 2)
                for part in (photos * 2 - 1, edits * 2 - 1, noise)
            ]
            yield *pictures, torch.from_numpy(names), torch.from_numpy(strengths)


def train(photos_dir: Path, out: Path, minutes: float) -> None:
    """Train for `minutes` and write the branch's weights to `out/details.pt`."""
    torch.manual_seed(SEED)
    photos = [np.asarray(Image.open(path)) for path in sorted(photos_dir.glob("*.jpg"))]
    unet = build_unet()
    table = nn.Linear(2 * len(NAMES), UNET_MAPS)
    weights = [*unet.detail.parameters(), *unet.detail_out.parameters(), *table.parameters()]
    optimizer = torch.optim.AdamW(weights, lr=LEARNING_RATE, weight_decay=0.01, fused=True)
    batches = iter(DataLoader(Drawings(photos), batch_size=None, num_workers=1, prefetch_factor=8))
    started, step = time.monotonic(), 0
    running: dict[str, list[float]] = {name: [] for name in NAMES}
    while (progress := (time.monotonic() - started) / 60 / minutes) < 1:
        photo, edit, noise, names, strengths = next(batches)
        for group in optimizer.param_groups:
            group["lr"] = LEARNING_RATE * min(1, (step + 1) / 100) * (1 - progress)
        which = F.one_hot(names, len(NAMES)).float()
        maps = table(torch.cat([which, which * strengths[:, None]], dim=1))[:, :, None, None]
        cells = SIDE // PATCH
        latents = F.pixel_unshuffle(torch.cat([noise, photo], dim=1), PATCH)
        drawn = unet.draw(latents, maps.expand(-1, -1, cells, cells))
        losses = loss_of(F.pixel_shuffle(drawn, PATCH), edit)
        optimizer.zero_grad()
        losses.mean().backward()
        nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        step += 1
        for name, value in zip(names.tolist(), losses.tolist(), strict=True):
            running[NAMES[name]].append(value)
        if step % 500 == 0:
            said = ", ".join(f"{name} {np.mean(values):.3f}" for name, values in running.items())
            print(f"step {step} loss {said}", flush=True)
            running = {name: [] for name in NAMES}
    out.mkdir(parents=True, exist_ok=True)
    branch = {key: value for key, value in unet.state_dict().items() if key.startswith("detail")}
    torch.save({"branch": branch, "table": table.state_dict()}, out / "details.pt")


def maps_of(table: dict[str, torch.Tensor], strength: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the maps that draw nothing, and of each of `NAMES` what it adds per unit of strength.

    Parameters
    ----------
    table : dict
        State of the table that was trained.
    strength : float
        Where the straight line through "nothing" meets the table.

    Returns
    -------
    tuple of Tensor
        (`UNET_MAPS`,) and (effects, `UNET_MAPS`).
    """
    there, slope = table["weight"].T.chunk(2)  # (effects, UNET_MAPS) each
    nothing = table["bias"] + there[NAMES.index("night")]  # night has no details
    nothing[:COLOUR_MAPS] = 0
    return nothing, (table["bias"] + there - nothing) / strength + slope


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, required=True)
    args = parser.parse_args()
    torch.set_num_threads(2)
    train(args.photos, args.out, args.minutes)
