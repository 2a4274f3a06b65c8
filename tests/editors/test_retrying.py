"""What goes wrong with a service, and what each HTTP editor makes of it, on a real server."""

from __future__ import annotations

import logging
import time
import traceback
from email.utils import formatdate
from pathlib import Path

import pytest
from PIL import Image

from smile_core.config import ConfigError
from smile_core.editors import EditFailure, StopRequested
from smile_core.editors.retrying import Patience, read_picture
from tests.editors.conftest import IMPATIENT, KEY, Maker, http_editor
from tests.loopback_api import Fault, LoopbackApi, colour_of

PROMPTS = ["snow", "rain at dusk", "fog", "night", "sun", "snow", "a"]


def colours(answers: list[Image.Image | EditFailure]) -> list[tuple[int, int, int]]:
    for answer in answers:
        assert isinstance(answer, Image.Image), answer
    return [answer.getpixel((0, 0)) for answer in answers]


def failure(answers: list[Image.Image | EditFailure]) -> str:
    (answer,) = answers
    assert isinstance(answer, EditFailure)
    assert KEY not in answer.reason
    return answer.reason


def test_answers_come_in_order_several_at_once(
    make: Maker, server: LoopbackApi, photo: Image.Image
) -> None:
    server.script.extend(Fault(delay_s=delay) for delay in (0.4, 0.3, 0.2, 0.1))
    answers = make().edit(photo, PROMPTS, seed=5)
    assert colours(answers) == [colour_of(prompt) for prompt in PROMPTS]
    assert len(server.asked) == len(set(PROMPTS))
    assert 2 <= server.most_at_once <= 4
    assert {asked.headers["authorization"] for asked in server.asked} == {f"Bearer {KEY}"}


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_ends_the_run(
    status: int,
    make: Maker,
    server: LoopbackApi,
    photo: Image.Image,
    caplog: pytest.LogCaptureFixture,
) -> None:
    server.faults = {prompt: Fault(status, f"bad key {KEY}") for prompt in PROMPTS}
    with caplog.at_level(logging.DEBUG), pytest.raises(ConfigError, match="key in") as caught:
        make().edit(photo, PROMPTS, seed=0)
    told = "".join(traceback.format_exception(caught.value)) + repr(caught.value) + caplog.text
    assert KEY not in told
    assert "bad key <key>" in str(caught.value)
    assert len(server.asked) <= 4  # none was tried again, and none was begun after it


def test_too_many_requests_waits_as_long_as_it_is_told(
    make: Maker, server: LoopbackApi, photo: Image.Image
) -> None:
    server.script.append(Fault(429, headers={"Retry-After": "1"}))
    assert colours(make().edit(photo, ["snow"], seed=0)) == [colour_of("snow")]
    first, second = server.asked
    assert 1.0 <= second.at - first.at < 5.0


