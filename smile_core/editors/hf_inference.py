"""Image edits by the providers behind Hugging Face's `InferenceClient`.

The model is a hub id, which one of the providers serves, or the address of an endpoint of one's
own. The seed is sent along, but whether a provider heeds it is not known, so the cards say that
there is none.

References
----------
[1] Hugging Face, `InferenceClient.image_to_image` (huggingface_hub 2.4).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from json import JSONDecodeError
from typing import Any

from PIL import Image, UnidentifiedImageError

from smile_core.editors.protocol import EditorCard
from smile_core.editors.request_editor import RequestEditor
from smile_core.editors.retrying import (
    Outcome,
    Patience,
    Request,
    Trouble,
    damaged_picture,
    decode_picture,
    no_answer,
    no_connection,
    tidy,
    trouble_of_status,
)
from smile_core.editors.secret_key import SecretKey, read_key
from smile_core.pictures import png_bytes

logger = logging.getLogger(__name__)

KEY_VARIABLE = "HF_TOKEN"
_KEY_PLACE = f"{KEY_VARIABLE} or the key field"
_SENDER = "Hugging Face"
# Our names of knobs and the client's, where they differ.
_ARGUMENTS = {"steps": "num_inference_steps"}


class HFInference(RequestEditor):
    """Edits through `InferenceClient.image_to_image` [1].

    Parameters
    ----------
    card : EditorCard
        Its `source` is a hub id, or the address (http...) of an endpoint.
    provider : str
        Who serves the model; `auto` takes the first that does, in the order set in the account.
    key : str or None
        A token for this object alone; None takes the one in `HF_TOKEN` at every edit, else the one
        that `hf auth login` stored.
    patience : Patience
        How long to wait for it.

    Raises
    ------
    ConfigError
        When there is no token.
    """

    def __init__(
        self,
        card: EditorCard,
        *,
        provider: str = "auto",
        key: str | None = None,
        patience: Patience | None = None,
    ) -> None:
        super().__init__(
            card,
            fingerprint=f"hf-inference {provider} {card.source}",
            patience=patience or Patience(),
        )
        self._own_key = None if key is None else read_key(key, KEY_VARIABLE, _SENDER)
        self._key()
        self._provider = provider

    def _key(self) -> SecretKey:
        from huggingface_hub import get_token

        return self._own_key or read_key(get_token(), KEY_VARIABLE, _SENDER)

    @contextmanager
    def _open(
        self, photo: Image.Image, seed: int, settings: Mapping[str, Any]
    ) -> Iterator[Request]:
        """Make a client; the photo is encoded once."""
        from huggingface_hub import InferenceClient

        arguments = {_ARGUMENTS.get(name, name): value for name, value in settings.items()}
        data = png_bytes(photo)
        key = self._key()
        client = InferenceClient(
            model=self.card.source,
            provider=self._provider,  # type: ignore[arg-type]  # checked by the client
            token=key.reveal(),
            timeout=self._patience.timeout_s,
        )
        yield lambda prompt: self._request(client, key, data, prompt, {"seed": seed, **arguments})

    def _request(
        self, client: Any, key: SecretKey, photo: bytes, prompt: str, arguments: dict[str, Any]
    ) -> Outcome:
        """Make one edit; whatever the client raises becomes `Trouble`, for it may hold the key."""
        from httpx2 import HTTPError
        from huggingface_hub.errors import (
            HfHubHTTPError,
            InferenceTimeoutError,
            OfflineModeIsEnabled,
        )

        try:
            picture = client.image_to_image(photo, prompt=prompt, **arguments)
        except HfHubHTTPError as error:
            return trouble_of_status(
                error.response.status_code,
                key.hide(error.server_message or error.response.reason_phrase),
                sender=_SENDER,
                key_place=_KEY_PLACE,
                headers=error.response.headers,
            )
        except InferenceTimeoutError:
            return no_answer(_SENDER, self._patience)
        except TimeoutError:  # the client's word for an answer without a picture
            return Trouble(f"{_SENDER}: the provider had no picture ready in time.", tries=2)
        except OfflineModeIsEnabled:
            return Trouble(
                f"{_SENDER} cannot be asked while HF_HUB_OFFLINE is set. Unset it.", ends_run=True
            )
        except HTTPError:
            return no_connection(_SENDER)
        except UnidentifiedImageError as error:
            return damaged_picture(_SENDER, error)
        except JSONDecodeError:
            return Trouble(f"{_SENDER} answered in a form that cannot be read.", tries=2)
        except ValueError as error:  # the client's word for a model or provider it cannot use
            return Trouble(
                f"{_SENDER} cannot run {self.card.source!r}: {tidy(key.hide(str(error)))} Choose "
                "another model or provider.",
                ends_run=True,
            )
        except Exception as error:  # a provider's answer in another form than the client expects
            logger.info("Unexpected answer: %s", type(error).__name__)
            return Trouble(f"{_SENDER} answered in a form that cannot be read.", tries=2)
        return decode_picture(picture, _SENDER)
