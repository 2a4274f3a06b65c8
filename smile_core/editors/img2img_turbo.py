"""Img2Img-Turbo as an editor: pix2pix-turbo on edges or a sketch, and CycleGAN-turbo.

All of them take one step, and the instruction as a caption of the result. pix2pix-turbo sees the
edges of the photo, or the photo as a sketch; CycleGAN-turbo sees the photo itself. Only the sketch
model draws noise, the same for every row.

References
----------
[1] Parmar, Park, Narasimhan, Zhu. One-Step Image Translation with Text-to-Image Models.
    arXiv 2403.12036.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import diffusers
import numpy as np
import peft
import torch
from PIL import Image

from smile_core.config import ConfigError
from smile_core.edit_cache import pixel_digest
from smile_core.editors.batch_editor import (
    Answer,
    BatchEditor,
    EditJob,
    Row,
    check_token_count,
    stack_texts,
)
from smile_core.editors.canny import canny_edges
from smile_core.editors.card_file import read_card
from smile_core.editors.devices import best_device, check_memory, needed_gb
from smile_core.editors.encoding_once import encode_plainly
from smile_core.editors.instruct_pix2pix import InstructPix2Pix
from smile_core.editors.model_files import ModelFiles, files_of_folder, files_of_hub
from smile_core.editors.pretrained import no_progress_bars, weights_digest
from smile_core.editors.protocol import EditFailure, EditorCard
from smile_core.editors.registry import make_room
from smile_core.editors.turbo_cards import BASE_MODEL, EDGE_THRESHOLDS, TURBO_CARDS
from smile_core.editors.turbo_model import TurboPipeline, add_weights
from smile_core.editors.turbo_weights import TurboWeights, find_weights, read_weights

_PARTS = ("vae", "unet", "text_encoder", "tokenizer", "scheduler")
_DARK = 128  # of 255; what is below is a line of the sketch


class Img2ImgTurbo(BatchEditor):
    """Runs a model of Img2Img-Turbo.

    Parameters
    ----------
    pipe : TurboPipeline
        The model, with its weights added, in single precision.
    card : EditorCard
        Its description.
    digest : str
        Digest of the weights.
    weight_bytes : int
        Size of all weights, which decides about the precision it runs in.
    """

    def __init__(
        self, pipe: TurboPipeline, card: EditorCard, digest: str, weight_bytes: int
    ) -> None:
        device = best_device()
        sees = f"{pipe.kind} {EDGE_THRESHOLDS}" if pipe.kind == "edges" else pipe.kind
        super().__init__(
            pipe.to(device, self.precision(device, weight_bytes)),
            card,
            weights=f"img2img-turbo {sees} {digest}",
            libraries=f"{diffusers.__version__} {peft.__version__}",
        )
        self._encoded: tuple[object, tuple[torch.Tensor, list[torch.Tensor]]] | None = None

    @staticmethod
    def precision(device: str, weight_bytes: int) -> torch.dtype:
        """Return float16 on a CUDA card, as for InstructPix2Pix."""
        return InstructPix2Pix.precision(device, weight_bytes)

    def _check(self, job: EditJob) -> None:
        steps = job.settings.get("steps", 1)
        if steps != 1:
            raise ConfigError(
                f"The editor {self.name!r} takes exactly one step, not {steps}. Leave steps unset."
            )

    def _check_lengths(self, prompts: list[str]) -> None:
        tokenizer = self._pipe.tokenizer
        check_token_count(tokenizer, prompts, tokenizer.model_max_length, self.name)

    def _encode(
        self, prompts: list[str], job: EditJob, multiple: int
    ) -> list[Mapping[str, torch.Tensor]]:
        return encode_plainly(self._pipe, prompts, multiple)

    def _run(self, rows: list[Row], job: EditJob) -> list[Answer]:
        job.check_stop(None)
        ratio = self._set_ratio(job)
        latents, skips = self._encode_photo(job.photo, ratio)
        if ratio < 1:
            noise = torch.randn(latents.shape, generator=job.generators(1)[0])
            latents = torch.lerp(noise.to(latents), latents, ratio)
        made = self._pipe.translate(latents, skips, **stack_texts(rows))  # (rows, 3, h, w)
        pictures = self._pipe.image_processor.postprocess(made.nan_to_num(), output_type="pil")
        return [
            picture if bool(row.isfinite().all()) else EditFailure("The editor made no numbers.")
            for picture, row in zip(pictures, made, strict=True)
        ]

    def _set_ratio(self, job: EditJob) -> float:
        """Return r of [1], how far the control picture rules, and set it where it is not fixed."""
        if self._pipe.kind != "sketch":
            return 1.0
        ratio = 1 - float(job.settings["strength"])
        self._pipe.set_ratio(ratio)
        return ratio

    def _encode_photo(
        self, photo: Image.Image, ratio: float
    ) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Return latents and skips of what the model sees of the photo, which is encoded once."""
        key = (pixel_digest(photo), ratio)
        if self._encoded is None or self._encoded[0] != key:
            control = self._control(photo)
            self._encoded = (key, self._pipe.encode_control(control))
        return self._encoded[1]

    def _control(self, photo: Image.Image) -> torch.Tensor:
        """Return what the model sees (1, 3, h, w): lines are 1 and the rest 0, or the photo."""
        if self._pipe.kind == "cyclegan":
            return self._pipe.image_processor.preprocess(photo)  # from -1 to 1
        if self._pipe.kind == "edges":
            lines = np.repeat(
                canny_edges(photo, *EDGE_THRESHOLDS)[:, :, None], 3, axis=2
            )  # (h, w, 3)
        else:
            lines = np.asarray(photo.convert("RGB")) < _DARK  # (h, w, 3)
        return torch.from_numpy(lines).permute(2, 0, 1)[None].float()


