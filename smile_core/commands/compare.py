"""`python -m smile_core compare`: two or three editors, instructions or settings side by side.

An option with two or three values makes a column of each, so `--editors A B`, `--instructions T1
T2` and `--steps 10 50` all compare.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from smile_core.commands.terminal import (
    BAD_INPUT,
    INTERRUPTED,
    check_folder,
    complain,
    interrupt_flag,
    progress_printer,
    say_cost,
)
from smile_core.config import RunConfig
from smile_core.explanation import ANY_UNIT, Explanation

if TYPE_CHECKING:
    from smile_core.comparing import ComparisonSnapshot
    from smile_core.comparison import Comparison


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
        if comparison is not None and comparison.explanations:
            from smile_core.comparison_export import save_comparison

            save_comparison(comparison, out)
            _print_result(comparison, out)
    return code


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
        snapshots = stream_comparison(image, configs, mask, stop=interrupted)
        say_cost(configs)  # once all is checked, and before the first edit
        for snapshot in snapshots:
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


def _fit_text(found: Explanation) -> str:
    """Return how well the weights of a column fit, or why it has none."""
    if not found.happened:
        return "nothing happened"
    if found.outcome == ANY_UNIT:
        return "any one is enough"
    r2 = found.fidelity["r2_w_loo"]
    return f"leave-one-out R² {'undefined' if r2 is None else f'{r2:.2f}'}"


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
        print(f"{name}: {_fit_text(found)}, {found.timing['total_s']:.1f} s")
    print(f"Written to {out}: report.html, comparison.json, {', '.join(written)}")