def test_the_wait_may_be_given_as_a_date(
    server: LoopbackApi, photo: Image.Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOOPBACK_KEY", KEY)
    date = int(time.time()) + 2
    headers = {"Retry-After": formatdate(date, usegmt=True)}
    server.script.append(Fault(429, headers=headers))
    answers = http_editor(server, tmp_path).edit(photo, ["snow"], seed=0)
    assert colours(answers) == [colour_of("snow")]
    assert time.time() >= date


def test_a_wait_of_an_hour_is_not_waited_for(
    make: Maker, server: LoopbackApi, photo: Image.Image
) -> None:
    server.script.append(Fault(429, headers={"Retry-After": "3600"}))
    assert "asks to wait 3600 seconds" in failure(make().edit(photo, ["snow"], seed=0))
    assert len(server.asked) == 1


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_broken_server_is_asked_again(
    status: int, make: Maker, server: LoopbackApi, photo: Image.Image
) -> None:
    server.script.extend([Fault(status), Fault(status)])
    assert colours(make().edit(photo, ["snow"], seed=0)) == [colour_of("snow")]
    times = [asked.at for asked in server.asked]
    assert len(times) == 3
    assert times[1] - times[0] >= 0.02
    assert times[2] - times[1] >= 0.04  # twice the first wait


def test_a_server_that_stays_broken_is_a_failure_of_that_edit(
    make: Maker, server: LoopbackApi, photo: Image.Image
) -> None:
    server.faults["rain"] = Fault(500, f"trace with {KEY}")
    answers = make().edit(photo, ["snow", "rain", "fog"], seed=0)
    reason = failure(answers[1:2])
    assert "500" in reason
    assert "trace with <key>" in reason
    assert "Tried 4 times" in reason
    assert colours([answers[0], answers[2]]) == [colour_of("snow"), colour_of("fog")]
    assert len(server.asked) == 6


def test_silence_is_given_up(make: Maker, server: LoopbackApi, photo: Image.Image) -> None:
    server.faults["snow"] = Fault(delay_s=1.5)
    reason = failure(make(IMPATIENT).edit(photo, ["snow"], seed=0))
    assert "did not answer within 0.3 seconds. Tried 2 times." in reason


def test_a_service_that_is_not_there(make: Maker, server: LoopbackApi, photo: Image.Image) -> None:
    editor = make()
    server.shutdown()
    server.server_close()
    assert "cannot be reached" in failure(editor.edit(photo, ["snow"], seed=0))


@pytest.mark.parametrize("fault", [Fault(cut=True), Fault(hang_up=True)])
def test_a_truncated_picture_is_asked_for_once_more(
    fault: Fault, make: Maker, server: LoopbackApi, photo: Image.Image
) -> None:
    server.script.append(fault)
    assert colours(make().edit(photo, ["snow"], seed=0)) == [colour_of("snow")]
    assert len(server.asked) == 2


def test_a_picture_truncated_twice_is_a_failure(
    make: Maker, server: LoopbackApi, photo: Image.Image
) -> None:
    server.faults["snow"] = Fault(cut=True)
    assert "damaged picture" in failure(make().edit(photo, ["snow"], seed=0))
    assert len(server.asked) == 2


@pytest.mark.parametrize("body", [b"not json", b"[]", b'{"data": []}', b'{"images": [{}]}'])
def test_an_answer_in_another_form(
    body: bytes, make: Maker, server: LoopbackApi, photo: Image.Image
) -> None:
    server.faults["snow"] = Fault(body=body)
    assert "sent" in (reason := failure(make().edit(photo, ["snow"], seed=0))) or "form" in reason
    assert len(server.asked) == 2


def test_an_edit_that_is_refused_leaves_the_others(
    make: Maker, server: LoopbackApi, photo: Image.Image
) -> None:
    server.faults["rain"] = Fault(400, "not this picture", code="moderation_blocked")
    answers = make().edit(photo, ["snow", "rain"], seed=0)
    assert "refused this edit" in failure(answers[1:])
    assert "not this picture" in failure(answers[1:])
    assert colours(answers[:1]) == [colour_of("snow")]
    assert len(server.asked) == 2


@pytest.mark.parametrize("fault", [Fault(429, headers={"Retry-After": "30"}), Fault(delay_s=5.0)])
def test_stop_is_heard_while_waiting(
    fault: Fault, make: Maker, server: LoopbackApi, photo: Image.Image
) -> None:
    server.faults["rain"] = fault
    pressed: list[float] = []

    def stop() -> bool:
        if len(server.asked) == 4 and not pressed:  # by now "rain" waits, and the rest is made
            pressed.append(time.monotonic() + 0.3)
        return bool(pressed) and time.monotonic() > pressed[0]

    with pytest.raises(StopRequested) as caught:
        make().edit(photo, ["snow", "fog", "rain", "sun"], seed=0, stop=stop)
    assert time.monotonic() - pressed[0] < 1.0
    assert colours(caught.value.answers) == [colour_of("snow"), colour_of("fog")]
    time.sleep(0.1)
    assert len(server.asked) == 4


def test_patience_of_one_try_says_nothing_of_tries(
    make: Maker, server: LoopbackApi, photo: Image.Image
) -> None:
    server.script.append(Fault(500))
    assert "Tried" not in failure(make(Patience(tries=1)).edit(photo, ["snow"], seed=0))


def test_only_pictures_are_decoded() -> None:
    assert not isinstance(read_picture(b"%!PS-Adobe-3.0 EPSF-3.0\n", "It"), Image.Image)
