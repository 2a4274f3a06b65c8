r"""Train the bundled editor, a small StableDiffusionInstructPix2PixPipeline, from scratch.

    python assets/recipes/train_scene_pix2pix.py --photos build/photos \
        --text build/text/text_encoder.pt --out build/scene --minutes 10 30 35

Photos are rendered with the effects that a random instruction asks for (`scene_effects`,
`scene_grammar`); the U-Net learns to predict the edited picture from a noisy one, the photo and
the text (x0 prediction, zero terminal SNR [1]). The noise of the diffusion is the field that the
effects were drawn from, see `scene_effects`. Three stages, on pictures of 64, 128 and 256 pixels:
what the words mean is learnt on small pictures, where it costs little. The program writes a
checkpoint every five minutes and goes on from it when started again; `export_scene_pix2pix.py`
turns a checkpoint into the folder that the product loads.

References
----------
[1] Lin et al., Common diffusion noise schedules and sample steps are flawed, 2024.
[2] Pennington et al., GloVe: Global vectors for word representation, 2014.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from diffusers import DDIMScheduler
from PIL import Image
from scene_effects import UNDOES, render
from scene_grammar import pick, sample_instruction
from scene_text import blur_vectors, build_text_encoder, build_tokenizer, load_glove, neutral_words
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader, IterableDataset

from smile_core.editors.scene_model import COLOUR_MAPS, PATCH, UNET_MAPS, SceneUNet

SEED = 20261121
# Of each stage: picture shapes and batch size.
STAGES = (
    (((64, 64), (64, 88), (88, 64)), 32),
    (((128, 128), (128, 168), (168, 128)), 16),
    (((256, 256), (256, 344), (344, 256)), 6),
)
LEARNING_RATE = 6e-4
DETAIL_RATE = 8.0  # times the learning rate, for the small branch that draws details
WARM_UP = 200  # steps
# Share of training at the first step of a run (pure noise, where the words decide everything), at
# the other three steps of a four-step run, and anywhere.
LAST_STEP, LATER_STEPS = 999, (749, 499, 249)
SHARES = (0.75, 0.15, 0.1)
NO_PHOTO = 0.05  # share of samples without the photo, for image guidance
CHECKPOINT_MINUTES = 5
AVERAGE_EVERY, AVERAGE_DECAY = 10, 0.98  # steps; of the weights that are shipped
WEATHER = ("rain", "snow", "fog", "clouds", "storm", "night", "sunset", "darker", "faded")


class Edits(IterableDataset):
    """An endless stream of batches: photo, edit, noise (B, 3, H, W) and instructions."""

    def __init__(
        self, photos: list[np.ndarray], neutral: list[str], shapes: tuple, batch: int, seed: int
    ) -> None:
        self.photos, self.neutral, self.shapes = photos, neutral, shapes
        self.batch, self.seed = batch, seed

    def __iter__(self) -> Iterator[tuple]:
        """Yield batches for ever."""
        cv2.setNumThreads(1)
        rng = np.random.default_rng(self.seed)
        while True:
            height, width = self.shapes[int(rng.integers(len(self.shapes)))]
            rows = [self._sample(height, width, rng) for _ in range(self.batch)]
            photo, edit, noise = (
                torch.from_numpy(np.stack([row[i] for row in rows])).permute(0, 3, 1, 2)
                for i in range(3)
            )
            yield photo.mul(2).sub(1), edit.mul(2).sub(1), noise, [row[3] for row in rows]

    def _sample(self, height: int, width: int, rng: np.random.Generator) -> tuple:
        photo = self._crop(height, width, rng)
        weather = pick(WEATHER, rng) if rng.random() < 0.3 else None
        instruction, strengths, removed = sample_instruction(weather, self.neutral, rng)
        removed = set(removed).union(*(UNDOES.get(name, ()) for name in strengths))
        source = photo
        if weather:
            field = rng.standard_normal((height, width, 3), dtype=np.float32)
            source = render(photo, field, {weather: float(rng.uniform(0.4, 1.0))})
        noise = rng.standard_normal((height, width, 3), dtype=np.float32)
        edit = render(photo if weather in removed else source, noise, strengths)
        return source, edit, noise, instruction

    def _crop(self, height: int, width: int, rng: np.random.Generator) -> np.ndarray:
        """Return a random photo, most of it or a detail, as (height, width, 3) in [0, 1]."""
        photo = self.photos[int(rng.integers(len(self.photos)))]
        full_height, full_width = photo.shape[:2]
        scale = min(full_height / height, full_width / width)
        scale *= rng.uniform(0.85, 1.0) if rng.random() < 0.7 else rng.uniform(0.4, 0.85)
        h, w = int(height * scale), int(width * scale)
        top = int(rng.integers(full_height - h + 1))
        left = int(rng.integers(full_width - w + 1))
        crop = photo[top : top + h, left : left + w]
        crop = cv2.resize(crop, (width, height), interpolation=cv2.INTER_AREA)
        if rng.random() < 0.5:
            crop = crop[:, ::-1]
        crop = crop.astype(np.float32) / 255
        gains = rng.uniform(0.88, 1.12, size=3).astype(np.float32)
        crop = crop ** np.float32(rng.uniform(0.75, 1.3)) * gains
        return np.clip(crop, 0, 1)


def build_unet() -> SceneUNet:
    """Return the U-Net, about eleven million weights, freshly initialised."""
    unet = SceneUNet(
        in_channels=2 * 3 * PATCH * PATCH,
        out_channels=UNET_MAPS,
        block_out_channels=(64, 128, 192),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        mid_block_type="UNetMidBlock2DCrossAttn",
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=64,
        attention_head_dim=4,
        norm_num_groups=16,
        conv_in_kernel=1,
        conv_out_kernel=1,
        addition_embed_type="text",
        addition_embed_type_num_heads=4,
    )
    # Begin with "the edit is the photo", nearly: were the detail branch and its gains both zero,
    # neither would get a gradient from the other.
    torch.nn.init.zeros_(unet.conv_out.weight[:COLOUR_MAPS])
    torch.nn.init.zeros_(unet.conv_out.bias)
    torch.nn.init.normal_(unet.conv_out.weight[COLOUR_MAPS:], std=0.05)
    torch.nn.init.normal_(unet.detail_out.weight, std=0.03)
    torch.nn.init.zeros_(unet.detail_out.bias)
    return unet


def build_scheduler() -> DDIMScheduler:
    """Return the scheduler of training and use: predicts the picture, ends in pure noise."""
    return DDIMScheduler(
        num_train_timesteps=1000,
        beta_schedule="scaled_linear",
        beta_start=0.00085,
        beta_end=0.012,
        prediction_type="sample",
        rescale_betas_zero_snr=True,
        timestep_spacing="trailing",
        clip_sample=True,
        set_alpha_to_one=True,
    )


class Editor(torch.nn.Module):
    """Text encoder and U-Net trained as one."""

    def __init__(self, text_encoder: torch.nn.Module, unet: SceneUNet) -> None:
        super().__init__()
        self.text_encoder, self.unet = text_encoder, unet

    def forward(
        self, noisy: torch.Tensor, photo: torch.Tensor, t: torch.Tensor, tokens: torch.Tensor
    ) -> torch.Tensor:
        """Predict the edit (B, 3, H, W) from pictures of that shape and tokens (B, 77)."""
        text = self.text_encoder(tokens)[0]
        latents = F.pixel_unshuffle(torch.cat([noisy, photo], dim=1), PATCH)
        return F.pixel_shuffle(self.unet(latents, t, text, return_dict=False)[0], PATCH)


def loss_of(predicted: torch.Tensor, edit: torch.Tensor) -> torch.Tensor:
    """Return L1 and L2 on pixels plus L1 on their differences to the neighbours, per sample (B,).

    L1 alone would rather leave out a flake than draw it a pixel off.
    """
    error = predicted.float() - edit
    across = error[..., :, 1:] - error[..., :, :-1]
    down = error[..., 1:, :] - error[..., :-1, :]
    means = [part.abs().mean(dim=(1, 2, 3)) for part in (error, across, down)]
    return means[0] + 0.5 * (means[1] + means[2]) + 2 * error.square().mean(dim=(1, 2, 3))


def draw_timesteps(n: int, generator: torch.Generator) -> torch.Tensor:
    """Return n timesteps (n,), see `SHARES`."""
    kind = torch.multinomial(torch.tensor(SHARES), n, replacement=True, generator=generator)
    later = torch.tensor(LATER_STEPS)[torch.randint(3, (n,), generator=generator)]
    anywhere = torch.randint(1000, (n,), generator=generator)
    return torch.where(kind == 0, LAST_STEP, torch.where(kind == 1, later, anywhere))


def train(photos_dir: Path, text: Path, out: Path, minutes: list[float]) -> None:
    """Train for the given minutes at each stage; checkpoints and log in `out`."""
    torch.manual_seed(SEED)
    out.mkdir(parents=True, exist_ok=True)
    photos = [np.asarray(Image.open(path)) for path in sorted(photos_dir.glob("*.jpg"))]
    words, vectors = load_glove()
    tokenizer = build_tokenizer(words)
    neutral = neutral_words(words, vectors)
    text_encoder = build_text_encoder(tokenizer, words, vectors)
    text_encoder.load_state_dict(torch.load(text, weights_only=True))
    blur_vectors(text_encoder)
    unet = build_unet()
    editor = Editor(text_encoder, unet)
    average = AveragedModel(editor, multi_avg_fn=get_ema_multi_avg_fn(AVERAGE_DECAY))
    trained = [p for p in editor.parameters() if p.requires_grad]
    detail = {id(p) for part in (unet.detail, unet.detail_out) for p in part.parameters()}
    groups = [
        {"params": [p for p in trained if id(p) not in detail], "scale": 1.0},
        {"params": [p for p in trained if id(p) in detail], "scale": DETAIL_RATE},
    ]
    optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.98), weight_decay=0.01, fused=True)
    alphas = build_scheduler().alphas_cumprod
    state = {"minutes": 0.0, "step": 0, "samples": 0, "restarts": 0}
    checkpoint = out / "checkpoint.pt"
    if checkpoint.exists():
        saved = torch.load(checkpoint, weights_only=True)
        editor.load_state_dict(saved["editor"])
        average.load_state_dict(saved["average"])
        optimizer.load_state_dict(saved["optimizer"])
        state = saved["state"]
        state["restarts"] += 1
    total = sum(minutes)
    ends = np.cumsum(minutes)
    log = (out / "log.jsonl").open("a")
    generator = torch.Generator().manual_seed(SEED + state["step"])
    clock, since, running = time.monotonic(), 0.0, []
    batches: Iterator = iter(())
    stage = -1
    while state["minutes"] < total:
        if stage < 0 or state["minutes"] >= ends[stage]:
            stage = int(np.searchsorted(ends, state["minutes"], side="right"))
            stream = Edits(photos, neutral, *STAGES[stage], SEED + 7 * state["step"])
            batches = iter(DataLoader(stream, batch_size=None, num_workers=1, prefetch_factor=4))
        photo, edit, noise, texts = next(batches)
        t = draw_timesteps(len(texts), generator)
        alpha = alphas[t].view(-1, 1, 1, 1)
        noisy = alpha.sqrt() * edit + (1 - alpha).sqrt() * noise
        seen = (torch.rand(len(texts), generator=generator) >= NO_PHOTO).float()
        tokens = tokenizer(
            texts,
            padding="max_length",
            max_length=tokenizer.model_max_length,
            truncation=True,
            return_tensors="pt",
        ).input_ids
        progress = state["minutes"] / total
        rate = LEARNING_RATE * min(1.0, (state["step"] + 1) / WARM_UP)
        rate *= 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * progress))
        for group in optimizer.param_groups:
            group["lr"] = rate * group["scale"]
        with torch.autocast("cpu", dtype=torch.bfloat16):
            predicted = editor(noisy, photo * seen.view(-1, 1, 1, 1), t, tokens)
        # A picture that has to be guessed from noise counts less.
        loss = (loss_of(predicted, edit) * (0.2 + 0.8 * seen)).mean()
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
        state["samples"] += len(texts)
        running.append(loss.item())
        if state["step"] % 20 == 0:
            row = {**state, "loss": float(np.mean(running)), "lr": float(rate), "stage": stage}
            log.write(json.dumps(row) + "\n")
            log.flush()
            running = []
        if since > CHECKPOINT_MINUTES or state["minutes"] >= total:
            since = 0.0
            torch.save(
                {
                    "editor": editor.state_dict(),
                    "average": average.state_dict(),
                    "optimizer": optimizer.state_dict(),
                    "state": state,
                },
                out / "checkpoint.tmp",
            )
            (out / "checkpoint.tmp").replace(checkpoint)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--text", type=Path, required=True, help="from train_scene_text.py")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, nargs=len(STAGES), required=True)
    args = parser.parse_args()
    torch.set_num_threads(2)
    train(args.photos, args.text, args.out, args.minutes)
