"""The key of a provider: read from the environment or given for one run, and never shown."""

from __future__ import annotations

import os

from smile_core.config import ConfigError

_HIDDEN = "<key>"


class SecretKey:
    """Holds a key so that printing or logging what holds it shows nothing.

    Parameters
    ----------
    value : str
        The key.
    """

    def __init__(self, value: str) -> None:
        self._value = value

    def __repr__(self) -> str:
        return _HIDDEN

    def __reduce__(self) -> str:
        raise TypeError("A key is not to be stored.")

    def reveal(self) -> str:
        """Return the key itself, for the one call that needs it."""
        return self._value

    def hide(self, text: str) -> str:
        """Return `text` without the key, which some servers repeat in their complaints."""
        return text.replace(self._value, _HIDDEN)


def read_key(given: str | None, variable: str, provider: str) -> SecretKey:
    """Return the key that was given, or the one in the environment.

    Parameters
    ----------
    given : str or None
        A key for this run alone; None or empty looks in the environment.
    variable : str
        Name of the environment variable.
    provider : str
        Whose key it is.

    Raises
    ------
    ConfigError
        When there is none, or it cannot be one; the message does not repeat it.
    """
    value = given or os.environ.get(variable, "")
    if not value:
        raise ConfigError(
            f"{provider} needs an API key. Put it into the environment variable {variable}, or "
            "type it into the key field, which keeps it for one run only."
        )
    if not value.isascii() or not value.isprintable() or " " in value:
        raise ConfigError(
            f"The API key for {provider} holds a blank, a line break or a letter that no key has. "
            "Copy it again, without anything before or after it."
        )
    return SecretKey(value)
