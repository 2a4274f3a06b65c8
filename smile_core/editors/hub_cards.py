"""The editors of the model hub that are offered by name: one card each, and nothing else.

Licences, gates, steps and scales are those of the models' own pages where these say them, and of
their pipelines where not, with fewer steps than an InstructPix2Pix takes by default (100), as is
usual. The memory is in half precision and, where no page says it, estimated from the size of the
weights. What they do and do not do, and the examples, are from the pages and papers of their
makers; where those do not say it, it is left out.
"""

from __future__ import annotations

from typing import Any

from smile_core.editors.ability import GENERAL_EDITS
from smile_core.editors.protocol import EditorCard

_NOT_RUN = "with random weights, never here with its real ones"
_ADAPTER = f"tests/editors/test_diffusers_editor.py runs its pipeline {_NOT_RUN}."
_CPU_WHEELS = "--index-url https://download.pytorch.org/whl/cpu"


def torchvision_command(torch_version: str) -> str:
    """Return how to install the torchvision that works with a version of torch.

    Each works with one version and one build; that of the CPU build lies beside it, and with
    another one nothing of diffusers could be imported any more.
    """
    command = 'pip install "torch<2.14" "torchvision<0.29"'
    return f"{command} {_CPU_WHEELS}" if torch_version.endswith("+cpu") else command


_TORCHVISION = (
    f"Needs torchvision: {torchvision_command('')}, for a CPU build of torch with {_CPU_WHEELS}. "
    "Its tests run only where that is installed."
)

_RESTYLED = "changes of style, setting, season and material, and swapped objects"
KONTEXT_ABILITY: dict[str, Any] = {
    "does": "objects, people, lettering, background and style",
    "example": "add a hat to the cat",
}
QWEN_EDIT_ABILITY: dict[str, Any] = {
    "does": "objects, people, style, point of view, and lettering in English and Chinese",
}

_INSTRUCT: dict[str, Any] = {
    "family": "instruct-pix2pix",
    "memory_gb": 4.0,
    "steps": 20,
    "knobs": {"guidance_scale": 7.5, "image_guidance_scale": 1.5},
    "takes_scheduler": True,
    "long_side": 512,
    "multiple_of": 64,
}
_INSTRUCT_XL: dict[str, Any] = {
    "family": "diffusers",
    "memory_gb": 10.0,
    "takes_negative_prompt": True,
    "multiple_of": 64,
}
_INPAINT: dict[str, Any] = {
    "family": "inpaint",
    "memory_gb": 4.0,
    "steps": 50,
    "knobs": {"strength": 1.0, "guidance_scale": 7.5},
    "needs_mask": True,
    "takes_negative_prompt": True,
    "takes_scheduler": True,
    "long_side": 512,
    "multiple_of": 64,
    "does": "whatever the text describes, inside the mask",
    "does_not": "instructions",
    "example": "face of a yellow cat, high resolution, sitting on a park bench",
    "notes": "Takes a description of what should be seen inside the mask. "
    f"tests/editors/test_inpaint.py runs its pipeline {_NOT_RUN}.",
}
_QWEN_EDIT: dict[str, Any] = {
    "family": "diffusers",
    "licence": "Apache-2.0",
    "memory_gb": 58.0,
    "steps": 50,
    "knobs": {"guidance_scale": 4.0},
    "takes_negative_prompt": True,
    "long_side": 1024,
    "multiple_of": 32,
    "notes": f"One edit at a time, at about a megapixel. {_TORCHVISION} {_ADAPTER}",
    **QWEN_EDIT_ABILITY,
}

