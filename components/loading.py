"""Loading what a run needs, so that the page can tell how far it is and hear a Stop meanwhile."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Future, wait
from html import escape
from threading import Thread

from components.answer import progress_bar, say_about, say_seconds
from components.editor_card import known_card
from smile_core.config import RunConfig
from smile_core.editors import Editor, load_editor
from smile_core.editors.downloads import Download, current_download
from smile_core.editors.protocol import Stop
from smile_core.engine import shared_encoder
from smile_core.text_distance import load_word_vectors

POLL_S = 0.25


def load_for(config: RunConfig, tool: Editor | None, stop: Stop) -> Iterator[str]:
    """Load what a run needs, and yield a status line four times a second until all is there.

    Once `stop` answers True it ends early: a download is broken off, and what has arrived is kept;
    weights that are being read go on being read, and the next run finds them.

    Parameters
    ----------
    config : RunConfig
        The settings.
    tool : Editor or None
        An editor that is loaded already.
    stop : callable
        Says whether the visitor stopped the run.

    Raises
    ------
    ConfigError
        When something cannot be loaded.
    """

    def load() -> None:
        if tool is None:
            load_editor(config.editor)
        if not stop():
            shared_encoder(config.encoder)
        if not stop():
            load_word_vectors(config.word_vectors)

    work: Future[None] = Future()

    def report() -> None:
        try:
            load()
            work.set_result(None)
        except Exception as error:  # raised anew in the thread that waits
            work.set_exception(error)

    Thread(target=report, name="loading", daemon=True).start()
    started = time.monotonic()
    try:
        while not wait([work], POLL_S).done:
            if stop():
                return
            yield render_loading(config, time.monotonic() - started, current_download())
        work.result()
    finally:  # the visitor may have gone, too
        download = current_download()
        if not work.done() and download is not None:
            download.stopped = True


def render_loading(config: RunConfig, seconds: float, download: Download | None) -> str:
    """Return the status line while models are loaded, with the state of a download."""
    card = known_card(config.editor)
    if download is None:
        name = config.editor if card is None else card.title
        text = f"Loading {name} · {say_seconds(seconds)}"
        return f'<div class="status"><span>{escape(text)}</span>{progress_bar(0, 1)}</div>'
    done, total = download.done_bytes, max(download.total_bytes, 1)
    parts = [f"Downloading {download.hub_id}: {_size(done)} of {_size(total)}"]
    if download.seconds_left is not None and 100 * done >= total:  # else it is no estimate yet
        parts.append(f"{say_about(download.seconds_left)} left")
    bar = progress_bar(done, total, "Downloaded")
    return f'<div class="status"><span>{escape(" · ".join(parts))}</span>{bar}</div>'


def _size(count: int) -> str:
    """Return a number of bytes the way one says it."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"
