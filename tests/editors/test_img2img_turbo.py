"""Img2Img-Turbo as an editor: what it sees of a photo, rows, seeds, and where it is loaded from."""

from __future__ import annotations

import json
import shutil
import threading
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from huggingface_hub import constants
from PIL import Image

from smile_core.config import ConfigError, RunConfig
from smile_core.editors import StopRequested, list_editors, load_editor
from smile_core.editors.img2img_turbo import Img2ImgTurbo, load_turbo
from smile_core.editors.turbo_cards import TURBO_CARDS
from tests import tiny_turbo

SIZE = (64, 48)
PROMPTS = ["snow", "a night", "fog", "rain at dusk", "b c d"]
PUBLISHED = {
    "edges": "edge_to_image_loras.pkl",
    "sketch": "sketch_to_image_stochastic_lora.pkl",
    "cyclegan": "day2night.pkl",
}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_turbo.save_sd_turbo(tmp_path_factory.mktemp("turbo") / "sd-turbo")


@pytest.fixture(scope="module")
def editors(base: Path) -> dict[str, Img2ImgTurbo]:
    files = {kind: base.parent / name for kind, name in PUBLISHED.items()}
    tiny_turbo.save_pix2pix(files["edges"], base)
    tiny_turbo.save_pix2pix(files["sketch"], base, sketch=True)
    tiny_turbo.save_cyclegan(files["cyclegan"], base)
    cards = {card.source.rpartition("/")[2]: card for card in TURBO_CARDS}
    return {
        kind: load_turbo(
            file, replace(cards[file.name], memory_gb=0.1, long_side=64, multiple_of=16), base=base
        )
        for kind, file in files.items()
    }


@pytest.fixture(scope="module")
def photo() -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    return Image.fromarray(cv2.GaussianBlur(pixels, (5, 5), 1.5))


def levels(picture: object) -> np.ndarray:
    assert isinstance(picture, Image.Image)
    return np.asarray(picture).astype(int)


def seen(kind: str, photo: Image.Image) -> torch.Tensor:
    """Return the control picture as the published scripts make it, (1, 3, h, w)."""
    pixels = np.asarray(photo)
    if kind == "edges":
        edges = cv2.Canny(pixels, 70, 200)
        assert 0.02 < (edges > 0).mean() < 0.98
        pixels = np.stack([edges] * 3, axis=2)
    control = torch.from_numpy(pixels / np.float32(255)).permute(2, 0, 1)[None]
    if kind == "sketch":
        return (control < 0.5).float()
    return control * 2 - 1 if kind == "cyclegan" else control


@pytest.mark.parametrize("kind", PUBLISHED)
def test_an_edit_is_the_model_on_what_it_sees(
    kind: str, editors: dict[str, Img2ImgTurbo], photo: Image.Image
) -> None:
    pipe = editors[kind]._pipe
    made = editors[kind].edit(photo, ["snow"], seed=7)[0]
    with torch.inference_mode():
        if kind == "sketch":
            pipe.set_ratio(0.4)
        latents, skips = pipe.encode_control(seen(kind, photo))
        tokens = pipe.tokenizer("snow", padding="max_length", return_tensors="pt").input_ids
        texts = pipe.text_encoder(tokens)[0]  # (1, T, d)
        if kind == "sketch":
            noise = torch.randn(latents.shape, generator=torch.Generator().manual_seed(7))
            latents = 0.4 * latents + 0.6 * noise
        pixels = pipe.translate(latents, skips, texts)[0]
    expected = (pixels * 127.5 + 127.5).permute(1, 2, 0).numpy()
    assert made.size == SIZE
    assert np.abs(levels(made) - expected).max() <= 0.51  # a picture has whole levels


@pytest.mark.parametrize("kind", PUBLISHED)
def test_a_batch_gives_what_single_edits_give(
    kind: str, editors: dict[str, Img2ImgTurbo], photo: Image.Image
) -> None:
    editor = editors[kind]
    together = [levels(made) for made in editor.edit(photo, PROMPTS, seed=3)]
    singly = [levels(editor.edit(photo, [prompt], seed=3)[0]) for prompt in PROMPTS]
    assert max(np.abs(a - b).max() for a, b in zip(together, singly, strict=True)) <= 2
    assert all(np.abs(together[0] - other).max() > 2 for other in together[1:])


def test_only_the_sketch_model_draws_noise(
    editors: dict[str, Img2ImgTurbo], photo: Image.Image
) -> None:
    for kind, editor in editors.items():
        first, other = (levels(editor.edit(photo, ["snow"], seed=seed)[0]) for seed in (1, 2))
        np.testing.assert_array_equal(first, levels(editor.edit(photo, ["snow"], seed=1)[0]))
        assert (np.abs(first - other).max() > 2) == (kind == "sketch")


def test_strength_is_the_share_of_noise(
    editors: dict[str, Img2ImgTurbo], photo: Image.Image
) -> None:
    editor = editors["sketch"]
    other = Image.fromarray(255 - np.asarray(photo))

    def distance(strength: float) -> float:
        pair = [editor.edit(p, ["snow"], seed=0, strength=strength)[0] for p in (photo, other)]
        return float(np.abs(levels(pair[0]) - levels(pair[1])).mean())

    assert distance(1.0) == 0  # nothing of the photo is left
    assert distance(0.2) > distance(1.0)
    explicit, default = (editor.edit(photo, ["a"], seed=0, **k)[0] for k in ({"strength": 0.6}, {}))
    np.testing.assert_array_equal(levels(explicit), levels(default))


