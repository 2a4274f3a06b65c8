"""The left side: what to edit, how to say it, and how to measure it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr

from components import advanced, editor_card, key_field, mask, pace, perturbations
from components.answer import say_about
from components.html import html
from components.key_field import KeyField
from components.mask import MaskPanel
from components.perturbations import Perturbations
from components.served import file_url
from smile_core.config import ConfigError, RunConfig
from smile_core.editors import EditorCard, cost_sentence
from smile_core.editors.registry import is_public_server
from smile_core.instruction import split_units, units_in
from smile_core.planning import count_edits, photo_stands_in

ASSETS = Path(__file__).parents[1] / "assets"
PHOTOS = {
    path.stem: path
    for path in (
        ASSETS / "photos" / f"{name}.jpg"
        for name in ("temple", "meadow", "peaks", "rocket", "coffee", "cat", "astronaut", "flower")
    )
}
# From so many words on phrases are offered: each word would need many edits.
MANY_WORDS = 20
OTHER_UNIT_JS = "(unit) => unit === 'word' ? 'phrase' : 'word'"
OTHER_EDITORS = "Or type the id of a model on the hub, or a folder."
REQUIRED_NUMBERS = {
    "seed": "The seed",
    "seeds": "The number of seeds",
    "order": "The order of the Wasserstein distance",
    "p_iterations": "The number of p-value iterations",
    "negligible": "The smallest effect that matters",
}


class Inputs(NamedTuple):
    """The components of the left side; `settings` is keyed by the fields of `RunConfig`."""

    photo: gr.Image
    photo_chips: gr.HTML
    instruction_chips: gr.HTML
    unit: gr.Button
    card: gr.HTML
    key: KeyField
    where: MaskPanel
    amount: Perturbations
    cost: gr.HTML
    lock: gr.Checkbox
    preset: gr.Radio
    settings: dict[str, Any]
    address: gr.Textbox
    message: gr.HTML
    explain: gr.Button
    stop: gr.Button


def build(cards: Sequence[EditorCard], photo: Path, defaults: RunConfig) -> Inputs:
    """Make the inputs, filled with `photo` and `defaults`."""
    gr.set_static_paths(list(PHOTOS.values()))
    photo_box = gr.Image(
        value=str(photo),
        type="filepath",
        image_mode=None,
        sources=["upload", "clipboard", "webcam"],
        label="Photo",
        height=200,
        buttons=["fullscreen"],
        placeholder="Drop a photo here, paste one, or click to choose",
        elem_id="photo",
    )
    photo_chips = html(render_photo_chips(), elem_id="photo-chips", js_on_load=CHIP_JS)
    instruction = gr.Textbox(
        value=defaults.instruction,
        label="Instruction",
        placeholder="Say what the editor should do, e.g. make it a snowy evening",
        lines=2,
        max_lines=6,
        elem_id="instruction",
    )
    unit = gr.Button(
        size="sm", **unit_offer(defaults.instruction, defaults.granularity), elem_id="other-unit"
    )
    instruction_chips = html(
        render_instruction_chips(), elem_id="instruction-chips", js_on_load=CHIP_JS
    )
    with gr.Group(elem_id="editor-group"):
        editor = build_editor(cards, defaults.editor)
        key = key_field.build(editor_card.known_card(defaults.editor))
        card = html(editor_card.say_at_once(defaults.editor), elem_id="editor-card")
    where = mask.build(mask.needs_mask(defaults.editor), photo)
    with gr.Group(elem_id="cost-group"):
        wanted = perturbations.wanted_for([defaults.instruction], defaults.granularity)
        amount = perturbations.build(defaults.perturbations or wanted, wanted)
        cost = html(elem_id="cost")
    with gr.Row(elem_id="seed-row", elem_classes="pair-row"):
        seed = gr.Number(value=defaults.seed, label="Seed", min_width=120, elem_id="seed")
        lock = gr.Checkbox(
            value=True,
            label="Keep this seed",
            info="Unlocked: a new one each run.",
            elem_id="seed-lock",
        )
    preset, settings = advanced.build(defaults)
    address = gr.Textbox(visible="hidden", elem_id="address")
    with gr.Column(elem_id="actions"):
        message = html(elem_id="message")
        with gr.Row(elem_id="buttons"):
            explain = gr.Button("Explain", variant="primary", elem_id="explain", scale=3)
            stop = gr.Button("Stop", interactive=False, elem_id="stop", scale=1, min_width=90)
    return Inputs(
        photo=photo_box,
        photo_chips=photo_chips,
        instruction_chips=instruction_chips,
        unit=unit,
        card=card,
        key=key,
        where=where,
        amount=amount,
        cost=cost,
        lock=lock,
        preset=preset,
        settings={
            "instruction": instruction,
            "editor": editor,
            "perturbations": amount.number,
            "seed": seed,
            **settings,
        },
        address=address,
        message=message,
        explain=explain,
        stop=stop,
    )


def build_editor(cards: Sequence[EditorCard], value: str) -> gr.Dropdown:
    """Make the menu of editors; on one's own machine any other may be typed into it."""
    is_open = not is_public_server()
    return gr.Dropdown(
        choices=[(card.title, card.name) for card in cards],
        value=value,
        label="Editor",
        info=OTHER_EDITORS if is_open else None,
        filterable=is_open,
        allow_custom_value=is_open,
        elem_id="editor",
    )


# A chip carries its value; the click goes to the server as an event with that value.
CHIP_JS = """
element.addEventListener('click', (event) => {
  const chip = event.target.closest('button[data-value]');
  if (chip) trigger('click', {value: chip.dataset.value});
});
"""


