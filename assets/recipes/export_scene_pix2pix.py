r"""Turn a training checkpoint into the diffusers folder that the product loads.

    python assets/recipes/export_scene_pix2pix.py --run build/scene \
        --out assets/editors/scene-pix2pix

The averaged weights go to half precision, in shards under 10 MB. The two classes of our own are
named by their module in `model_index.json`, so that diffusers imports them from the package.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from diffusers import StableDiffusionInstructPix2PixPipeline
from scene_editor import Editor, build_scheduler, build_unet
from scene_text import build_text_encoder, build_tokenizer, load_glove

from smile_core.editors.scene_model import PixelCodec

OWN_MODULE = "smile_core.editors.scene_model"
SHARD = "9MB"


def export(run: Path, out: Path) -> None:
    """Write the averaged weights of `run/checkpoint.pt` as a pipeline folder to `out`."""
    words, vectors = load_glove()
    tokenizer = build_tokenizer(words)
    editor = Editor(build_text_encoder(tokenizer, words, vectors), build_unet())
    saved = torch.load(run / "checkpoint.pt", weights_only=True)
    average = {
        key.removeprefix("module."): value
        for key, value in saved["average"].items()
        if key.startswith("module.")
    }
    editor.load_state_dict(average)
    editor.half()
    pipeline = StableDiffusionInstructPix2PixPipeline(
        vae=PixelCodec(),
        text_encoder=editor.text_encoder,
        tokenizer=tokenizer,
        unet=editor.unet,
        scheduler=build_scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.save_pretrained(out, max_shard_size=SHARD)
    index = json.loads((out / "model_index.json").read_text())
    index["vae"][0] = index["unet"][0] = OWN_MODULE
    (out / "model_index.json").write_text(json.dumps(index, indent=2) + "\n")
    rows = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    print(json.dumps({**saved["state"], "last_loss": rows[-1]["loss"]}, indent=2))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    export(args.run, args.out)
