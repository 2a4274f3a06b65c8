from __future__ import annotations

import pytest

import app


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--editor", "nobody"], "Unknown editor 'nobody'"),
        (["--editor", "one-step", "missing.toml"], "missing.toml"),
        (["--editor"], "expected at least one argument"),
        (["--port", "80"], "unrecognized arguments"),
    ],
)
def test_what_cannot_be_offered_is_said_before_the_page_is_served(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        app.main(arguments)
    assert sentence in capsys.readouterr().err
