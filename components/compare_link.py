"""The settings of a comparison as the query of an address, and back.

What all columns share is written as for one explanation (see `link`); what differs is written for
each, as in `editor.a=…&editor.b=…`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from components.link import DEFAULTS, parse
from smile_core.columns import check_count
from smile_core.comparison import LETTERS
from smile_core.config import ConfigError, RunConfig

ALWAYS = ("instruction", "editor", "seed")
_ENDINGS = tuple(f".{letter.lower()}" for letter in LETTERS)


def to_query(configs: Sequence[RunConfig], photo: str | None) -> str:
    """Return what differs between the columns or from the defaults, and a bundled photo's name."""
    values = [config.to_dict() for config in configs]
    query = {"photo": photo} if photo else {}
    for name, default in DEFAULTS.items():
        each = [one[name] for one in values]
        if len(set(each)) > 1:
            pairs = zip(_ENDINGS, each, strict=False)
            query |= {f"{name}{ending}": _text(value) for ending, value in pairs}
        elif name in ALWAYS or each[0] != default:
            query[name] = _text(each[0])
    return urlencode(query)


def is_comparison(params: Mapping[str, str]) -> bool:
    """Return whether an address holds a comparison."""
    return any(name.endswith(_ENDINGS) for name in params)


def from_query(params: Mapping[str, str]) -> list[RunConfig] | None:
    """Return the settings of each column in an address; None when it holds no comparison.

    Raises
    ------
    ConfigError
        When a setting is unknown, is missing for a column, or has a value that is not allowed.
    """
    if not is_comparison(params):
        return None
    own = {
        name: text for name, text in params.items() if name != "photo" and not name.startswith("__")
    }
    apart: dict[str, dict[str, str]] = {}
    for name in [name for name in own if name.endswith(_ENDINGS)]:
        apart.setdefault(name[:-2], {})[name[-2:]] = own.pop(name)
    count = 1 + max(_ENDINGS.index(ending) for texts in apart.values() for ending in texts)
    check_count(count)
    for name, texts in apart.items():
        if set(texts) != set(_ENDINGS[:count]):
            raise ConfigError(
                f"The link gives {name} for {len(texts)} of {count} columns. Give it for all."
            )
    shared = {name: parse(name, text) for name, text in own.items()}
    columns: list[dict[str, Any]] = [
        shared | {name: parse(name, texts[ending]) for name, texts in apart.items()}
        for ending in _ENDINGS[:count]
    ]
    if "instruction" not in columns[0]:
        raise ConfigError("The link has no instruction, so there is nothing to compare.")
    return [RunConfig.from_dict(column) for column in columns]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
