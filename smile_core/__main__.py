"""The command line: `python -m smile_core explain`, `compare`, `study` and `editors`.

Exit code 0 when all went well; 2, with one line on stderr, when something given cannot be used, the
run cannot lead to an explanation or the result cannot be written; 130 when it was interrupted, with
what was done saved.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

# The two libraries greet with warnings about parts that are not used here.
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
os.environ.setdefault("DIFFUSERS_VERBOSITY", "error")

from smile_core.commands import compare, editors, explain, study
from smile_core.commands.settings import add_settings
from smile_core.commands.terminal import BAD_INPUT, INTERRUPTED, complain
from smile_core.config import ConfigError
from smile_core.result_files import ExportError
from smile_core.versions import __version__

_COMMANDS: dict[str, Callable[[dict[str, Any]], int]] = {
    "explain": explain.run,
    "compare": compare.run,
    "study": study.run,
    "editors": editors.run,
}


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line instead of repeating the usage."""

    def error(self, message: str) -> NoReturn:
        complain(f"{message[0].upper()}{message[1:]}. See: {self.prog} --help")
        raise SystemExit(BAD_INPUT)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    for output in (sys.stdout, sys.stderr):
        output.reconfigure(errors="replace")  # type: ignore[union-attr]
    options = vars(_parser().parse_args(arguments))
    try:
        return _COMMANDS[options.pop("command")](options)
    except (ConfigError, ExportError) as error:
        complain(str(error))
        return BAD_INPUT
    except KeyboardInterrupt:  # before the first edit, or a second Ctrl+C
        complain("Interrupted.")
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m smile_core", description="Which words drive an image edit?")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("editors", help="list the editors")
    add_settings(commands.add_parser("explain", help="explain one edit of one photo"))
    add_settings(
        commands.add_parser(
            "compare",
            help="compare two or three editors, wordings or settings",
            description="An option that is given two or three values makes a column of each; with "
            "one value it holds for all.",
        ),
        several=True,
    )
    study.add_options(commands.add_parser("study", help="run a study and write its tables"))
    return parser


if __name__ == "__main__":
    sys.exit(main())
