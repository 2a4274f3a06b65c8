"""A disk that is full after some files."""

from __future__ import annotations

import errno
import os
import tempfile

import pytest


def fill_disk_after(room: int, patch: pytest.MonkeyPatch) -> list[str]:
    """Let only `room` more files be begun; return the list that their names are added to."""
    begin, begun = tempfile.mkstemp, []

    def begin_or_refuse(*args: object, **options: object) -> tuple[int, str]:
        if len(begun) >= room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        handle, name = begin(*args, **options)
        begun.append(name)
        return handle, name

    patch.setattr(tempfile, "mkstemp", begin_or_refuse)
    return begun
