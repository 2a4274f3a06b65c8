"""Image editors: what one must offer, the registry, and one file for each family.

To add an editor, write a function that makes an object with `name`, `card`, `fingerprint` and
`edit` (see `protocol.Editor`) and decorate it with `register_editor(card)`. For a quick trial, any
function `(image, prompts, seed) -> images` goes straight into `smile_core.explain`.
"""

from __future__ import annotations

from functools import partial

from smile_core.editors.ability import ability_sentences
from smile_core.editors.api_editors import API_CARDS, load_api_editor
from smile_core.editors.bundled_cards import BUNDLED_CARDS, bundled_folder
from smile_core.editors.callable_editor import CallableEditor
from smile_core.editors.cost import cost_sentence, estimate_cost
from smile_core.editors.hub_cards import HUB_CARDS
from smile_core.editors.protocol import EditFailure, Editor, EditorCard, StopRequested
from smile_core.editors.registry import add_editor, list_editors, load_editor, register_editor
from smile_core.editors.turbo_cards import TURBO_CARDS

__all__ = [
    "CallableEditor",
    "EditFailure",
    "Editor",
    "EditorCard",
    "StopRequested",
    "ability_sentences",
    "add_editor",
    "cost_sentence",
    "estimate_cost",
    "list_editors",
    "load_api_editor",
    "load_editor",
    "register_editor",
]


def _make_bundled(card: EditorCard) -> Editor:
    from smile_core.editors.pretrained import load_pretrained

    return load_pretrained(bundled_folder(card.name), card)


for _card in BUNDLED_CARDS:
    register_editor(_card)(partial(_make_bundled, _card))


def _make_from_hub(card: EditorCard) -> Editor:
    from smile_core.editors.pretrained import load_pretrained

    return load_pretrained(card.source, card)


for _card in HUB_CARDS:
    register_editor(_card)(partial(_make_from_hub, _card))


def _make_turbo(card: EditorCard) -> Editor:
    from smile_core.editors.img2img_turbo import load_turbo

    return load_turbo(card.source, card)


for _card in TURBO_CARDS:
    register_editor(_card)(partial(_make_turbo, _card))


for _card in API_CARDS:
    register_editor(_card)(partial(load_api_editor, _card))
