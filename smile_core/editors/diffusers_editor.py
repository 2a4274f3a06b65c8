"""Any pipeline of diffusers that edits a picture by a text, called as its signature says.

Pipelines name the same thing differently (`guidance_scale` or `true_cfg_scale`, `image` or
`input_images`), and each takes only some of the knobs. What one takes is read from the signature
of its `__call__`, which is known before any weight is.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import torch
from diffusers import StableDiffusionXLInstructPix2PixPipeline

from smile_core.config import ConfigError
from smile_core.editors.batch_editor import (
    Answer,
    BatchEditor,
    EditJob,
    Row,
    check_token_count,
    pictures_of,
    stack_texts,
)
from smile_core.editors.encoding_once import BATCHED, encode_texts, remember_pictures
from smile_core.editors.instruct_pix2pix import check_guidance
from smile_core.editors.protocol import EditorCard
from smile_core.editors.schedulers import has_replaceable, with_scheduler

# These scale the photo to a size of their own, and make the edit in that size unless told
# otherwise; told otherwise, they would zoom.
_OWN_SIZE = frozenset({"QwenImageEditPipeline", "QwenImageEditPlusPipeline", "QwenImage21Pipeline"})
_OMNIGEN_PROMPT = "<img><|image_1|></img> {}"

_PHOTO_ARGUMENTS = ("image", "input_images")
# Arguments that tell a pipeline of another kind, and what a user should know then.
_OTHER_KINDS = {
    "mask_image": "needs a mask, which only Stable Diffusion inpainting (SD, SDXL) is given here",
    "control_image": "needs a control picture (edges, depth or a pose) besides the photo",
    "controlnet_conditioning_scale": "takes a control picture instead of a photo",
    "adapter_conditioning_scale": "takes a control picture instead of a photo",
    "num_frames": "makes videos",
    "video_length": "makes videos",
}


def call_arguments(kind: type) -> Mapping[str, inspect.Parameter]:
    """Return the arguments of a pipeline's `__call__` by name."""
    return inspect.signature(kind.__call__).parameters


def check_kind(kind: type, source: str) -> None:
    """Refuse a pipeline that does not make pictures from a photo and a text alone.

    Raises
    ------
    ConfigError
        When it does not.
    """
    arguments = call_arguments(kind)
    reasons = [reason for name, reason in _OTHER_KINDS.items() if name in arguments]
    has_photo = any(name in arguments for name in _PHOTO_ARGUMENTS)
    if not {"prompt", "num_inference_steps"} <= arguments.keys() or not has_photo:
        reasons.insert(0, "does not edit: it takes no photo together with an instruction")
    if reasons:
        raise ConfigError(
            f"{source!r} is a {kind.__name__}, which {reasons[0]}. Choose an editor that takes a "
            "photo and an instruction, or wrap it in a function (image, prompts, seed) -> images."
        )


def knob_arguments(kind: type) -> dict[str, str]:
    """Return how the pipeline calls each of our knobs that it has, see `config.KNOBS`."""
    arguments = call_arguments(kind)
    choices = {
        "steps": ("num_inference_steps",),
        "guidance_scale": _guidance_names(arguments),
        "image_guidance_scale": ("image_guidance_scale", "img_guidance_scale"),
        "strength": ("strength",),
    }
    found = {
        knob: next((name for name in names if name in arguments), None)
        for knob, names in choices.items()
    }
    return {knob: name for knob, name in found.items() if name is not None}


def _guidance_names(arguments: Mapping[str, inspect.Parameter]) -> tuple[str, ...]:
    """Return the names of the text guidance, the one that the pipeline uses first.

    Where both are there, `guidance_scale` is for distilled models and None if there is none yet.
    """
    plain = arguments.get("guidance_scale")
    if plain is not None and plain.default is None:
        return ("true_cfg_scale",)
    return ("guidance_scale", "true_cfg_scale")


def card_of_kind(kind: type, index: Mapping[str, Any], **known: Any) -> EditorCard:
    """Return the card of a pipeline that nobody described, with the defaults of its signature.

    Parameters
    ----------
    kind : type
        The pipeline's class.
    index : mapping
        Its `model_index.json`.
    **known
        Other fields of the card.
    """
    arguments = call_arguments(kind)
    names = knob_arguments(kind)
    defaults = {knob: arguments[name].default for knob, name in names.items()}
    if index.get("is_distilled"):  # then the pipeline ignores it
        defaults.pop("guidance_scale", None)
    numbers = {knob: value for knob, value in defaults.items() if isinstance(value, int | float)}
    steps = numbers.pop("steps", None)
    own_guidance = names.get("guidance_scale") == "guidance_scale"
    return EditorCard(
        family="diffusers",
        steps=None if steps is None else int(steps),
        knobs={knob: float(value) for knob, value in numbers.items()},
        takes_seed="generator" in arguments,
        # A pipeline that has both scales uses the negative prompt with `true_cfg_scale` only.
        takes_negative_prompt="negative_prompt" in arguments
        and not (own_guidance and "true_cfg_scale" in arguments),
        takes_scheduler=has_replaceable(index),
        **known,
    )


