from __future__ import annotations

from pathlib import Path

import huggingface_hub.constants
import pytest
from PIL import Image

from smile_core.config import ConfigError
from smile_core.editors.api_editors import API_CARDS
from smile_core.editors.hf_inference import HFInference
from smile_core.editors.protocol import EditorCard, fit_to_card
from tests.editors.conftest import KEY, QUICK, hf_editor
from tests.loopback_api import Fault, LoopbackApi, colour_of

CARD = EditorCard(name="a", title="A", family="hf-inference", source="somebody/model")


@pytest.fixture
def _online(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)


@pytest.fixture
def _logged_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr(huggingface_hub.constants, "HF_TOKEN_PATH", str(tmp_path / "token"))


@pytest.mark.usefixtures("_online")
def test_the_request_carries_photo_prompt_seed_and_knobs(
    server: LoopbackApi, photo: Image.Image, tmp_path: Path
) -> None:
    editor = hf_editor(server, tmp_path)
    editor.edit(photo, ["make it snowy"], seed=3, guidance_scale=4.0)
    (asked,) = server.asked
    assert asked.fields == {
        "prompt": "make it snowy",
        "seed": 3,
        "num_inference_steps": 7,
        "guidance_scale": 4.0,
    }
    assert asked.photo.tobytes() == photo.tobytes()
    assert asked.headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.usefixtures("_logged_out")
def test_no_token_is_said_before_any_request() -> None:
    with pytest.raises(ConfigError, match="variable HF_TOKEN, or type it into"):
        HFInference(CARD)


@pytest.mark.usefixtures("_logged_out", "_online")
def test_the_token_of_the_environment(
    server: LoopbackApi, photo: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_of_the_environment")
    card = EditorCard(name="a", title="A", family="hf-inference", source=f"{server.url}/hf")
    HFInference(card).edit(photo, ["snow"], seed=0)
    assert server.asked[0].headers["authorization"] == "Bearer hf_of_the_environment"


@pytest.fixture
def _provider(server: LoopbackApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the hub and the router of its providers be the server on this machine."""
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", server.url)
    router = f"{server.url}/router/{{provider}}"
    monkeypatch.setattr(huggingface_hub.constants, "INFERENCE_PROXY_TEMPLATE", router)


@pytest.mark.usefixtures("_online", "_provider")
def test_a_model_of_the_hub_is_edited_by_the_provider_that_serves_it(
    server: LoopbackApi, photo: Image.Image
) -> None:
    card = next(card for card in API_CARDS if card.name == "flux-kontext-api")
    edits = HFInference(card, key=KEY).edit(photo, ["make it snowy", "snowy"], seed=3)
    assert [edit.getpixel((0, 0)) for edit in edits] == [
        colour_of("make it snowy"),
        colour_of("snowy"),
    ]
    for asked in server.asked:
        assert asked.path == "/router/replicate/v1/models/lab/model/predictions"
        assert asked.headers["authorization"] == f"Bearer {KEY}"
        known = {"seed": 3, "num_inference_steps": 28, "guidance_scale": 2.5}
        assert known.items() <= asked.fields.items()
        assert asked.photo.size == fit_to_card(photo, card).size


@pytest.mark.usefixtures("_online", "_provider")
@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault(401, "bad token"), "Check that the key"),
        (Fault(500), "could not answer (500)"),
        (Fault(body=b'{"output": null}'), "no picture ready in time"),
        (Fault(body=b'{"status": "odd"}'), "no picture ready in time"),
        (Fault(body=b"[]"), "cannot be read"),
    ],
)
def test_what_goes_wrong_at_a_provider_is_a_sentence(
    fault: Fault, words: str, server: LoopbackApi, photo: Image.Image
) -> None:
    server.faults["snowy"] = fault
    try:
        (answer,) = HFInference(CARD, key=KEY, patience=QUICK).edit(photo, ["snowy"], seed=0)
        told = answer.reason
    except ConfigError as error:
        told = str(error)
    assert words in told
    assert KEY not in told


def test_offline_mode_ends_the_run(
    server: LoopbackApi, photo: Image.Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ConfigError, match="HF_HUB_OFFLINE is set"):
        hf_editor(server, tmp_path).edit(photo, ["snow"], seed=0)
    assert not server.asked


def test_a_provider_that_does_not_exist_ends_the_run(photo: Image.Image) -> None:
    editor = HFInference(CARD, provider="nobody", key=KEY)
    with pytest.raises(ConfigError, match="'nobody' not supported"):
        editor.edit(photo, ["snow"], seed=0)


def test_the_token_is_not_shown(server: LoopbackApi, tmp_path: Path) -> None:
    editor = hf_editor(server, tmp_path)
    assert KEY not in f"{editor!r} {vars(editor)} {editor.fingerprint} {editor.card}"


def test_the_fingerprint_tells_models_and_providers_apart() -> None:
    other = EditorCard(name="a", title="A", family="hf-inference", source="somebody/other")
    made = [
        HFInference(card, provider=provider, key=KEY).fingerprint
        for card in (CARD, other)
        for provider in ("auto", "fal-ai")
    ]
    assert len(set(made)) == 4
