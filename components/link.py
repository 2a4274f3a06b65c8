"""The settings as the query of an address, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from smile_core.config import ConfigError, RunConfig

DEFAULTS = RunConfig(instruction="any").to_dict()


def to_query(config: RunConfig, photo: str | None) -> str:
    """Return the settings that differ from the defaults, and the name of a bundled photo."""
    values = {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in config.to_dict().items()
        if name in ("instruction", "editor", "seed") or value != DEFAULTS[name]
    }
    return urlencode({**({"photo": photo} if photo else {}), **values})


def from_query(params: Mapping[str, str]) -> RunConfig | None:
    """Return the settings in an address; None when it holds none.

    Raises
    ------
    ConfigError
        When a setting is unknown or has a value that is not allowed.
    """
    own = {
        name: value
        for name, value in params.items()
        if name != "photo" and not name.startswith("__")
    }
    if not own:
        return None
    values = {name: parse(name, text) for name, text in own.items()}
    if "instruction" not in values:
        raise ConfigError("The link has no instruction, so there is nothing to explain.")
    return RunConfig.from_dict(values)


def parse(name: str, text: str) -> Any:
    """Return the value of a setting as an address gives it; the check comes later."""
    if isinstance(DEFAULTS.get(name), str):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text  # the check of the setting says what is wrong with it
