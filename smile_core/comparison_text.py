"""A comparison as tables for the terminal."""

from __future__ import annotations

from smile_core.comparison import Comparison
from smile_core.comparison_sentence import difference_texts
from smile_core.sentence import weight_text
from smile_core.terminal_text import columns, pad, shorten

LONGEST_WORD = 24
LONGEST_VERDICT = 160


def comparison_text(comparison: Comparison) -> str:
    """Return a table for each column but the first: weights, difference, interval and verdict."""
    return "\n\n".join(_table(comparison, index) for index in range(1, len(comparison.columns)))


def _table(comparison: Comparison, index: int) -> str:
    names = comparison.names
    head = ["word", names[0], names[index], "difference", "interval", "verdict"]
    lines = [head]
    for row in comparison.rows:
        units = (row.units[0], row.units[index])
        if units == (None, None):
            continue
        weights = ["–" if unit is None else weight_text(unit) for unit in units]
        gap = row.differences[index - 1]
        lines.append(
            [
                row.text,
                *weights,
                *(("–", "–") if gap is None else difference_texts(gap)),
                "" if gap is None else gap.verdict,
            ]
        )
    cells = [
        [*(shorten(text, LONGEST_WORD) for text in line[:-1]), shorten(line[-1], LONGEST_VERDICT)]
        for line in lines
    ]
    widths = [max(columns(line[i]) for line in cells) for i in range(len(head) - 1)]
    return "\n".join(
        "  ".join([*(pad(*pair) for pair in zip(line, widths, strict=False)), line[-1]]).rstrip()
        for line in cells
    )
