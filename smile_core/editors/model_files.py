"""Which files a model consists of and how large they are, before any of them is fetched or read."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub import (
    HfApi,
    ModelInfo,
    get_hf_file_metadata,
    get_token,
    hf_hub_download,
    hf_hub_url,
    snapshot_download,
    try_to_load_from_cache,
)
from huggingface_hub.errors import (
    GatedRepoError,
    HFValidationError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
)

from smile_core.config import ConfigError
from smile_core.editors.card_file import CARD_FILE
from smile_core.editors.downloads import GIGABYTE, fetch_files

INDEX_FILE = "model_index.json"
_SETTINGS = (".json", ".txt", ".model", ".jinja")
# Names of weights that are loaded unless another variant (fp16, non_ema) is asked for.
_WEIGHTS = re.compile(
    r"(diffusion_pytorch_model|pytorch_model|model)(-\d+-of-\d+)?\.(safetensors|bin)"
)
_RUNNING_SHARE = 1.2  # memory of a running model as a multiple of its weights, roughly
_TIMEOUT_S = 15.0


@dataclass(frozen=True)
class ModelFiles:
    """A model that was found.

    Attributes
    ----------
    source, name : str
        Folder or hub id; what to call it.
    index : mapping
        Its `model_index.json`.
    weight_bytes : int
        Size of its weights.
    fetch : callable
        Returns its folder, or its one file, downloading what is missing.
    licence : str
        What its page on the hub says.
    gated : bool
        Whether its licence must be accepted first.
    """

    source: str
    name: str
    index: Mapping[str, Any]
    weight_bytes: int
    fetch: Callable[[], Path]
    licence: str = "unknown"
    gated: bool = False

    @property
    def typical_memory_gb(self) -> float:
        """Memory a model of this size takes while it runs, in the precision of its files."""
        return _RUNNING_SHARE * self.weight_bytes / GIGABYTE


def files_of_folder(folder: Path, source: str | None = None) -> ModelFiles:
    """Return what is in a folder that diffusers saved.

    Parameters
    ----------
    folder : Path
        The folder.
    source : str or None
        The hub id it came from; None for a folder of the user's own.

    Raises
    ------
    ConfigError
        When it has no readable `model_index.json`.
    """
    source = source or str(folder)
    index = _read_index(folder / INDEX_FILE, source)
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    sizes = {name: (folder / name).stat().st_size for name in wanted_files(index, names)}
    name = folder.resolve().name if source == str(folder) else source
    return ModelFiles(source, name, index, _weight_bytes(sizes), lambda: folder)


def files_of_hub(hub_id: str) -> ModelFiles:
    """Ask the hub for a model, and fetch its `model_index.json` only.

    With no network, a model that was downloaded before is found on this machine.

    Raises
    ------
    ConfigError
        When there is no such model, no network, or its licence was not accepted.
    """
    try:
        with _asking(hub_id):
            info = HfApi().model_info(hub_id, files_metadata=True, timeout=_TIMEOUT_S)
            sizes = {file.rfilename: file.size or 0 for file in info.siblings or ()}
            if INDEX_FILE not in sizes:
                raise ConfigError(
                    f"{hub_id!r} holds no {INDEX_FILE}, so it is not a pipeline that diffusers "
                    "saved. If it is a single file, convert it with diffusers' from_single_file "
                    "and save_pretrained, and give that folder."
                )
            _check_token(hub_id, info)
            index_file = hf_hub_download(hub_id, INDEX_FILE)
    except _NoAccess as error:
        return _downloaded_before(hub_id, str(error))
    index = _read_index(Path(index_file), hub_id)
    names = wanted_files(index, sizes)
    missing = sum(sizes[name] for name in names if not _is_here(hub_id, name, info.sha))
    return ModelFiles(
        hub_id,
        hub_id,
        index,
        _weight_bytes({name: sizes[name] for name in names}),
        lambda: fetch_files(hub_id, names, missing),
        licence=_licence(info.tags),
        gated=bool(info.gated),
    )


def file_of_hub(hub_id: str, name: str, index: Mapping[str, Any]) -> ModelFiles:
    """Ask the hub for a model that is one file; its `fetch` returns the file.

    Parameters
    ----------
    hub_id, name : str
        The model, and the file in it.
    index : mapping
        What its `model_index.json` would say.

    Raises
    ------
    ConfigError
        As for `files_of_hub`.
    """
    try:
        with _asking(hub_id):
            info = HfApi().model_info(hub_id, timeout=_TIMEOUT_S)
            _check_token(hub_id, info)
            size = get_hf_file_metadata(hf_hub_url(hub_id, name)).size or 0
    except _NoAccess as error:
        here = try_to_load_from_cache(hub_id, name)
        if not isinstance(here, str):
            raise ConfigError(str(error)) from error
        path = Path(here)
        return ModelFiles(hub_id, hub_id, index, path.stat().st_size, lambda: path)
    missing = 0 if _is_here(hub_id, name, info.sha) else size
    return ModelFiles(
        hub_id,
        hub_id,
        index,
        size,
        lambda: fetch_files(hub_id, [name], missing) / name,
        licence=_licence(info.tags),
        gated=bool(info.gated),
    )


def wanted_files(index: Mapping[str, Any], names: Iterable[str]) -> list[str]:
    """Return those of a model's files that loading it reads.

    A repository often holds every weight several times: in both formats, in half precision, for
    other libraries. Of these the ones in full precision are taken, as safetensors if there are any.
    """
    parts: dict[str, list[str]] = {}
    for name in names:
        part, _, rest = name.partition("/")
        used = _is_part(index.get(part))
        if used and (_WEIGHTS.fullmatch(rest) or name.endswith(_SETTINGS)):
            parts.setdefault(part, []).append(name)
        elif name in (INDEX_FILE, CARD_FILE):
            parts.setdefault("", []).append(name)
    wanted: list[str] = []
    for files in parts.values():
        safe = any(name.endswith(".safetensors") for name in files)
        wanted += [name for name in files if not (safe and name.endswith(".bin"))]
    return sorted(wanted)


class _NoAccess(Exception):  # noqa: N818 - a model that is here already needs none
    """The hub does not answer or does not let one in; the message says what to do."""


@contextmanager
def _asking(hub_id: str) -> Iterator[None]:
    """Turn what goes wrong while the hub is asked into a `ConfigError` or `_NoAccess`."""
    try:
        yield
    except (ConfigError, _NoAccess):
        raise
    except GatedRepoError as error:
        use_token = _gated(hub_id, "use a token of that account (hf auth login)")
        raise _NoAccess(use_token) from error
    except (RepositoryNotFoundError, HFValidationError) as error:
        raise ConfigError(
            f"There is no public model {hub_id!r} on the hub. Check the spelling, or log in with "
            "hf auth login if it is private."
        ) from error
    except OfflineModeIsEnabled as error:
        raise _NoAccess(
            f"{hub_id!r} is not on this machine and cannot be fetched from the hub while "
            "HF_HUB_OFFLINE is set. Unset it, or choose a bundled editor."
        ) from error
    except Exception as error:  # every layer below has its own word for "no network"
        raise _NoAccess(
            f"{hub_id!r} is not on this machine and cannot be fetched from the hub "
            f"({type(error).__name__}). Connect to the network, or choose a bundled editor."
        ) from error


def _check_token(hub_id: str, info: ModelInfo) -> None:
    if info.gated and get_token() is None:
        raise _NoAccess(_gated(hub_id, "log in with: hf auth login"))


def _downloaded_before(hub_id: str, otherwise: str) -> ModelFiles:
    """Return a model from the hub's cache on this machine, or raise the sentence `otherwise`."""
    try:
        folder = Path(snapshot_download(hub_id, allow_patterns=[INDEX_FILE], local_files_only=True))
        index = _read_index(folder / INDEX_FILE, hub_id)
        if all((folder / part).is_dir() for part, entry in index.items() if _is_part(entry)):
            return files_of_folder(folder, hub_id)
    except (LocalEntryNotFoundError, HFValidationError):
        pass
    raise ConfigError(otherwise)


def _is_part(entry: object) -> bool:
    """Return True for the entry of a part that is there: `[library, class]`, not `[null, null]`."""
    return isinstance(entry, list) and [type(word) for word in entry] == [str, str]


def _read_index(path: Path, source: str) -> dict[str, Any]:
    try:
        index = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"The editor in {source!r} cannot be loaded: it has no readable {INDEX_FILE}. Give a "
            "folder saved by diffusers, or a hub id."
        ) from error
    return index if isinstance(index, dict) else {}


def _gated(hub_id: str, then: str) -> str:
    return (
        f"{hub_id!r} is gated. Accept its licence at https://huggingface.co/{hub_id}, then {then}."
    )


def _licence(tags: Iterable[str] | None) -> str:
    """Return the licence that a model's page names, as a tag `license:mit`."""
    named = [tag.partition(":")[2] for tag in tags or () if tag.startswith("license:")]
    return ", ".join(named) or "not named on its page"


def _is_here(hub_id: str, name: str, revision: str | None) -> bool:
    return isinstance(try_to_load_from_cache(hub_id, name, revision=revision), str)


def _weight_bytes(sizes: Mapping[str, int]) -> int:
    return sum(size for name, size in sizes.items() if name.endswith((".safetensors", ".bin")))
