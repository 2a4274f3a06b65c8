"""The same service behind each of the three kinds of editor that ask over HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import huggingface_hub.constants
import numpy as np
import pytest
from PIL import Image

from smile_core.editors.external import load_external
from smile_core.editors.hf_inference import HFInference
from smile_core.editors.openai_images import OpenAIImages, openai_card
from smile_core.editors.protocol import Editor, EditorCard
from smile_core.editors.retrying import Patience
from tests.loopback_api import LoopbackApi

KEY = "hf_secret-0123456789"
QUICK = Patience(tries=4, first_wait_s=0.02, longest_wait_s=40.0, timeout_s=20.0)
IMPATIENT = Patience(tries=2, first_wait_s=0.02, timeout_s=0.3)

Maker = Callable[..., Editor]


@pytest.fixture
def server() -> Iterator[LoopbackApi]:
    with LoopbackApi() as running:
        yield running


@pytest.fixture
def photo() -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


@pytest.fixture(params=["openai", "hf", "http"])
def make(
    request: pytest.FixtureRequest,
    server: LoopbackApi,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Maker:
    """Return a function that makes an editor whose service is `server`."""
    makers = {"openai": openai_editor, "hf": hf_editor, "http": http_editor}
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setenv("LOOPBACK_KEY", KEY)

    def made(patience: Patience = QUICK) -> Editor:
        return makers[request.param](server, tmp_path, patience)

    return made


def openai_editor(server: LoopbackApi, folder: Path, patience: Patience = QUICK) -> Editor:
    card = openai_card("gpt-image-2.5-flare", "Flare", "")
    return OpenAIImages(card, key=KEY, base_url=f"{server.url}/v1", patience=patience)


def hf_editor(server: LoopbackApi, folder: Path, patience: Patience = QUICK) -> Editor:
    card = EditorCard(
        name="endpoint",
        title="Endpoint",
        family="hf-inference",
        takes_seed=False,
        steps=7,
        knobs={"guidance_scale": 2.5},
        source=f"{server.url}/hf",
        key_variable="HF_TOKEN",
    )
    return HFInference(card, key=KEY, patience=patience)


def http_editor(server: LoopbackApi, folder: Path, patience: Patience = QUICK) -> Editor:
    description = {
        "name": "own",
        "version": "1",
        "concurrency": 4,
        "http": {
            "url": f"{server.url}/own",
            "headers": {"Authorization": "Bearer {env:LOOPBACK_KEY}"},
            "json": {"picture": "{image}", "prompt": "{prompt}", "more": [{"seed": "{seed}"}]},
            "picture_at": "images.0.data",
        },
    }
    path = folder / "own.json"
    path.write_text(json.dumps(description))
    return load_external(path, patience)
