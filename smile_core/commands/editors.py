"""`python -m smile_core editors`: what there is, and what each needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from smile_core.config import SCHEDULERS

if TYPE_CHECKING:
    from smile_core.editors import EditorCard

OTHERS = (
    "Besides these --editor takes any hub id or local folder of a diffusers pipeline that edits a "
    "photo by a text, weights of Img2Img-Turbo (.pkl), one-file weights like CosXL Edit "
    "(.safetensors), and a file that describes a program or a service (.toml, .json)."
)


def run(options: dict[str, Any]) -> int:
    """Print the cards, and what else can be asked for; there are no options."""
    from smile_core.editors import ability_sentences, list_editors

    for card in list_editors():
        print(f"{card.name}: {card.title}")
        if ability := ability_sentences(card):
            print(f"    {ability}")
        print(f"    {' · '.join(_needs(card))}")
        print(f"    {' · '.join(_settings(card))}")
        if card.notes:
            print(f"    {card.notes}")
    print(OTHERS)
    return 0


def _needs(card: EditorCard) -> list[str]:
    """Return what an editor needs before it runs."""
    needs = [card.source, f"licence: {card.licence}"]
    if card.gated:
        needs.append("gated: accept the licence and log in with hf auth login")
    if card.key_variable:
        needs.append(f"needs a key in {card.key_variable}")
    if card.memory_gb:
        needs.append(f"{card.memory_gb:g} GB of memory")
    return [need for need in needs if need]


def _settings(card: EditorCard) -> list[str]:
    """Return what can be set of an editor, with its defaults."""
    steps = {} if card.steps is None else {"steps": card.steps}
    knobs = [f"{name} {value:g}" for name, value in (steps | dict(card.knobs)).items()]
    schedulers = [f"scheduler {', '.join(SCHEDULERS)}"] if card.takes_scheduler else []
    return [
        ", ".join(knobs) or "no knobs",
        *schedulers,
        "negative prompt" if card.takes_negative_prompt else "no negative prompt",
        "needs a mask" if card.needs_mask else "no mask",
        "seed" if card.takes_seed else "no seed: every edit is a new draw",
    ]
