"""Real pipelines around a transformer with random weights, small enough to run in a test.

Each function saves one the way diffusers does, and returns its folder.
"""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import (
    AutoencoderKLFlux2,
    AutoencoderKLQwenImage,
    AutoencoderKLQwenImage21,
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
)
from transformers import (
    CLIPTextModel,
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

from tests.tiny_parts import (
    WIDTH,
    characters_tokenizer,
    clip_config,
    letters_tokenizer,
    save,
    vae,
)

QWEN_TOKENS = ["<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>"]


def save_flux_kontext(folder: Path) -> Path:
    """Save what FLUX.1 Kontext is."""
    torch.manual_seed(0)
    pipe = FluxKontextPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(),
        vae=vae(use_quant_conv=False, use_post_quant_conv=False, shift_factor=0.1),
        text_encoder=CLIPTextModel(clip_config()),
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
    return save(pipe, folder)


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
    return save(pipe, folder)


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
        vae=vae(),
        tokenizer=characters_tokenizer(),
    )
    return save(pipe, folder)


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
    return save(pipe, folder)


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
    return save(pipe, folder)


def _qwen_ids(tokenizer: PreTrainedTokenizerFast) -> dict[str, int]:
    """Return the ids of the special tokens as Qwen's text encoders name them."""
    names = ("vision_start_token_id", "vision_end_token_id", "image_token_id", "video_token_id")
    return dict(zip(names, tokenizer.convert_tokens_to_ids(QWEN_TOKENS), strict=True))
