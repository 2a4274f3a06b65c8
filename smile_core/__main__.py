"""The command line: `python -m smile_core explain` and `python -m smile_core editors`.

Exit code 0 when all went well; 2, with one line on stderr, when something given cannot be used or
the run cannot lead to an explanation; 130 when it was interrupted, with what was done saved.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

# The two libraries greet with warnings about parts that are not used here.
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
os.environ.setdefault("DIFFUSERS_VERBOSITY", "error")

from smile_core.config import (
    DESIGNS,
    GRANULARITIES,
    IMAGE_DISTANCES,
    PRESETS,
    SURROGATES,
    TEXT_DISTANCES,
    ConfigError,
    RunConfig,
)
from smile_core.explanation import Explanation, Snapshot
from smile_core.versions import __version__

if TYPE_CHECKING:
    from smile_core.editors import EditorCard

INTERRUPTED = 130
BAD_INPUT = 2
_PROGRESS_EVERY_S = 5.0  # when the output is a file rather than a terminal

# Settings of `RunConfig` as options: name, type, what it is.
_OPTIONS: tuple[tuple[str, Callable[[str], Any], str], ...] = (
    ("editor", str, "a name of `editors`, a folder saved by diffusers, or a hub id"),
    ("perturbations", int, "shortened instructions to try, 1 to 4096 (default 64)"),
    ("seed", int, "seed of edits, masks and bootstrap (default 0)"),
    ("seeds", int, "repeat every prompt under this many seeds (default 1)"),
    ("granularity", str, ", ".join(GRANULARITIES)),
    ("design", str, ", ".join(DESIGNS)),
    ("encoder", str, "efficientnet-lite0, or a DINOv2 model of the hub"),
    ("image-distance", str, ", ".join(IMAGE_DISTANCES)),
    ("order", float, "order p of the Wasserstein distances, 1 to 8 (default 2)"),
    ("text-distance", str, ", ".join(TEXT_DISTANCES)),
    ("word-vectors", str, "bundled, or a gensim-downloader model"),
    ("kernel-width", float, "sigma of the sample weights (default: chosen from the data)"),
    ("surrogate", str, ", ".join(SURROGATES)),
    ("p-cutoff", float, "leave samples with a p-value above this out of the fit"),
    ("p-iterations", int, "bootstrap iterations behind a p-value (default 1000)"),
    ("steps", int, "the editor's denoising steps"),
    ("guidance-scale", float, "how strongly the editor follows the instruction"),
    ("image-guidance-scale", float, "how strongly the editor keeps to the photo"),
    ("batch-size", int, "edits per call of the editor, 1 to 64 (default 8)"),
)


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line instead of repeating the usage."""

    def error(self, message: str) -> NoReturn:
        _complain(f"{message[0].upper()}{message[1:]}. See: {self.prog} --help")
        raise SystemExit(BAD_INPUT)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    for output in (sys.stdout, sys.stderr):
        output.reconfigure(errors="replace")  # type: ignore[union-attr]
    options = vars(_parser().parse_args(arguments))
    try:
        return _editors() if options.pop("command") == "editors" else _explain(options)
    except ConfigError as error:
        _complain(str(error))
        return BAD_INPUT
    except KeyboardInterrupt:  # before the first edit, or a second Ctrl+C
        _complain("Interrupted.")
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m smile_core", description="Which words drive an image edit?")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("editors", help="list the editors")
    explain = commands.add_parser("explain", help="explain one edit of one photo")
    explain.add_argument("--image", required=True, help="the photo")
    explain.add_argument("--instruction", required=True, help="what the editor is asked to do")
    explain.add_argument("--out", required=True, help="folder for the result")
    explain.add_argument("--preset", default="recommended", help=", ".join(PRESETS))
    for name, kind, text in _OPTIONS:
        explain.add_argument(f"--{name}", type=kind, help=text)
    explain.add_argument("--interactions", action="store_const", const=True, help="fit pairs too")
    return parser


def _explain(options: dict[str, Any]) -> int:
    image, out = options.pop("image"), options.pop("out")
    given = {name: value for name, value in options.items() if value is not None}
    config = RunConfig.preset(given.pop("preset"), **given)
    _check_folder(out)
    with _interrupt_flag() as interrupted:
        code, explanation = _run(image, config, interrupted)
        # Within the flag: a first Ctrl+C now has nothing left to stop, and must not cost the save.
        return code if explanation is None else _save(explanation, out) or code


