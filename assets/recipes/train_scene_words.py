r"""Teach a bundled editor more words, with its U-Net left as it is.

    python assets/recipes/train_scene_words.py assets/editors/one-step --minutes 10 \
        --out build/one-step

The text encoder as it was is the teacher. It reads an instruction in the plainest words (*rain* for
*showers*, *it* or *the* for every word without a meaning); the encoder that is trained reads the
same instruction in any words of `scene_words`, and has to send the U-Net the same. So the U-Net
draws for *showers* what it has always drawn for *rain*, and nothing for *wedding*.

The token table grows by the words that it had not. Its GloVe part stays frozen, and noise on it
makes neighbours mean alike; what a word means here beyond that is learnt into the numbers that
GloVe leaves free. The folder that is written is that of an editor, complete.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from scene_grammar import Word, pick, sample_words
from scene_pairs import WEATHER
from scene_text import (
    LENGTH,
    SPECIAL,
    blur_vectors,
    build_text_encoder,
    build_tokenizer,
    learn_own_part,
    load_glove,
    neutral_words,
)
from scene_training import tokenize
from scene_words import BASE_STRENGTH, FORMS
from torch.utils.data import DataLoader, IterableDataset
from transformers import CLIPTextModel, PreTrainedTokenizerFast

SEED = 20261121
BATCH = 96
LEARNING_RATE = 1e-3
WARM_UP = 100  # steps
TABLE_RATE = 3.0  # times the learning rate, for the token table
NOISE = (0.1, 0.2), (0.7, 0.3)  # on word vectors and how often; words are many now, and lie close
# Texts end long before the last of the 77 positions, which cost the most: so many positions do for
# that share of the time.
SHORT, SHORT_SHARE = 32, 0.7
# What the teacher reads instead: of every effect the first two forms, of what is stronger or
# weaker than usual one that it was taught, and for words without a meaning some of the openings'.
PLAIN = {effect: forms.split()[:2] for effect, forms in FORMS.items()}
SCALED = {"rain": ("drizzle", "downpour"), "snow": ("", "snowstorm"), "clouds": ("", "overcast")}
NOTHING = "make it the a to image photo with in be".split()


def plainly(word: Word, rng: np.random.Generator) -> str:
    """Return `word` as the teacher reads it."""
    if word.role in ("frame", "negation") or word.text in ("black", "white", "and"):
        return word.text
    if word.degree != 1.0:
        return "slightly" if word.degree < 1 else "very"
    if word.effect is None:
        return pick(NOTHING, rng)
    if "-" in word.text:  # more than one token
        return word.text
    if word.strength != BASE_STRENGTH:
        return SCALED[word.effect][word.strength > BASE_STRENGTH]
    return pick(PLAIN[word.effect], rng)


class Pairs(IterableDataset):
    """An endless stream of batches: instructions in any words and in plain ones."""

    def __init__(self, neutral: list[str], seed: int) -> None:
        self.neutral, self.seed = neutral, seed

    def __iter__(self) -> Iterator[tuple[list[str], list[str]]]:
        """Yield batches for ever."""
        rng = np.random.default_rng(self.seed)
        while True:
            texts, plain = [], []
            for _ in range(BATCH):
                weather = pick(WEATHER, rng) if rng.random() < 0.3 else None
                words = sample_words(weather, self.neutral, rng)
                texts.append(" ".join(word.text for word in words))
                plain.append(" ".join(plainly(word, rng) for word in words))
            yield texts, plain


def widen(
    teacher: CLIPTextModel, words: list[str], vectors: np.ndarray
) -> tuple[CLIPTextModel, PreTrainedTokenizerFast]:
    """Return a copy of `teacher` in float32 with the tokenizer and token table of `words`."""
    tokenizer = build_tokenizer(words)
    pupil = build_text_encoder(tokenizer, words, vectors)
    table = pupil.get_input_embeddings().weight.detach().clone()
    learnt = {name: value.float() for name, value in teacher.state_dict().items()}
    name_of_table = next(name for name in learnt if "token_embedding" in name)
    table[: len(SPECIAL)] = learnt[name_of_table][: len(SPECIAL)]
    pupil.load_state_dict({**learnt, name_of_table: table})
    return pupil, tokenizer


def train(folder: Path, out: Path, minutes: float) -> None:
    """Train for `minutes` and write the editor of `folder` with the new text encoder to `out`."""
    torch.manual_seed(SEED)
    old_tokenizer = PreTrainedTokenizerFast.from_pretrained(folder / "tokenizer")
    teacher = CLIPTextModel.from_pretrained(folder / "text_encoder", dtype=torch.float32).eval()
    words, vectors = load_glove()
    pupil, tokenizer = widen(teacher, words, vectors)
    pupil.train()
    trained = [p for p in pupil.parameters() if p.requires_grad]
    groups = [
        {"params": trained, "scale": 1.0, "weight_decay": 0.01},
        {"params": [learn_own_part(pupil)], "scale": TABLE_RATE, "weight_decay": 0.0},
    ]
    blur_vectors(pupil, *NOISE)
    optimizer = torch.optim.AdamW(groups, lr=LEARNING_RATE, fused=True)
    neutral = neutral_words(words, vectors)
    known = {form for forms in FORMS.values() for form in forms.split()}
    print(f"{len(known)} words with a meaning, {len(neutral)} without one", flush=True)
    stream = Pairs(neutral, SEED)
    batches = iter(DataLoader(stream, batch_size=None, num_workers=1, prefetch_factor=8))
    out.mkdir(parents=True, exist_ok=True)
    log = out / "words_log.jsonl"
    log.unlink(missing_ok=True)
    started, step, running = time.monotonic(), 0, []
    while (progress := (time.monotonic() - started) / 60 / minutes) < 1:
        texts, plain = next(batches)
        falling = 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * progress))
        for group in optimizer.param_groups:
            rate = LEARNING_RATE * min(1, (step + 1) / WARM_UP) * falling
            group["lr"] = rate * group["scale"]
        length = SHORT if progress < SHORT_SHARE else LENGTH
        with torch.no_grad():
            asked = teacher(tokenize(old_tokenizer, plain, length))[0]  # (BATCH, length, d)
        loss = (pupil(tokenize(tokenizer, texts, length))[0] - asked).square().mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        step += 1
        running.append(loss.item())
        if step % 100 == 0:
            row = {"minutes": progress * minutes, "step": step, "samples": step * BATCH,
                   "length": length, "loss": float(np.mean(running))}  # fmt: skip
            with log.open("a") as lines:
                lines.write(json.dumps(row) + "\n")
            running = []
    for part in folder.iterdir():
        if part.is_dir() and part.name not in ("text_encoder", "tokenizer"):
            shutil.copytree(part, out / part.name, dirs_exist_ok=True)
        elif part.is_file():
            shutil.copy(part, out)
    pupil.half().save_pretrained(out / "text_encoder")
    tokenizer.save_pretrained(out / "tokenizer")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="of the editor as it is")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, required=True)
    args = parser.parse_args()
    torch.set_num_threads(1)  # so that both editors can be taught side by side
    train(args.folder, args.out, args.minutes)
