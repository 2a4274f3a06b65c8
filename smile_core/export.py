"""A result as a folder: JSON, CSV, pictures, heatmap and report, and the way back.

`explanation.json` is written last, and that of an earlier result is removed before anything else,
so a folder that holds one is complete and of one piece, however the writing ended.
"""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

from PIL import Image

from smile_core.config import ConfigError
from smile_core.explanation import Explanation
from smile_core.explanation_json import (
    MASK_IMAGE,
    REFERENCE_IMAGE,
    SOURCE_IMAGE,
    WITHOUT_INSTRUCTION_IMAGE,
    from_json,
    image_name,
    to_json,
)
from smile_core.heatmap import save_heatmap_png
from smile_core.report import write_report
from smile_core.result_files import csv_text, read_file, write_file, write_text, writing

JSON_FILE = "explanation.json"
CSV_COLUMNS = (
    "mask",
    "prompt",
    "image",
    "image_distance",
    "text_distance",
    "sample_weight",
    "similarity",
    "predicted",
    "p_value",
    "failed",
)
# A JSON from elsewhere may name any file; only pictures beside it are opened.
_PICTURE = re.compile(r"(edits/)?[\w-]+\.png")
_EDIT = re.compile(r"(\d{4,}|without-instruction)\.png")


def save_explanation(explanation: Explanation, folder: str | Path) -> Path:
    """Write a result into `folder`, which is made when it is not there.

    Parameters
    ----------
    explanation : Explanation
        What to write.
    folder : str or Path
        Gets `explanation.json`, `samples.csv`, `input.png`, `mask.png` if there was a mask,
        `edits/*.png`, `heatmap.png` and `report.html`; files of these names are replaced, and
        the edits and the mask of an earlier result removed. When that fails half way there is no
        `explanation.json`.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    ExportError
        When the disk is full or the folder cannot be written.
    """
    folder = Path(folder)
    with writing("result", folder):
        (folder / "edits").mkdir(parents=True, exist_ok=True)
        text = to_json(explanation, with_images=True)
        (folder / JSON_FILE).unlink(missing_ok=True)
        pictures = _pictures(explanation)
        for name, image in pictures.items():
            write_file(folder / name, image.save)
        for path in (folder / "edits").glob("*.png"):
            if _EDIT.fullmatch(path.name) and f"edits/{path.name}" not in pictures:
                path.unlink()  # of a longer run that was written here before
        if MASK_IMAGE not in pictures:
            (folder / MASK_IMAGE).unlink(missing_ok=True)
        write_file(folder / "heatmap.png", lambda path: save_heatmap_png(explanation, path))
        write_file(folder / "report.html", lambda path: write_report(explanation, path))
        write_text(folder / "samples.csv", samples_csv(explanation))
        write_text(folder / JSON_FILE, text)
    return folder


def _pictures(explanation: Explanation) -> dict[str, Image.Image]:
    """Return the pictures of a result by their names in its folder."""
    named = {SOURCE_IMAGE: explanation.source, REFERENCE_IMAGE: explanation.reference.image}
    named[MASK_IMAGE] = explanation.mask
    if explanation.without_instruction is not None:
        named[WITHOUT_INSTRUCTION_IMAGE] = explanation.without_instruction.image
    named |= {image_name(index): sample.image for index, sample in enumerate(explanation.samples)}
    return {name: image for name, image in named.items() if image is not None}


def samples_csv(explanation: Explanation) -> str:
    """Return the samples as CSV, one row each, the reference first; masks read `1 0 1`.

    A text that a spreadsheet would run as a formula is written behind an apostrophe, see
    `csv_text`.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, CSV_COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    rows = [(REFERENCE_IMAGE, explanation.reference)]
    rows += [(image_name(index), sample) for index, sample in enumerate(explanation.samples)]
    for name, sample in rows:
        values = {column: getattr(sample, column) for column in CSV_COLUMNS}
        values["mask"] = " ".join(map(str, sample.mask))
        values["image"] = "" if sample.image is None else name
        for column in ("prompt", "failed"):
            values[column] = csv_text(values[column] or "")
        writer.writerow(values)
    return text.getvalue()


def load_explanation(path: str | Path) -> Explanation:
    """Read a result back.

    Parameters
    ----------
    path : str or Path
        The folder that `save_explanation` wrote, or an `explanation.json`; pictures that are not
        beside it are None.

    Raises
    ------
    ConfigError
        When there is no such file, or it is not an explanation.
    """
    folder, data = read_file(path, "explanation", JSON_FILE)
    return from_json(data, lambda name: _open_picture(folder, name))


def _open_picture(folder: Path, name: str) -> Image.Image | None:
    if not _PICTURE.fullmatch(name):
        raise ConfigError(f"The explanation names a picture outside its folder: {name!r}.")
    path = folder / name
    if not path.is_file():
        return None
    try:
        with Image.open(path, formats=["PNG"]) as image:
            return image.convert("RGB")
    except Exception as error:  # a decoder that is fed a broken file may raise anything
        raise ConfigError(f"The picture {name!r} of the explanation is damaged.") from error
