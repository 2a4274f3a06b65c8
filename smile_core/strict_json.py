"""Reading JSON that may come from strangers: every value is checked, and refused in a sentence."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from math import isfinite
from typing import Any

from smile_core.config import ConfigError


@contextmanager
def refusing_damage(what: str, file: str) -> Iterator[None]:
    """Turn whatever goes wrong while a file is read into a sentence.

    Parameters
    ----------
    what : str
        What the file should be, for example `an explanation`.
    file : str
        Which file of a result that is, for the advice.

    Raises
    ------
    ConfigError
        When the text is no JSON, something is missing or of the wrong kind, or parts contradict
        each other.
    """
    try:
        yield
    except ConfigError:
        raise
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
        said = " ".join(str(error).split())
        detail = f"{said} is missing" if isinstance(error, KeyError) else said
        raise ConfigError(
            f"This file is not {what}, or it is damaged ({detail}). "
            f"Choose the {file} of a finished run."
        ) from error


def read_object(text: str | bytes, what: str, schema: int) -> dict[str, Any]:
    """Return the object in `text`, which must have the number `schema`.

    Raises
    ------
    ConfigError
        When it has another schema number or none.
    ValueError
        When it is not JSON.
    """
    values = json.loads(text, parse_constant=_refuse_constant)
    if not isinstance(values, dict) or "schema" not in values:
        raise ConfigError(f"This JSON is not {what}: it has no schema number.")
    if values["schema"] != schema:
        raise ConfigError(
            f"This {what.split()[-1]} has schema {values['schema']!r}, and this version reads "
            f"{schema}. Open it with the version that wrote it."
        )
    return values


def read_number(value: object) -> float:
    """Return a finite number; anything else is a ValueError, as in all that follow."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise ValueError(f"{value!r} is not a number")
    return float(value)


def read_optional_number(value: object) -> float | None:
    """Return a finite number or None."""
    return None if value is None else read_number(value)


def read_whole(value: object) -> int:
    """Return a whole number."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{value!r} is not a whole number")
    return value


def read_text(value: object) -> str:
    """Return a text."""
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not text")
    return value


def read_optional_text(value: object) -> str | None:
    """Return a text or None."""
    return None if value is None else read_text(value)


def read_mapping(values: object, what: str) -> dict[str, Any]:
    """Return an object, which `what` names."""
    if not isinstance(values, dict):
        raise ValueError(f"{what} is not a mapping")
    return values


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number")
