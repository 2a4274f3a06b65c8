"""`python -m smile_core explain`: one edit of one photo."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any

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
from smile_core.explanation import Explanation, Snapshot


def run(options: dict[str, Any]) -> int:
    """Explain, save and print; return the exit code."""
    image, mask, out = options.pop("image"), options.pop("mask"), options.pop("out")
    given = {name: value for name, value in options.items() if value is not None}
    config = RunConfig.preset(given.pop("preset", "recommended"), **given)
    check_folder(out)
    with interrupt_flag() as interrupted:
        code, explanation = _run(image, config, mask, interrupted)
        # Within the flag: a first Ctrl+C now has nothing left to stop, and must not cost the save.
        if explanation is not None:
            from smile_core.export import save_explanation

            save_explanation(explanation, out)
            _print_result(explanation, out)
    return code


def _run(
    image: str, config: RunConfig, mask: str | None, interrupted: Callable[[], bool]
) -> tuple[int, Explanation | None]:
    """Run to the end or to Ctrl+C; return the exit code and what is known."""
    from smile_core.engine import RunError, stream

    explanation = None
    show = progress_printer()
    try:
        snapshots = stream(image, config, mask, stop=interrupted)
        say_cost([config])  # once all is checked, and before the first edit
        for snapshot in snapshots:
            explanation = snapshot.explanation
            show(progress_line(snapshot), snapshot.state != "running")
    except RunError as error:
        complain(str(error))
        return BAD_INPUT, error.explanation
    return INTERRUPTED if interrupted() else 0, explanation


def progress_line(snapshot: Snapshot) -> str:
    """Return the state of a run in one line, for example `24/64 · 3.1 edits/s · 13 s left`."""
    parts = [f"{snapshot.done}/{snapshot.total}"]
    if snapshot.edits_per_second is not None:
        parts.append(f"{snapshot.edits_per_second:.1f} edits/s")
    if snapshot.state == "running" and snapshot.seconds_left is not None:
        parts.append(f"{snapshot.seconds_left:.0f} s left")
    if snapshot.state != "running":
        parts.append(snapshot.state)
    return " · ".join(parts)


def _print_result(explanation: Explanation, out: str) -> None:
    from smile_core.heatmap import heatmap_text
    from smile_core.sentence import summarize

    width = max(60, min(shutil.get_terminal_size().columns, 120))
    print(f"\n{heatmap_text(explanation, width)}\n\n{summarize(explanation)}")
    for note in explanation.notes:
        print(f"Note: {note}")
    r2 = explanation.fidelity["r2_w_loo"]
    if explanation.happened:
        print(f"Leave-one-out R²: {'undefined' if r2 is None else f'{r2:.2f}'}.")
    print(f"Written to {out}: report.html, explanation.json, samples.csv, heatmap.png, edits/")
