"""A model hub on this machine: a real HTTP server that speaks the part of the protocol we use."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha1
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).parents[1]
COMMIT = "0" * 40
_PIECES = 50  # of a file that takes its time


@dataclass
class Repository:
    """One model.

    Parameters
    ----------
    files : mapping of str to bytes
        Its files by name.
    gated : bool
        True when nobody here has accepted its licence.
    sizes : mapping of str to int
        Sizes to claim where they differ from the truth.
    cut : tuple of str
        Files of which only the first half is sent.
    slow : mapping of str to float
        Files that take so many seconds to be sent.
    """

    files: Mapping[str, bytes]
    gated: bool = False
    sizes: Mapping[str, int] = field(default_factory=dict)
    cut: tuple[str, ...] = ()
    slow: Mapping[str, float] = field(default_factory=dict)


def files_in(folder: Path) -> dict[str, bytes]:
    """Return the files of a folder by name."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def run_apart(script: str, *arguments: str, endpoint: str, home: Path, **variables: str) -> str:
    """Run a script with a hub and a cache of its own, and return what it prints.

    The hub's client reads both when it is imported.
    """
    environment = {
        **os.environ,
        "HF_HUB_OFFLINE": "0",
        "HF_ENDPOINT": endpoint,
        "HF_HOME": str(home),
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DOWNLOAD_TIMEOUT": "2",
        "OMP_NUM_THREADS": "1",
        **variables,
    }
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script, *arguments],
        capture_output=True,
        text=True,
        env=environment,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def serving(repositories: Mapping[str, Repository]) -> Iterator[tuple[str, list[str]]]:
    """Serve models; yield the address and the list of files that were asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            self._answer(body=True)

        def log_message(self, *arguments: object) -> None:
            pass

        def _answer(self, *, body: bool) -> None:
            parts = [unquote(part) for part in urlsplit(self.path).path.strip("/").split("/")]
            api = parts[:2] == ["api", "models"]
            hub_id = "/".join(parts[2:4] if api else parts[:2])
            repository = repositories.get(hub_id)
            if repository is None:
                self._send(401, b"", {"X-Error-Code": "RepoNotFound"}, body)
            elif api:
                listing = _tree(repository) if "tree" in parts else _info(hub_id, repository)
                self._send(200, json.dumps(listing).encode(), {}, body)
            elif repository.gated:
                self._send(403, b"", {"X-Error-Code": "GatedRepo"}, body)
            else:
                self._send_file(repository, "/".join(parts[4:]), body)

        def _send_file(self, repository: Repository, name: str, body: bool) -> None:
            data = repository.files.get(name)
            if data is None:
                self._send(404, b"", {"X-Error-Code": "EntryNotFound"}, body)
                return
            if body:
                asked.append(name)
            headers = {"ETag": f'"{sha1(data).hexdigest()}"', "X-Repo-Commit": COMMIT}
            if body and name in repository.slow:
                self._send(200, data, headers, body=False)
                self._trickle(data, repository.slow[name])
            else:
                self._send(200, data, headers, body, cut=name in repository.cut)

        def _trickle(self, data: bytes, seconds: float) -> None:
            step = max(1, len(data) // _PIECES)
            with suppress(OSError):  # the client may hang up
                for start in range(0, len(data), step):
                    self.wfile.write(data[start : start + step])
                    time.sleep(seconds / _PIECES)

        def _send(
            self, status: int, data: bytes, headers: dict, body: bool, *, cut: bool = False
        ) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(data))}.items():
                self.send_header(name, value)
            self.end_headers()
            if body:
                self.wfile.write(data[: len(data) // 2] if cut else data)
                self.close_connection = cut

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()


def _size(repository: Repository, name: str) -> int:
    return repository.sizes.get(name, len(repository.files[name]))


def _info(hub_id: str, repository: Repository) -> dict:
    siblings = [{"rfilename": name, "size": _size(repository, name)} for name in repository.files]
    about = {"gated": "auto" if repository.gated else False, "tags": ["license:mit", "diffusers"]}
    return {"id": hub_id, "sha": COMMIT, "private": False, "siblings": siblings, **about}


def _tree(repository: Repository) -> list[dict]:
    return [
        {
            "type": "file",
            "path": name,
            "size": _size(repository, name),
            "oid": sha1(data).hexdigest(),
        }
        for name, data in repository.files.items()
    ]
