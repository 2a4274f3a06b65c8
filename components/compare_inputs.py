"""The left side of the Compare tab: what all columns share, and what sets them apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from typing import Any, NamedTuple

import gradio as gr

from components import (
    advanced,
    compare_boxes,
    editor_card,
    inputs,
    key_field,
    mask,
    perturbations,
)
from components.compare_asked import (
    EDITORS,
    INSTRUCTIONS,
    KNOBS,
    OWN,
    SETTINGS,
    SHARED,
    Asked,
    masked_cards,
)
from components.compare_runs import CompareButtons
from components.explain import FIRST_INSTRUCTION
from components.html import html
from components.key_field import KeyField
from components.mask import MaskPanel
from components.perturbations import FEW_OF_EACH, Perturbations
from components.show import Updates
from smile_core.comparison import LETTERS, MOST_COLUMNS
from smile_core.config import BUNDLED_EDITOR, RunConfig
from smile_core.editors import EditorCard
from smile_core.editors.registry import is_public_server

SECOND_INSTRUCTION = "Make it a snowy day with gentle snow."
NO_THIRD = ("No third one", "")
CHOICES = [("Editors", EDITORS), ("Instructions", INSTRUCTIONS), ("Settings", SETTINGS)]


class CompareInputs(NamedTuple):
    """The components of the left side; editors and instructions are one for each column."""

    photo: gr.Image
    photo_chips: gr.HTML
    by: gr.Radio
    editors: list[gr.Dropdown]
    keys: list[KeyField]
    about: gr.HTML
    instructions: list[gr.Textbox]
    fold: gr.Accordion
    own: dict[str, list[gr.Textbox | gr.Dropdown]]
    rows: dict[str, gr.Column]
    where: MaskPanel
    amount: Perturbations
    cost: gr.HTML
    preset: gr.Radio
    shared: dict[str, Any]
    buttons: CompareButtons

    @property
    def values(self) -> list[Any]:
        """The components that `Asked.from_values` reads."""
        own = [box for name in OWN for box in self.own[name]]
        shared = [self.shared[name] for name in SHARED]
        return [self.by, *self.editors, *self.instructions, *own, *shared]


def build(cards: Sequence[EditorCard], photo: str) -> CompareInputs:
    """Make the inputs; `photo` is what is shown at first."""
    asked = first_asked(cards)
    photo_box = gr.Image(
        value=photo,
        type="filepath",
        image_mode=None,
        sources=["upload", "clipboard"],
        label="Photo",
        height=200,
        buttons=["fullscreen"],
        placeholder="Drop a photo here, or click to choose",
        elem_id="compare-photo",
    )
    chips = html(inputs.render_photo_chips(), js_on_load=inputs.CHIP_JS)
    by = gr.Radio(CHOICES, value=asked.by, label="Compare", elem_id="compare-by")
    editors, keys = [], []
    for index in range(MOST_COLUMNS):
        editors.append(_editor(asked, index, cards))
        keys.append(_key(asked, index))
    about = html(render_cards(asked), elem_id="compare-cards")
    instructions = [_instruction(asked, index) for index in range(MOST_COLUMNS)]
    with gr.Accordion(compare_boxes.fold_label(asked), open=False, elem_id="compare-own") as fold:
        html(compare_boxes.HINT)
        made = {name: compare_boxes.build_row(asked, name) for name in OWN}
    where = mask.build(bool(masked_cards(asked)), photo, "compare-")
    defaults = RunConfig(instruction=FIRST_INSTRUCTION)
    with gr.Group(elem_id="compare-cost-group"):
        amount = perturbations.build(
            asked.wanted,
            asked.wanted,
            least=FEW_OF_EACH,
            label="Perturbations of each",
            prefix="compare-",
        )
        cost = html(elem_id="compare-cost")
    seed = gr.Number(value=defaults.seed, label="Seed of all", elem_id="compare-seed")
    preset, settings = advanced.build(defaults, prefix="compare-", without=KNOBS)
    address = gr.Textbox(visible="hidden", elem_id="compare-address")
    with gr.Column(elem_id="compare-actions"):
        message = html(elem_id="compare-message")
        with gr.Row(elem_id="compare-buttons"):
            compare = gr.Button("Compare", variant="primary", elem_id="compare", scale=3)
            stop = gr.Button(
                "Stop", interactive=False, elem_id="compare-stop", scale=1, min_width=90
            )
    return CompareInputs(
        photo=photo_box,
        photo_chips=chips,
        by=by,
        editors=editors,
        keys=keys,
        about=about,
        instructions=instructions,
        fold=fold,
        own={name: boxes for name, (_, boxes) in made.items()},
        rows={name: row for name, (row, _) in made.items()},
        where=where,
        amount=amount,
        cost=cost,
        preset=preset,
        shared={"perturbations": amount.number, "seed": seed, **settings},
        buttons=CompareButtons(
            message=message,
            compare=compare,
            stop=stop,
            address=address,
            amount=amount,
            keys=tuple(keys),
        ),
    )


def bundled_editors(cards: Sequence[EditorCard]) -> list[str]:
    """Return the editors that ship with the project and need no network, the default one first."""
    bundled = [card.name for card in cards if card.source.startswith("assets/")]
    return [BUNDLED_EDITOR, *(name for name in bundled if name != BUNDLED_EDITOR)]


def first_asked(cards: Sequence[EditorCard]) -> Asked:
    """Return what is shown at first: the bundled editors, or two instructions of the only one."""
    second = next(iter(bundled_editors(cards)[1:]), None)
    first = RunConfig(instruction=FIRST_INSTRUCTION)
    defaults = {**first.to_dict(), "perturbations": perturbations.set_in(first)}
    return Asked(
        by=INSTRUCTIONS if second is None else EDITORS,
        editors=(BUNDLED_EDITOR, second or cards[1].name, NO_THIRD[1]),
        instructions=(FIRST_INSTRUCTION, SECOND_INSTRUCTION, ""),
        own=dict.fromkeys(OWN, ("",) * MOST_COLUMNS),
        shared={name: defaults[name] for name in SHARED},
    )


def _editor(asked: Asked, index: int, cards: Sequence[EditorCard]) -> gr.Dropdown:
    choices = [(card.title, card.name) for card in cards]
    is_open = not is_public_server()  # then any other editor may be typed
    return gr.Dropdown(
        choices=[NO_THIRD, *choices] if index == MOST_COLUMNS - 1 else choices,
        value=asked.editors[index],
        info=inputs.OTHER_EDITORS if is_open and index == 0 else None,
        filterable=is_open,
        allow_custom_value=is_open,
        elem_id=f"compare-editor-{LETTERS[index].lower()}",
        **_several("Editor", index, asked.by == EDITORS),
    )


def _key(asked: Asked, index: int) -> KeyField:
    letter = LETTERS[index]
    card = _keyed_card(asked, index)
    return key_field.build(card, f"API key of {letter}", f"compare-key-{letter.lower()}")


def _keyed_card(asked: Asked, index: int) -> EditorCard | None:
    """Return the card of an editor that is seen, for the field of its key."""
    seen = index == 0 or asked.by == EDITORS
    return editor_card.known_card(asked.editors[index] or "") if seen else None


def render_cards(asked: Asked, say: Callable[[str], str] = editor_card.say_at_once) -> str:
    """Return what is known about the columns' editors, folded unless something is in the way.

    Parameters
    ----------
    asked : Asked
        What is to be compared.
    say : callable
        Tells about one editor; `editor_card.say_about` looks an unknown one up first.
    """
    names = dict.fromkeys(asked.editor(index) or "" for index in range(asked.columns))
    told = {name: say(name) for name in names}
    cards = {name: editor_card.known_card(name) for name in names}
    titles = {name: name if card is None else card.title for name, card in cards.items()}
    parts = [f"<h4>{escape(titles[name])}</h4>{about}" for name, about in told.items()]
    is_open = " open" if any("warning" in about for about in told.values()) else ""
    heading = "About these editors" if len(names) > 1 else "About this editor"
    return f"<details{is_open}><summary>{heading}</summary>{''.join(parts)}</details>"


def _instruction(asked: Asked, index: int) -> gr.Textbox:
    return gr.Textbox(
        value=asked.instructions[index],
        placeholder="Leave it empty for two columns" if index == MOST_COLUMNS - 1 else "",
        lines=2,
        max_lines=6,
        elem_id=f"compare-instruction-{LETTERS[index].lower()}",
        elem_classes="compare-instruction",
        **_several("Instruction", index, asked.by == INSTRUCTIONS),
    )


def _several(what: str, index: int, several: bool) -> dict[str, Any]:
    """Return label and visibility of an input: with a letter where the columns differ in it."""
    label = f"{what} {LETTERS[index]}" if several else what
    return {"label": label, "visible": index == 0 or several}


def arranged(left: CompareInputs, asked: Asked) -> Updates:
    """Return which inputs are there for what is to be compared, and what they are called.

    The boxes of the columns come with their texts; all others keep what they hold.
    """
    updates: Updates = {}
    for what, boxes, several in (
        ("Editor", left.editors, asked.by == EDITORS),
        ("Instruction", left.instructions, asked.by == INSTRUCTIONS),
    ):
        for index, box in enumerate(boxes):
            updates[box] = gr.update(**_several(what, index, several))
    for name in OWN:
        updates[left.rows[name]] = gr.update(visible=compare_boxes.has(asked, name))
        for index, box in enumerate(left.own[name]):
            updates[box] = gr.update(**compare_boxes.box(asked, name, index))
    for index, field in enumerate(left.keys):
        updates[field] = gr.update(**key_field.state(_keyed_card(asked, index)))
    updates[left.about] = render_cards(asked)
    updates[left.fold] = gr.update(label=compare_boxes.fold_label(asked))
    return updates


def filled(left: CompareInputs, asked: Asked) -> Updates:
    """Return updates of all inputs that show `asked`."""
    updates = arranged(left, asked)
    texts = "".join(text for each in asked.own.values() for text in each)
    updates[left.fold]["open"] = bool(texts) or asked.by == SETTINGS
    for box, value in [
        *zip(left.editors, asked.editors, strict=True),
        *zip(left.instructions, asked.instructions, strict=True),
    ]:
        updates[box] = {**updates[box], "value": value}
    for name, component in left.shared.items():
        updates[component] = advanced.shown(name, asked.shared[name])
    number = asked.shared["perturbations"]
    return {
        **updates,
        left.by: asked.by,
        left.amount.slider: perturbations.on_slider(number),
        left.amount.follows: number == asked.wanted,
    }