class DiffusersEditor(BatchEditor):
    """Runs a pipeline of diffusers that takes a photo and a text.

    Parameters
    ----------
    pipe : DiffusionPipeline
        The pipeline, in the precision it is to run in; it is moved to the best device.
    card : EditorCard
        Its description.
    digest : str
        Digest of the weights.

    Raises
    ------
    ConfigError
        When the card lists a knob that the pipeline does not have.
    """

    def __init__(self, pipe: Any, card: EditorCard, digest: str) -> None:
        kind = type(pipe)
        self._arguments = call_arguments(kind)
        self._knobs = knob_arguments(kind)
        self._own_size = kind.__name__ in _OWN_SIZE
        for knob in card.knobs:
            if knob not in self._knobs:
                raise ConfigError(
                    f"The card of {card.name!r} lists {knob}, which {kind.__name__} does not take. "
                    f"It takes: {', '.join(self._knobs)}. Take it out of the card."
                )
        super().__init__(
            pipe,
            card,
            weights=f"{kind.__name__} {digest}",
            batched=kind.__name__ in BATCHED,
        )
        if hasattr(pipe, "vae"):
            remember_pictures(pipe.vae)

    def _check(self, job: EditJob) -> None:
        settings = job.settings
        if isinstance(self._pipe, StableDiffusionXLInstructPix2PixPipeline):
            check_guidance(settings)
        strength, steps = settings.get("strength"), settings.get("steps")
        if strength is not None and steps is not None and steps * strength < 1:
            raise ConfigError(
                f"With strength {strength:g} and {steps} steps no step is run, because strength "
                "is the share of the steps that are. Raise one of them until their product is 1."
            )
        scale = settings.get("guidance_scale")
        if settings.get("negative_prompt") and scale is not None and scale <= 1:
            raise ConfigError(
                f"With guidance_scale {scale:g} the editor {self.name!r} ignores the negative "
                "prompt. Raise guidance_scale above 1, or leave the negative prompt empty."
            )

    def _check_lengths(self, prompts: list[str]) -> None:
        longest = self._arguments.get("max_sequence_length")
        limits: list[tuple[int, Any]] = []
        for number in ("", "_2", "_3"):
            tokenizer = getattr(self._pipe, f"tokenizer{number}", None)
            if tokenizer is None:
                continue
            config = getattr(getattr(self._pipe, f"text_encoder{number}", None), "config", None)
            known = (
                tokenizer.model_max_length,
                getattr(config, "max_position_embeddings", None),
                longest.default if longest is not None else None,
            )
            limits.append((min(limit for limit in known if isinstance(limit, int)), tokenizer))
        if limits:  # what the shortest cuts off, the longest still reads
            allowed, tokenizer = max(limits, key=lambda limit: limit[0])
            check_token_count(tokenizer, prompts, allowed, self.name)

    def _encode(
        self, prompts: list[str], job: EditJob, multiple: int
    ) -> list[Mapping[str, torch.Tensor]]:
        if type(self._pipe).__name__ not in BATCHED:
            return [{} for _ in prompts]  # the pipeline encodes each text itself
        return encode_texts(self._pipe, prompts, self._negative(job.settings), multiple)

    def _run(self, rows: list[Row], job: EditJob) -> list[Answer]:
        devices = [torch.cuda.current_device()] if self._pipe.device.type == "cuda" else []
        scheduler = with_scheduler(self._pipe, job.settings.get("scheduler"), self.name)
        with scheduler, torch.random.fork_rng(devices):
            torch.manual_seed(job.seed)  # some draw noise from nobody's generator
            result = self._pipe(**self._call(rows, job))
        return pictures_of(result, len(rows))

    def _call(self, rows: list[Row], job: EditJob) -> dict[str, Any]:
        """Return the arguments of one call of the pipeline."""
        photo, settings, generators = job.photo, job.settings, job.generators(len(rows))
        call: dict[str, Any] = {
            argument: settings[knob] for knob, argument in self._knobs.items() if knob in settings
        }
        call |= self._texts(rows, settings)
        if "input_images" in self._arguments:  # OmniGen, one row at a time
            call["input_images"] = [photo]
        else:
            # InstructPix2Pix XL wants a photo for every row; to others that means several photos.
            per_row = isinstance(self._pipe, StableDiffusionXLInstructPix2PixPipeline)
            call["image"] = [photo] * len(rows) if per_row else photo
        available: dict[str, Any] = {
            "generator": generators[0] if len(rows) == 1 else generators,
            "_auto_resize": False,  # the photo has its working size already
        }
        if not self._own_size:
            available |= {"height": photo.height, "width": photo.width}
            available["max_area"] = photo.width * photo.height
        if self._pipe.config.get("is_distilled"):
            available["guidance_scale"] = 1.0  # ignored, but any other value is warned about
        modern = "callback_on_step_end" in self._arguments
        available["callback_on_step_end" if modern else "callback"] = job.check_stop
        return call | {name: value for name, value in available.items() if name in self._arguments}

    def _texts(self, rows: list[Row], settings: Mapping[str, Any]) -> dict[str, Any]:
        """Return the texts as the pipeline takes them: encoded, or a single one as it reads."""
        if rows[0].texts:
            return stack_texts(rows)
        (row,) = rows
        if "input_images" in self._arguments:
            return {"prompt": _OMNIGEN_PROMPT.format(row.prompt)}
        negative = self._negative(settings)
        if negative is None or "negative_prompt" not in self._arguments:
            return {"prompt": row.prompt}
        return {"prompt": row.prompt, "negative_prompt": negative}

    def _negative(self, settings: Mapping[str, Any]) -> str | None:
        """Return the negative prompt; None leaves it to the pipeline."""
        given = settings.get("negative_prompt") or None
        name = self._knobs.get("guidance_scale")
        if name != "true_cfg_scale" or given is not None:
            return given
        # Without any negative prompt such a pipeline ignores the scale.
        scale = settings.get("guidance_scale", self._arguments[name].default)
        return " " if scale > 1 else None
