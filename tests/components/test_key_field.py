from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from typing import Any

import gradio as gr
import orjson
import pytest
from gradio.state_holder import SessionState
from PIL import Image
from pydantic import SecretStr, ValidationError

from components import api, key_field
from components.runs import checked_job, own_editor
from components.session import Job, Session
from smile_core.config import ConfigError, RunConfig
from smile_core.editors import list_editors

KEY = "sk-secret-0123456789"
BILLED = next(card for card in list_editors() if card.family == "openai")
CONFIG = RunConfig(instruction="make it snowy", editor=BILLED.name)


@pytest.fixture(autouse=True)
def _no_key_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("SPACE_ID", raising=False)


def finished(work: Coroutine[Any, Any, Any]) -> Any:
    """Return what `work` returns; in a thread, for this one's loop may be that of a browser."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


def test_gradio_is_handed_the_key_hidden_and_stores_stars():
    with gr.Blocks() as demo:
        field = key_field.build(BILLED)
        gr.Button().click(lambda key: gr.skip(), field, field, preprocess=False)
    click = next(iter(demo.fns.values()))
    state = SessionState(demo)
    finished(demo.postprocess_data(click, [gr.skip()], state))  # which makes a new component
    (arrived,) = finished(demo.preprocess_data(click, [KEY], state))
    assert key_field.revealed(arrived) == KEY
    # What Gradio does when it is asked for a deep link.
    stored = orjson.dumps([deepcopy(part) for part in state.components], default=str)
    assert KEY.encode() not in stored
    assert any(part["props"].get("value") == "*" * 10 for part in json.loads(stored))
    assert KEY not in repr(state.config_values)


def test_what_is_no_text_is_refused_without_being_repeated():
    with pytest.raises(ValidationError) as caught:
        key_field.HiddenText.model_validate([KEY])
    assert KEY not in str(caught.value)


def test_the_field_is_there_for_editors_behind_an_api_only(monkeypatch: pytest.MonkeyPatch):
    shown = key_field.show(BILLED)
    assert (shown["visible"], shown["value"]) == (True, "")
    assert "Empty: the key in OPENAI_API_KEY" in shown["info"]
    for card in (list_editors()[0], None):
        assert not key_field.show(card)["visible"]
    monkeypatch.setenv("SPACE_ID", "someone/smile")
    assert "Your own key is needed here" in key_field.show(BILLED)["info"]


def test_a_job_carries_an_editor_with_the_key_and_shows_nothing_of_it():
    photo = Image.new("RGB", (64, 64))
    job = checked_job(photo, CONFIG, None, KEY)
    assert job.tool.name == BILLED.name
    session = Session(job=job)
    assert KEY not in repr(session)
    assert KEY not in repr(vars(job.tool))
    plain = checked_job(photo, CONFIG.with_(editor="scene-pix2pix"), None, KEY)
    assert plain == Job(photo=photo, config=plain.config)


def test_a_missing_key_is_said_before_the_run(monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(ConfigError, match="needs an API key"):
        own_editor(CONFIG, "")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    assert own_editor(CONFIG, "") is not None
    monkeypatch.setenv("SPACE_ID", "someone/smile")
    with pytest.raises(ConfigError, match="with your own key only"):
        own_editor(CONFIG, "")
    assert own_editor(CONFIG, KEY) is not None


def test_the_endpoint_refuses_a_key_for_an_editor_that_takes_none(monkeypatch, tmp_path):
    monkeypatch.setattr(api, "uploaded_path", lambda payload: payload["path"])
    photo = tmp_path / "photo.png"
    Image.new("RGB", (64, 64)).save(photo)
    with pytest.raises(gr.Error, match="takes no key"):
        next(api.explain({"path": photo}, "make it snowy", key=SecretStr(KEY)))