def render_photo_chips() -> str:
    """Return the bundled photos as a row of small pictures to click."""
    chips = "".join(
        f'<button type="button" class="photo-chip" data-value="{name}" '
        f'aria-label="Use the photo {name}" title="{name}">'
        f'<img src="{file_url(path)}" alt="" loading="lazy"></button>'
        for name, path in PHOTOS.items()
    )
    return f'<div class="photo-chips">{chips}</div>'


def render_instruction_chips() -> str:
    """Return the example instructions: one row of groups, the chosen group's chips below it."""
    groups = json.loads((ASSETS / "scenarios.json").read_text(encoding="utf-8"))["groups"]
    parts = []
    for index, group in enumerate(groups):
        chips = "".join(_instruction_chip(**item) for item in group["instructions"])
        hint = f'<p class="hint">{escape(group["hint"])}</p>' if "hint" in group else ""
        parts.append(
            f'<details name="examples"{" open" if index == 0 else ""}>'
            f"<summary>{escape(group['name'])}</summary>"
            f'<div class="chips">{hint}{chips}</div></details>'
        )
    return f'<div class="chip-groups">{"".join(parts)}</div>'


def _instruction_chip(text: str, source: str) -> str:
    return (
        f'<button type="button" class="chip" data-value="{escape(text)}" '
        f'title="{escape(text)} ({escape(source)})">{escape(text)}</button>'
    )


def render_message(text: str = "") -> str:
    """Return a sentence about what went wrong, or nothing."""
    if not text:
        return ""
    return f'<p class="alert" role="alert" dir="auto">{escape(text)}</p>'


def bundled_name(file_name: str | None) -> str | None:
    """Return the name of the bundled photo that `file_name` belongs to, if any."""
    stem = Path(file_name or "").stem
    return stem if stem in PHOTOS else None


def chosen_photo(event: gr.EventData) -> tuple[str | dict[str, Any], str]:
    """Return the bundled photo whose chip was clicked, and an empty message."""
    path = PHOTOS.get(str((event._data or {}).get("value")))
    return (gr.skip() if path is None else str(path)), ""


def chosen_instruction(event: gr.EventData) -> str:
    """Return the instruction whose chip was clicked."""
    return str((event._data or {}).get("value", ""))


def say_cost(
    instruction: str,
    perturbations: Any,
    granularity: str,
    seeds: Any,
    editor: str,
    stop_when_settled: bool = False,
    blank: str | None = None,
) -> str:
    """Return what a run with these settings costs, or what is wrong with them."""
    if not (instruction or "").strip() or perturbations is None or seeds is None:
        return _hint("Write an instruction to see what it costs.")
    try:
        config = RunConfig(
            instruction=instruction,
            perturbations=perturbations,
            editor=editor or "",
            granularity=granularity,
            seeds=seeds,
            stop_when_settled=stop_when_settled,
            blank=blank or None,
        )
        units = split_units(config.instruction, config.granularity)
        text = cost_text(config, len(units), pace.seconds_per_edit(editor))
    except ConfigError as error:
        text = str(error)
    return _hint(text)


def say_cost_at_first(*values: Any) -> tuple[str, dict[str, Any]]:
    """Return what `say_cost` does, and whether to look again once the editor's speed is known."""
    again = pace.is_trying()
    return say_cost(*values), gr.update(active=again)


def cost_text(config: RunConfig, n_units: int, seconds_per_edit: float | None) -> str:
    """Return edits and seconds in words, and what a provider bills.

    There are no seconds as long as the editor's speed is not known.
    """
    card = card_of(config.editor)
    edits = count_edits(config, card)
    text = f"{'At most ' if config.stop_when_settled else ''}{edits:,} edits"
    subsets = 2**n_units - 2  # neither empty nor whole
    if config.perturbations_for(n_units) == subsets:
        rest = _besides(edits // config.seeds - subsets, blank=not photo_stands_in(config, card))
        text += f": all {subsets} ways to shorten {n_units} {config.granularity}s{rest}"
        text += f", each under {config.seeds} seeds" if config.seeds > 1 else ""
    if seconds_per_edit is None:
        text += "."
    else:
        text += f", {say_about(edits * seconds_per_edit)} (edits made before are free)."
    return f"{text} {cost_sentence(card, edits)}".rstrip()


def _besides(edits: int, *, blank: bool) -> str:
    """Return what a run edits besides the shortened instructions, which is so many edits."""
    if edits > 1 + blank:
        return f", and {edits} more with all words{' or none' if blank else ''}"
    return ", the whole, and the edit without instruction" if blank else ", and the whole"


def card_of(editor: str) -> EditorCard:
    """Return the card of an editor as far as it is known, for a count of edits."""
    return editor_card.known_card(editor) or EditorCard(name=editor, title=editor, family="unknown")


def unit_offer(instruction: str | None, granularity: str) -> dict[str, Any]:
    """Return what the button under the instruction says, and whether it is there.

    It offers phrases where there are many words, and words again where there is one phrase left.
    """
    words, phrases = (len(units_in(instruction or "", unit)) for unit in ("word", "phrase"))
    if granularity == "word":
        text = f"{words} words: explain phrases instead of words"
        return {"value": text, "visible": words >= MANY_WORDS and phrases > 1}
    text = "A single phrase: explain words instead of phrases"
    return {"value": text, "visible": phrases == 1 < words}


def look_at_words(instruction: str | None, granularity: str) -> tuple[int, dict[str, Any]]:
    """Return how many perturbations the words ask for, and the update of the button under them."""
    wanted = perturbations.wanted_for([instruction], granularity)
    return wanted, gr.update(**unit_offer(instruction, granularity))


def _hint(text: str) -> str:
    return f'<p class="hint">{escape(text)}</p>'
