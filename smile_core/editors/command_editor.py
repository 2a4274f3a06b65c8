"""A program as an editor: started once for every edit, without a shell.

Nothing in an instruction can be read as a command, because no shell sees it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from PIL import Image

from smile_core.editors.external_file import Command, Description, fill
from smile_core.editors.request_editor import RequestEditor
from smile_core.editors.retrying import (
    Outcome,
    Patience,
    Request,
    Trouble,
    read_picture,
    tidy,
)

_LAST_BYTES = 4096  # of what a command complained


class CommandEditor(RequestEditor):
    """Runs a program for every edit.

    Parameters
    ----------
    description : Description
        What the file says.
    command : Command
        The program.
    """

    def __init__(self, description: Description, command: Command) -> None:
        super().__init__(
            description.card,
            fingerprint=description.fingerprint(),
            patience=Patience(),
            workers=description.concurrency,
        )
        self._command = command
        self._timeout_s = description.timeout_s

    @contextmanager
    def _open(
        self, photo: Image.Image, seed: int, settings: Mapping[str, Any]
    ) -> Iterator[Request]:
        """Make a folder for the photo and its edits; all programs end with it, as on a Stop."""
        with (
            TemporaryDirectory(prefix="smile-edit-", ignore_cleanup_errors=True) as folder,
            _Processes() as processes,
        ):
            path = Path(folder, "photo.png")
            photo.save(path)

            def request(prompt: str) -> Outcome:
                with TemporaryDirectory(dir=folder, ignore_cleanup_errors=True) as own:
                    return self._run(processes, path, Path(own), prompt, seed)

            yield request

    def _run(
        self, processes: _Processes, photo: Path, own: Path, prompt: str, seed: int
    ) -> Outcome:
        """Make one edit in a folder of its own."""
        output, complaints = own / "edit.png", own / "stderr.txt"
        values = {"image": str(photo), "prompt": prompt, "output": str(output), "seed": str(seed)}
        arguments = [fill(argument, values) for argument in self._command.arguments]
        try:
            with complaints.open("wb") as stderr:
                process = processes.start(arguments, self._command.folder, stderr)
                code = process.wait(self._timeout_s)
        except subprocess.TimeoutExpired:
            processes.end(process)
            return Trouble(
                f"The command took longer than {self._timeout_s:g} seconds and was ended.", tries=1
            )
        except OSError as error:
            return Trouble(f"The command cannot be started: {error.strerror}.", ends_run=True)
        except ValueError:  # a zero byte, which no program can be given
            return Trouble("The instruction holds a letter that no command can take.", tries=1)
        if code != 0:
            said = tidy(_last_line(complaints))
            return Trouble(f"The command ended with exit code {code}: {said}", tries=1)
        if not output.is_file():
            return Trouble("The command ended well, but wrote no picture to {output}.", tries=1)
        made = read_picture(output.read_bytes(), "The command")
        if isinstance(made, Trouble):
            return Trouble("What the command wrote to {output} is not a picture.", tries=1)
        return made


class _Processes:
    """The programs that run for one call of `edit`; they end with it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: list[subprocess.Popen[bytes]] = []
        self._closed = False

    def __enter__(self) -> _Processes:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._closed = True
        for process in self._running:
            self.end(process)

    def start(self, arguments: list[str], folder: Path, stderr: Any) -> subprocess.Popen[bytes]:
        """Start a program in a group of its own, so that what it starts ends with it."""
        with self._lock:
            if self._closed:
                raise OSError(0, "the run was stopped")
            process = subprocess.Popen(
                arguments,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                start_new_session=True,
            )
            self._running.append(process)
        return process

    def end(self, process: subprocess.Popen[bytes]) -> None:
        """End a program that still runs, and all that it started."""
        if process.poll() is not None:
            return
        with suppress(ProcessLookupError, PermissionError):
            if os.name == "posix":
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
        process.wait()


def _last_line(file: Path) -> str:
    text = file.read_bytes()[-_LAST_BYTES:].decode(errors="replace")
    return (text.strip().splitlines() or ["it said nothing on stderr"])[-1]
