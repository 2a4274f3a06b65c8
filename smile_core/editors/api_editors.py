"""The editors behind an API: their cards, and how to make one with a key for a single run."""

from __future__ import annotations

from collections.abc import Callable

from smile_core.config import ConfigError
from smile_core.editors.hf_inference import KEY_VARIABLE as HF_KEY_VARIABLE
from smile_core.editors.hf_inference import HFInference
from smile_core.editors.hub_cards import KONTEXT_ABILITY, QWEN_EDIT_ABILITY
from smile_core.editors.openai_images import OpenAIImages, openai_card
from smile_core.editors.protocol import Editor, EditorCard
from smile_core.editors.registry import is_public_server

_MAKERS: dict[str, Callable[..., Editor]] = {"openai": OpenAIImages, "hf-inference": HFInference}

_NOT_RUN = (
    "Tested against a stand-in server that speaks its protocol, never against the service itself. "
)
_BILLED = (
    " The full edit is made twice more, to see how far edits differ by chance; 3 seeds or more "
    "repeat every edit. The price of an edit stands in the provider's price list."
)
_OPENAI = f"{_NOT_RUN}The service takes no seed.{_BILLED}"
_OPENAI_NEWEST = f"{_OPENAI} Free picture sizes are documented for 2.5 and taken for granted here."
_HUGGING_FACE = (
    f"{_NOT_RUN}A seed is sent, but whether it is heeded is up to the provider.{_BILLED}"
)


def _hf_card(name: str, title: str, model: str, licence: str, **fields: object) -> EditorCard:
    return EditorCard(
        name=name,
        title=title,
        family="hf-inference",
        licence=licence,
        takes_seed=False,
        long_side=1024,
        multiple_of=16,
        source=model,
        key_variable=HF_KEY_VARIABLE,
        notes=_HUGGING_FACE,
        **fields,  # type: ignore[arg-type]
    )


API_CARDS = (
    openai_card("gpt-image-2.6-sunburst", "GPT Image 2.6 Sunburst (OpenAI)", _OPENAI_NEWEST),
    openai_card("gpt-image-2.6-flare", "GPT Image 2.6 Flare, faster (OpenAI)", _OPENAI_NEWEST),
    openai_card("gpt-image-2.5-sunburst", "GPT Image 2.5 Sunburst (OpenAI)", _OPENAI),
    openai_card("gpt-image-2.5-flare", "GPT Image 2.5 Flare, faster (OpenAI)", _OPENAI),
    _hf_card(
        "flux-kontext-api",
        "FLUX.1 Kontext (Hugging Face providers)",
        "black-forest-labs/FLUX.1-Kontext-dev",
        "FLUX.1 [dev] non-commercial; the provider's terms",
        steps=28,
        knobs={"guidance_scale": 2.5},
        **KONTEXT_ABILITY,
    ),
    _hf_card(
        "qwen-image-edit-api",
        "Qwen-Image-Edit (Hugging Face providers)",
        "Qwen/Qwen-Image-Edit",
        "Apache-2.0; the provider's terms",
        **QWEN_EDIT_ABILITY,
    ),
)


def load_api_editor(card: EditorCard, key: str | None = None) -> Editor:
    """Return the editor that `card` describes.

    Parameters
    ----------
    card : EditorCard
        A card whose `key_variable` is not empty.
    key : str or None
        A key for this object alone, which is kept nowhere else; None or empty takes the
        environment's, but not on a public server, where strangers would spend its owner's money.

    Raises
    ------
    ConfigError
        When there is no key, or the card is not of an editor behind an API.
    """
    if card.family not in _MAKERS:
        raise ConfigError(f"The editor {card.name!r} takes no key. Leave the key empty.")
    if not key and is_public_server():
        raise ConfigError(
            f"{card.title} bills its edits to the owner of the key, so this public server runs it "
            "with your own key only. Type it into the key field, which keeps it for one run only."
        )
    return _MAKERS[card.family](card, key=key or None)
