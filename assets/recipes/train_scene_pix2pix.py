r"""Train the bundled editor, a small StableDiffusionInstructPix2PixPipeline, from scratch.

    python assets/recipes/train_scene_pix2pix.py --photos build/photos \
        --text build/text/text_encoder.pt --details build/details/details.pt \
        --out build/scene --minutes 45 22 23

Photos are rendered with the effects that a random instruction asks for (`scene_effects`,
`scene_grammar`); the U-Net learns to predict the edited picture from a noisy one, the photo and
the text (x0 prediction, zero terminal SNR [1]). The noise of the diffusion is the field that the
effects were drawn from, see `scene_effects`. `scene_training` runs it, and `export_editor.py` turns
a checkpoint into the folder that the product loads.

References
----------
[1] Lin et al., Common diffusion noise schedules and sample steps are flawed, 2024.
"""

from __future__ import annotations

from functools import partial

import torch
import torch.nn.functional as F
from scene_editor import build_scheduler, build_unet, loss_of
from scene_training import SEED, Batch, Editor, begin, parse_arguments, train

from smile_core.editors.scene_model import PATCH

# Of each stage: picture shapes and batch size.
STAGES = (
    (((64, 64), (64, 88), (64, 112), (88, 64)), 32),
    (((128, 128), (128, 168), (128, 224), (168, 128)), 16),
    (((256, 256), (256, 344), (256, 448), (344, 256)), 6),
)
# Share of training at the first step of a run (pure noise, where the words decide everything), at
# the other three steps of a four-step run, and anywhere.
LAST_STEP, LATER_STEPS = 999, (749, 499, 249)
SHARES = (0.75, 0.15, 0.1)
NO_PHOTO = 0.05  # share of samples without the photo, for image guidance


def draw_timesteps(n: int, generator: torch.Generator) -> torch.Tensor:
    """Return n timesteps (n,), see `SHARES`."""
    kind = torch.multinomial(torch.tensor(SHARES), n, replacement=True, generator=generator)
    later = torch.tensor(LATER_STEPS)[torch.randint(3, (n,), generator=generator)]
    anywhere = torch.randint(1000, (n,), generator=generator)
    return torch.where(kind == 0, LAST_STEP, torch.where(kind == 1, later, anywhere))


def loss_of_batch(
    alphas: torch.Tensor, editor: Editor, batch: Batch, generator: torch.Generator
) -> torch.Tensor:
    """Return how far the predicted edits lie from the rendered ones; `alphas` is ᾱ (1000,)."""
    n = len(batch.photo)
    t = draw_timesteps(n, generator)
    alpha = alphas[t].view(-1, 1, 1, 1)
    noisy = alpha.sqrt() * batch.edit + (1 - alpha).sqrt() * batch.noise
    seen = (torch.rand(n, generator=generator) >= NO_PHOTO).float()
    photo = batch.photo * seen.view(-1, 1, 1, 1)
    text = editor.text_encoder(batch.tokens)[0]
    latents = F.pixel_unshuffle(torch.cat([noisy, photo], dim=1), PATCH)
    predicted = F.pixel_shuffle(editor.unet(latents, t, text, return_dict=False)[0], PATCH)
    # A picture that has to be guessed from noise counts less.
    return (loss_of(predicted, batch.edit) * (0.2 + 0.8 * seen)).mean()


if __name__ == "__main__":
    args = parse_arguments(__doc__, stages=len(STAGES))
    torch.manual_seed(SEED)
    torch.set_num_threads(2)
    train(
        *begin(build_unet(), args.text, args.details),
        partial(loss_of_batch, build_scheduler().alphas_cumprod),
        photos=args.photos,
        stages=STAGES,
        minutes=args.minutes,
        out=args.out,
    )
