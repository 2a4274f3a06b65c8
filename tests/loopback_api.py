"""A real HTTP server on this machine that speaks the protocols of image-editing services.

It answers every request with one plain picture whose colour tells the prompt (`colour_of`), at
`/v1/images/edits` as OpenAI does, at `/hf` as an endpoint of Hugging Face does, at
`/router/replicate/` as a provider behind Hugging Face does, which serves every model of the hub,
and at `/own` and `/raw` as services of one's own may. Faults are put into `script`, one per
request, in the order in which requests come.
"""

from __future__ import annotations

import json
import re
import threading
import time
from base64 import b64decode, b64encode
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from typing import Any
from zlib import crc32

from PIL import Image


@dataclass
class Asked:
    """One request, as far as tests look at it."""

    path: str
    headers: dict[str, str]
    prompt: str
    photo: Image.Image
    fields: dict[str, Any]
    at: float = field(default_factory=time.monotonic)


@dataclass
class Fault:
    """How to answer one request wrongly.

    `status` 200 answers as usual, but `delay_s` late, with a `cut` picture, with `body` in its
    place, or hanging up in the middle (`hang_up`).
    """

    status: int = 200
    message: str = "something broke"
    code: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    cut: bool = False
    body: bytes | None = None
    hang_up: bool = False


def colour_of(prompt: str, draw: int = 0) -> tuple[int, int, int]:
    """Return the colour that a prompt is painted in; another draw shifts its red."""
    code = crc32(prompt.encode())
    return (code + 10 * draw) & 255, code >> 8 & 255, code >> 16 & 255


class LoopbackApi(ThreadingHTTPServer):
    """Serves until the `with` block ends.

    Attributes
    ----------
    asked : list of Asked
        The requests so far.
    script : deque of (Fault or None)
        How to answer the next requests; None, or nothing left, answers well.
    faults : dict of str to Fault
        How to answer every request with this prompt.
    chance : bool
        True paints every picture of the same prompt a little differently, as without a seed.
    """

    daemon_threads = True
    request_queue_size = 32

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[Asked] = []
        self.script: deque[Fault | None] = deque()
        self.faults: dict[str, Fault] = {}
        self.chance = False
        self.most_at_once = 0
        self.at_once = 0
        self.guard = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self) -> LoopbackApi:
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, *_: object) -> None:
        """Say nothing of a client that hangs up: a Stop does."""


class _Handler(BaseHTTPRequestHandler):
    server: LoopbackApi
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server = self.server
        with server.guard:
            asked = _read(self.path, dict(self.headers.items()), body)
            draw = sum(other.prompt == asked.prompt for other in server.asked)
            server.asked.append(asked)
            fault = server.faults.get(asked.prompt)
            if fault is None and server.script:
                fault = server.script.popleft()
            server.at_once += 1
            server.most_at_once = max(server.most_at_once, server.at_once)
        try:
            self._answer(asked, fault or Fault(), draw if server.chance else 0)
        finally:
            with server.guard:
                server.at_once -= 1

    def do_GET(self) -> None:
        """Say who serves a model of the hub, or hand over a picture that a provider made."""
        if self.path.startswith("/api/models/"):
            served = {"status": "live", "providerId": "lab/model", "task": "image-to-image"}
            about = {"id": "any/model", "inferenceProviderMapping": {"replicate": served}}
            self._send(200, json.dumps(about).encode(), {"Content-Type": "application/json"})
        else:
            asked = self.server.asked[int(self.path.rpartition("/")[2])]
            self._send(200, _png(asked, 0), {"Content-Type": "image/png"})

    do_PUT = do_POST  # noqa: N815 - the name that the standard library calls

    def _answer(self, asked: Asked, fault: Fault, draw: int) -> None:
        time.sleep(fault.delay_s)
        if fault.status != 200:
            error: Any = {"message": fault.message, "type": "some_error", "code": fault.code}
            error = error if asked.path.startswith("/v1/") else fault.message
            answer, kind = json.dumps({"error": error}).encode(), "application/json"
        else:
            answer, kind = _picture(asked, fault, draw, self.server)
        headers = {"Content-Type": kind, **fault.headers}
        self._send(fault.status, answer, headers, hang_up=fault.hang_up)

    def _send(
        self, status: int, answer: bytes, headers: dict[str, str], *, hang_up: bool = False
    ) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        if hang_up:
            self.wfile.write(answer[: len(answer) // 2])
            self.close_connection = True
        else:
            self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Keep the terminal quiet."""


def _png(asked: Asked, draw: int) -> bytes:
    file = BytesIO()
    Image.new("RGB", asked.photo.size, colour_of(asked.prompt, draw)).save(file, "PNG")
    return file.getvalue()


def _picture(asked: Asked, fault: Fault, draw: int, server: LoopbackApi) -> tuple[bytes, str]:
    """Return a good answer, or one that is 200 and still wrong, with its content type."""
    if fault.body is not None:
        return fault.body, "application/json"
    picture = _png(asked, draw)
    if fault.cut:
        picture = picture[: len(picture) - 30]
    text = b64encode(picture).decode()
    if asked.path.startswith("/v1/"):
        answer = {"created": 1, "data": [{"b64_json": text}]}
    elif asked.path == "/own":
        answer = {"images": [{"data": f"data:image/png;base64,{text}"}]}
    elif asked.path.startswith("/router/"):
        answer = {"output": [f"{server.url}/drawn/{server.asked.index(asked)}"]}
    else:
        return picture, "image/png"
    return json.dumps(answer).encode(), "application/json"


def _read(path: str, headers: dict[str, str], body: bytes) -> Asked:
    headers = {name.lower(): value for name, value in headers.items()}
    found = re.search('boundary="?([^";]+)', headers["content-type"])
    if found:
        fields = _parts(body, found[1].encode())
        photo = fields.pop("image")
    elif path == "/hf":
        values = json.loads(body)
        fields, photo = values["parameters"], b64decode(values["inputs"])
    elif path.startswith("/router/"):
        fields = json.loads(body)["input"]
        photo = b64decode(fields["input_image"].partition(",")[2])
    else:
        fields = json.loads(body)
        photo = b64decode(fields.pop("picture"))
    opened = Image.open(BytesIO(photo))
    opened.load()
    return Asked(path, headers, fields["prompt"], opened, fields)


def _parts(body: bytes, boundary: bytes) -> dict[str, Any]:
    """Return the parts of a multipart body: files as bytes, fields as text."""
    parts: dict[str, Any] = {}
    for part in body.split(b"--" + boundary)[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        content = content.removesuffix(b"\r\n")
        name = re.search(rb' name="([^"]+)"', head)
        assert name is not None
        parts[name[1].decode()] = content if b"filename=" in head else content.decode()
    return parts
