"""Real pipelines of several families with random weights, small enough to run in a test.

Each function saves one the way diffusers does, with a card beside it that keeps the photo small,
and returns its folder.
"""

from __future__ import annotations

import json
import string
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    AutoencoderKLFlux2,
    AutoencoderKLQwenImage,
    AutoencoderKLQwenImage21,
    DDIMScheduler,
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    Flux2KleinPipeline,
    Flux2Transformer2DModel,
    FluxKontextPipeline,
    FluxTransformer2DModel,
    OmniGenPipeline,
    OmniGenTransformer2DModel,
    QwenImage21Pipeline,
    QwenImage21Transformer2DModel,
    QwenImageEditPlusPipeline,
    QwenImageTransformer2DModel,
    StableDiffusionImg2ImgPipeline,
    StableDiffusionInpaintPipeline,
    StableDiffusionPipeline,
    StableDiffusionXLInpaintPipeline,
    StableDiffusionXLInstructPix2PixPipeline,
    UNet2DConditionModel,
)
from tokenizers import Regex, Tokenizer, models, pre_tokenizers
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    PreTrainedTokenizerFast,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2VLProcessor,
    Qwen3Config,
    Qwen3ForCausalLM,
    Qwen3VLConfig,
    Qwen3VLForConditionalGeneration,
    Qwen3VLProcessor,
    T5Config,
    T5EncoderModel,
)

from tests.tiny_pipeline import MAX_TOKENS, letters_tokenizer

WIDTH = 16  # of texts
_XL_UNET = {
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 4,
    "projection_class_embeddings_input_dim": 6 * 4 + WIDTH,  # six sizes, one pooled text
    "cross_attention_dim": 2 * WIDTH,
}
QWEN_TOKENS = ["<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>"]


