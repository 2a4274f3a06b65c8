"""Editors outside of Python, described by a small file (see `external_file`).

With this a ComfyUI workflow, a service of one's own or any program that turns a photo and a text
into a picture can be explained. A file names a program to run: load only files that you trust.
"""

from __future__ import annotations

from pathlib import Path

from smile_core.editors.command_editor import CommandEditor
from smile_core.editors.external_file import Command, read_description
from smile_core.editors.http_editor import HttpEditor
from smile_core.editors.protocol import Editor
from smile_core.editors.retrying import Patience


def load_external(path: str | Path, patience: Patience | None = None) -> Editor:
    """Load the editor that a TOML or JSON file describes.

    Parameters
    ----------
    path : str or Path
        The file.
    patience : Patience or None
        How long to wait for an HTTP editor; None takes `timeout_s` of the file.

    Raises
    ------
    ConfigError
        When the file says something that cannot be used, or an environment variable is missing.
    """
    description = read_description(Path(path))
    if isinstance(description.call, Command):
        return CommandEditor(description, description.call)
    return HttpEditor(
        description, description.call, patience or Patience(timeout_s=description.timeout_s)
    )
