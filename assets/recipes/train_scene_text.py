r"""Teach the bundled editor's text encoder to read, before it sees a picture.

    python assets/recipes/train_scene_text.py --out build/text --minutes 6

Instructions cost nothing to write, so the encoder first learns on text alone what an instruction
asks for: from every position after the last word, a linear layer has to tell the strength of each
effect and what is to be taken away. The layer is then dropped; `train_scene_pix2pix.py` goes on
from the encoder. Noise on the word vectors makes neighbouring words mean alike, which is what lets
words that training never showed (`HELD_OUT`) do something sensible.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from scene_effects import EFFECTS
from scene_grammar import pick, sample_instruction
from scene_pairs import WEATHER
from scene_text import blur_vectors, build_text_encoder, build_tokenizer, load_glove, neutral_words
from scene_words import HELD_OUT
from torch import nn
from torch.utils.data import DataLoader, IterableDataset

SEED = 20261121
BATCH = 256
LEARNING_RATE = 2e-3
NAMES = tuple(EFFECTS)
SPOT_CHECKS = (
    "make it",
    "make it dark",
    "make it slightly dark",
    "make it very dark",
    "make it slightly foggy",
    "black",
    "black and white",
    "remove the rain",
    "transform the foggy image to depict a snowy evening",
)
TRAINED_LENGTH = 28  # tokens; longer instructions do not occur here


class Instructions(IterableDataset):
    """An endless stream of texts with what they ask for, (BATCH, effects + weathers)."""

    def __init__(self, neutral: list[str], seed: int) -> None:
        self.neutral, self.seed = neutral, seed

    def __iter__(self) -> Iterator[tuple[list[str], torch.Tensor]]:
        """Yield batches for ever."""
        rng = np.random.default_rng(self.seed)
        while True:
            texts, targets = [], np.zeros((BATCH, len(NAMES) + len(WEATHER)), np.float32)
            for row in targets:
                weather = pick(WEATHER, rng) if rng.random() < 0.3 else None
                text, strengths, removed = sample_instruction(weather, self.neutral, rng)
                texts.append(text)
                for name, strength in strengths.items():
                    row[NAMES.index(name)] = strength
                for name in removed & set(WEATHER):
                    row[len(NAMES) + WEATHER.index(name)] = 1
            yield texts, torch.from_numpy(targets)


def train(out: Path, minutes: float) -> None:
    """Train for `minutes` and write the encoder's weights to `out/text_encoder.pt`."""
    torch.manual_seed(SEED)
    words, vectors = load_glove()
    tokenizer = build_tokenizer(words)
    encoder = build_text_encoder(tokenizer, words, vectors)
    head = nn.Linear(encoder.config.hidden_size, len(NAMES) + len(WEATHER))
    weights = [p for p in [*encoder.parameters(), *head.parameters()] if p.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=LEARNING_RATE, weight_decay=0.02, fused=True)
    blur_vectors(encoder)
    stream = Instructions(neutral_words(words, vectors), SEED)
    batches = iter(DataLoader(stream, batch_size=None, num_workers=1, prefetch_factor=8))
    started, step, running = time.monotonic(), 0, []
    while (progress := (time.monotonic() - started) / 60 / minutes) < 1:
        texts, target = next(batches)
        rate = LEARNING_RATE * min(1, (step + 1) / 100) * 0.5 * (1 + math.cos(math.pi * progress))
        for group in optimizer.param_groups:
            group["lr"] = rate
        tokens = tokenizer(texts, padding="max_length", max_length=TRAINED_LENGTH,
                           truncation=True, return_tensors="pt")  # fmt: skip
        read = tokens.attention_mask.cumsum(1) >= tokens.attention_mask.sum(1, keepdim=True)
        answer = head(encoder(tokens.input_ids)[0])  # (BATCH, tokens, effects + weathers)
        error = (answer - target[:, None]).square().sum(-1)
        loss = (error * read).sum() / read.sum()
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        step += 1
        running.append(loss.item())
        if step % 200 == 0:
            print(f"step {step} loss {np.mean(running):.4f}", flush=True)
            running = []
    out.mkdir(parents=True, exist_ok=True)
    torch.save(encoder.state_dict(), out / "text_encoder.pt")
    encoder.eval()
    with torch.no_grad():
        for word in [*HELD_OUT, *SPOT_CHECKS]:
            tokens = tokenizer(word, padding="max_length", max_length=TRAINED_LENGTH,
                               return_tensors="pt").input_ids  # fmt: skip
            answer = head(encoder(tokens)[0])[0, -1]
            top = answer[: len(NAMES)].topk(3)
            said = ", ".join(
                f"{NAMES[i]} {value:.2f}"
                for i, value in zip(top.indices.tolist(), top.values.tolist(), strict=True)
            )
            print(f"{word}: {said}; takes away {answer[len(NAMES) :].max():.2f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, required=True)
    args = parser.parse_args()
    torch.set_num_threads(2)
    train(args.out, args.minutes)
