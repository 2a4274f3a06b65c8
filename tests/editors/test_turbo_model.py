"""Img2Img-Turbo against a forward pass of its own: plain layers, merged by hand, no peft."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL, DDPMScheduler
from torch.nn.functional import conv2d

from smile_core.config import ConfigError
from smile_core.editors.img2img_turbo import build_turbo
from smile_core.editors.turbo_layers import SkipConnections
from smile_core.editors.turbo_model import TurboPipeline
from smile_core.editors.turbo_weights import find_weights, read_weights
from tests import tiny_turbo
from tests.tiny_parts import WIDTH
from tests.tiny_turbo import SKIP_CONVS, UNET_RANK, VAE_RANK, Tensors

KINDS = ["edges", "sketch", "day2night", "night2day"]
RATIO = 0.4


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_turbo.save_sd_turbo(tmp_path_factory.mktemp("turbo") / "sd-turbo")


@pytest.fixture(scope="module")
def file_of(base: Path) -> Callable[[str], Path]:
    """Return a function that gives the weight file of a kind."""

    def path(kind: str) -> Path:
        target = base.parent / f"{kind}.pkl"
        if not target.exists():
            if kind in ("edges", "sketch"):
                tiny_turbo.save_pix2pix(target, base, sketch=kind == "sketch")
            else:
                tiny_turbo.save_cyclegan(target, base)
        return target

    return path


def merged(
    state: Tensors, adapted: Tensors, adapter: str, scale: float, prefix: str = ""
) -> Tensors:
    """Return W + scale * B A for every layer that has an A and a B, and W for all others."""
    result = dict(state)
    ending = f".lora_A{adapter}.weight"
    for name, a in adapted.items():
        if not (name.startswith(prefix) and name.endswith(ending)):
            continue
        layer = name.removesuffix(ending)
        b = adapted[f"{layer}.lora_B{adapter}.weight"]
        change = (b.flatten(1) @ a.flatten(1)).reshape(len(b), *a.shape[1:])
        key = f"{layer.removeprefix(prefix)}.weight"
        result[key] = result[key] + scale * change
    return result


def reference(
    base: Path,
    kind: str,
    content: dict[str, Any],
    control: torch.Tensor,
    texts: torch.Tensor,
    noise: torch.Tensor,
    *,
    alpha_unet: float | None = None,
) -> torch.Tensor:
    """Return the pictures, each text on its own, by the plainest way there is."""
    unet, vae = tiny_turbo.plain_parts(base)
    ratio = RATIO if kind == "sketch" else 1.0
    if kind in ("edges", "sketch"):
        stored = content["state_dict_unet"]
        state = unet.state_dict()
        for part in ("weight", "bias"):
            if kind == "edges":
                state[f"conv_in.{part}"] = stored[f"conv_in.{part}"]
            else:
                twins = (
                    stored[f"conv_in.conv_in_{twin}.{part}"] for twin in ("pretrained", "curr")
                )
                before, after = twins
                state[f"conv_in.{part}"] = (1 - ratio) * before + ratio * after
        state = merged(state, stored, ".default", ratio * (alpha_unet or 8) / UNET_RANK)
        vae_state = vae.state_dict() | {
            f"decoder.{name}.weight": content["state_dict_vae"][f"decoder.{name}.base_layer.weight"]
            for name in SKIP_CONVS
        }
        vae_state = merged(vae_state, content["state_dict_vae"], ".vae_skip", ratio * 8 / VAE_RANK)
    else:
        state = unet.state_dict()
        for part in ("sd_encoder", "sd_decoder", "sd_other"):
            state = merged(state, content[part], "", (alpha_unet or UNET_RANK) / UNET_RANK)
        prefix = "vae_b2a." if kind == "night2day" else "vae."
        own = {
            name.removeprefix(prefix): value
            for name, value in content["sd_vae_dec"].items()
            if name.startswith(prefix)
        }
        plain = {name.replace(".base_layer", ""): own[name] for name in own if "lora" not in name}
        vae_state = merged(plain, own, ".vae_skip", 8 / VAE_RANK)
    unet.load_state_dict(state)
    skips = [vae_state.pop(f"decoder.{name}.weight") for name in SKIP_CONVS]
    vae.load_state_dict(vae_state)
    scheduler = DDPMScheduler.from_pretrained(base, subfolder="scheduler", clip_sample=False)
    scheduler.set_timesteps(1)
    assert scheduler.timesteps.tolist() == [999]
    return torch.cat(
        [one_picture(unet, vae, scheduler, skips, control, text, noise, ratio) for text in texts]
    )


def one_picture(
    unet: Any,
    vae: Any,
    scheduler: Any,
    skips: list[torch.Tensor],
    control: torch.Tensor,
    text: torch.Tensor,
    noise: torch.Tensor,
    ratio: float,
) -> torch.Tensor:
    hidden = vae.encoder.conv_in(control)
    entered = []
    for block in vae.encoder.down_blocks:
        entered.append(hidden)
        hidden = block(hidden)
    hidden = vae.encoder.conv_norm_out(vae.encoder.mid_block(hidden))
    moments = vae.quant_conv(vae.encoder.conv_out(vae.encoder.conv_act(hidden)))
    latents = moments[:, :4] * vae.config.scaling_factor
    latents = ratio * latents + (1 - ratio) * noise
    predicted = unet(latents, torch.tensor([999]), encoder_hidden_states=text[None]).sample
    clean = scheduler.step(predicted, 999, latents).prev_sample
    hidden = vae.post_quant_conv(clean / vae.config.scaling_factor)
    hidden = vae.decoder.mid_block(vae.decoder.conv_in(hidden))
    for block, weight, act in zip(vae.decoder.up_blocks, skips, reversed(entered), strict=True):
        hidden = block(hidden + conv2d(act * ratio, weight))
    hidden = vae.decoder.conv_act(vae.decoder.conv_norm_out(hidden))
    return vae.decoder.conv_out(hidden).clamp(-1, 1)


@pytest.fixture(scope="module", params=KINDS)
def case(
    request: pytest.FixtureRequest, base: Path, file_of: Callable[[str], Path]
) -> tuple[str, dict[str, Any], TurboPipeline]:
    path = file_of(request.param)
    content = torch.load(path, weights_only=True)
    return request.param, content, build_turbo(base, read_weights(path))


@torch.inference_mode()
def test_the_model_is_the_published_architecture(
    base: Path, case: tuple[str, dict[str, Any], TurboPipeline]
) -> None:
    kind, content, pipe = case
    dice = torch.Generator().manual_seed(3)
    control = torch.rand((1, 3, 64, 48), generator=dice)
    texts = torch.randn((3, 16, WIDTH), generator=dice)
    noise = torch.randn((1, 4, 8, 6), generator=dice)
    if kind == "sketch":
        pipe.set_ratio(0.9)  # another one before, which must leave no trace
        pipe.set_ratio(RATIO)
    latents, skips = pipe.encode_control(control)
    started = RATIO * latents + (1 - RATIO) * noise if kind == "sketch" else latents
    pipe.encode_control(torch.zeros_like(control))  # nor must another picture
    made = pipe.translate(started, skips, texts)
    expected = reference(base, kind, content, control, texts, noise)
    assert made.shape == (3, 3, 64, 48)
    assert (made.abs() < 1).float().mean() > 0.5, "clamping would hide differences"
    torch.testing.assert_close(made, expected, atol=1e-4, rtol=0)
    # The test itself can tell the two scales of the low-rank weights apart.
    other = 8.0 if kind not in ("edges", "sketch") else float(UNET_RANK)
    wrong = reference(base, kind, content, control, texts, noise, alpha_unet=other)
    assert (made - wrong).abs().max() > 1e-2


def test_the_skip_convolutions_of_the_real_size() -> None:
    with torch.device("meta"):
        vae = AutoencoderKL(
            block_out_channels=(128, 256, 512, 512),
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            layers_per_block=2,
        )
        SkipConnections(vae)
    shapes = [getattr(vae.decoder, name).weight.shape for name in SKIP_CONVS]
    assert [tuple(shape) for shape in shapes] == [
        (512, 512, 1, 1),
        (512, 256, 1, 1),
        (512, 128, 1, 1),
        (256, 128, 1, 1),
    ]


def test_the_published_directions_use_different_autoencoders(
    file_of: Callable[[str], Path],
) -> None:
    day, night = (read_weights(file_of(kind)) for kind in ("day2night", "night2day"))
    assert (day.kind, day.reverse, night.reverse) == ("cyclegan", False, True)


def rewritten(path: Path, target: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    content = torch.load(path, weights_only=True)
    change(content)
    torch.save(content, target)
    return target


def _drop(part: str, mark: str) -> Callable[[dict[str, Any]], None]:
    def change(content: dict[str, Any]) -> None:
        del content[part][next(name for name in content[part] if mark in name)]

    return change


def _reshape(content: dict[str, Any]) -> None:
    tensors = content["state_dict_unet"]
    name = next(name for name in tensors if "lora_A" in name)
    tensors[name] = tensors[name][:-1]


def _rename(content: dict[str, Any]) -> None:
    content["state_dict_vae"]["decoder.skip_conv_9.weight"] = torch.zeros(1)


def _aim(content: dict[str, Any]) -> None:
    content["unet_lora_target_modules"] = ["nowhere"]


@pytest.mark.parametrize(
    ("kind", "change", "sentence"),
    [
        ("edges", _drop("state_dict_unet", "lora_B"), r"the U-Net .* lacks tensors \(1, .*lora_B"),
        ("edges", _drop("state_dict_unet", "conv_in"), r"the U-Net .* lacks tensors .*conv_in"),
        (
            "edges",
            _drop("state_dict_vae", "skip_conv_2.base"),
            "autoencoder .* lacks .*skip_conv_2",
        ),
        ("edges", _reshape, "the U-Net .* has misshapen tensors"),
        ("edges", _rename, "autoencoder .* has unknown tensors .*skip_conv_9"),
        ("edges", _aim, "adapts layers that are not there"),
        ("day2night", _drop("sd_decoder", "lora_A"), "the U-Net .* lacks"),
        ("day2night", _drop("sd_vae_dec", "quant_conv"), "autoencoder .* lacks"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(
    kind: str,
    change: Callable[[dict[str, Any]], None],
    sentence: str,
    base: Path,
    file_of: Callable[[str], Path],
    tmp_path: Path,
) -> None:
    weights = read_weights(rewritten(file_of(kind), tmp_path / "wrong.pkl", change))
    with pytest.raises(ConfigError, match=sentence):
        build_turbo(base, weights)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ([1, 2], "other contents"),
        ({"unet": {}}, "other contents"),
        ({"state_dict_unet": {}, "state_dict_vae": {}, "rank_unet": 0}, "rank_unet, rank_vae, "),
        ({"sd_encoder": {"a": "text"}, "rank_unet": 4}, "sd_encoder, sd_decoder"),
    ],
)
def test_a_file_of_another_layout_is_refused(
    content: object, sentence: str, tmp_path: Path
) -> None:
    torch.save(content, tmp_path / "other.pkl")
    with pytest.raises(ConfigError, match=sentence):
        read_weights(tmp_path / "other.pkl")


class _Harmful:
    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("harm-was-done"),)


@pytest.mark.parametrize("way", ["torch", "pickle", "cut", "empty", "text"])
def test_a_file_with_code_or_a_damaged_one_is_never_opened(
    way: str, file_of: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    harmful = io.BytesIO()
    torch.save({"state_dict_unet": _Harmful()}, harmful)
    bytes_of = {
        "torch": harmful.getvalue(),
        "pickle": pickle.dumps(_Harmful()),
        "cut": file_of("edges").read_bytes()[:5000],
        "empty": b"",
        "text": b"<html>404</html>",
    }
    path = tmp_path / "weights.pkl"
    path.write_bytes(bytes_of[way])
    with pytest.raises(ConfigError, match=r"was refused: .* could run code"):
        read_weights(path)
    assert not Path("harm-was-done").exists()


def test_no_damage_is_more_than_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "weights.pkl"
    torch.save({"rank_unet": 8, "names": ["one", "two"], "zeros": torch.zeros(4)}, path)
    whole, rng = path.read_bytes(), np.random.default_rng(0)
    for _ in range(300):
        damaged = bytearray(whole)
        for place in rng.integers(0, len(whole), 3):
            damaged[place] = rng.integers(256)
        path.write_bytes(damaged)
        with pytest.raises(ConfigError, match="weight file"):
            read_weights(path)


def test_where_weights_are_looked_for(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="There is no weight file"):
        find_weights(tmp_path / "absent.pkl")
    with pytest.raises(ConfigError, match="holds 0 weight files"):
        find_weights(tmp_path)
    (tmp_path / "my.pkl").write_bytes(b"12345")
    assert find_weights(tmp_path) == find_weights(tmp_path / "my.pkl")
    assert find_weights(str(tmp_path)).size == 5
