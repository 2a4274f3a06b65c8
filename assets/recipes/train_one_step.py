r"""Train the second bundled editor, which edits in one pass, from scratch.

    python assets/recipes/train_one_step.py --photos build/photos \
        --text build/text/text_encoder.pt --details build/details/details.pt \
        --out build/one_step --minutes 25 10

It learns from the same photos, instructions and effects as the first (`train_scene_pix2pix.py`),
but predicts the edit at once, from the photo, the text and the field of noise that the effects
were drawn from. `scene_training` runs it, and `export_editor.py` turns a checkpoint into the folder
that the product loads.
"""

from __future__ import annotations

import torch
from scene_editor import build_one_step_unet, loss_of
from scene_training import SEED, Batch, Editor, begin, parse_arguments, train

# Of each stage: picture shapes and batch size.
STAGES = (
    (((128, 128), (128, 168), (128, 224), (168, 128)), 24),
    (((256, 256), (256, 344), (256, 448), (344, 256)), 8),
)


def loss_of_batch(editor: Editor, batch: Batch, generator: torch.Generator) -> torch.Tensor:
    """Return how far the predicted edits lie from the rendered ones."""
    text = editor.text_encoder(batch.tokens)[0]
    return loss_of(editor.unet(batch.photo, batch.noise, text), batch.edit).mean()


if __name__ == "__main__":
    args = parse_arguments(__doc__, stages=len(STAGES))
    torch.manual_seed(SEED)
    torch.set_num_threads(2)
    train(
        *begin(build_one_step_unet(), args.text, args.details),
        loss_of_batch,
        photos=args.photos,
        stages=STAGES,
        minutes=args.minutes,
        out=args.out,
    )
