"""`python -m smile_core study`: run a study, resume it, and write its tables."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smile_core.commands.terminal import (
    BAD_INPUT,
    INTERRUPTED,
    check_folder,
    complain,
    interrupt_flag,
    progress_printer,
)

if TYPE_CHECKING:
    from smile_core.evaluation.study import Study
    from smile_core.evaluation.study_plan import StudyCost
    from smile_core.evaluation.study_run import StudySnapshot

BAR = 24  # characters


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.description = (
        "A study runs prompts × photos × editors × perturbations × distances × surrogates × seeds. "
        "Interrupted, it goes on where it was when it is started again."
    )
    parser.add_argument("study", help="a YAML file, or the name of a study that ships")
    parser.add_argument("--out", help="folder for the results (default: study-NAME)")
    parser.add_argument(
        "--only", nargs="+", metavar="PART", default=[], help="run these parts of it, by name"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="say what it would cost, and run nothing"
    )


def run(options: dict[str, Any]) -> int:
    """Run, save and print; return the exit code, 2 when a run failed."""
    from smile_core.evaluation.study_file import load_study
    from smile_core.evaluation.study_run import study_cost

    study = load_study(options["study"])
    study = study.only(options["only"]) if options["only"] else study
    out = Path(options["out"] or f"study-{Path(options['study']).stem}")
    if not options["dry_run"]:
        check_folder(str(out))
    folder = out if out.is_dir() else None
    print(cost_sentence(study, study_cost(study, folder)))
    if options["dry_run"]:
        return 0
    return _run(study, out)


def _run(study: Study, out: Path) -> int:
    from smile_core.evaluation.study_report import save_study
    from smile_core.evaluation.study_run import stream_study

    show = progress_printer()
    last = None
    with interrupt_flag() as interrupted:
        for snapshot in stream_study(study, out, stop=interrupted):
            last = snapshot
            show(progress_line(snapshot), snapshot.state != "running")
        if last is None:
            return BAD_INPUT
        # Within the flag, so that a second Ctrl+C does not leave half a report.
        save_study(study, last.pairs, out)
    _print_result(last, out)
    if last.state == "stopped":
        complain(f"Stopped; the same command goes on where it was: {out}")
        return INTERRUPTED
    failed = [(run, result) for run, result in last.pairs if result.failed]
    if failed:
        one, result = failed[0]
        complain(f"{len(failed)} of {last.runs} runs failed. {one.label}: {result.failed}")
    return BAD_INPUT if failed else 0


def cost_sentence(study: Study, cost: StudyCost) -> str:
    """Return what a study needs before it is begun, in a line or two."""
    from smile_core.editors import list_editors
    from smile_core.editors.cost import cost_sentence as bill

    waiting = sum(cost.to_make.values())
    parts = [f"{study.title}: {cost.runs:,} explanations of {cost.edits:,} edits"]
    if waiting < cost.edits:
        parts.append(f"{cost.edits - waiting:,} of them there already")
    parts.append(f"{waiting:,} to make at most")
    if cost.seconds is None:
        parts.append("how long that takes is told after the first edits")
    elif waiting:
        parts.append(f"about {duration(cost.seconds)} of editing, as fast as the last time")
    cards = {card.name: card for card in list_editors()}
    billed = [bill(cards[name], n) for name, n in cost.to_make.items() if n and name in cards]
    return " ".join([", ".join(parts) + ".", *filter(None, billed)])


def progress_line(snapshot: StudySnapshot) -> str:
    """Return the state of a study in one line: a bar over all edits, and the time left."""
    share = snapshot.done / snapshot.edits if snapshot.edits else 1.0
    full = int(share * BAR)
    parts = [
        f"[{'█' * full}{'·' * (BAR - full)}] {snapshot.done:,}/{snapshot.edits:,} edits",
        f"{len(snapshot.pairs):,}/{snapshot.runs:,} explanations",
    ]
    if snapshot.state != "running":
        return " · ".join([*parts, snapshot.state])
    if snapshot.edits_per_second is not None:
        parts.append(f"{snapshot.edits_per_second:.1f} edits/s")
    if snapshot.seconds_left is not None:
        parts.append(f"{duration(snapshot.seconds_left)} left")
    return " · ".join(parts)


def duration(seconds: float) -> str:
    """Return a time as one reads it: `45 s`, `12 min`, `3 h 20 min`."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"


def _print_result(last: StudySnapshot, out: Path) -> None:
    from smile_core.evaluation.study_answers import all_tables, answer_study
    from smile_core.evaluation.study_tables import table_text

    for table in all_tables(answer_study(last.study, last.pairs)):
        print(f"\n{table_text(table)}")
    print(f"\nWritten to {out}: report.html, summary.md, summary.csv, results.csv, timings.csv")
