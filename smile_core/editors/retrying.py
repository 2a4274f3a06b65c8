"""Asking a service that may be busy, slow or broken: several requests at once, each tried again.

A request answers with a picture or with `Trouble`, which says whether asking again can help. Waits
double from try to try and are never shorter than the server asks for. They run in threads of their
own, so that a Stop is heard at once even when a server says nothing for minutes; what such a server
answers after a Stop is thrown away.

References
----------
[1] RFC 9110, HTTP Semantics, section 10.2.3 (Retry-After).
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from io import BytesIO
from itertools import takewhile
from queue import Empty, SimpleQueue
from threading import Event, Thread

from PIL import Image

from smile_core.config import ConfigError
from smile_core.editors.protocol import EditFailure, Stop, StopRequested

logger = logging.getLogger(__name__)

WORKERS = 4  # requests at once; providers answer more with "too many requests"
_POLL_S = 0.1
_MOST_LETTERS = 300  # of a server's own words
_PICTURE_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF")
_ENDING = {401, 402, 403, 404}
_PASSING = {408, 409, 425, 429}
_MODERATION_CODES = {"moderation_blocked", "content_policy_violation", "content_filter"}
_PAYMENT_CODES = {"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"}


@dataclass(frozen=True)
class Patience:
    """How long a service is waited for.

    Parameters
    ----------
    tries : int
        Most tries for one edit.
    first_wait_s, longest_wait_s : float
        Seconds before the second try, doubled for each further one, and the longest wait that a
        server may ask for.
    timeout_s : float
        Seconds without a sign of life after which a request is given up.
    """

    tries: int = 7
    first_wait_s: float = 1.0
    longest_wait_s: float = 120.0
    timeout_s: float = 180.0


@dataclass(frozen=True)
class Trouble:
    """Why a request brought no picture.

    Parameters
    ----------
    reason : str
        One plain sentence.
    tries : int or None
        How often to try in all; None as often as `Patience` allows.
    wait_s : float
        Seconds that the server asks to wait.
    ends_run : bool
        True when every other request would fail in the same way.
    """

    reason: str
    tries: int | None = None
    wait_s: float = 0.0
    ends_run: bool = False


Outcome = Image.Image | Trouble
Request = Callable[[str], Outcome]


def edit_together(
    request: Request,
    prompts: Sequence[str],
    *,
    patience: Patience,
    stop: Stop | None,
    workers: int = WORKERS,
) -> list[Image.Image | EditFailure]:
    """Return one answer for every prompt, in order; equal prompts are asked once.

    Parameters
    ----------
    request : callable
        Makes one edit. Called from several threads at once.
    prompts : sequence of str
        The instructions.
    patience : Patience
        How long to wait.
    stop : callable or None
        Asked ten times a second, from the calling thread only.
    workers : int
        Most requests at once.

    Raises
    ------
    ConfigError
        When a request says that every other one would fail too.
    StopRequested
        When `stop` answered True.
    """
    todo = deque(dict.fromkeys(prompts))
    count = len(todo)
    results: SimpleQueue[tuple[str, Image.Image | EditFailure | Exception]] = SimpleQueue()
    ended = Event()

    def work() -> None:
        while not ended.is_set():
            try:
                prompt = todo.popleft()
            except IndexError:
                return
            try:
                results.put((prompt, _ask_again(request, prompt, patience, ended)))
            except Exception as error:  # raised anew in the thread that waits
                ended.set()
                results.put((prompt, error))

    for _ in range(min(workers, count)):
        Thread(target=work, daemon=True).start()
    answers: dict[str, Image.Image | EditFailure] = {}
    try:
        while len(answers) < count:
            if stop is not None and stop():
                made = takewhile(answers.__contains__, prompts)
                raise StopRequested([answers[prompt] for prompt in made])
            try:
                prompt, answer = results.get(timeout=_POLL_S)
            except Empty:
                continue
            if isinstance(answer, Exception):
                raise answer
            answers[prompt] = answer
    finally:
        ended.set()
    return [answers[prompt] for prompt in prompts]


def _ask_again(
    request: Request, prompt: str, patience: Patience, ended: Event
) -> Image.Image | EditFailure:
    """Make one edit, trying again while that can help."""
    wait = patience.first_wait_s
    for attempt in range(1, patience.tries + 1):
        outcome = request(prompt)
        if not isinstance(outcome, Trouble):
            return outcome
        if outcome.ends_run:
            raise ConfigError(outcome.reason)
        most = patience.tries if outcome.tries is None else min(outcome.tries, patience.tries)
        if attempt >= most:
            tried = f" Tried {attempt} times." if attempt > 1 else ""
            return EditFailure(outcome.reason + tried)
        pause = max(wait, outcome.wait_s)
        if pause > patience.longest_wait_s:
            return EditFailure(f"{outcome.reason} It asks to wait {pause:.0f} seconds.")
        logger.info("Trying again in %.1f s: %s", pause, outcome.reason)
        if ended.wait(pause):
            break
        wait *= 2
    return EditFailure("The run was stopped.")


def read_picture(data: bytes, sender: str) -> Outcome:
    """Return the picture in `data`, RGB, or `Trouble` that is worth one more try."""
    try:
        opened = Image.open(BytesIO(data), formats=_PICTURE_FORMATS)
    except Exception as error:  # a decoder that is fed a broken file may raise anything
        return damaged_picture(sender, error)
    return decode_picture(opened, sender)


def decode_picture(opened: Image.Image, sender: str) -> Outcome:
    """Return a picture whose file was opened but not read, see `read_picture`."""
    try:
        opened.load()
        return opened.convert("RGB")
    except Exception as error:  # as above
        return damaged_picture(sender, error)


def damaged_picture(sender: str, error: Exception) -> Trouble:
    """Return what to say of a picture that could not be read."""
    logger.info("Not a picture: %s", type(error).__name__)
    return Trouble(f"{sender} sent a damaged picture, or none.", tries=2)


def no_answer(sender: str, patience: Patience) -> Trouble:
    """Return what to say of silence; it is tried once more only, for each try may be billed."""
    return Trouble(f"{sender} did not answer within {patience.timeout_s:g} seconds.", tries=2)


def no_connection(sender: str) -> Trouble:
    """Return what to say when nobody is there, or hangs up."""
    return Trouble(f"{sender} cannot be reached, or the connection broke.", tries=4)


def trouble_of_status(
    status: int,
    message: str,
    *,
    sender: str,
    key_place: str,
    code: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Trouble:
    """Judge an HTTP answer that is no success.

    Parameters
    ----------
    status : int
        Its status.
    message : str
        What the server says, without any key.
    sender : str
        Who answered, as the first word of a sentence.
    key_place : str
        Where the user keeps the key.
    code : str or None
        The server's name for the problem.
    headers : mapping of str to str or None
        Headers of the answer, names in lower case.
    """
    what = f"{status}, {code}" if code else str(status)
    said = f"({what}): {tidy(message)}"
    if code in _MODERATION_CODES:
        return Trouble(f"{sender} refused this edit by its moderation {said}", tries=1)
    if status == 402 or code in _PAYMENT_CODES:
        return Trouble(f"{sender} wants to be paid {said} Check your credit there.", ends_run=True)
    if status in _ENDING:
        advice = (
            "Check the name of the model and the address."
            if status == 404
            else f"Check that the key in {key_place} is valid and may use this model."
        )
        return Trouble(f"{sender} refused {said} {advice}", ends_run=True)
    if status in _PASSING or status >= 500:
        return Trouble(f"{sender} could not answer {said}", wait_s=_retry_after(headers or {}))
    return Trouble(f"{sender} refused this edit {said}", tries=1)


def tidy(message: str) -> str:
    """Return a server's words as one sentence of bounded length."""
    line = " ".join(message.split())[:_MOST_LETTERS] or "no reason given"
    return line if line.endswith((".", "!", "?")) else f"{line}."


def _retry_after(headers: Mapping[str, str]) -> float:
    """Return the seconds in Retry-After, which holds a number or a date [1], else 0."""
    value = headers.get("retry-after", "")
    try:
        return max(float(value), 0.0)
    except ValueError:
        pass
    try:
        return max(parsedate_to_datetime(value).timestamp() - time.time(), 0.0)
    except (TypeError, ValueError, OverflowError):
        return 0.0
