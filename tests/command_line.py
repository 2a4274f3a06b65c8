"""What tests of the command line share."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from smile_core.__main__ import main


def check_refused(arguments: Sequence[str], words: str, capsys: pytest.CaptureFixture) -> None:
    """Check that bad input leaves with code 2, nothing on stdout, and `words` in the one line."""
    try:
        code = main(arguments)
    except SystemExit as left:  # argparse leaves this way
        code = left.code
    printed = capsys.readouterr()
    assert code == 2
    assert words in printed.err
    assert printed.err.count("\n") == 1
    assert printed.out == ""