def load_turbo(
    source: str | Path, card: EditorCard | None = None, *, base: str | Path | None = None
) -> Img2ImgTurbo:
    """Load a model of Img2Img-Turbo.

    Parameters
    ----------
    source : str or Path
        A weight file, its address, or a folder that holds one beside the parts of sd-turbo. Of a
        CycleGAN's two directions the second is taken when the file is named `night2day` or
        `rainy2clear`, as published, and the first otherwise.
    card : EditorCard or None
        Its description; None takes that of the published model of its kind, or the
        `smile_card.json` of the folder.
    base : str, Path or None
        sd-turbo, as a folder or a hub id; None takes `source` if that is a folder, else the hub's.

    Raises
    ------
    ConfigError
        When something is not there and cannot be fetched, does not fit memory or disk, or is not
        what it should be.
    """
    if base is None:
        base = source if Path(source).is_dir() else BASE_MODEL
    file = find_weights(source)
    files = files_of_folder(Path(base)) if Path(base).is_dir() else files_of_hub(str(base))
    _check_parts(files)
    device = best_device()
    weight_bytes = files.weight_bytes + file.size
    memory_gb = card.memory_gb if card is not None else files.typical_memory_gb
    needed = needed_gb(memory_gb, device, weight_bytes)
    make_room(needed, device)
    check_memory(file.path.name, needed, device)
    weights = read_weights(file.fetch())
    folder = files.fetch()
    if card is None:
        card = _card_of(weights, source)
        card = read_card(Path(source), card) if Path(source).is_dir() else card
    pipe = build_turbo(folder, weights)
    return Img2ImgTurbo(pipe, card, f"{weights_digest(folder)} {weights.digest}", weight_bytes)


def build_turbo(folder: Path, weights: TurboWeights) -> TurboPipeline:
    """Build the model from the parts of sd-turbo in a folder, in single precision.

    Raises
    ------
    ConfigError
        When the folder cannot be read, or the weights do not fit it.
    """
    with no_progress_bars():
        try:
            pipe = TurboPipeline.from_pretrained(str(folder), dtype=torch.float32)
        except ConfigError:
            raise
        except (OSError, ValueError, RuntimeError) as error:
            raise ConfigError(
                f"The base model in {str(folder)!r} cannot be loaded ({error}). Give sd-turbo, as "
                "a folder saved by diffusers or a hub id."
            ) from error
    add_weights(pipe, weights)
    return pipe


def _check_parts(files: ModelFiles) -> None:
    missing = [part for part in _PARTS if not isinstance(files.index.get(part), list)]
    if missing:
        raise ConfigError(
            f"The base model {files.source!r} has no {', '.join(missing)}, so it is not sd-turbo. "
            f"Give {BASE_MODEL}, as a folder saved by diffusers or a hub id."
        )


def _card_of(weights: TurboWeights, source: str | Path) -> EditorCard:
    """Return the card of a file that nobody described: that of the published one of its kind."""
    published = {card.source.rpartition("/")[2]: card for card in TURBO_CARDS}
    kinds = {"edges": TURBO_CARDS[0], "sketch": TURBO_CARDS[1], "cyclegan": TURBO_CARDS[2]}
    card = published.get(weights.name, kinds[weights.kind])
    name = Path(weights.name).stem
    return replace(card, name=name, title=name, source=str(source))