def test_the_photo_is_encoded_once(editors: dict[str, Img2ImgTurbo], photo: Image.Image) -> None:
    editor = editors["cyclegan"]
    calls: list[int] = []
    hook = editor._pipe.vae.encoder.register_forward_pre_hook(lambda *_: calls.append(1))
    fresh = photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    editor.edit(fresh, PROMPTS, seed=0)
    editor.edit(fresh, ["more"], seed=1)
    hook.remove()
    assert len(calls) == 1


def test_what_it_cannot_do_is_told(editors: dict[str, Img2ImgTurbo], photo: Image.Image) -> None:
    with pytest.raises(ConfigError, match="exactly one step, not 4"):
        editors["edges"].edit(photo, ["snow"], seed=0, steps=4)
    with pytest.raises(ConfigError, match="has no strength"):
        editors["edges"].edit(photo, ["snow"], seed=0, strength=0.5)
    with pytest.raises(ConfigError, match="reads only"):
        editors["edges"].edit(photo, ["snow" * 20], seed=0)


def test_stop_is_heard_between_calls(editors: dict[str, Img2ImgTurbo], photo: Image.Image) -> None:
    answers = iter([False, True])
    with pytest.raises(StopRequested) as stopped:
        editors["edges"].edit(photo, PROMPTS, seed=0, stop=lambda: next(answers))
    assert len(stopped.value.answers) == 4  # rows of one call


def test_a_folder_holds_everything(
    base: Path, editors: dict[str, Img2ImgTurbo], photo: Image.Image, tmp_path: Path
) -> None:
    folder = shutil.copytree(base, tmp_path / "my-turbo")
    shutil.copy(base.parent / PUBLISHED["cyclegan"], folder / "night2day.pkl")
    card = {"name": "mine", "title": "Mine", "family": "img2img-turbo", "long_side": 64}
    (folder / "smile_card.json").write_text(json.dumps({**card, "multiple_of": 16}))
    mine = load_editor(str(folder))
    assert isinstance(mine, Img2ImgTurbo)
    assert mine.name == "mine"
    # The same file, in its other direction.
    pair = [levels(editor.edit(photo, ["a"], seed=0)[0]) for editor in (mine, editors["cyclegan"])]
    assert np.abs(pair[0] - pair[1]).max() > 2
    assert len({editor.fingerprint for editor in (mine, *editors.values())}) == 4


def test_a_file_alone_takes_the_card_of_its_kind(
    base: Path, editors: dict[str, Img2ImgTurbo], tmp_path: Path
) -> None:
    file = shutil.copy(base.parent / PUBLISHED["sketch"], tmp_path / "trained-by-me.pkl")
    editor = load_turbo(file, base=base)
    assert (editor.name, editor.card.source) == ("trained-by-me", str(file))
    assert editor.card.knobs == {"strength": 0.6}
    with pytest.raises(ConfigError, match="'stabilityai/sd-turbo' is not on this machine"):
        load_editor(str(file))  # its base would come from the hub


def test_published_weights_are_fetched_once(
    base: Path, editors: dict[str, Img2ImgTurbo], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_ASSETS_CACHE", str(tmp_path))
    url = "{}/" + PUBLISHED["edges"]
    handler = partial(SimpleHTTPRequestHandler, directory=str(base.parent))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        url = url.format(f"http://127.0.0.1:{server.server_port}")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        fetched = load_turbo(url, base=base)
        server.shutdown()
    again = load_turbo(url, base=base)  # nobody answers there any more
    assert fetched.fingerprint == again.fingerprint == editors["edges"].fingerprint
    assert fetched.card.source == url


def test_without_a_network_nothing_is_loaded(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_ASSETS_CACHE", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    with pytest.raises(ConfigError, match=r"'day2night.pkl' is not on this machine .* Connect"):
        load_editor("cyclegan-turbo-day2night")


def test_a_base_model_of_another_kind_is_refused(
    base: Path, editors: dict[str, Img2ImgTurbo], tmp_path: Path
) -> None:
    other = shutil.copytree(base, tmp_path / "other")
    index = json.loads((other / "model_index.json").read_text())
    del index["vae"]
    (other / "model_index.json").write_text(json.dumps(index))
    weights = base.parent / PUBLISHED["edges"]
    with pytest.raises(ConfigError, match="has no vae, so it is not sd-turbo"):
        load_turbo(weights, base=other)
    velocity = shutil.copytree(base, tmp_path / "velocity")
    scheduler = velocity / "scheduler" / "scheduler_config.json"
    scheduler.write_text(scheduler.read_text().replace('"epsilon"', '"v_prediction"'))
    with pytest.raises(ConfigError, match=r"^Img2Img-Turbo .* predicts 'v_prediction'"):
        load_turbo(weights, base=velocity)


def test_the_cards_say_what_a_user_must_know() -> None:
    listed = {card.name: card for card in list_editors()}
    assert len(TURBO_CARDS) == 6
    for card in TURBO_CARDS:
        assert listed[card.name] == card
        assert "non-commercial" in card.licence
        assert card.steps == 1
        assert "never run here" in card.notes
        RunConfig(instruction="snow", steps=card.steps, **card.knobs)
    captions = [card.notes for card in TURBO_CARDS if "driving in the day" in card.notes]
    assert len(captions) == 2
