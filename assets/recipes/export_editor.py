r"""Turn a training checkpoint into the folder that the product loads.

    python assets/recipes/export_editor.py scene-pix2pix --run build/scene \
        --out assets/editors/scene-pix2pix
    python assets/recipes/export_editor.py one-step --run build/one_step \
        --out assets/editors/one-step

The averaged weights go to half precision, in shards under 10 MB. Classes of our own are named by
their module in `model_index.json`, so that diffusers imports them from the package.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

import torch
from diffusers import DiffusionPipeline, StableDiffusionInstructPix2PixPipeline
from scene_editor import build_one_step_unet, build_scheduler, build_unet
from scene_text import build_text_encoder, build_tokenizer, load_glove
from scene_training import Editor
from transformers import PreTrainedTokenizerFast

from smile_core.editors.one_step_model import OneStepPipeline
from smile_core.editors.scene_model import PixelCodec

SHARD = "9MB"


def scene_pix2pix(editor: Editor, tokenizer: PreTrainedTokenizerFast) -> DiffusionPipeline:
    """Return the diffusion editor as a pipeline."""
    return StableDiffusionInstructPix2PixPipeline(
        vae=PixelCodec(),
        text_encoder=editor.text_encoder,
        tokenizer=tokenizer,
        unet=editor.unet,
        scheduler=build_scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def one_step(editor: Editor, tokenizer: PreTrainedTokenizerFast) -> DiffusionPipeline:
    """Return the editor that takes one step as a pipeline."""
    return OneStepPipeline(unet=editor.unet, text_encoder=editor.text_encoder, tokenizer=tokenizer)


EDITORS = {
    "scene-pix2pix": (build_unet, scene_pix2pix),
    "one-step": (build_one_step_unet, one_step),
}


def export(name: str, run: Path, out: Path) -> None:
    """Write the averaged weights of `run/checkpoint.pt` as a pipeline folder to `out`."""
    build, pipeline_of = EDITORS[name]
    words, vectors = load_glove()
    tokenizer = build_tokenizer(words)
    editor = Editor(build_text_encoder(tokenizer, words, vectors), build())
    saved = torch.load(run / "checkpoint.pt", weights_only=True)
    average = {
        key.removeprefix("module."): value
        for key, value in saved["average"].items()
        if key.startswith("module.")
    }
    editor.load_state_dict(average)
    editor.half()
    pipeline = pipeline_of(editor, tokenizer)
    pipeline.save_pretrained(out, max_shard_size=SHARD)
    index = json.loads((out / "model_index.json").read_text())
    for part, model in pipeline.components.items():
        if type(model).__module__.startswith("smile_core."):
            index[part][0] = type(model).__module__
    (out / "model_index.json").write_text(json.dumps(index, indent=2) + "\n")
    shutil.copy(run / "log.jsonl", out / "training_log.jsonl")
    print(json.dumps(saved["state"], indent=2))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("editor", choices=EDITORS)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    export(args.editor, args.run, args.out)