HUB_CARDS = (
    EditorCard(
        name="instruct-pix2pix",
        title="InstructPix2Pix",
        licence="MIT",
        source="timbrooks/instruct-pix2pix",
        does=_RESTYLED,
        does_not="counting, no moving of objects and no new point of view",
        example="what would it look like if it were snowing?",
        notes="The editor of the paper; slow without a GPU. "
        f"tests/editors/test_instruct_pix2pix.py runs its pipeline {_NOT_RUN}.",
        **_INSTRUCT,
    ),
    EditorCard(
        name="magicbrush",
        title="MagicBrush",
        licence="CreativeML OpenRAIL-M",
        source="vinesmsuic/magicbrush-ema",
        does="adding, replacing and removing of objects, new colours, actions and lettering",
        example="remove the crowd in the background",
        notes="InstructPix2Pix, trained further on edits made by hand. "
        f"tests/editors/test_instruct_pix2pix.py runs its pipeline {_NOT_RUN}.",
        **_INSTRUCT,
    ),
    EditorCard(
        name="hq-edit",
        title="HQ-Edit",
        licence="not known here: read its page on the hub",
        source="UCSC-VLAA/HQ-Edit",
        does="edits of a whole picture or of parts of it, by detailed instruction",
        notes="InstructPix2Pix, trained further on detailed instructions. "
        f"tests/editors/test_instruct_pix2pix.py runs its pipeline {_NOT_RUN}.",
        **_INSTRUCT,
    ),
    EditorCard(
        name="sdxl-instruct-pix2pix",
        title="InstructPix2Pix XL",
        licence="CreativeML OpenRAIL++-M",
        source="diffusers/sdxl-instructpix2pix-768",
        steps=30,
        knobs={"guidance_scale": 3.0, "image_guidance_scale": 1.5},
        long_side=768,
        takes_scheduler=True,
        does=_RESTYLED,
        example="turn sky into a cloudy one",
        notes=_ADAPTER,
        **_INSTRUCT_XL,
    ),
    EditorCard(
        name="cosxl-edit",
        title="CosXL Edit",
        licence="Stability AI, non-commercial research",
        gated=True,
        source="stabilityai/cosxl",
        steps=50,
        knobs={"guidance_scale": 5.0, "image_guidance_scale": 1.5},
        long_side=1024,
        does=GENERAL_EDITS,
        notes="Published as one file, cosxl_edit.safetensors, which is loaded as it is; "
        f"tests/editors/test_cosxl.py runs such a file {_NOT_RUN}.",
        **_INSTRUCT_XL,
    ),
    EditorCard(
        name="sd15-inpainting",
        title="Stable Diffusion 1.5 inpainting",
        licence="CreativeML OpenRAIL-M",
        source="stable-diffusion-v1-5/stable-diffusion-inpainting",
        **_INPAINT,
    ),
    EditorCard(
        name="sd2-inpainting",
        title="Stable Diffusion 2 inpainting",
        licence="CreativeML OpenRAIL++-M",
        source="sd2-community/stable-diffusion-2-inpainting",
        **_INPAINT,
    ),
    EditorCard(
        name="ledits-pp",
        title="LEDITS++ on Stable Diffusion 1.5",
        family="ledits++",
        licence="CreativeML OpenRAIL-M",
        memory_gb=5.0,
        steps=30,
        knobs={"guidance_scale": 5.0},
        long_side=512,
        multiple_of=64,
        source="stable-diffusion-v1-5/stable-diffusion-v1-5",
        does="objects and styles that a few words name",
        does_not="instructions",
        example="cherry blossom",
        notes="Takes a few words for what to add rather than an instruction; one edit at a time. "
        f"tests/editors/test_ledits_pp.py runs its pipeline {_NOT_RUN}.",
    ),
    EditorCard(
        name="sd-turbo",
        title="SD-Turbo, image to image",
        family="sd-img2img",
        licence="Stability AI, non-commercial research",
        memory_gb=4.0,
        steps=2,
        knobs={"strength": 0.5, "guidance_scale": 0.0},
        long_side=512,
        multiple_of=64,
        source="stabilityai/sd-turbo",
        does="a new picture modelled on the photo, from a description of the result",
        does_not="instructions",
        notes="Takes a description of the result rather than an instruction. " + _ADAPTER,
    ),
    EditorCard(
        name="flux2-klein-4b",
        title="FLUX.2 klein 4B",
        family="diffusers",
        licence="Apache-2.0",
        memory_gb=13.0,
        steps=4,
        long_side=1024,
        multiple_of=16,
        source="black-forest-labs/FLUX.2-klein-4B",
        does=GENERAL_EDITS,
        notes="The one to choose on a GPU: open, and four steps. " + _ADAPTER,
    ),
    EditorCard(
        name="flux1-kontext",
        title="FLUX.1 Kontext dev",
        family="diffusers",
        licence="FLUX.1 dev, non-commercial",
        gated=True,
        memory_gb=34.0,
        steps=28,
        knobs={"guidance_scale": 2.5},
        short_side=1024,
        long_side=1248,
        multiple_of=16,
        source="black-forest-labs/FLUX.1-Kontext-dev",
        notes=_ADAPTER,
        **KONTEXT_ABILITY,
    ),
    EditorCard(
        name="qwen-image-edit-2509",
        title="Qwen-Image-Edit 2509",
        source="Qwen/Qwen-Image-Edit-2509",
        **_QWEN_EDIT,
    ),
    EditorCard(
        name="qwen-image-edit-2511",
        title="Qwen-Image-Edit 2511",
        source="Qwen/Qwen-Image-Edit-2511",
        **_QWEN_EDIT,
    ),
    EditorCard(
        name="qwen-image-2.1",
        title="Qwen-Image 2.1",
        family="diffusers",
        licence="Qwen Research, non-commercial",
        memory_gb=36.0,
        steps=40,
        knobs={"guidance_scale": 1.0},
        takes_negative_prompt=True,
        long_side=1024,
        multiple_of=32,
        source="Qwen/Qwen-Image-2.1",
        notes=f"One edit at a time, at about a megapixel. {_TORCHVISION} {_ADAPTER}",
    ),
    EditorCard(
        name="omnigen",
        title="OmniGen",
        family="diffusers",
        licence="MIT",
        memory_gb=9.0,
        steps=50,
        knobs={"guidance_scale": 2.5, "image_guidance_scale": 1.6},
        long_side=1024,
        multiple_of=16,
        source="Shitao/OmniGen-v1-diffusers",
        does=GENERAL_EDITS,
        notes=f"One edit at a time. {_TORCHVISION} {_ADAPTER}",
    ),
)
