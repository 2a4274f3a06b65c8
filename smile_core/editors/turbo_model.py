"""Img2Img-Turbo: sd-turbo as a one-step translator of pictures, built from its published facts.

Three things are added to sd-turbo [1]. Skip convolutions lead from the encoder to the decoder of
its autoencoder, so that details survive. Low-rank weights adapt the U-Net and the autoencoder.
And the U-Net starts from the latents of the control picture instead of noise, in one step.

Two scales of low-rank weights are easily got wrong: PEFT multiplies them by alpha / rank, and the
published files were trained with its default alpha of 8 whatever the rank, except for the U-Net of
CycleGAN-turbo, where alpha is the rank.

References
----------
[1] Parmar, Park, Narasimhan, Zhu. One-Step Image Translation with Text-to-Image Models.
    arXiv 2403.12036.
[2] Ho, Jain, Abbeel. Denoising Diffusion Probabilistic Models. NeurIPS 2020, eq. 15.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import torch
from diffusers import DDPMScheduler
from diffusers.image_processor import VaeImageProcessor
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from diffusers.utils.peft_utils import set_weights_and_activate_adapters
from peft import LoraConfig
from torch import nn

from smile_core.config import ConfigError
from smile_core.editors.turbo_layers import BlendedConv, SkipConnections
from smile_core.editors.turbo_weights import TurboWeights

TIMESTEP = 999
_DEFAULT_ALPHA = 8  # of PEFT
_VAE_ADAPTER = "vae_skip"
_UNET_ADAPTER = "default"
# Adapters of the U-Net of a CycleGAN: the keys of its tensors and of its layers in a file.
_CYCLEGAN_ADAPTERS = {
    "default_encoder": ("sd_encoder", "l_target_modules_encoder"),
    "default_decoder": ("sd_decoder", "l_target_modules_decoder"),
    "default_others": ("sd_other", "l_modules_others"),
}


class TurboPipeline(DiffusionPipeline):
    """The parts of sd-turbo, which `add_weights` makes a model of Img2Img-Turbo.

    Parameters
    ----------
    vae, text_encoder, tokenizer, unet, scheduler
        As diffusers loads them; of the scheduler only the noise schedule is used.

    Attributes
    ----------
    kind : str
        See `TurboWeights`; empty before there are weights.
    skips : SkipConnections
        Those of the autoencoder.
    """

    vae: Any
    text_encoder: Any
    tokenizer: Any
    unet: Any

    def __init__(
        self, vae: Any, text_encoder: Any, tokenizer: Any, unet: Any, scheduler: Any
    ) -> None:
        super().__init__()
        self.register_modules(
            vae=vae,
            text_encoder=text_encoder,
            tokenizer=tokenizer,
            unet=unet,
            scheduler=scheduler,
        )
        if scheduler.config.prediction_type != "epsilon":
            raise ConfigError(
                "Img2Img-Turbo needs a base model that predicts noise, as sd-turbo does, and this "
                f"one predicts {scheduler.config.prediction_type!r}. Give sd-turbo."
            )
        alphas = DDPMScheduler.from_config(scheduler.config).alphas_cumprod
        self.image_processor = VaeImageProcessor(vae_scale_factor=8)
        self.skips = SkipConnections(vae)
        self.kind = ""
        self._signal_share = float(alphas[TIMESTEP])  # abar of [2]

    def set_ratio(self, ratio: float) -> None:
        """Set how far the control picture rules the sketch model, r of [1], 0 to 1."""
        set_weights_and_activate_adapters(self.unet, [_UNET_ADAPTER], [ratio])
        set_weights_and_activate_adapters(self.vae, [_VAE_ADAPTER], [ratio])
        self.unet.conv_in.ratio = ratio
        self.skips.gamma = ratio

    def encode_control(self, control: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Return the latents (1, 4, h / 8, w / 8) of a control picture (1, 3, h, w), and its skips.

        The mode of their distribution is taken: the published code draws from it without a seed.
        """
        distribution = self.vae.encode(control.to(self.device, self.dtype)).latent_dist
        return distribution.mode() * self.vae.config.scaling_factor, list(self.skips.kept)

    def translate(
        self, latents: torch.Tensor, skips: list[torch.Tensor], texts: torch.Tensor
    ) -> torch.Tensor:
        """Translate a picture under each of some texts.

        Parameters
        ----------
        latents : torch.Tensor
            Where the step begins, (1, 4, h / 8, w / 8).
        skips : list of torch.Tensor
            From `encode_control`.
        texts : torch.Tensor
            Encoded, (n, T, d), see `encoding_once.encode_plainly`.

        Returns
        -------
        torch.Tensor
            Pictures (n, 3, h, w), values from -1 to 1.
        """
        started = latents.expand(len(texts), -1, -1, -1)  # (n, 4, h / 8, w / 8)
        noise = self.unet(started, TIMESTEP, encoder_hidden_states=texts).sample
        # One step of DDPM from 999 ends at the clean picture [2]. The sum is divided by 0.07, so
        # half precision would show.
        signal = self._signal_share**0.5
        clean = (started.float() - (1 - self._signal_share) ** 0.5 * noise.float()) / signal
        self.skips.kept = skips
        scaled = (clean / self.vae.config.scaling_factor).to(self.dtype)
        return self.vae.decode(scaled).sample.clamp(-1, 1)


