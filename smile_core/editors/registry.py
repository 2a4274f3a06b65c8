"""Editors by name: the registered ones, a local folder, or an id on the model hub."""

from __future__ import annotations

import gc
import logging
import os
import re
import warnings
from collections import OrderedDict
from collections.abc import Callable
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Literal

from smile_core.config import ConfigError
from smile_core.editors.protocol import Editor, EditorCard
from smile_core.editors.turbo_cards import is_turbo_path
from smile_core.loading import LOADING

logger = logging.getLogger(__name__)

Factory = Callable[[], Editor]
Kind = Literal["registered", "description", "turbo", "model"]

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


def add_editor(name: str) -> EditorCard:
    """Register an editor that `load_editor` would load from a file, a folder or the hub.

    From then on it is one of `list_editors`, under the name on its card.

    Parameters
    ----------
    name : str
        What `load_editor` takes; a registered name changes nothing. Weights are loaded later, but
        for those of Img2Img-Turbo, which tell only then what they are.

    Raises
    ------
    ConfigError
        When there is no such editor, it cannot be used here, or its name is another's.
    """
    kind = kind_of(name)
    card = find_card(name) or _read(name, kind).card
    if kind == "registered":
        return card
    if card.name in _REGISTRY:
        raise ConfigError(
            f"The editor in {name!r} is called {card.name!r}, as another one is. Give it a name of "
            "its own."
        )
    register_editor(card)(partial(_read, name, kind))
    return card


def list_editors() -> tuple[EditorCard, ...]:
    """Return the cards of all registered editors, in the order they were registered."""
    return tuple(card for card, _ in _REGISTRY.values())


def is_public_server() -> bool:
    """Return True where strangers choose the editor.

    That is a hosted Space, unless `SMILE_PUBLIC` is 0, and any other server where it is 1.
    """
    told = os.environ.get("SMILE_PUBLIC", "")
    return told != "0" if told else bool(os.environ.get("SPACE_ID"))


def load_editor(name: str) -> Editor:
    """Return the editor called `name`, loaded once; it stays until another needs its memory.

    Parameters
    ----------
    name : str
        A registered name (`list_editors`), a folder that diffusers saved, a hub id such as
        `timbrooks/instruct-pix2pix`, a weight file of Img2Img-Turbo (`.pkl`) or of CosXL Edit
        (`.safetensors`), or a TOML or JSON file that describes an editor outside of Python (see
        `external_file`). On a public server only registered names are loaded.

    Raises
    ------
    ConfigError
        When there is no such editor (the message lists the choices and the nearest one), or it
        cannot be loaded.
    """
    with LOADING:
        return _load(_registered_name(name))


def loaded_editor(name: str) -> Editor | None:
    """Return an editor that is in memory; None for any other, which is not loaded for it."""
    return _load.find(_registered_name(name))


def make_room(needed_gb: float, device: str) -> None:
    """Unload editors, the one used longest ago first, until so much memory is free.

    An editor that a run is using is freed when that run ends.
    """
    _load.make_room(needed_gb, device)


class _LoadedEditors:
    """The editors in memory by name, the one used last at the end."""

    def __init__(self) -> None:
        self._editors: OrderedDict[str, Editor] = OrderedDict()

    def __call__(self, name: str) -> Editor:
        if name not in self._editors:
            self._editors[name] = _make(name)
        self._editors.move_to_end(name)
        return self._editors[name]

    def find(self, name: str) -> Editor | None:
        return self._editors.get(name)

    def make_room(self, needed_gb: float, device: str) -> None:
        from smile_core.editors.devices import free_gb, release_memory, total_gb

        if needed_gb > total_gb(device):
            return  # it will be refused, and nobody else should lose an editor for it
        while self._editors and free_gb(device) < needed_gb:
            name = next(iter(self._editors))
            del self._editors[name]  # and keep no reference, or its memory would not come free
            logger.info("Unloading the editor %r to make room.", name)
            gc.collect()
            release_memory(device)

    def cache_clear(self) -> None:
        self._editors.clear()


_load = _LoadedEditors()


def kind_of(name: str) -> Kind:
    """Return what `load_editor` takes a name for, without loading anything.

    Returns
    -------
    {"registered", "description", "turbo", "model"}
        A registered name or the hub id of a registered model, the path of a file that describes an
        editor, the path of weights of Img2Img-Turbo, or the folder, file or hub id of a pipeline.

    Raises
    ------
    ConfigError
        When it is none of them, or on a public server is not registered; the message lists the
        choices and the nearest one.
    """
    if _registered_name(name) in _REGISTRY:
        return "registered"
    if not is_public_server():
        if name.endswith((".toml", ".json")):
            return "description"
        if is_turbo_path(name):
            return "turbo"
        is_path = name.endswith(".safetensors") or (name and Path(name).is_dir())
        if is_path or _HUB_ID.fullmatch(name):
            return "model"
    near = get_close_matches(name, _REGISTRY, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    other = (
        "this public server loads no others"
        if is_public_server()
        else "or give a folder saved by diffusers, or a hub id such as timbrooks/instruct-pix2pix"
    )
    raise ConfigError(
        f"Unknown editor {name!r}.{hint} Choose one of: {', '.join(sorted(_REGISTRY))}; {other}."
    )


def _registered_name(name: str) -> str:
    """Return the registered name of the model with this hub id, or else the name as it is.

    A card knows more of a model than its files tell: its licence, size, steps and pipeline.
    """
    if name in _REGISTRY or not name or is_public_server():  # there a menu lists the names
        return name
    cards = [card for card, _ in _REGISTRY.values() if not card.key_variable]
    return next((card.name for card in cards if card.source == name), name)


def find_card(name: str) -> EditorCard | None:
    """Return the card of an editor without loading its weights.

    For a folder or a hub id it is put together from what is written there, which takes a question
    to the hub; None when only loading would tell.

    Raises
    ------
    ConfigError
        When there is no such editor, or no access to it.
    """
    kind = kind_of(name)
    if kind == "registered":
        return _REGISTRY[_registered_name(name)][0]
    if kind != "model":
        return None
    from smile_core.editors.pretrained import card_of_model

    return card_of_model(name)


def _make(name: str) -> Editor:
    kind = kind_of(name)
    return _REGISTRY[name][1]() if kind == "registered" else _read(name, kind)


def _read(name: str, kind: Kind) -> Editor:
    """Make an editor that is not registered."""
    if kind == "description":
        from smile_core.editors.external import load_external

        return load_external(name)
    if kind == "turbo":
        from smile_core.editors.img2img_turbo import load_turbo

        return load_turbo(name)
    from smile_core.editors.pretrained import load_pretrained

    return load_pretrained(name)
