r"""Train the bundled editor, a small StableDiffusionInstructPix2PixPipeline, from scratch.

    python assets/recipes/train_scene_pix2pix.py --photos build/photos \
        --text build/text/text_encoder.pt --details build/details/details.pt \
        --out build/scene --minutes 45 22 23

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
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from scene_editor import Editor, build_scheduler, build_unet, loss_of, tokenize
from scene_effects import EFFECTS
from scene_grammar import BASE_STRENGTH
from scene_pairs import Edits
from scene_text import blur_vectors, build_text_encoder, build_tokenizer, load_glove, neutral_words
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader
from train_scene_details import NAMES as DRAWN_NAMES
from train_scene_details import maps_of
from train_scene_text import Instructions
from transformers import PreTrainedTokenizerFast

from smile_core.editors.scene_model import SceneUNet

SEED = 20261121
# Of each stage: picture shapes and batch size.
STAGES = (
    (((64, 64), (64, 88), (88, 64)), 32),
    (((128, 128), (128, 168), (168, 128)), 16),
    (((256, 256), (256, 344), (344, 256)), 6),
)
LEARNING_RATE = 6e-4
# Times the learning rate, for the parts that have learnt something before: the text encoder, and
# the branch that draws details.
TEXT_RATE, DETAIL_RATE = 0.3, 2.0
WARM_UP = 200  # steps
# Share of training at the first step of a run (pure noise, where the words decide everything), at
# the other three steps of a four-step run, and anywhere.
LAST_STEP, LATER_STEPS = 999, (749, 499, 249)
SHARES = (0.75, 0.15, 0.1)
NO_PHOTO = 0.05  # share of samples without the photo, for image guidance
CHECKPOINT_MINUTES = 5
READ_BATCHES = 30  # of 256 texts
AVERAGE_EVERY, AVERAGE_DECAY = 10, 0.98  # steps; of the weights that are shipped


def begin_with_details(
    unet: SceneUNet,
    details: dict,
    text_encoder: torch.nn.Module,
    tokenizer: PreTrainedTokenizerFast,
) -> None:
    """Take over the detail branch, and set the straight path from text to maps by its table."""
    unet.load_state_dict(details["branch"], strict=False)
    nothing, slopes = maps_of(details["table"], BASE_STRENGTH)  # (maps,), (effects, maps)
    weight, bias = read_strengths(text_encoder, tokenizer)
    chosen = [list(EFFECTS).index(name) for name in DRAWN_NAMES]
    with torch.no_grad():
        unet.words.weight.copy_((weight[:, chosen] @ slopes).T)
        unet.words.bias.copy_(bias[chosen] @ slopes + nothing)


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


def draw_timesteps(n: int, generator: torch.Generator) -> torch.Tensor:
    """Return n timesteps (n,), see `SHARES`."""
    kind = torch.multinomial(torch.tensor(SHARES), n, replacement=True, generator=generator)
    later = torch.tensor(LATER_STEPS)[torch.randint(3, (n,), generator=generator)]
    anywhere = torch.randint(1000, (n,), generator=generator)
    return torch.where(kind == 0, LAST_STEP, torch.where(kind == 1, later, anywhere))


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


def train(photos_dir: Path, text: Path, details: Path, out: Path, minutes: list[float]) -> None:
    """Train for the given minutes at each stage; checkpoints and log in `out`."""
    torch.manual_seed(SEED)
    out.mkdir(parents=True, exist_ok=True)
    photos = [np.asarray(Image.open(path)) for path in sorted(photos_dir.glob("*.jpg"))]
    words, vectors = load_glove()
    tokenizer = build_tokenizer(words)
    neutral = neutral_words(words, vectors)
    text_encoder = build_text_encoder(tokenizer, words, vectors)
    text_encoder.load_state_dict(torch.load(text, weights_only=True))
    unet = build_unet()
    begin_with_details(unet, torch.load(details, weights_only=True), text_encoder, tokenizer)
    blur_vectors(text_encoder)
    editor = Editor(text_encoder, unet)
    average = AveragedModel(editor, multi_avg_fn=get_ema_multi_avg_fn(AVERAGE_DECAY))
    groups = parameter_groups(editor)
    trained = [p for group in groups for p in group["params"]]
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
        tokens = tokenize(tokenizer, texts)
        progress = state["minutes"] / total
        rate = LEARNING_RATE * min(1.0, (state["step"] + 1) / WARM_UP)
        rate *= 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * progress))
        for group in optimizer.param_groups:
            group["lr"] = rate * group["scale"]
        with torch.autocast("cpu", dtype=torch.bfloat16):
            predicted = editor(noisy, photo * seen.view(-1, 1, 1, 1), t, tokens)
        # A picture that has to be guessed from noise counts less.
        loss = (loss_of(predicted, edit) * (0.2 + 0.8 * seen)).mean()
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
    parser.add_argument("--details", type=Path, required=True, help="from train_scene_details.py")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, nargs=len(STAGES), required=True)
    args = parser.parse_args()
    torch.set_num_threads(2)
    train(args.photos, args.text, args.details, args.out, args.minutes)
