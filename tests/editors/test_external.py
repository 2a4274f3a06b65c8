from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from smile_core.config import ConfigError
from smile_core.editors import EditFailure, Editor, StopRequested, load_editor
from smile_core.editors.external import load_external
from tests.editors.conftest import KEY, QUICK, http_editor
from tests.loopback_api import Fault, LoopbackApi, colour_of

EXAMPLES = Path(__file__).parents[2] / "assets" / "editors" / "examples"
PAINT = """
import os, sys, time
from PIL import Image
image, prompt, seed, output = sys.argv[1:]
picture = Image.open(image)
if prompt == "sleep": open("pid", "w").write(str(os.getpid())); time.sleep(60)
if prompt == "break": sys.exit("first line\\nit broke here\\n\\n")
if prompt == "text": open(output, "w").write("not a picture")
elif prompt != "nothing":
    Image.new("RGB", picture.size, (len(prompt), int(seed), 9)).save(output, "PNG")
"""
ARGUMENTS = [sys.executable, "paint.py", "{image}", "{prompt}", "{seed}", "{output}"]
HTTP = {"url": "http://127.0.0.1:9/", "json": {"picture": "{image}", "text": "{prompt}"}}

Write = Callable[[dict[str, Any]], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(description: dict[str, Any]) -> Path:
        path = tmp_path / "editor.json"
        path.write_text(json.dumps({"name": "mine", **description}))
        return path

    return written


@pytest.fixture
def command(write: Write, tmp_path: Path) -> Editor:
    (tmp_path / "paint.py").write_text(PAINT)
    return load_external(write({"timeout_s": 30, "command": {"arguments": ARGUMENTS}}))


def test_a_command_paints_each_prompt(command: Editor, photo: Image.Image) -> None:
    prompts = ["snow", '$(rm -rf /) "; {output}', "", "-h", "snow"]
    answers = command.edit(photo, prompts, seed=7)
    assert [answer.getpixel((0, 0)) for answer in answers if isinstance(answer, Image.Image)] == [
        (len(prompt), 7, 9) for prompt in prompts
    ]
    assert answers[0].size == photo.size
    assert command.card.takes_seed
    assert command.card.family == "command-line"
    assert command.card.does == ""


@pytest.mark.parametrize(
    ("prompt", "reason"),
    [
        ("break", "The command ended with exit code 1: it broke here."),
        ("nothing", "The command ended well, but wrote no picture to {output}."),
        ("text", "What the command wrote to {output} is not a picture."),
        ("a\0b", "The instruction holds a letter that no command can take."),
    ],
)
def test_each_failure_of_a_command_has_its_sentence(
    prompt: str, reason: str, command: Editor, photo: Image.Image
) -> None:
    broken, fine = command.edit(photo, [prompt, "snow"], seed=0)
    assert broken == EditFailure(reason)
    assert isinstance(fine, Image.Image)


def has_ended(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_a_command_that_takes_too_long_is_ended(
    write: Write, command: Editor, photo: Image.Image, tmp_path: Path
) -> None:
    slow = load_external(write({"timeout_s": 3, "command": {"arguments": ARGUMENTS}}))
    (answer,) = slow.edit(photo, ["sleep"], seed=0)
    assert answer == EditFailure("The command took longer than 3 seconds and was ended.")
    assert has_ended(int((tmp_path / "pid").read_text()))


def test_stop_ends_a_command_at_once(command: Editor, photo: Image.Image, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    pressed: list[float] = []

    def stop() -> bool:
        if pid.is_file() and pid.read_text() and not pressed:
            pressed.append(time.monotonic())
        return bool(pressed)

    with pytest.raises(StopRequested) as caught:
        command.edit(photo, ["snow", "sleep", "fog"], seed=0, stop=stop)
    assert time.monotonic() - pressed[0] < 1.0
    assert len(caught.value.answers) == 1
    assert has_ended(int(pid.read_text()))


def test_a_program_that_went_away_ends_the_run(
    command: Editor, photo: Image.Image, write: Write, tmp_path: Path
) -> None:
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    arguments = ["./program", *ARGUMENTS[2:]]
    editor = load_external(write({"command": {"arguments": arguments}}))
    program.unlink()
    with pytest.raises(ConfigError, match="cannot be started: No such file"):
        editor.edit(photo, ["snow"], seed=0)


def test_nobody_vouches_that_a_program_or_a_service_repeats_itself(
    write: Write, command: Editor
) -> None:
    assert not command.card.repeatable
    assert not load_external(write({"http": HTTP})).card.repeatable


def test_no_version_no_cache(write: Write, command: Editor) -> None:
    described = {"command": {"arguments": ARGUMENTS}}
    assert command.fingerprint is None
    one, two = (
        load_external(write({"version": version, **described})).fingerprint for version in "12"
    )
    assert None not in (one, two)
    assert one != two


def test_json_with_the_picture_inside_the_answer(
    server: LoopbackApi, photo: Image.Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOOPBACK_KEY", KEY)
    editor = http_editor(server, tmp_path)
    prompt = 'snow "and" {seed}'
    (answer,) = editor.edit(photo, [prompt], seed=11)
    assert answer.getpixel((0, 0)) == colour_of(prompt)
    (asked,) = server.asked
    assert asked.fields == {"prompt": prompt, "more": [{"seed": 11}]}
    assert asked.photo.tobytes() == photo.tobytes()
    assert KEY not in f"{editor!r} {vars(editor)} {editor.fingerprint} {editor.card}"


def test_multipart_with_the_picture_as_the_answer(
    server: LoopbackApi, photo: Image.Image, write: Write
) -> None:
    sent = {"image": "{image}", "prompt": "{prompt}", "seed": "{seed}"}
    call = {"url": f"{server.url}/raw", "method": "PUT", "multipart": sent}
    (answer,) = load_external(write({"http": call}), QUICK).edit(photo, ["snow"], seed=4)
    assert answer.getpixel((0, 0)) == colour_of("snow")
    assert server.asked[0].fields == {"prompt": "snow", "seed": "4"}
    assert server.asked[0].photo.tobytes() == photo.tobytes()


def test_a_redirect_is_a_failure_and_takes_no_key_along(
    server: LoopbackApi, photo: Image.Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOOPBACK_KEY", KEY)
    server.script.append(Fault(302, "moved", headers={"Location": f"{server.url}/raw"}))
    (answer,) = http_editor(server, tmp_path).edit(photo, ["snow"], seed=0)
    assert isinstance(answer, EditFailure)
    assert "302" in answer.reason
    assert len(server.asked) == 1


def test_a_missing_variable_is_said_at_once(
    server: LoopbackApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LOOPBACK_KEY", raising=False)
    with pytest.raises(ConfigError, match="variable LOOPBACK_KEY"):
        http_editor(server, tmp_path)


@pytest.mark.parametrize(
    ("description", "words"),
    [
        ({"titel": "x", "http": HTTP}, "'titel'. Did you mean 'title'?"),
        ({"name": "", "http": HTTP}, "gives the editor no name"),
        ({"name": 3, "http": HTTP}, "'name' must be a text, not 3"),
        ({"does": ["hats"], "http": HTTP}, "'does' must be a text, not ['hats']"),
        ({}, "must hold one table"),
        ({"http": HTTP, "command": {"arguments": ARGUMENTS}}, "must hold one table"),
        ({"timeout_s": 0, "http": HTTP}, "a number from 1 to 3600, not 0"),
        ({"concurrency": 2.5, "http": HTTP}, "a whole number from 1 to 16, not 2.5"),
        ({"long_side": True, "http": HTTP}, "a whole number from 64 to 8192, not True"),
        ({"http": "x"}, "'http' must be a table"),
        ({"http": HTTP | {"urls": 1}}, "'urls'. Did you mean 'url'?"),
        ({"http": HTTP | {"url": "ftp://a"}}, "must begin with http:// or https://"),
        ({"http": HTTP | {"method": "GET"}}, "'GET'"),
        ({"http": HTTP | {"multipart": {}}}, "either as json or as multipart"),
        ({"http": {"url": "http://a"}}, "either as json or as multipart"),
        ({"http": HTTP | {"json": {"a": "{image}"}}}, "never uses {prompt}"),
        ({"http": HTTP | {"json": {"a": "{image} {prompt} {sed}"}}}, "holds {sed}, which nothing"),
        ({"http": HTTP | {"json": {"a": "{image} {prompt} {env:A}"}}}, "holds {env:A}"),
        ({"http": HTTP | {"headers": {"A": "{prompt}"}}}, "headers take {env:NAME} only"),
        ({"http": HTTP | {"headers": {"A": 1}}}, "'A' must be a text"),
        ({"http": HTTP | {"picture_at": 0}}, "'picture_at' must be a text"),
        (
            {"http": {"url": "http://a", "multipart": {"a": "{image} {prompt}"}}},
            'must be just "{image}"',
        ),
        ({"command": {"argument": []}}, "'argument'. Did you mean 'arguments'?"),
        ({"command": {"arguments": "python edit.py"}}, "as a list of texts"),
        ({"command": {"arguments": [sys.executable, 3]}}, "every argument must be a text"),
        ({"command": {"arguments": [*ARGUMENTS[:-1]]}}, "never uses {output}"),
        ({"command": {"arguments": [*ARGUMENTS, "{env:HOME}"]}}, "holds {env:HOME}"),
        (
            {"command": {"arguments": ["no-such-program", *ARGUMENTS[2:]]}},
            "'no-such-program', which is not on this machine",
        ),
    ],
)
def test_a_description_is_checked_in_full(
    description: dict[str, Any], words: str, write: Write
) -> None:
    with pytest.raises(ConfigError) as caught:
        load_external(write(description))
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text"),
    [("a.toml", "name = "), ("a.json", "{"), ("a.json", "[1]"), ("a.toml", "\ufffe\0")],
)
def test_what_is_no_description(name: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(ConfigError, match="JSON"):
        load_external(path)
    with pytest.raises(ConfigError, match="No such file"):
        load_external(tmp_path / "missing.toml")


def test_toml_dates_cannot_be_sent(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text('name = "a"\n[http]\nurl = "http://a"\njson = { a = 2026-11-21 }\n')
    with pytest.raises(ConfigError, match="cannot be sent as JSON"):
        load_external(path)


def test_the_examples(photo: Image.Image, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    tint = load_editor(str(EXAMPLES / "command.toml"))
    assert tint.card.does == "a tint of the whole picture in red, green, blue or gold"
    assert tint.card.does_not == "other change"
    assert tint.card.example == "make it red"
    red, plain = tint.edit(photo, [tint.card.example, "leave it"], seed=0)
    assert plain.tobytes() == photo.tobytes()
    assert red.getpixel((5, 5))[0] > plain.getpixel((5, 5))[0]
    monkeypatch.setenv("MY_SERVICE_TOKEN", KEY)
    assert load_editor(str(EXAMPLES / "http-service.toml")).card.takes_seed


def test_a_public_server_loads_no_description(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACE_ID", "somebody/space")
    with pytest.raises(ConfigError, match="public server loads no others"):
        load_editor(str(EXAMPLES / "../examples/command.toml"))
