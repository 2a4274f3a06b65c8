"""About the chosen editor: what a visitor should know before running it.

Of a registered editor everything is known at once; a folder or a model of the hub is looked up
once, when it is chosen.
"""

from __future__ import annotations

from html import escape

from smile_core.config import SCHEDULERS, ConfigError
from smile_core.editors import EditorCard, ability_sentences, list_editors
from smile_core.editors.devices import (
    GIGABYTE,
    best_device,
    free_gb,
    needed_gb,
)
from smile_core.editors.registry import find_card, kind_of, loaded_editor

LOOKING = '<p class="hint">Looking for it…</p>'
_MOST_FOUND = 64
_WEIGHTS_SHARE = 1 / 3  # of the memory of a running model, roughly, at the least
_found: dict[str, EditorCard] = {}


def known_card(name: str) -> EditorCard | None:
    """Return the card of a registered editor, or of one that was looked up before."""
    registered = (card for card in list_editors() if card.name == name)
    return next(registered, None) or _found.get(name)


def look_up(name: str) -> EditorCard | None:
    """Return the card of any editor; None when only loading would tell.

    Raises
    ------
    ConfigError
        When there is no such editor, or no access to it.
    """
    card = find_card(name)
    if card is not None and kind_of(name) != "registered":
        if len(_found) >= _MOST_FOUND:
            _found.clear()
        _found[name] = card
    return card


def say_at_once(name: str | None) -> str:
    """Return what is known about an editor, or that it is being looked for."""
    card = known_card(name or "")
    return LOOKING if card is None else render_card(card)


def say_about(name: str | None) -> str:
    """Return what is known about an editor, or why it cannot be used."""
    try:
        card = look_up(name or "")
    except ConfigError as error:
        return f'<p class="warning" dir="auto">{escape(str(error))}</p>'
    if card is None:
        return '<p class="hint">What it is shows itself when it is loaded.</p>'
    return render_card(card)


def render_card(card: EditorCard) -> str:
    """Return the lines under the menu: what it can do, facts, what is in the way, and notes."""
    ability = escape(ability_sentences(card))
    able = f'<p class="ability" dir="auto">{ability}</p>' if ability else ""
    facts = f'<p class="hint">{escape(" · ".join(_facts(card)))}.</p>'
    warnings = "".join(f'<p class="warning">{text}</p>' for text in _warnings(card))
    about = " ".join(filter(None, [escape(card.notes), _source_link(card)]))
    notes = (
        f'<details class="about"><summary>About this editor</summary><p class="hint">{about}</p>'
        "</details>"
        if about
        else ""
    )
    return able + facts + warnings + notes


def _facts(card: EditorCard) -> list[str]:
    facts = []
    if card.key_variable:
        facts.append("Runs at its provider, who bills every edit")
    else:
        facts.append(f"Runs here on {_runs_on(card)}")
    if card.memory_gb:
        facts.append(f"takes about {_needed_gb(card):.3g}\N{NO-BREAK SPACE}GB of memory")
    if card.short_side:
        facts.append(f"pictures of {card.short_side}\N{NO-BREAK SPACE}px")
    if card.needs_mask:
        facts.append("edits inside a mask")
    if card.takes_scheduler:
        facts.append(f"can take the scheduler {', '.join(SCHEDULERS)}")
    if not card.takes_seed:
        facts.append("takes no seed")
    return [*facts, f"licence: {card.licence}"]


def _runs_on(card: EditorCard) -> str:
    """Return the device, and the precision once the editor was loaded, which decides about it."""
    return getattr(loaded_editor(card.name), "runs_on", "") or best_device()


def _needed_gb(card: EditorCard) -> float:
    return needed_gb(card.memory_gb, best_device(), _weight_bytes(card))


def _weight_bytes(card: EditorCard) -> int:
    return int(card.memory_gb * GIGABYTE * _WEIGHTS_SHARE)


def _warnings(card: EditorCard) -> list[str]:
    """Return what is in the way of running an editor here, as HTML."""
    warnings = []
    if card.gated:
        page = _hub_page(card)
        link = f'<a href="{page}" target="_blank">its page</a>' if page else "its page on the hub"
        command = "<code>hf auth login</code>"
        warnings.append(f"Gated: accept its licence on {link}, then log in with: {command}")
    if card.memory_gb and not card.key_variable:
        free = free_gb(best_device())
        if _needed_gb(card) > free:
            warnings.append(
                f"Only {free:.1f} GB of memory are free. Choose a smaller editor, or a machine "
                "with more memory."
            )
    return warnings


def _hub_page(card: EditorCard) -> str:
    """Return the address of a model's page; empty for anything that is not on the hub."""
    is_hub_id = card.source.count("/") == 1 and not card.source.startswith((".", "/", "http"))
    return f"https://huggingface.co/{escape(card.source)}" if is_hub_id else ""


def _source_link(card: EditorCard) -> str:
    page = _hub_page(card)
    return f'Source: <a href="{page}" target="_blank">{escape(card.source)}</a>' if page else ""
