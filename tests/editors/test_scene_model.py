"""The bundled editor's own classes, alone and inside the real diffusers pipeline."""

from __future__ import annotations

from copy import deepcopy

import pytest
import torch
from diffusers import DDIMScheduler

from smile_core.editors.scene_model import (
    LATENT_CHANNELS,
    PATCH,
    UNET_MAPS,
    PixelCodec,
    SceneUNet,
)


@pytest.fixture(scope="module")
def unet() -> SceneUNet:
    torch.manual_seed(0)
    return SceneUNet(
        in_channels=2 * LATENT_CHANNELS,
        out_channels=UNET_MAPS,
        block_out_channels=(16, 32),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=16,
        attention_head_dim=2,
        norm_num_groups=8,
        conv_in_kernel=1,
        conv_out_kernel=1,
    ).eval()


def latents_of(picture: torch.Tensor) -> torch.Tensor:
    return PixelCodec().encode(picture).latent_dist.mode()


def test_codec_gives_the_picture_back_exactly() -> None:
    picture = torch.rand(2, 3, 32, 48) * 2 - 1
    codec = PixelCodec()
    latents = codec.encode(picture).latent_dist.mode()
    assert latents.shape == (2, LATENT_CHANNELS, 32 // PATCH, 48 // PATCH)
    assert torch.equal(codec.decode(latents).sample, picture)


def test_codec_survives_saving(tmp_path) -> None:
    PixelCodec().save_pretrained(tmp_path)
    loaded = PixelCodec.from_pretrained(tmp_path)
    assert loaded.config.latent_channels == LATENT_CHANNELS
    assert len(loaded.config.block_out_channels) == 4  # a pipeline reads the factor 8 from it


def test_unet_survives_saving(unet: SceneUNet, tmp_path) -> None:
    unet.save_pretrained(tmp_path)
    loaded = SceneUNet.from_pretrained(tmp_path)
    assert loaded.config.out_channels == UNET_MAPS
    for key, value in unet.state_dict().items():
        assert torch.equal(loaded.state_dict()[key], value), key


def run(unet: SceneUNet, photo: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
    sample = torch.cat([latents_of(noise), latents_of(photo)], dim=1)
    words = torch.linspace(-1, 1, 5 * 16).view(1, 5, 16).expand(len(photo), -1, -1)
    with torch.no_grad():
        return PixelCodec().decode(unet(sample, 999, words).sample).sample


def silenced(unet: SceneUNet) -> SceneUNet:
    """Return a copy of which no part has anything to say."""
    unet = deepcopy(unet)
    for layer in (unet.conv_out, unet.text_to_maps, unet.detail_out):
        torch.nn.init.zeros_(layer.weight)
        torch.nn.init.zeros_(layer.bias)
    return unet


def test_an_editor_that_asks_for_nothing_returns_the_photo(unet: SceneUNet) -> None:
    photo, noise = torch.rand(1, 3, 32, 48) * 2 - 1, torch.randn(1, 3, 32, 48)
    torch.testing.assert_close(run(silenced(unet), photo, noise), photo)


def test_colour_maps_act_on_the_pixels_they_lie_over(unet: SceneUNet) -> None:
    """A constant offset map must shift every pixel alike, wherever it lies in its patch."""
    unet = silenced(unet)
    with torch.no_grad():
        unet.conv_out.bias[1] = 0.5  # red takes half of green
        unet.conv_out.bias[11] = -0.25  # blue loses a quarter
    photo, noise = torch.rand(1, 3, 32, 48) * 2 - 1, torch.randn(1, 3, 32, 48)
    expected = photo.clone()
    expected[:, 0] += 0.5 * photo[:, 1]
    expected[:, 2] -= 0.25
    torch.testing.assert_close(run(unet, photo, noise), expected)


def test_the_last_word_reaches_the_maps_straight(unet: SceneUNet) -> None:
    unet = silenced(unet)
    with torch.no_grad():
        # Of the last text position, 1.0 in `run`, to red's offset.
        unet.text_to_maps.weight[9, 15] = 0.3
    photo, noise = torch.rand(1, 3, 32, 48) * 2 - 1, torch.randn(1, 3, 32, 48)
    expected = photo.clone()
    expected[:, 0] += 0.3
    torch.testing.assert_close(run(unet, photo, noise), expected)


def test_details_are_drawn_from_the_noise_and_reach_a_few_pixels(unet: SceneUNet) -> None:
    photo, noise = torch.zeros(1, 3, 64, 64), torch.zeros(1, 3, 64, 64)
    unet = silenced(unet)
    torch.manual_seed(0)
    torch.nn.init.normal_(unet.detail_out.weight)
    quiet = run(unet, photo, noise)
    noise[..., 32, 32] = 3.0
    moved = (run(unet, photo, noise) - quiet).abs().amax(dim=(0, 1)) > 1e-6  # (H, W)
    rows, columns = moved.nonzero(as_tuple=True)
    # The pixel lies in the 16th block of two pixels, and the three convolutions of the branch that
    # look around reach 1, 2 and 1 blocks: blocks 12 to 20, which are pixels 24 to 41.
    for places in (rows, columns):
        assert 24 <= places.min() <= 31
        assert 33 <= places.max() <= 41


def test_rows_of_a_batch_do_not_mix(unet: SceneUNet) -> None:
    photo, noise = torch.rand(3, 3, 32, 32) * 2 - 1, torch.randn(3, 3, 32, 32)
    together = run(unet, photo, noise)
    alone = torch.cat([run(unet, photo[[i]], noise[[i]]) for i in range(3)])
    torch.testing.assert_close(together, alone, atol=1e-4, rtol=1e-4)


def test_the_scheduler_gives_a_right_prediction_back(unet: SceneUNet) -> None:
    """With x0 prediction a sampler told the same picture at every step ends at that picture."""
    scheduler = DDIMScheduler(
        beta_schedule="scaled_linear",
        prediction_type="sample",
        rescale_betas_zero_snr=True,
        timestep_spacing="trailing",
        set_alpha_to_one=True,
        clip_sample=True,
    )
    scheduler.set_timesteps(4)
    assert scheduler.timesteps.tolist() == [999, 749, 499, 249]
    goal = torch.rand(1, LATENT_CHANNELS, 4, 4) * 2 - 1
    latents = torch.randn(1, LATENT_CHANNELS, 4, 4)
    for step in scheduler.timesteps:
        latents = scheduler.step(goal, step, latents).prev_sample
    torch.testing.assert_close(latents, goal)