def add_weights(pipe: TurboPipeline, weights: TurboWeights) -> None:
    """Make the parts of sd-turbo the model of a weight file.

    Raises
    ------
    ConfigError
        When the file does not fit: tensors are missing, unknown or of another shape.
    """
    content = weights.content
    pipe.kind = weights.kind
    try:
        pipe.vae.add_adapter(
            _low_rank(content["rank_vae"], _DEFAULT_ALPHA, content["vae_lora_target_modules"]),
            adapter_name=_VAE_ADAPTER,
        )
        if weights.kind == "cyclegan":
            _add_cyclegan(pipe, weights)
        else:
            _add_pix2pix(pipe, weights)
    except ValueError as error:
        if isinstance(error, ConfigError):
            raise
        # PEFT found none of the layers, or layers that it cannot adapt.
        raise ConfigError(
            f"The weight file {weights.name!r} does not fit the base model: it adapts layers that "
            "are not there. Use it with sd-turbo."
        ) from error
    if weights.kind != "sketch":
        # Added to the weights once, they cost nothing at each edit.
        for model in (pipe.unet, pipe.vae):
            model.fuse_lora()
            model.unload_lora()
    for model in (pipe.unet, pipe.vae):
        model.requires_grad_(False).eval()


def _add_pix2pix(pipe: TurboPipeline, weights: TurboWeights) -> None:
    content = weights.content
    if weights.kind == "sketch":
        pipe.unet.conv_in = BlendedConv(pipe.unet.conv_in)
    pipe.unet.add_adapter(
        _low_rank(content["rank_unet"], _DEFAULT_ALPHA, content["unet_lora_target_modules"]),
        adapter_name=_UNET_ADAPTER,
    )
    _fill(
        pipe.unet,
        content["state_dict_unet"],
        lambda name: "lora" in name or "conv_in" in name,
        f"the U-Net in {weights.name!r}",
    )
    _fill(
        pipe.vae,
        content["state_dict_vae"],
        lambda name: "lora" in name or "skip" in name,
        f"the autoencoder in {weights.name!r}",
    )


def _add_cyclegan(pipe: TurboPipeline, weights: TurboWeights) -> None:
    content = weights.content
    rank = content["rank_unet"]
    tensors: dict[str, torch.Tensor] = {}
    for adapter, (tensors_key, layers_key) in _CYCLEGAN_ADAPTERS.items():
        with warnings.catch_warnings():  # that there are several adapters is meant
            warnings.filterwarnings("ignore", "Already found a `peft_config`")
            pipe.unet.add_adapter(_low_rank(rank, rank, content[layers_key]), adapter_name=adapter)
        tensors |= {
            f"{name.removesuffix('.weight')}.{adapter}.weight": tensor
            for name, tensor in content[tensors_key].items()
        }
    pipe.unet.set_adapter(list(_CYCLEGAN_ADAPTERS))
    _fill(pipe.unet, tensors, lambda name: "lora" in name, f"the U-Net in {weights.name!r}")
    # Whole autoencoders, one for each direction. The file holds them twice, and the published code
    # loads this copy last.
    prefix = "vae_b2a." if weights.reverse else "vae."
    own = {
        name.removeprefix(prefix): tensor
        for name, tensor in content["sd_vae_dec"].items()
        if name.startswith(prefix)
    }
    _fill(pipe.vae, own, lambda _: True, f"the autoencoder in {weights.name!r}")


def _low_rank(rank: int, alpha: int, layers: list[str]) -> LoraConfig:
    return LoraConfig(r=rank, lora_alpha=alpha, target_modules=layers)


def _fill(
    model: nn.Module,
    tensors: Mapping[str, torch.Tensor],
    is_stored: Callable[[str], bool],
    what: str,
) -> None:
    """Load tensors into a model, which must be exactly those that a file stores of it."""
    expected = {name: value for name, value in model.state_dict().items() if is_stored(name)}
    troubles = {
        "lacks": sorted(expected.keys() - tensors.keys()),
        "has unknown": sorted(tensors.keys() - expected.keys()),
        "has misshapen": sorted(
            name
            for name in expected.keys() & tensors.keys()
            if expected[name].shape != tensors[name].shape
        ),
    }
    for trouble, names in troubles.items():
        if names:
            raise ConfigError(
                f"The weights do not fit the base model: {what} {trouble} tensors ({len(names)}, "
                f"for example {names[0]}). Fetch the file again, and use it with sd-turbo."
            )
    model.load_state_dict(tensors, strict=False)
