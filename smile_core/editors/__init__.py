"""Image editors: what one must offer, the registry, and one file for each family.

To add an editor, write a function that makes an object with `name`, `card`, `fingerprint` and
`edit` (see `protocol.Editor`) and decorate it with `register_editor(card)`. For a quick trial, any
function `(image, prompts, seed) -> images` goes straight into `smile_core.explain`.
"""

from __future__ import annotations

from pathlib import Path

from smile_core.config import BUNDLED_EDITOR
from smile_core.editors.callable_editor import CallableEditor
from smile_core.editors.card_file import read_card
from smile_core.editors.protocol import EditFailure, Editor, EditorCard, StopRequested
from smile_core.editors.registry import list_editors, load_editor, register_editor

__all__ = [
    "CallableEditor",
    "EditFailure",
    "Editor",
    "EditorCard",
    "StopRequested",
    "list_editors",
    "load_editor",
    "register_editor",
]

BUNDLED_FOLDER = Path(__file__).parents[2] / "assets" / "editors" / BUNDLED_EDITOR

_SCENE = read_card(
    BUNDLED_FOLDER,
    EditorCard(
        name=BUNDLED_EDITOR,
        title="Scene editor (bundled)",
        family="instruct-pix2pix",
        licence="MIT",
        memory_gb=1.0,
        steps=2,
        knobs={"guidance_scale": 1.0, "image_guidance_scale": 1.0},
        short_side=256,
        long_side=768,
        multiple_of=8,
        source=f"assets/editors/{BUNDLED_EDITOR}",
        notes="Weather, time of day, season and style of a whole scene; runs on any machine.",
    ),
)
_INSTRUCT_PIX2PIX = EditorCard(
    name="instruct-pix2pix",
    title="InstructPix2Pix",
    family="instruct-pix2pix",
    licence="MIT",
    memory_gb=4.0,
    steps=20,
    knobs={"guidance_scale": 7.5, "image_guidance_scale": 1.5},
    long_side=512,
    multiple_of=64,
    source="timbrooks/instruct-pix2pix",
    notes="The editor of the paper; downloaded from the hub, and slow without a GPU.",
)


@register_editor(_SCENE)
def _make_scene_editor() -> Editor:
    from smile_core.editors.pretrained import load_pretrained

    return load_pretrained(BUNDLED_FOLDER, _SCENE)


@register_editor(_INSTRUCT_PIX2PIX)
def _make_instruct_pix2pix() -> Editor:
    from smile_core.editors.pretrained import load_pretrained

    return load_pretrained(_INSTRUCT_PIX2PIX.source, _INSTRUCT_PIX2PIX)
