"""The figures that the paper prints, to stand beside ours, marked as the paper's.

They were measured with other editors, photos and code, so they are no bar to pass; what is known
to be wrong with them stands in `problems` of each table.

References
----------
[1] SMILE for instruction-based image editing, arXiv 2412.16277, tables I to VIII.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

# The paper's editors, and the words in the name of an editor that make it kin to one of them.
_KIN = {"turbo": "img2img-turbo", "one-step": "img2img-turbo", "inpaint": "diffusers-inpaint"}
NEAREST = "instruct-pix2pix"


@dataclass(frozen=True)
class PaperTable:
    """One printed table.

    Attributes
    ----------
    number, title, protocol : str
        Its Roman number, what it is about, and how it was measured.
    problems : tuple of str
        What is known to be wrong with it.
    rows : tuple of dict
        What a row is about and its figures, by names of this project.
    """

    number: str
    title: str
    protocol: str
    problems: tuple[str, ...]
    rows: tuple[dict[str, Any], ...]

    def figure(self, name: str, **where: object) -> float | None:
        """Return a printed figure, None when the paper has none for this.

        Parameters
        ----------
        name : str
            For example `att_acc`.
        **where
            What its row must be about, for example `editor`; what the table does not tell apart
            is passed over.
        """
        for row in self.rows:
            if name in row and all(row.get(key, value) == value for key, value in where.items()):
                return float(row[name])
        return None


def nearest_editor(name: str) -> str:
    """Return the paper's editor that is nearest in kind to the one called `name`."""
    return next((kin for word, kin in _KIN.items() if word in name), NEAREST)


def paper_table(number: str) -> PaperTable:
    """Return a table by its Roman number; V holds the paper's VI too.

    Raises
    ------
    KeyError
        When there is no such table.
    """
    return _tables()[number]


@lru_cache(maxsize=1)
def _tables() -> dict[str, PaperTable]:
    path = Path(__file__).with_suffix(".json")
    values = json.loads(path.read_text(encoding="utf-8"))["tables"]
    return {
        number: PaperTable(
            number,
            table["title"],
            table["protocol"],
            tuple(table["problems"]),
            tuple(table["rows"]),
        )
        for number, table in values.items()
    }
