"""The table of the hub's editors, against the signatures of the pipelines they name."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import diffusers
import pytest
from PIL import Image

from smile_core.__main__ import main
from smile_core.config import KNOBS, ConfigError, RunConfig
from smile_core.editors import list_editors
from smile_core.editors.diffusers_editor import DiffusersEditor, call_arguments, knob_arguments
from smile_core.editors.hub_cards import HUB_CARDS
from smile_core.editors.inpaint import Inpaint
from smile_core.editors.instruct_pix2pix import InstructPix2Pix
from smile_core.editors.ledits_pp import LeditsPP
from smile_core.editors.pretrained import adapter_of, load_pretrained
from smile_core.editors.protocol import EditorCard
from tests import tiny_pipeline, tiny_stable_diffusion

PIPELINES = {
    "instruct-pix2pix": "StableDiffusionInstructPix2PixPipeline",
    "magicbrush": "StableDiffusionInstructPix2PixPipeline",
    "hq-edit": "StableDiffusionInstructPix2PixPipeline",
    "sdxl-instruct-pix2pix": "StableDiffusionXLInstructPix2PixPipeline",
    "cosxl-edit": "StableDiffusionXLInstructPix2PixPipeline",
    "sd15-inpainting": "StableDiffusionInpaintPipeline",
    "sd2-inpainting": "StableDiffusionInpaintPipeline",
    "ledits-pp": "LEditsPPPipelineStableDiffusion",
    "sd-turbo": "StableDiffusionImg2ImgPipeline",
    "flux2-klein-4b": "Flux2KleinPipeline",
    "flux1-kontext": "FluxKontextPipeline",
    "qwen-image-edit-2509": "QwenImageEditPlusPipeline",
    "qwen-image-edit-2511": "QwenImageEditPlusPipeline",
    "qwen-image-2.1": "QwenImage21Pipeline",
    "omnigen": "OmniGenPipeline",
}

ADAPTERS = {
    "instruct-pix2pix": InstructPix2Pix,
    "diffusers": DiffusersEditor,
    "sd-img2img": DiffusersEditor,
    "inpaint": Inpaint,
    "ledits++": LeditsPP,
}


def test_every_card_has_a_pipeline_here() -> None:
    assert [card.name for card in HUB_CARDS] == list(PIPELINES)
    assert all(card in list_editors() for card in HUB_CARDS)


@pytest.mark.parametrize("card", HUB_CARDS, ids=lambda card: card.name)
def test_a_card_asks_for_what_its_pipeline_takes(card: EditorCard) -> None:
    kind = getattr(diffusers, PIPELINES[card.name])
    assert adapter_of(kind, card.source) is ADAPTERS[card.family]
    if card.family == "ledits++":  # its knobs are not arguments of one call
        return
    assert card.knobs.keys() <= knob_arguments(kind).keys() <= set(KNOBS)
    assert not card.takes_negative_prompt or "negative_prompt" in call_arguments(kind)
    RunConfig(instruction="snow", steps=card.steps, **card.knobs)  # within the allowed ranges


@pytest.mark.parametrize("card", HUB_CARDS, ids=lambda card: card.name)
def test_a_card_says_what_a_user_must_know(card: EditorCard) -> None:
    assert card.licence != "unknown"
    assert card.memory_gb > 0
    assert card.steps
    assert card.long_side
    assert "/" in card.source
    assert "real" in card.notes


@pytest.mark.parametrize(
    ("name", "save"),
    [
        ("sd-turbo", tiny_stable_diffusion.save_img2img),
        ("magicbrush", tiny_pipeline.save_tiny_pipeline),
    ],
)
def test_a_model_whose_page_names_the_pipeline_for_texts_alone_edits_all_the_same(
    name: str, save: Callable[[Path], Path], tmp_path: Path
) -> None:
    saved = save(tmp_path / name)
    index = saved / "model_index.json"
    own = json.loads(index.read_text())
    index.write_text(json.dumps({**own, "_class_name": "StableDiffusionPipeline"}))
    (card,) = (card for card in HUB_CARDS if card.name == name)
    editor = load_pretrained(saved, replace(card, memory_gb=0.1, long_side=64))
    assert type(editor._pipe).__name__ == PIPELINES[name]
    edits = editor.edit(Image.new("RGB", (64, 64), "teal"), ["snow", "night"], seed=0)
    assert [edit.size for edit in edits] == [(64, 64)] * 2
    with pytest.raises(ConfigError, match="is a StableDiffusionPipeline, which does not edit"):
        load_pretrained(saved)


def test_which_scale_a_pipeline_is_given() -> None:
    scales = {
        name: knob_arguments(getattr(diffusers, name)).get("guidance_scale")
        for name in ("FluxKontextPipeline", "QwenImageEditPlusPipeline", "QwenImage21Pipeline")
    }
    assert list(scales.values()) == ["guidance_scale", "true_cfg_scale", "true_cfg_scale"]
    omnigen = knob_arguments(diffusers.OmniGenPipeline)
    assert omnigen["image_guidance_scale"] == "img_guidance_scale"


def test_the_command_line_lists_what_each_needs(capsys: pytest.CaptureFixture) -> None:
    assert main(["editors"]) == 0
    listed = capsys.readouterr().out
    kontext = listed.split("flux1-kontext: ")[1].split("\n")
    assert kontext[1].startswith("    Does objects, people, lettering, background and style. For ")
    assert "black-forest-labs/FLUX.1-Kontext-dev" in kontext[2]
    assert "gated" in kontext[2]
    assert "34 GB of memory" in kontext[2]
    assert (
        kontext[3].strip() == "steps 28, guidance_scale 2.5 · no negative prompt · no mask · seed"
    )
    assert "· scheduler dpm-solver ·" in listed.split("hq-edit: ")[1].split("\n")[3]
