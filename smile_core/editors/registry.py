"""Editors by name: the registered ones, a local folder, or an id on the model hub."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path

from smile_core.config import ConfigError
from smile_core.editors.protocol import Editor, EditorCard
from smile_core.loading import LOADING

Factory = Callable[[], Editor]

_REGISTRY: dict[str, tuple[EditorCard, Factory]] = {}
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")


def register_editor(card: EditorCard) -> Callable[[Factory], Factory]:
    """Register the decorated function, which makes the editor, under `card.name`.

    A name that is taken is replaced, with a warning.

    Examples
    --------
    >>> @register_editor(EditorCard(name="mine", title="Mine", family="callable"))
    ... def make_mine():
    ...     return CallableEditor(my_function, name="mine")
    """

    def register(factory: Factory) -> Factory:
        if card.name in _REGISTRY:
            warnings.warn(f"The editor {card.name!r} was registered again.", stacklevel=2)
        _REGISTRY[card.name] = (card, factory)
        _load.cache_clear()
        return factory

    return register


def list_editors() -> tuple[EditorCard, ...]:
    """Return the cards of all registered editors, in the order they were registered."""
    return tuple(card for card, _ in _REGISTRY.values())


def load_editor(name: str) -> Editor:
    """Return the editor called `name`; the two used last stay loaded.

    Parameters
    ----------
    name : str
        A registered name (`list_editors`), a folder that diffusers saved, or a hub id such as
        `timbrooks/instruct-pix2pix`.

    Raises
    ------
    ConfigError
        When there is no such editor (the message lists the choices and the nearest one), or it
        cannot be loaded.
    """
    with LOADING:
        return _load(name)


@lru_cache(maxsize=2)
def _load(name: str) -> Editor:
    if name in _REGISTRY:
        return _REGISTRY[name][1]()
    if Path(name).is_dir() or _HUB_ID.fullmatch(name):
        from smile_core.editors.pretrained import load_instruct_pix2pix

        return load_instruct_pix2pix(name)
    near = get_close_matches(name, _REGISTRY, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise ConfigError(
        f"Unknown editor {name!r}.{hint} Choose one of: {', '.join(sorted(_REGISTRY))}; or give "
        "a folder saved by diffusers, or a hub id such as timbrooks/instruct-pix2pix."
    )
