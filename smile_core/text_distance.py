"""How far a shortened prompt lies from the full instruction, in meaning.

Words are compared in lower case, without punctuation and weighting syntax: `(Blue sky:1.2),`
counts as `blue` and `sky`. A unit without a letter or digit (`###`, an emoji) counts as one word,
itself. A hyphenated word without a vector is taken apart.

A word without a vector lies at distance √2 from every other word, as far as a word of unrelated
meaning (unit vectors at a right angle). So leaving it out is never free and never infinite,
whereas gensim drops such words silently.

References
----------
[1] Kusner et al., From word embeddings to document distances (WMD), ICML 2015.
[2] Ribeiro et al., "Why should I trust you?" (LIME), KDD 2016 (`cosine`).
[3] Pennington, Socher and Manning, GloVe, EMNLP 2014 (the bundled vectors).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial.distance import cdist

from smile_core.config import TEXT_DISTANCES, ConfigError, check_choice
from smile_core.loading import LOADING

if TYPE_CHECKING:
    from gensim.models import KeyedVectors

BUNDLED_VECTORS = "bundled"
# Distance of a word without a vector to any other word.
UNKNOWN_WORD = 2**0.5

_PATH = Path(__file__).parents[1] / "assets" / "word_vectors" / "glove-6b-50d.kv"
# The strength in (blue sky:1.2), with the bracket that closes it.
_STRENGTH = re.compile(r":\s*-?\d*\.?\d+\s*(?=[)\]])")
_WORD = re.compile(r"[^\W_]+(?:['-][^\W_]+)*")


def load_word_vectors(name: str = BUNDLED_VECTORS) -> KeyedVectors:
    """Return word vectors; the two used last stay loaded.

    Parameters
    ----------
    name : str
        `bundled` (GloVe 6B, 50 dimensions, 95,000 words), or the name of a gensim-downloader
        model such as `word2vec-google-news-300`, which is downloaded on first use.

    Raises
    ------
    ConfigError
        When there are no such vectors or they cannot be downloaded.
    """
    with LOADING:
        return _load(name)


@lru_cache(maxsize=2)
def _load(name: str) -> KeyedVectors:
    from gensim.models import KeyedVectors

    if name == BUNDLED_VECTORS:
        vectors = KeyedVectors.load(str(_PATH))
        vectors.vectors = vectors.vectors.astype(np.float32)  # stored in half precision
        return vectors
    return _download(name)


def _download(name: str) -> KeyedVectors:
    import gensim.downloader

    try:
        return gensim.downloader.load(name)
    except (OSError, ValueError) as error:  # ValueError: unknown, or its list cannot be had
        raise ConfigError(
            f"The word vectors {name!r} are neither on this machine nor can they be downloaded. "
            f"Use {BUNDLED_VECTORS!r}, or download 'glove-wiki-gigaword-300' or "
            "'word2vec-google-news-300' once while there is a network."
        ) from error


def text_distances(
    name: str, units: Sequence[str], masks: np.ndarray, vectors: KeyedVectors
) -> np.ndarray:
    """Return the distance of every shortened prompt to the full instruction.

    Parameters
    ----------
    name : str
        - `wmd`: Word Mover's Distance [1] between the two bags of words, on unit word vectors;
          0 to 2. Where all words have vectors this is gensim's `wmdistance`.
        - `cosine`: 1 - cos of the angle between the mask and the mask of ones, as LIME [2] does:
          1 - sqrt(kept/m); 0 to 1. It treats all units alike and needs no vectors.
        - `wmd+cosine`: the mean of the two.
    units : sequence of str
        The units of the instruction, length m.
    masks : ndarray of int, shape (n, m)
        1 for each unit kept. No row may be empty.
    vectors : gensim.models.KeyedVectors
        Word vectors, see `load_word_vectors`.

    Returns
    -------
    ndarray of float64, shape (n,)
        Distances, >= 0; 0 for a row of ones.

    Raises
    ------
    ConfigError
        When there is no such distance.
    ValueError
        When the masks do not fit the units, or one is empty.
    """
    check_choice("text distance", name, TEXT_DISTANCES)
    masks = np.asarray(masks, dtype=bool)
    if masks.ndim != 2 or masks.shape[1] != len(units):
        raise ValueError(f"Masks of shape {masks.shape} do not fit {len(units)} units.")
    if not masks.any(axis=1).all():
        raise ValueError("A mask keeps no unit; the empty prompt has no distance.")
    cosine = 1 - np.sqrt(masks.mean(axis=1))  # (n,)
    if name == "cosine":
        return cosine
    movers = _word_movers(units, masks, vectors)
    return movers if name == "wmd" else (movers + cosine) / 2


def words_of(unit: str, vectors: KeyedVectors) -> list[str]:
    """Return the words of one unit as they are looked up, at least one.

    Parameters
    ----------
    unit : str
        A word or phrase of the instruction, with punctuation and weighting syntax.
    vectors : gensim.models.KeyedVectors
        Decides whether a hyphenated word is one or several.
    """
    words: list[str] = []
    for word in _WORD.findall(_STRENGTH.sub(" ", unit).lower().replace("’", "'")):
        words += [word] if word in vectors else word.split("-")
    return words or [unit]


def _word_movers(units: Sequence[str], masks: np.ndarray, vectors: KeyedVectors) -> np.ndarray:
    """Return the exact Word Mover's Distance per mask.

    The ground distance is a metric, so mass that both bags have in common may stay where it is;
    only the difference of the two is transported. That is exact and four times smaller.
    """
    bags = [Counter(words_of(unit, vectors)) for unit in units]
    vocabulary = sorted(set().union(*bags))
    counts = np.array([[bag[word] for word in vocabulary] for bag in bags], dtype=float)  # (m, v)
    cost = _word_costs(vocabulary, vectors)  # (v, v)

    kept = masks @ counts  # (n, v)
    kept /= kept.sum(axis=1, keepdims=True)
    surplus = counts.sum(axis=0) / counts.sum() - kept  # (n, v), each row sums to 0
    distances = np.zeros(len(masks))
    for row, difference in enumerate(surplus):
        gives, takes = difference > 1e-12, difference < -1e-12
        if gives.any():
            distances[row] = _move(difference[gives], -difference[takes], cost[gives][:, takes])
    return distances


def _move(supply: np.ndarray, demand: np.ndarray, cost: np.ndarray) -> float:
    """Return the least cost of moving `supply` (a,) to `demand` (b,) over `cost` (a, b)."""
    import ot  # here, because it imports torch, which takes seconds

    total = supply.sum()
    # Both sides are scaled to 1 on their own: POT insists that they agree to the last digits.
    return float(total * ot.emd2(supply / total, demand / demand.sum(), np.ascontiguousarray(cost)))


def _word_costs(vocabulary: Sequence[str], vectors: KeyedVectors) -> np.ndarray:
    """Return distances between words, shape (v, v), in [0, 2]."""
    known = np.array([word in vectors for word in vocabulary])
    cost = np.full((len(vocabulary), len(vocabulary)), UNKNOWN_WORD)
    if known.any():
        rows = [
            vectors.get_vector(w, norm=True) for w, k in zip(vocabulary, known, strict=True) if k
        ]
        points = np.array(rows, dtype=float)  # (k, d)
        cost[np.ix_(known, known)] = cdist(points, points)
    np.fill_diagonal(cost, 0)
    return cost
