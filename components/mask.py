"""Where to edit: a mask painted on the photo, uploaded, or the whole picture.

The panel is there only for an editor that needs a mask. An uploaded mask appears on the photo as
if it had been painted, so that it is seen in its place and can be corrected.

The canvas is our own: `gr.ImageEditor` (6.31) uploads photo and strokes again with every update
of any other component, some fifty times in a short run.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any, NamedTuple

import gradio as gr
from PIL import Image

from components.editor_card import known_card as card_of
from components.html import html
from components.served import picture_url, uploaded_path
from components.session import Workplace
from smile_core.config import ConfigError
from smile_core.editors import EditorCard
from smile_core.mask_picture import WHOLE, fit_mask, mask_for
from smile_core.photo import Source, open_photo

DRAWN_SIDE = 768  # pixels of the longer side; a larger photo is painted on at this size
PNG_URL = "data:image/png;base64,"
HINT = "Paint over what the editor may change. All else is kept."
LOST = "The painted mask did not arrive whole. Paint it again."


class MaskPanel(NamedTuple):
    """The panel and what is in it."""

    panel: gr.Accordion
    drawing: gr.HTML
    upload: gr.UploadButton
    whole: gr.Checkbox


def build(needed: bool, photo: Source, prefix: str = "") -> MaskPanel:
    """Make the panel; it is seen at once if a mask is `needed`, and its ids begin with `prefix`."""
    with gr.Accordion("Where to edit", visible=needed, elem_id=f"{prefix}mask") as panel:
        value = render_drawing(open_photo(photo)) if needed else ""
        drawing = html(value, elem_id=f"{prefix}mask-drawing", js_on_load=PAINT_JS)
        with gr.Row(elem_classes="pair-row"):
            upload = gr.UploadButton(
                "Upload a mask…", file_types=["image"], size="sm", elem_id=f"{prefix}mask-upload"
            )
            whole = gr.Checkbox(label="Whole picture", elem_id=f"{prefix}mask-whole")
    return MaskPanel(panel=panel, drawing=drawing, upload=upload, whole=whole)


# Strokes are opaque white on a transparent canvas, which the style sheet shows half transparent.
PAINT_JS = """
const canvas = () => element.querySelector('canvas');
const at = (event) => {
  const box = canvas().getBoundingClientRect();
  const scale = canvas().width / box.width;
  return [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
};
let last = null;
const stroke = (event) => {
  const pen = canvas().getContext('2d');
  const erase = element.querySelector('.mask-erase').checked;
  pen.globalCompositeOperation = erase ? 'destination-out' : 'source-over';
  pen.strokeStyle = 'white';
  pen.lineCap = pen.lineJoin = 'round';
  const side = Math.max(canvas().width, canvas().height);
  pen.lineWidth = side * element.querySelector('.mask-size').value / 100;
  const here = at(event);
  pen.beginPath();
  pen.moveTo(...(last ?? here));
  pen.lineTo(...here);
  pen.stroke();
  last = here;
};
const tell = () => {
  const {width, height} = canvas();
  const pixels = canvas().getContext('2d').getImageData(0, 0, width, height).data;
  const painted = pixels.some((level, index) => index % 4 === 3 && level > 127);
  trigger('input', {mask: painted ? canvas().toDataURL('image/png') : ''});
};
element.addEventListener('pointerdown', (event) => {
  if (event.target !== canvas() || event.button !== 0) return;
  event.preventDefault();
  canvas().setPointerCapture(event.pointerId);
  stroke(event);
});
element.addEventListener('pointermove', (event) => { if (last) stroke(event); });
for (const end of ['pointerup', 'pointercancel']) {
  element.addEventListener(end, () => { if (last) { last = null; tell(); } });
}
element.addEventListener('click', (event) => {
  if (!event.target.closest('.mask-clear')) return;
  canvas().getContext('2d').clearRect(0, 0, canvas().width, canvas().height);
  tell();
});
// An uploaded mask lies in the page as a picture, and is painted once it is there.
const paintGiven = (picture) => canvas().getContext('2d').drawImage(picture, 0, 0);
element.addEventListener('load', (event) => {
  if (event.target.matches('.mask-given')) paintGiven(event.target);
}, true);
const given = element.querySelector('.mask-given');
if (given?.complete) paintGiven(given);
"""


def render_drawing(photo: Image.Image, mask: Image.Image | None = None) -> str:
    """Return the photo with a canvas on it, on which `mask` is painted already."""
    small = photo.copy()
    small.thumbnail((DRAWN_SIDE, DRAWN_SIDE))
    painted = ""
    if mask is not None:
        strokes = Image.new("RGBA", small.size, "white")
        strokes.putalpha(fit_mask(mask, small.size))
        painted = f'<img class="mask-given" src="{picture_url(strokes)}" alt="" hidden>'
    return (
        '<div class="mask-canvas">'
        f'<img src="{picture_url(small)}" alt="The photo to paint on">'
        f'<canvas width="{small.width}" height="{small.height}" role="img" '
        'aria-label="The mask, painted with a mouse, a finger or a pen"></canvas>'
        f'{painted}</div><div class="mask-tools"><label>Brush <input class="mask-size" '
        'type="range" min="2" max="40" value="12"></label><label><input class="mask-erase" '
        'type="checkbox"> Erase</label><button type="button" class="chip mask-clear">Clear'
        f'</button></div><p class="hint">{HINT}</p>'
    )


def needs_mask(editor: str) -> bool:
    """Return whether an editor is known to need a mask."""
    card = card_of(editor)
    return card is not None and card.needs_mask


def show(
    place: Workplace[Any], needed: bool, photo: dict[str, Any] | None
) -> tuple[dict[str, Any], str]:
    """Return the panel and an empty drawing, for other editors or another photo."""
    place.painted = None
    if not needed:
        return gr.update(visible=False), ""
    try:
        drawing = "" if photo is None else render_drawing(open_photo(uploaded_path(photo)))
    except ConfigError:  # which the photo's own check says
        drawing = ""
    return gr.update(visible=True), drawing


def show_drawing(whole: bool) -> dict[str, Any]:
    """Return the drawing, which is not there when the whole picture is chosen."""
    return gr.update(visible="hidden" if whole else True)


def take_drawing(place: Workplace[Any], event: gr.EventData) -> str:
    """Keep what was painted for the next run; return what is wrong with it."""
    address = str((event._data or {}).get("mask", ""))
    place.painted = None
    if not address:
        return ""
    try:
        if not address.startswith(PNG_URL):
            return LOST
        place.painted = base64.b64decode(address[len(PNG_URL) :], validate=True)
    except binascii.Error:
        return LOST
    return ""


def take_upload(
    place: Workplace[Any],
    file: dict[str, Any] | None,
    photo: dict[str, Any] | None,
    card: EditorCard | None,
) -> tuple[Any, str]:
    """Keep an uploaded mask and return it as painted on the photo, or what is wrong with it."""
    if file is None or photo is None or card is None:
        return gr.skip(), ""
    try:
        picture = open_photo(uploaded_path(photo))
        mask = mask_for(uploaded_path(file), picture, card)
    except ConfigError as error:
        return gr.skip(), str(error)
    place.painted = mask
    return render_drawing(picture, mask), ""


def given(painted: Source | None, whole: bool) -> Source | None:
    """Return the mask that the visitor gave, None if there is none."""
    return WHOLE if whole else painted
