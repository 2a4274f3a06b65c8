"""The small file that describes an editor outside of Python: a command line, or an HTTP address.

It is TOML or JSON. Beside the name it holds one table, `command` or `http`, and what stands in it
is checked in full when it is read:

    name = "my-editor"
    version = "1"                    # change it when the editor changes; without it nothing is kept

    [command]
    arguments = ["python", "edit.py", "{image}", "--prompt={prompt}", "{seed}", "{output}"]

or

    [http]
    url = "http://127.0.0.1:8000/edit"
    headers = { Authorization = "Bearer {env:MY_TOKEN}" }
    json = { picture = "{image}", text = "{prompt}", seed = "{seed}" }
    picture_at = "images.0"          # base64 there in a JSON answer; without it the answer itself

Placeholders: `{image}` is the photo (a path for a command, base64 in JSON, a file in `multipart`),
`{prompt}` the instruction, `{seed}` the seed, `{output}` the path a command writes its picture to,
and `{env:NAME}`, in headers only, an environment variable. Of the editor's card it may also set
`title`, `licence`, `notes`, `does`, `does_not`, `example`, `long_side` and `multiple_of`.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from shutil import which
from typing import Any

from smile_core.config import ConfigError, check_choice
from smile_core.editors.protocol import EditorCard

PLACEHOLDER = re.compile(r"\{(env:\w+|[a-z_]+)\}")
_TEXTS = ("name", "title", "licence", "notes", "does", "does_not", "example", "version")
_NUMBERS = {  # key: type, lowest, highest, default
    "timeout_s": (float, 1, 3600, 300.0),
    "concurrency": (int, 1, 16, 1),
    "long_side": (int, 64, 8192, 1024),
    "multiple_of": (int, 1, 256, 1),
}
_HTTP = ("url", "method", "headers", "json", "multipart", "picture_at")


@dataclass(frozen=True, kw_only=True)
class Command:
    """A program and its arguments, with placeholders; run without a shell in `folder`."""

    arguments: tuple[str, ...]
    folder: Path


@dataclass(frozen=True, kw_only=True)
class Http:
    """A request, with placeholders, and where the picture is in its answer.

    Exactly one of `json_body` and `multipart` is not None; `picture_at` is None when the answer is
    the picture itself.
    """

    url: str
    method: str
    headers: dict[str, str]
    json_body: Any
    multipart: dict[str, str] | None
    picture_at: str | None


@dataclass(frozen=True, kw_only=True)
class Description:
    """All that the file says."""

    card: EditorCard
    version: str | None
    timeout_s: float
    concurrency: int
    call: Command | Http

    def fingerprint(self) -> str | None:
        """Return None without a version: nobody can tell whether the editor is still the same."""
        if self.version is None:
            return None
        return f"external {sha256(repr(self).encode()).hexdigest()}"


def fill(text: str, values: Mapping[str, str]) -> str:
    """Return `text` with its placeholders filled, in one go: a prompt may hold braces too."""
    return PLACEHOLDER.sub(lambda found: values[found[1]], text)


def read_description(path: Path) -> Description:
    """Read and check a description file.

    Parameters
    ----------
    path : Path
        A file whose name ends in `.toml` or `.json`.

    Raises
    ------
    ConfigError
        When it is not there, cannot be read, or says something that cannot be used.
    """
    table = _read_table(path)
    for key in table:
        check_choice(f"key in {path.name}:", key, (*_TEXTS, *_NUMBERS, "command", "http"))
    texts = {key: _text(path, table, key) for key in _TEXTS if key in table}
    if not texts.get("name"):
        raise ConfigError(f"{path} gives the editor no name. Add: name = 'my-editor'.")
    if ("command" in table) == ("http" in table):
        raise ConfigError(f"{path} must hold one table, either [command] or [http].")
    numbers = {key: _number(path, table, key) for key in _NUMBERS}
    call = _command(path, table) if "command" in table else _http(path, table)
    return Description(
        card=EditorCard(
            name=texts["name"],
            title=texts.get("title", texts["name"]),
            family="command-line" if isinstance(call, Command) else "http",
            licence=texts.get("licence", "unknown"),
            takes_seed="seed" in _placeholders(call),
            repeatable=False,
            long_side=int(numbers["long_side"]),
            enlarge=False,
            multiple_of=int(numbers["multiple_of"]),
            source=str(path),
            notes=texts.get("notes", ""),
            does=texts.get("does", ""),
            does_not=texts.get("does_not", ""),
            example=texts.get("example", ""),
        ),
        version=texts.get("version"),
        timeout_s=numbers["timeout_s"],
        concurrency=int(numbers["concurrency"]),
        call=call,
    )


def _read_table(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
        table = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ConfigError(
            f"The description of an editor {str(path)!r} cannot be read ({reason}). Give a TOML or "
            "JSON file."
        ) from error
    if not isinstance(table, dict):
        raise ConfigError(f"{path} must hold a JSON object, not a {type(table).__name__}.")
    return table


def _text(path: Path, table: dict[str, Any], key: str) -> str:
    value = table[key]
    if not isinstance(value, str):
        raise ConfigError(f"In {path} {key!r} must be a text, not {value!r}.")
    return value


def _number(path: Path, table: dict[str, Any], key: str) -> float:
    kind, low, high, default = _NUMBERS[key]
    value = table.get(key, default)
    whole = kind is int
    fits = isinstance(value, int) or (isinstance(value, float) and not whole)
    if isinstance(value, bool) or not fits or not low <= value <= high:
        what = "whole number" if whole else "number"
        raise ConfigError(
            f"In {path} {key!r} must be a {what} from {low} to {high}, not {value!r}."
        )
    return value


def _table(path: Path, table: dict[str, Any], key: str) -> dict[str, Any]:
    if not isinstance(table[key], dict):
        raise ConfigError(f"In {path} {key!r} must be a table, not {table[key]!r}.")
    return table[key]


def _texts(path: Path, table: dict[str, Any], key: str) -> dict[str, str]:
    values = _table(path, table, key)
    return {name: _text(path, values, name) for name in values}


def _command(path: Path, table: dict[str, Any]) -> Command:
    fields = _table(path, table, "command")
    for key in fields:
        check_choice(f"key in [command] of {path.name}:", key, ("arguments",))
    arguments = fields.get("arguments")
    if not isinstance(arguments, list) or not arguments:
        raise ConfigError(
            f"{path} gives no arguments. Write the program and its arguments as a list of texts: "
            'arguments = ["python", "edit.py", "{image}", "{prompt}", "{output}"].'
        )
    for argument in arguments:
        if not isinstance(argument, str):
            raise ConfigError(f"In {path} every argument must be a text, not {argument!r}.")
    call = Command(arguments=tuple(arguments), folder=path.resolve().parent)
    _check_placeholders(path, call, needed={"image", "prompt", "output"}, allowed={"seed"})
    program = call.arguments[0]
    # A program with a folder in its name is looked up from the folder of the file, as it is run.
    found = (call.folder / program).is_file() if Path(program).name != program else which(program)
    if not found:
        raise ConfigError(
            f"{path} names the program {program!r}, which is not on this machine. "
            "Install it, or give its path."
        )
    return call


def _http(path: Path, table: dict[str, Any]) -> Http:
    fields = _table(path, table, "http")
    for key in fields:
        check_choice(f"key in [http] of {path.name}:", key, _HTTP)
    url = _text(path, fields, "url") if "url" in fields else ""
    if not url.startswith(("http://", "https://")):
        raise ConfigError(f"In {path} 'url' must begin with http:// or https://, not {url!r}.")
    method = _text(path, fields, "method") if "method" in fields else "POST"
    check_choice(f"method in {path.name}:", method, ("POST", "PUT"))
    if ("json" in fields) == ("multipart" in fields):
        raise ConfigError(
            f"[http] of {path} must say what is sent, either as json or as multipart."
        )
    try:
        json.dumps(fields.get("json"), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"json in {path} cannot be sent as JSON: {error}.") from error
    call = Http(
        url=url,
        method=method,
        headers=_texts(path, fields, "headers") if "headers" in fields else {},
        json_body=fields.get("json"),
        multipart=_texts(path, fields, "multipart") if "multipart" in fields else None,
        picture_at=_text(path, fields, "picture_at") if "picture_at" in fields else None,
    )
    _check_placeholders(path, call, needed={"image", "prompt"}, allowed={"seed"})
    for value in call.headers.values():
        wrong = [name for name in PLACEHOLDER.findall(value) if not name.startswith("env:")]
        if wrong:
            raise ConfigError(
                f"In {path} a header holds {{{wrong[0]}}}; headers take {{env:NAME}} only."
            )
    for name, value in (call.multipart or {}).items():
        if "{image}" in value and value != "{image}":
            raise ConfigError(
                f'In {path} the field {name!r} of multipart must be just "{{image}}".'
            )
    return call


def _placeholders(call: Command | Http) -> set[str]:
    """Return the names of the placeholders in what is sent with every prompt."""
    if isinstance(call, Command):
        return set(PLACEHOLDER.findall("\n".join(call.arguments)))
    return set(PLACEHOLDER.findall(json.dumps(call.json_body or call.multipart)))


def _check_placeholders(
    path: Path, call: Command | Http, needed: set[str], allowed: set[str]
) -> None:
    found = _placeholders(call)
    listed = ", ".join(f"{{{name}}}" for name in sorted(needed | allowed))
    unknown = sorted(found - needed - allowed)
    if unknown:
        raise ConfigError(f"{path} holds {{{unknown[0]}}}, which nothing fills. Use: {listed}.")
    missing = sorted(needed - found)
    if missing:
        raise ConfigError(
            f"{path} never uses {{{missing[0]}}}, so the editor would not get it. Placeholders: "
            f"{listed}."
        )
