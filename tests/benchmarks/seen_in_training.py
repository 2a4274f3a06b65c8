"""Did the last training of the bundled editors see an instruction that they are judged by?

    python -m tests.benchmarks.seen_in_training

Writes the instructions of `assets/recipes/train_scene_words.py` once more, which come from a seed,
at least as many as either editor was taught with, and counts those that are one of `labelled_edits`
but for case and punctuation. Needs `assets/recipes/requirements.txt`; takes about a minute.
"""

from __future__ import annotations

import re
import sys
from itertools import islice
from pathlib import Path

from tests.benchmarks.labelled_edits import INSTRUCTIONS

sys.path.insert(0, str(Path(__file__).parents[2] / "assets" / "recipes"))

BATCHES = 7_800  # the logs end at 7,500 and 7,700


def as_read(text: str) -> str:
    """Return what the editors' tokenizer leaves of a text."""
    return " ".join(re.findall(r"\w+", text.lower()))


def main() -> None:
    """Print how many of the instructions occurred."""
    from scene_text import load_glove, neutral_words
    from train_scene_words import BATCH, SEED, Pairs

    judged = {as_read(labelled.text) for labelled in INSTRUCTIONS}
    stream = islice(iter(Pairs(neutral_words(*load_glove()), SEED)), BATCHES)
    seen = {text for texts, _ in stream for text in map(as_read, texts) if text in judged}
    print(f"{len(seen)} of {len(judged)} instructions among {BATCHES * BATCH:,} of the training")


if __name__ == "__main__":
    main()