def save_img2img(folder: Path) -> Path:
    """Save what `stabilityai/sd-turbo` is as an editor."""
    torch.manual_seed(0)
    pipe = StableDiffusionImg2ImgPipeline(
        vae=_vae(),
        text_encoder=CLIPTextModel(_clip_config()),
        tokenizer=letters_tokenizer(folder.parent / f"{folder.name}-vocabulary"),
        unet=_unet(in_channels=4),
        scheduler=EulerDiscreteScheduler(timestep_spacing="trailing"),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    return _save(pipe, folder)


def save_inpaint(folder: Path, *, channels: int = 9) -> Path:
    """Save what inpainting with Stable Diffusion is: trained for it, or (4 channels) not."""
    torch.manual_seed(0)
    pipe = StableDiffusionInpaintPipeline(
        vae=_vae(),
        text_encoder=CLIPTextModel(_clip_config()),
        tokenizer=letters_tokenizer(folder.parent / f"{folder.name}-vocabulary"),
        unet=_unet(in_channels=channels),
        scheduler=EulerAncestralDiscreteScheduler(steps_offset=1),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    return _save(pipe, folder)


def save_xl_inpaint(folder: Path) -> Path:
    """Save what inpainting with Stable Diffusion XL is."""
    torch.manual_seed(0)
    tokenizer = letters_tokenizer(folder.parent / f"{folder.name}-vocabulary")
    pipe = StableDiffusionXLInpaintPipeline(
        vae=_vae(),
        text_encoder=CLIPTextModel(_clip_config()),
        text_encoder_2=CLIPTextModelWithProjection(_clip_config()),
        tokenizer=tokenizer,
        tokenizer_2=tokenizer,
        unet=_unet(in_channels=9, **_XL_UNET),
        scheduler=EulerAncestralDiscreteScheduler(steps_offset=1),
        add_watermarker=False,
    )
    return _save(pipe, folder)


def save_xl_instruct_pix2pix(folder: Path, *, cosxl: bool = False) -> Path:
    """Save what `diffusers/sdxl-instructpix2pix-768` is, or CosXL Edit."""
    torch.manual_seed(0)
    tokenizer = letters_tokenizer(folder.parent / f"{folder.name}-vocabulary")
    pipe = StableDiffusionXLInstructPix2PixPipeline(
        vae=_vae(),
        text_encoder=CLIPTextModel(_clip_config()),
        text_encoder_2=CLIPTextModelWithProjection(_clip_config()),
        tokenizer=tokenizer,
        tokenizer_2=tokenizer,
        unet=_unet(in_channels=8, **_XL_UNET),
        scheduler=DDIMScheduler(steps_offset=1),
        add_watermarker=False,
    )
    _save(pipe, folder)
    index = folder / "model_index.json"  # the pipeline reads this setting and does not save it
    settings = json.loads(index.read_text(encoding="utf-8")) | {"is_cosxl_edit": cosxl}
    index.write_text(json.dumps(settings), encoding="utf-8")
    return folder


def save_text_to_image(folder: Path) -> Path:
    """Save a plain Stable Diffusion, deep enough for LEDITS++ to find its masks in."""
    torch.manual_seed(0)
    pipe = StableDiffusionPipeline(
        vae=_vae(sample_size=128),
        text_encoder=CLIPTextModel(_clip_config()),
        tokenizer=letters_tokenizer(folder.parent / f"{folder.name}-vocabulary"),
        unet=_unet(
            in_channels=4,
            block_out_channels=(8, 16, 16),
            down_block_types=("DownBlock2D", "DownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D", "UpBlock2D"),
        ),
        scheduler=DDIMScheduler(steps_offset=1, clip_sample=False),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    return _save(pipe, folder)


def save_flux_kontext(folder: Path) -> Path:
    """Save what FLUX.1 Kontext is."""
    torch.manual_seed(0)
    pipe = FluxKontextPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(),
        vae=_vae(use_quant_conv=False, use_post_quant_conv=False, shift_factor=0.1),
        text_encoder=CLIPTextModel(_clip_config()),
        tokenizer=letters_tokenizer(folder.parent / f"{folder.name}-vocabulary"),
        text_encoder_2=T5EncoderModel(
            T5Config(vocab_size=128, d_model=WIDTH, d_kv=8, d_ff=16, num_layers=1, num_heads=2)
        ),
        tokenizer_2=characters_tokenizer(),
        transformer=FluxTransformer2DModel(
            patch_size=1,
            in_channels=16,
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=8,
            num_attention_heads=2,
            joint_attention_dim=WIDTH,
            pooled_projection_dim=WIDTH,
            axes_dims_rope=(2, 2, 4),
            guidance_embeds=True,
        ),
    )
    return _save(pipe, folder)


def save_flux2_klein(folder: Path, *, distilled: bool = True) -> Path:
    """Save what FLUX.2 klein is."""
    torch.manual_seed(0)
    text = Qwen3Config(
        vocab_size=128,
        hidden_size=8,
        intermediate_size=8,
        num_hidden_layers=27,  # the pipeline reads layers 9, 18 and 27
        num_attention_heads=2,
        num_key_value_heads=2,
        head_dim=4,
        max_position_embeddings=1024,
    )
    pipe = Flux2KleinPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(),
        vae=AutoencoderKLFlux2(
            block_out_channels=(4, 4, 4, 4),
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            layers_per_block=1,
            latent_channels=4,
            norm_num_groups=2,
        ),
        text_encoder=Qwen3ForCausalLM(text),
        tokenizer=characters_tokenizer(),
        transformer=Flux2Transformer2DModel(
            patch_size=1,
            in_channels=16,
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=3 * 8,
            timestep_guidance_channels=16,
            axes_dims_rope=(4, 4, 4, 4),
            guidance_embeds=False,
        ),
        is_distilled=distilled,
    )
    return _save(pipe, folder)


def save_omnigen(folder: Path) -> Path:
    """Save what OmniGen is; it needs torchvision."""
    torch.manual_seed(0)
    pipe = OmniGenPipeline(
        transformer=OmniGenTransformer2DModel(
            hidden_size=16,
            num_attention_heads=2,
            num_key_value_heads=2,
            intermediate_size=16,
            num_layers=2,
            pad_token_id=0,
            vocab_size=128,
            rope_scaling={"short_factor": [1.0] * 4, "long_factor": [1.0] * 4},
            time_step_dim=16,
        ),
        scheduler=FlowMatchEulerDiscreteScheduler(),
        vae=_vae(),
        tokenizer=characters_tokenizer(),
    )
    return _save(pipe, folder)


def save_qwen_image_edit_plus(folder: Path) -> Path:
    """Save what Qwen-Image-Edit 2509 and 2511 are; it needs torchvision."""
    from transformers import Qwen2VLImageProcessor, Qwen2VLVideoProcessor

    torch.manual_seed(0)
    tokenizer = characters_tokenizer(additional_special_tokens=QWEN_TOKENS)
    heads = {"num_attention_heads": 2, "num_key_value_heads": 2}
    sizes = {"hidden_size": 16, "intermediate_size": 16}
    text = Qwen2_5_VLConfig(
        text_config={
            **sizes,
            **heads,
            "vocab_size": 128,
            "num_hidden_layers": 1,
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": 10000.0,
                "mrope_section": [1, 1, 2],
            },
        },
        vision_config={**sizes, "depth": 1, "num_heads": 2, "out_hidden_size": 16},
        **_qwen_ids(tokenizer),
    )
    pipe = QwenImageEditPlusPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(),
        vae=AutoencoderKLQwenImage(
            base_dim=4,
            z_dim=4,
            num_res_blocks=1,
            latents_mean=[0.0] * 4,
            latents_std=[1.0] * 4,
        ),
        text_encoder=Qwen2_5_VLForConditionalGeneration(text),
        tokenizer=tokenizer,
        processor=Qwen2VLProcessor(
            image_processor=Qwen2VLImageProcessor(),
            tokenizer=tokenizer,
            video_processor=Qwen2VLVideoProcessor(),
        ),
        transformer=QwenImageTransformer2DModel(
            in_channels=16,
            out_channels=4,
            num_layers=1,
            attention_head_dim=8,
            num_attention_heads=1,
            joint_attention_dim=16,
            axes_dims_rope=(4, 2, 2),
        ),
    )
    return _save(pipe, folder)


