"""The heatmap as a PNG that carries its settings and its numbers, and reading them back.

The chunk `smile` (iTXt) holds what `explanation.json` holds, all but the pictures; the chunk
`parameters` repeats the settings in the form that prompt tools show to people [1].

Letters come from Pillow's own font (Latin only). For any other script the first installed font
that has all the letters is used; where there is none, or for emoji, boxes appear in the drawing,
while the chunks always hold the exact text.

References
----------
[1] AUTOMATIC1111/stable-diffusion-webui, "PNG info": prompt, then `Name: value` pairs on one line.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

from smile_core.colors import TEXT_ON_LIGHT, axis_limit, weight_color
from smile_core.config import ConfigError, RunConfig, check_choice
from smile_core.explanation import UNCLEAR, VERDICTS, Explanation, UnitWeight
from smile_core.explanation_json import from_json, to_json
from smile_core.sentence import is_right_to_left, summarize, unit_mark
from smile_core.together import Together, joined_units, shown_limit

CHUNK = "smile"
WIDTH = 1600  # pixels
MARGIN = 64  # pixels
REACH = 60  # pixels on each side of zero on the axis under a unit
MUTED = "#4b5563"
LINE = "#c9ced6"
WAITING = "#eef0f3"
OTHER_FONTS = (
    "DejaVuSans.ttf",
    "NotoSans-Regular.ttf",
    "NotoSansCJK-Regular.ttc",
    "Arial Unicode.ttf",
    "arial.ttf",
    "segoeui.ttf",
    "msyh.ttc",
)

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def save_heatmap_png(explanation: Explanation, path: str | Path) -> None:
    """Draw the heatmap as a PNG (light page, 1,600 pixels wide) with its settings inside.

    Parameters
    ----------
    explanation : Explanation
    path : str or Path
        Where to write; an existing file is replaced.
    """
    info = PngInfo()
    info.add_itxt(CHUNK, json.dumps(json.loads(to_json(explanation)), ensure_ascii=False))
    info.add_itxt("parameters", parameters_text(explanation))
    draw_heatmap(explanation).save(path, format="PNG", pnginfo=info, optimize=True)


def read_heatmap_png(path: str | Path) -> dict[str, Any]:
    """Return what `save_heatmap_png` put into the PNG at `path`.

    Returns
    -------
    dict
        The explanation as `explanation.json` has it, without pictures: `config` (ready for
        `RunConfig.from_dict`), `units`, `samples`, `fidelity` and the rest. All of it has been
        checked; `from_json(json.dumps(found))` makes the `Explanation`.

    Raises
    ------
    ConfigError
        When the file is no PNG, has no `smile` chunk, or the chunk is damaged.
    """
    try:
        with Image.open(path, formats=["PNG"]) as image:
            # Text before the pixels is read on opening: nothing is decoded.
            text = image.info.get(CHUNK)
    except (OSError, SyntaxError, ValueError) as error:
        raise ConfigError(
            "This file is not a readable PNG. Drop a heatmap.png that this project saved."
        ) from error
    if text is None:
        raise ConfigError(
            "This PNG carries no explanation. Only a heatmap.png saved by this project can restore "
            "one; a screenshot or a copy saved by another program loses it."
        )
    try:
        explanation = from_json(text)
        RunConfig.from_dict(explanation.config)
        for unit in explanation.units:
            check_choice("verdict", unit.verdict, VERDICTS)
    except (ConfigError, TypeError) as error:
        raise ConfigError(f"The explanation inside this PNG cannot be used. {error}") from error
    return json.loads(text)


def parameters_text(explanation: Explanation) -> str:
    """Return the settings for people: the instruction, then one line of `Name: value` pairs."""
    config = explanation.config
    size = explanation.reference.image.size if explanation.reference.image else None
    pairs = {
        "Steps": config.get("steps"),
        "Seed": explanation.seed,
        "CFG scale": config.get("guidance_scale"),
        "Image CFG scale": config.get("image_guidance_scale"),
        "Size": f"{size[0]}x{size[1]}" if size else None,
        "Model": explanation.editor,
        "Perturbations": len(explanation.samples),
        "Encoder": explanation.encoder,
        "Image distance": config.get("image_distance"),
        "Text distance": config.get("text_distance"),
        "Surrogate": config.get("surrogate"),
    }
    line = ", ".join(f"{name}: {value}" for name, value in pairs.items() if value is not None)
    return f"{explanation.instruction}\n{line}"


def draw_heatmap(explanation: Explanation) -> Image.Image:
    """Return the drawing: the sentence, the units in order, and a line about the run."""
    title_font, note_font = _font(44, _letters(explanation)), _font(26, _letters(explanation))
    title = _wrap(_drawable(summarize(explanation)), title_font)
    boxes, units_height = _place(explanation)
    top = MARGIN + 60 * len(title) + 40  # where the units begin
    image = Image.new("RGB", (WIDTH, top + units_height + 20 + MARGIN), "white")
    draw = ImageDraw.Draw(image)
    for i, line in enumerate(title):
        draw.text((MARGIN, MARGIN + 60 * i), line, TEXT_ON_LIGHT, title_font)
    limit = shown_limit(explanation)
    span = axis_limit(explanation)
    together = joined_units(explanation)
    for index, (unit, (x, y, width)) in enumerate(zip(explanation.units, boxes, strict=True)):
        _draw_unit(draw, unit, (x, top + y, width), limit, span, together.get(index))
    exact = any(unit.exact for unit in explanation.units)
    facts = [
        "SMILE",
        explanation.editor,
        f"{len(explanation.samples)} perturbations",
        f"seed {explanation.seed}",
        *(["all shortened instructions were run"] if exact else []),
        *(
            ["lines: intervals, 95 % for all words at once"]
            if explanation.happened and not exact
            else []
        ),
    ]
    footer = " · ".join(facts)
    draw.text((MARGIN, image.height - MARGIN - 20), footer, MUTED, note_font)
    return image


def _place(explanation: Explanation) -> tuple[list[tuple[int, int, int]], int]:
    """Return (x, y, width) of each unit's box, rows filled in reading order, and the height."""
    font = _font(44, _letters(explanation))
    mirrored = is_right_to_left(explanation.instruction)
    boxes, x, y = [], MARGIN, 0
    for unit in explanation.units:
        width = min(WIDTH - 2 * MARGIN, max(140, int(font.getlength(unit.text)) + 48))
        if x + width > WIDTH - MARGIN and x > MARGIN:
            x, y = MARGIN, y + 190
        boxes.append((WIDTH - x - width if mirrored else x, y, width))
        x += width + 16
    return boxes, y + 190


