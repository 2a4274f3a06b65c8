"""`python -m smile_core compare`: two or three editors, instructions or settings side by side.

An option with two or three values makes a column of each, so `--editors A B`, `--instructions T1
T2` and `--steps 10 50` all compare.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from smile_core.commands.settings import EDITOR_HELP, add_settings
from smile_core.commands.terminal import (
    BAD_INPUT,
    INTERRUPTED,
    check_folder,
    complain,
    interrupt_flag,
    progress_printer,
)
from smile_core.config import RunConfig

if TYPE_CHECKING:
    from smile_core.comparing import ComparisonSnapshot
    from smile_core.comparison import Comparison


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.description = (
        "An option that is given two or three values makes a column of each; with one value it "
        "holds for all."
    )
    several: dict[str, Any] = {"nargs": "+", "metavar": "VALUE"}
    parser.add_argument(
        "--instruction",
        "--instructions",
        required=True,
        help="what the editors are asked to do",
        **several,
    )
    parser.add_argument("--editor", "--editors", help=EDITOR_HELP, **several)
    parser.add_argument(
        "--mask",
        help="for the editors that need one: a picture of the photo's size, white where they may "
        "edit, or the word whole",
    )
    add_settings(parser, several=True)


def run(options: dict[str, Any]) -> int:
    """Compare, save and print; return the exit code, 2 when a column failed."""
    from smile_core.columns import column_configs

    image, mask, out = options.pop("image"), options.pop("mask"), options.pop("out")
    configs = column_configs(
        **{name: _one_or_all(value) for name, value in options.items() if value is not None}
    )
    check_folder(out)
    with interrupt_flag() as interrupted:
        code, comparison = _run(image, configs, mask, interrupted)
        # Within the flag, as in `explain`.
        if comparison is None or not comparison.explanations:
            return code
        return _save(comparison, out) or code


def _one_or_all(value: Any) -> Any:
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _run(
    image: str, configs: list[RunConfig], mask: str | None, interrupted: Callable[[], bool]
) -> tuple[int, Comparison | None]:
    """Run to the end or to Ctrl+C; return the exit code and what is known."""
    from smile_core.comparing import stream_comparison
    from smile_core.engine import RunError

    comparison = None
    show = progress_printer()
    try:
        for snapshot in stream_comparison(image, configs, mask, stop=interrupted):
            comparison = snapshot.comparison
            show(progress_line(snapshot), snapshot.state != "running")
    except RunError as error:
        complain(str(error))
        return BAD_INPUT, comparison
    failed = [column for column in comparison.columns if column.failed] if comparison else []
    for column in failed:
        complain(f"{column.label} ended early: {column.failed}")
    if failed:
        return BAD_INPUT, comparison
    return INTERRUPTED if interrupted() else 0, comparison


def progress_line(snapshot: ComparisonSnapshot) -> str:
    """Return the state of a comparison in one line: `A 24/65 · B 20/65 · 13 s left`."""
    parts = [
        f"{name} –" if one is None else f"{name} {one.done}/{one.total}"
        for name, one in zip(snapshot.comparison.names, snapshot.snapshots, strict=True)
    ]
    if snapshot.state != "running":
        parts.append(snapshot.state)
    elif snapshot.seconds_left is not None:
        parts.append(f"{snapshot.seconds_left:.0f} s left")
    return " · ".join(parts)


def _save(comparison: Comparison, out: str) -> int:
    from smile_core.comparison_export import save_comparison
    from smile_core.export import ExportError

    try:
        save_comparison(comparison, out)
    except ExportError as error:
        complain(str(error))
        return BAD_INPUT
    _print_result(comparison, out)
    return 0


def _print_result(comparison: Comparison, out: str) -> None:
    from smile_core.comparison_export import column_folder
    from smile_core.comparison_sentence import rank_sentences, summarize_comparison
    from smile_core.comparison_text import comparison_text

    for name, column in zip(comparison.names, comparison.columns, strict=True):
        if name != column.label:
            print(f"{name}: {column.label}")
    print(f"\n{comparison_text(comparison)}\n\n{summarize_comparison(comparison)}")
    for line in rank_sentences(comparison):
        print(line)
    for note in comparison.all_notes:
        print(f"Note: {note}")
    written = []
    for index, (name, column) in enumerate(zip(comparison.names, comparison.columns, strict=True)):
        found = column.explanation
        if found is None:
            continue
        written.append(f"{column_folder(index)}/")
        r2 = found.fidelity["r2_w_loo"]
        print(
            f"{name}: leave-one-out R² {'undefined' if r2 is None else f'{r2:.2f}'}, "
            f"{found.timing['total_s']:.1f} s"
        )
    print(f"Written to {out}: report.html, comparison.json, {', '.join(written)}")