def save_qwen_image_21(folder: Path) -> Path:
    """Save what Qwen-Image 2.1 is; it needs torchvision."""
    from transformers import Qwen2VLImageProcessor, Qwen3VLVideoProcessor

    torch.manual_seed(0)
    tokenizer = characters_tokenizer(additional_special_tokens=QWEN_TOKENS)
    sizes = {"hidden_size": 16, "intermediate_size": 16}
    heads = {"num_attention_heads": 2, "num_key_value_heads": 2, "head_dim": 8}
    rope = {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [2, 1, 1]}
    text = Qwen3VLConfig(
        text_config={
            **sizes,
            **heads,
            "vocab_size": 128,
            "num_hidden_layers": 1,
            "rope_parameters": rope,
        },
        vision_config={
            **sizes,
            "depth": 1,
            "num_heads": 2,
            "out_hidden_size": 16,
            "deepstack_visual_indexes": [0],
        },
        **_qwen_ids(tokenizer),
    )
    pipe = QwenImage21Pipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(),
        vae=AutoencoderKLQwenImage21(
            base_dim=4,
            decoder_base_dim=4,
            z_dim=4,
            num_res_blocks=1,
            latents_mean=[0.0] * 4,
            latents_std=[1.0] * 4,
        ),
        text_encoder=Qwen3VLForConditionalGeneration(text),
        processor=Qwen3VLProcessor(
            image_processor=Qwen2VLImageProcessor(
                patch_size=16, size={"shortest_edge": 2**16, "longest_edge": 2**24}
            ),
            tokenizer=tokenizer,
            video_processor=Qwen3VLVideoProcessor(),
            chat_template="{% for message in messages %}{{ message['content'][0]['text'] }}"
            "{% endfor %}",
        ),
        transformer=QwenImage21Transformer2DModel(
            in_channels=4,
            out_channels=4,
            num_layers=1,
            attention_head_dim=8,
            num_attention_heads=1,
            context_in_dim=16,
            axes_dims_rope=(4, 2, 2),
        ),
    )
    return _save(pipe, folder)


def _qwen_ids(tokenizer: PreTrainedTokenizerFast) -> dict[str, int]:
    """Return the ids of the special tokens as Qwen's text encoders name them."""
    names = ("vision_start_token_id", "vision_end_token_id", "image_token_id", "video_token_id")
    return dict(zip(names, tokenizer.convert_tokens_to_ids(QWEN_TOKENS), strict=True))


def characters_tokenizer(**special: Any) -> PreTrainedTokenizerFast:
    """Return a tokenizer whose tokens are single characters, with a chat template.

    Parameters
    ----------
    **special
        Names of tokens that are not split, as the tokenizer of transformers takes them.
    """
    tokens = ["<pad>", "<unk>", *string.printable[:95], "\n"]
    extra = [token for value in special.values() for token in _listed(value)]
    vocabulary = {token: index for index, token in enumerate([*tokens, *extra])}
    split = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    split.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=split,
        pad_token="<pad>",
        unk_token="<unk>",
        model_max_length=1024,
        **special,
    )
    tokenizer.chat_template = "{% for message in messages %}{{ message['content'] }}{% endfor %}"
    return tokenizer


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _save(pipe: Any, folder: Path) -> Path:
    pipe.save_pretrained(folder)
    return folder


def write_card(folder: Path, **fields: Any) -> Path:
    """Write `smile_card.json` into a folder."""
    card = {"name": folder.name, "title": folder.name, "family": "diffusers", **fields}
    (folder / "smile_card.json").write_text(json.dumps(card), encoding="utf-8")
    return folder


def _clip_config() -> CLIPTextConfig:
    return CLIPTextConfig(
        vocab_size=128,
        hidden_size=WIDTH,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=MAX_TOKENS,
        projection_dim=WIDTH,
        bos_token_id=0,
        eos_token_id=1,
    )


def _unet(**options: Any) -> UNet2DConditionModel:
    shape: dict[str, Any] = {
        "block_out_channels": (8, 16),
        "layers_per_block": 1,
        "sample_size": 8,
        "out_channels": 4,
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
        "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
        "cross_attention_dim": WIDTH,
        "attention_head_dim": 2,
        "norm_num_groups": 4,
    }
    return UNet2DConditionModel(**{**shape, **options})


def _vae(**options: Any) -> AutoencoderKL:
    return AutoencoderKL(
        block_out_channels=(4, 4, 4, 4),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=4,
        norm_num_groups=2,
        **options,
    )