def _draw_unit(
    draw: ImageDraw.ImageDraw,
    unit: UnitWeight,
    box: tuple[int, int, int],
    limit: float,
    span: float,
    together: Together | None,
) -> None:
    x, y, width = box
    middle = x + width / 2
    colored = unit.measured or together is not None
    color = weight_color(unit.weight if together is None else together.weight, limit)
    fill = color.light if colored else WAITING
    edge = LINE if unit.verdict == UNCLEAR or not colored else color.light
    draw.rounded_rectangle((x, y, x + width, y + 84), 14, fill, edge, 2)
    font = _font(44, unit.text)
    text = unit.text
    while font.getlength(text) > width - 20:
        text = text[:-2] + "…"
    draw.text((middle, y + 40), text, color.text_on_light, font, anchor="mm")
    if unit.measured and together is None:
        low, high, at = (
            middle + REACH * value / span for value in (unit.low, unit.high, unit.weight)
        )
        draw.line((middle - REACH, y + 104, middle + REACH, y + 104), LINE, 2)
        draw.line((middle, y + 96, middle, y + 112), LINE, 2)
        draw.line((low, y + 104, high, y + 104), MUTED, 6)
        draw.line((at, y + 96, at, y + 112), TEXT_ON_LIGHT, 4)
    tone = MUTED if unit.verdict == UNCLEAR else TEXT_ON_LIGHT
    number = _drawable(unit_mark(unit) if together is None else together.label)
    draw.text((middle, y + 138), number, tone, _font(32, number), anchor="mm")


def _wrap(text: str, font: Font) -> list[str]:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) <= WIDTH - 2 * MARGIN or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _letters(explanation: Explanation) -> str:
    return "".join(sorted(set(explanation.instruction + _drawable(summarize(explanation)))))


def _drawable(text: str) -> str:
    """Return `text` with an en dash for the minus sign, which Pillow's own font lacks."""
    return text.replace("−", "–")


@cache
def _font(size: int, letters: str) -> Font:
    """Return a font of `size` pixels that has all `letters`, or else Pillow's own."""
    own = ImageFont.load_default(size)
    if _has_all(own, letters):
        return own
    for name in OTHER_FONTS:
        try:
            font = ImageFont.truetype(name, size)
        except OSError:
            continue
        if _has_all(font, letters):
            return font
    return own


def _has_all(font: Font, letters: str) -> bool:
    missing = bytes(font.getmask("\U0010ffff"))
    return all(bytes(font.getmask(c)) != missing for c in letters if not c.isspace())