def _run(
    image: str, config: RunConfig, interrupted: Callable[[], bool]
) -> tuple[int, Explanation | None]:
    """Run to the end or to Ctrl+C; return the exit code and what is known."""
    from smile_core.engine import RunError, stream

    explanation = None
    show = _progress_printer()
    try:
        for snapshot in stream(image, config, stop=interrupted):
            explanation = snapshot.explanation
            show(snapshot)
    except RunError as error:
        _complain(str(error))
        return BAD_INPUT, error.explanation
    return INTERRUPTED if interrupted() else 0, explanation


def _save(explanation: Explanation, out: str) -> int:
    from smile_core.export import ExportError, save_explanation

    try:
        save_explanation(explanation, out)
    except ExportError as error:
        _complain(str(error))
        return BAD_INPUT
    _print_result(explanation, out)
    return 0


def _check_folder(out: str) -> None:
    """Refuse a folder that cannot be made before the edits are made, not after."""
    try:
        os.makedirs(out, exist_ok=True)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError(
            f"The folder {out!r} cannot be made: {reason}. Choose another."
        ) from error


@contextmanager
def _interrupt_flag() -> Iterator[Callable[[], bool]]:
    """Turn the first Ctrl+C into a flag, so that the run ends with what it has."""
    pressed = False

    def note(number: int, frame: object) -> None:
        nonlocal pressed
        pressed = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield lambda: pressed
    finally:
        signal.signal(signal.SIGINT, before)


def _progress_printer() -> Callable[[Snapshot], None]:
    """Return a function that keeps one line on a terminal, or writes one now and then to a file."""
    terminal = sys.stderr.isatty()
    last_written = 0.0

    def show(snapshot: Snapshot) -> None:
        nonlocal last_written
        now = time.monotonic()
        ended = snapshot.state != "running"
        if not (terminal or ended or now - last_written >= _PROGRESS_EVERY_S):
            return
        last_written = now
        line = progress_line(snapshot)
        end = "\n" if ended or not terminal else ""
        sys.stderr.write(f"\r\x1b[K{line}{end}" if terminal else f"{line}{end}")
        sys.stderr.flush()

    return show


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
    print(
        f"Leave-one-out R²: {'undefined' if r2 is None else f'{r2:.2f}'}; effective sample size "
        f"{explanation.effective_sample_size:.1f} of {len(explanation.samples) + 1}."
    )
    print(f"Written to {out}: report.html, explanation.json, samples.csv, heatmap.png, edits/")


def _editors() -> int:
    from smile_core.editors import list_editors

    for card in list_editors():
        print(f"{card.name}: {card.title}")
        print(f"    {' · '.join(_needs(card))}")
        print(f"    {' · '.join(_settings(card))}")
        if card.notes:
            print(f"    {card.notes}")
    return 0


def _needs(card: EditorCard) -> list[str]:
    """Return what an editor needs before it runs."""
    needs = [card.source, f"licence: {card.licence}"]
    if card.gated:
        needs.append("gated: accept the licence and log in with hf auth login")
    if card.key_variable:
        needs.append(f"needs a key in {card.key_variable}")
    if card.memory_gb:
        needs.append(f"{card.memory_gb:g} GB of memory")
    return [need for need in needs if need]


def _settings(card: EditorCard) -> list[str]:
    """Return what can be set of an editor, with its defaults."""
    steps = {} if card.steps is None else {"steps": card.steps}
    knobs = [f"{name} {value:g}" for name, value in (steps | dict(card.knobs)).items()]
    return [
        ", ".join(knobs) or "no knobs",
        "negative prompt" if card.takes_negative_prompt else "no negative prompt",
        "needs a mask" if card.needs_mask else "no mask",
        "seed" if card.takes_seed else "no seed: every edit is a new draw",
    ]


def _complain(message: str) -> None:
    """Write one line to stderr, below the progress line if there is one."""
    start = "\r\x1b[K" if sys.stderr.isatty() else ""
    print(start + " ".join(message.split()), file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
