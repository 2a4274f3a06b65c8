"""The files of a result on the disk: written whole or not at all, and a sentence when it fails."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from smile_core.config import ConfigError

# What OWASP lists under CSV injection; a carriage return has become a line feed by then.
_BEFORE_FORMULAS = ("=", "+", "-", "@", "\t", "\n")


class ExportError(OSError):
    """A result that could not be written; the message says where and why."""


@contextmanager
def writing(what: str, folder: Path) -> Iterator[None]:
    """Turn what goes wrong while a result is written into a sentence.

    Parameters
    ----------
    what : str
        What is written, for example `result`.
    folder : Path
        Where it is written.

    Raises
    ------
    ExportError
        When the disk is full or the folder cannot be written.
    """
    try:
        yield
    except OSError as error:
        raise ExportError(
            f"The {what} could not be written to {str(folder)!r}: {error.strerror or error}. "
            "Choose another folder, or make room."
        ) from error


def write_text(path: Path, text: str) -> None:
    """Write a text file as `write_file` does."""
    write_file(path, lambda temporary: temporary.write_text(text, encoding="utf-8", newline=""))


def write_file(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` make a file beside `path`, then rename it to `path`."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=path.suffix)
    os.close(handle)
    temporary = Path(name)
    try:
        write(temporary)
        temporary.chmod(0o644)  # mkstemp's 0o600 would keep a web server or a colleague out
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def csv_text(text: str) -> str:
    """Return a text for one cell of a CSV.

    It stands behind an apostrophe if a spreadsheet would run it as a formula, also after a tab or
    a line break, which some pass over. A carriage return becomes a line feed: Python before 3.13
    puts no quotes around it, and what follows it would be a cell of its own.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return f"'{text}" if text.startswith(_BEFORE_FORMULAS) else text


def read_file(path: str | Path, what: str, name: str) -> tuple[Path, bytes]:
    """Read the JSON file of a result.

    Parameters
    ----------
    path : str or Path
        The folder of the result, or the file itself.
    what : str
        What it should be, for example `explanation`.
    name : str
        Name of the file in such a folder.

    Returns
    -------
    folder : Path
        Where the file lies, and all that it names.
    data : bytes
        Its contents.

    Raises
    ------
    ConfigError
        When there is no such file, or it cannot be read.
    """
    path = Path(path)
    if path.is_dir():
        path = path / name
    try:
        return path.parent, path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError(f"The {what} {str(path)!r} cannot be read: {reason}.") from error
