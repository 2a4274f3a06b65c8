"""What pipelines of diffusers would encode again for every row or call, encoded once.

A pipeline that is handed texts and a photo encodes them anew at each call. Texts of a whole batch
go through its own text encoder in one call, and its autoencoder remembers the photo.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import torch
from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution

from smile_core.editors.batch_editor import fill_up

# Pipelines that take a list of texts and pad each to one length, so that an edit does not depend
# on its neighbours; what their calls name the encoded texts, and where these are among the answers
# of `encode_prompt`. All other pipelines run one edit at a time: some refuse a list, some force it
# to one, some draw other noise for every row, and some pad to the longest text or read the text
# together with the photo.
_STABLE_DIFFUSION = {"prompt_embeds": 0}
_XL = {"prompt_embeds": 0, "pooled_prompt_embeds": 2}
BATCHED: Mapping[str, Mapping[str, int]] = {
    "Flux2KleinPipeline": {"prompt_embeds": 0},
    "FluxKontextPipeline": {"prompt_embeds": 0, "pooled_prompt_embeds": 1},
    "StableDiffusionImg2ImgPipeline": _STABLE_DIFFUSION,
    "StableDiffusionInpaintPipeline": _STABLE_DIFFUSION,
    "StableDiffusionXLImg2ImgPipeline": _XL,
    "StableDiffusionXLInpaintPipeline": _XL,
    "StableDiffusionXLInstructPix2PixPipeline": _XL,
}
_REMEMBERED_PICTURES = 2  # the photo, and for inpainting the photo without what the mask covers


def encode_texts(
    pipe: Any, prompts: list[str], negative: str | None, multiple: int
) -> list[Mapping[str, torch.Tensor]]:
    """Encode texts by the encoders of a pipeline, all in one call.

    Parameters
    ----------
    pipe : DiffusionPipeline
        One of `BATCHED`.
    prompts : list of str
        The texts, n of them.
    negative : str or None
        The negative prompt; None where none is given.
    multiple : int
        The call has a multiple of so many texts, see `batch_editor.fill_up`.

    Returns
    -------
    list of mapping, length n
        For each text what a call of the pipeline takes in the place of it and of the negative
        prompt, by name and without a dimension of rows.
    """
    places = BATCHED[type(pipe).__name__]
    known = inspect.signature(pipe.encode_prompt).parameters
    wanted = {
        "prompt": fill_up([negative or "", *prompts], multiple),
        "device": pipe.device,
        "num_images_per_prompt": 1,
        "do_classifier_free_guidance": False,  # the negative prompt is the first of the texts
    }
    answers = pipe.encode_prompt(**{name: wanted[name] for name in wanted if name in known})
    encoded = {name: answers[place] for name, place in places.items()}  # (texts, ...) each
    shared = {f"negative_{name}": values[0] for name, values in encoded.items()}
    if negative is None and pipe.config.get("force_zeros_for_empty_prompt"):
        shared = {name: torch.zeros_like(value) for name, value in shared.items()}
    return [
        {name: values[row] for name, values in encoded.items()} | shared
        for row in range(1, len(prompts) + 1)
    ]


def encode_plainly(
    pipe: Any, prompts: list[str], multiple: int
) -> list[Mapping[str, torch.Tensor]]:
    """Encode texts by a pipeline that has one CLIP text encoder and no method of its own for it.

    Parameters
    ----------
    pipe, prompts, multiple
        As in `encode_texts`; the pipeline is one of ours.

    Returns
    -------
    list of mapping, length n
        For each text its embedding (T, d), called `texts`.
    """
    tokens = pipe.tokenizer(
        fill_up(prompts, multiple),
        padding="max_length",
        max_length=pipe.tokenizer.model_max_length,
        return_tensors="pt",
    )
    embeddings = pipe.text_encoder(tokens.input_ids.to(pipe.device))[0]  # (texts, T, d)
    return [{"texts": embedding} for embedding in embeddings[: len(prompts)]]


def remember_pictures(vae: Any) -> None:
    """Let an autoencoder encode a picture once, and remember the last ones that it encoded.

    Pipelines encode the same photo for every row and every call, and draw from the distribution
    with the row's generator. So the draw stays as it is, and the work is done once.
    """
    encode = vae.encode
    known: list[tuple[torch.Tensor, dict[str, Any], Any]] = []  # the one used last at the end

    def encode_or_remember(pixels: torch.Tensor, **options: Any) -> Any:
        for index, (before, how, _) in enumerate(known):
            same = before.dtype == pixels.dtype and before.device == pixels.device
            if same and how == options and torch.equal(before, pixels):
                known.append(known.pop(index))
                return known[-1][2]
        known.append((pixels, options, _encode_once(encode, pixels, options)))
        del known[:-_REMEMBERED_PICTURES]
        return known[-1][2]

    vae.encode = encode_or_remember


def _encode_once(encode: Callable, pixels: torch.Tensor, options: dict[str, Any]) -> Any:
    """Encode pictures (n, 3, h, w), and only the first of them if all are the same."""
    if len(pixels) == 1 or not bool((pixels == pixels[:1]).all()):
        return encode(pixels, **options)
    answer = encode(pixels[:1], **options)
    found = getattr(answer, "latent_dist", None)
    if not isinstance(found, DiagonalGaussianDistribution):
        return encode(pixels, **options)
    rows = found.parameters.expand(len(pixels), *found.parameters.shape[1:])
    answer.latent_dist = DiagonalGaussianDistribution(rows, found.deterministic)
    return answer
