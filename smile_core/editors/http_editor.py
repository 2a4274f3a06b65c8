"""An HTTP service as an editor: one request for every edit."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from PIL import Image

from smile_core.editors.external_file import PLACEHOLDER, Description, Http, fill
from smile_core.editors.request_editor import RequestEditor
from smile_core.editors.retrying import (
    Outcome,
    Patience,
    Request,
    Trouble,
    no_answer,
    no_connection,
    read_picture,
    trouble_of_status,
)
from smile_core.editors.secret_key import SecretKey, read_key
from smile_core.pictures import png_bytes


class HttpEditor(RequestEditor):
    """Sends a request for every edit.

    Parameters
    ----------
    description : Description
        What the file says.
    call : Http
        The request.
    patience : Patience
        How long to wait for the answer.

    Raises
    ------
    ConfigError
        When an environment variable named in a header is missing.
    """

    def __init__(self, description: Description, call: Http, patience: Patience) -> None:
        super().__init__(
            description.card,
            fingerprint=description.fingerprint(),
            patience=patience,
            workers=description.concurrency,
        )
        self._call = call
        self._keys()

    def _keys(self) -> dict[str, SecretKey]:
        """Return the environment variables of the headers, by placeholder."""
        names = PLACEHOLDER.findall("\n".join(self._call.headers.values()))
        return {name: read_key(None, name.removeprefix("env:"), self.card.title) for name in names}

    @contextmanager
    def _open(
        self, photo: Image.Image, seed: int, settings: Mapping[str, Any]
    ) -> Iterator[Request]:
        """Open a connection; the photo is encoded once."""
        import httpx2

        keys = self._keys()
        revealed = {name: key.reveal() for name, key in keys.items()}
        headers = {name: fill(text, revealed) for name, text in self._call.headers.items()}
        data = png_bytes(photo)
        with httpx2.Client(headers=headers, timeout=self._patience.timeout_s) as client:
            yield lambda prompt: self._request(client, list(keys.values()), data, prompt, seed)

    def _request(
        self, client: Any, keys: list[SecretKey], photo: bytes, prompt: str, seed: int
    ) -> Outcome:
        """Make one edit; whatever the client raises becomes `Trouble`, for it may hold a key."""
        import httpx2

        sender = f"The service of {self.name}"
        try:
            answer = client.request(
                self._call.method, self._call.url, **self._body(photo, prompt, seed)
            )
        except httpx2.TimeoutException:
            return no_answer(sender, self._patience)
        except httpx2.HTTPError:
            return no_connection(sender)
        except httpx2.InvalidURL:
            return Trouble(f"{sender} has an address that is not one.", ends_run=True)
        if not answer.is_success:
            words = answer.text or answer.reason_phrase
            for key in keys:
                words = key.hide(words)
            return trouble_of_status(
                answer.status_code,
                words,
                sender=sender,
                key_place="its headers",
                headers=answer.headers,
            )
        if self._call.picture_at is None:
            return read_picture(answer.content, sender)
        try:
            encoded = _value_at(answer.json(), self._call.picture_at)
            # Some send a data address: data:image/png;base64,...
            data = b64decode(encoded.rpartition(",")[2], validate=True)
        except (ValueError, LookupError, TypeError, AttributeError):
            return Trouble(
                f"{sender} sent no picture at {self._call.picture_at!r} of its answer.", tries=2
            )
        return read_picture(data, sender)

    def _body(self, photo: bytes, prompt: str, seed: int) -> dict[str, Any]:
        """Return what is sent, as the client's argument."""
        values = {"prompt": prompt, "seed": str(seed)}
        if self._call.multipart is None:
            values["image"] = b64encode(photo).decode()
            return {"json": _fill_json(self._call.json_body, values)}
        fields = self._call.multipart
        files = {
            name: ("photo.png", photo, "image/png") for name, v in fields.items() if v == "{image}"
        }
        texts = {name: fill(v, values) for name, v in fields.items() if v != "{image}"}
        return {"data": texts, "files": files}


def _fill_json(template: Any, values: Mapping[str, str]) -> Any:
    """Return a JSON template with its texts filled; a text that is `{seed}` becomes a number."""
    if isinstance(template, dict):
        return {key: _fill_json(value, values) for key, value in template.items()}
    if isinstance(template, list):
        return [_fill_json(value, values) for value in template]
    if template == "{seed}":
        return int(values["seed"])
    return fill(template, values) if isinstance(template, str) else template


def _value_at(answer: Any, place: str) -> Any:
    """Return what stands in `answer` at a place such as `images.0.data`."""
    for part in place.split("."):
        answer = answer[int(part)] if isinstance(answer, list) else answer[part]
    return answer
