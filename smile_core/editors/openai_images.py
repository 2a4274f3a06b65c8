"""Image edits by OpenAI's models, through its own client.

A request carries the photo as PNG, one instruction and a size, and brings one picture. There is
no seed: the same request brings another picture each time, so `seeds` of a run are replicates, and
the noise floor between them says how much of a difference is chance. The client's own retries are
switched off, because they cannot be stopped; `retrying` does that work.

References
----------
[1] OpenAI API reference, create image edit (openai 3.52, `images.edit`).
"""

from __future__ import annotations

import os
from base64 import b64decode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from PIL import Image

from smile_core.config import ConfigError
from smile_core.editors.ability import GENERAL_EDITS
from smile_core.editors.protocol import EditorCard
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

KEY_VARIABLE = "OPENAI_API_KEY"
_KEY_PLACE = f"{KEY_VARIABLE} or the key field"
# Left to itself the service chooses the quality by the prompt, which would add to the difference
# between prompts.
QUALITY = "medium"
# Sizes are free in multiples of 16 from 655,360 pixels and up to three times as long as wide; at
# these sides every photo within that shape has enough pixels.
SHORT_SIDE, LONG_SIDE, MULTIPLE = 816, 2448, 16
_LONGEST_SHAPE = 3.0
_SENDER = "OpenAI"
_PUBLIC_URL = "https://api.openai.com/v1"


def openai_card(model: str, title: str, notes: str) -> EditorCard:
    """Return the card of one of OpenAI's models."""
    return EditorCard(
        name=model,
        title=title,
        family="openai",
        licence="commercial service, terms of OpenAI",
        takes_seed=False,
        short_side=SHORT_SIDE,
        long_side=LONG_SIDE,
        multiple_of=MULTIPLE,
        source=model,
        key_variable=KEY_VARIABLE,
        does=GENERAL_EDITS,
        notes=notes,
    )


class OpenAIImages(RequestEditor):
    """Edits through `client.images.edit` [1].

    Parameters
    ----------
    card : EditorCard
        Its `source` is the name of the model.
    key : str or None
        An API key for this object alone; None takes the one in `OPENAI_API_KEY` at every edit.
    base_url : str or None
        Address of the API; None takes `OPENAI_BASE_URL`, or the public one.
    patience : Patience
        How long to wait for it.

    Raises
    ------
    ConfigError
        When there is no key.
    """

    def __init__(
        self,
        card: EditorCard,
        *,
        key: str | None = None,
        base_url: str | None = None,
        patience: Patience | None = None,
    ) -> None:
        self._base_url = base_url or os.environ.get("OPENAI_BASE_URL") or _PUBLIC_URL
        super().__init__(
            card,
            fingerprint=f"openai {card.source} {self._base_url} {QUALITY}",
            patience=patience or Patience(),
        )
        self._own_key = None if key is None else read_key(key, KEY_VARIABLE, _SENDER)
        self._key()

    def _key(self) -> SecretKey:
        return self._own_key or read_key(None, KEY_VARIABLE, _SENDER)

    @contextmanager
    def _open(
        self, photo: Image.Image, seed: int, settings: Mapping[str, Any]
    ) -> Iterator[Request]:
        """Open a connection; the photo is encoded once, and the seed is not used."""
        import openai

        shape = max(photo.size) / min(photo.size)
        if shape > _LONGEST_SHAPE:
            raise ConfigError(
                f"{self.card.title} takes photos up to three times as long as wide, and this one "
                f"is {shape:.2f} times. Crop it."
            )
        data = png_bytes(photo)
        key = self._key()
        with openai.OpenAI(
            api_key=key.reveal(),
            base_url=self._base_url,
            timeout=self._patience.timeout_s,
            max_retries=0,
        ) as client:
            yield lambda prompt: self._request(client, key, data, prompt, photo.size)

    def _request(
        self, client: Any, key: SecretKey, photo: bytes, prompt: str, size: tuple[int, int]
    ) -> Outcome:
        """Make one edit; whatever the client raises becomes `Trouble`, for it may hold the key."""
        import openai

        try:
            reply = client.images.edit(
                model=self.card.source,
                image=("photo.png", photo, "image/png"),
                prompt=prompt,
                n=1,
                size=f"{size[0]}x{size[1]}",
                quality=QUALITY,
                background="opaque",
                output_format="png",
            )
            data = b64decode(reply.data[0].b64_json)
        except openai.APIStatusError as error:
            return trouble_of_status(
                error.status_code,
                key.hide(_words(error)),
                sender=_SENDER,
                key_place=_KEY_PLACE,
                code=error.code,
                headers=error.response.headers,
            )
        except openai.APITimeoutError:
            return no_answer(_SENDER, self._patience)
        except openai.APIConnectionError:
            return no_connection(_SENDER)
        except Exception:  # an answer in another form than promised, read in a dozen places
            return Trouble(f"{_SENDER} answered in a form that cannot be read.", tries=2)
        return read_picture(data, _SENDER)


def _words(error: Any) -> str:
    """Return what the server says, without the client's repetition of the whole answer."""
    body = error.body if isinstance(error.body, dict) else {}
    return str(body.get("message") or error.message)
