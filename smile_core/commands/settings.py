"""The settings of a run as options of the command line."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from smile_core.config import (
    DESIGNS,
    GRANULARITIES,
    IMAGE_DISTANCES,
    PRESETS,
    SCHEDULERS,
    SURROGATES,
    TEXT_DISTANCES,
)

OWN = "own"  # the editor's own scheduler, so that a column of a comparison can ask for it


def _scheduler(text: str) -> str | None:
    return None if text == OWN else text


# Settings of `RunConfig` as options: name, type, what it is.
_SETTINGS: tuple[tuple[str, Callable[[str], Any], str], ...] = (
    (
        "perturbations",
        int,
        "shortened instructions to try, 1 to 4096 (default 64, or four for each word)",
    ),
    ("seed", int, "seed of edits and masks (default 0)"),
    ("seeds", int, "repeat every prompt under this many seeds (default 1)"),
    ("granularity", str, ", ".join(GRANULARITIES)),
    ("design", str, ", ".join(DESIGNS)),
    ("encoder", str, "efficientnet-lite0, or a DINOv2 model of the hub"),
    ("image-distance", str, ", ".join(IMAGE_DISTANCES)),
    ("order", float, "order p of the Wasserstein distances, 1 to 8 (default 2)"),
    ("text-distance", str, ", ".join(TEXT_DISTANCES)),
    ("word-vectors", str, "bundled, or a gensim-downloader model"),
    ("kernel-width", float, "sigma of the sample weights (default: chosen from the data)"),
    ("response", str, "share (of the way from no instruction to the full edit), min-max"),
    (
        "blank",
        str,
        "what stands for no instruction: edit, photo (default: photo if edits are billed)",
    ),
    ("negligible", float, "smallest effect that matters, as a share of the way (default 0.05)"),
    ("surrogate", str, ", ".join(SURROGATES)),
    ("p-cutoff", float, "leave samples with a p-value above this out of the fit"),
    ("p-iterations", int, "bootstrap iterations behind a p-value (default 1000)"),
    ("steps", int, "the editor's denoising steps"),
    ("guidance-scale", float, "how strongly the editor follows the instruction"),
    ("image-guidance-scale", float, "how strongly the editor keeps to the photo"),
    ("strength", float, "how much of the photo the editor paints anew, above 0 to 1"),
    ("negative-prompt", str, "what the edit should not show"),
    (
        "scheduler",
        _scheduler,
        f"{', '.join(SCHEDULERS)}: few steps (set --steps too) and no noise after the first, for "
        f"editors that take it; {OWN} is the editor's own (default)",
    ),
    ("batch-size", int, "edits per call of the editor, 1 to 64 (default 8)"),
)


def add_settings(parser: argparse.ArgumentParser, *, several: bool = False) -> None:
    """Add the options of a run.

    With `several` each but photo, mask and folder takes one value for all columns, or one for each.
    """
    many: dict[str, Any] = {"nargs": "+", "metavar": "VALUE"} if several else {}
    parser.add_argument("--image", required=True, help="the photo")
    parser.add_argument(
        "--instruction",
        *(["--instructions"] if several else []),
        required=True,
        help="what the editor is asked to do",
        **many,
    )
    parser.add_argument(
        "--editor",
        *(["--editors"] if several else []),
        help="a name of `editors`, a folder saved by diffusers, a hub id, a .safetensors or .pkl "
        "file of a kind that is listed, or a .toml file of your own",
        **many,
    )
    parser.add_argument(
        "--mask",
        help="for an editor that needs one: a picture of the photo's size, white where it may "
        "edit, or the word whole",
    )
    parser.add_argument("--out", required=True, help="folder for the result")
    parser.add_argument("--preset", help=", ".join(PRESETS), **many)
    for name, kind, text in _SETTINGS:
        parser.add_argument(f"--{name}", type=kind, help=text, **many)
    parser.add_argument("--interactions", action="store_const", const=True, help="fit pairs too")
    parser.add_argument(
        "--stop-when-settled",
        action="store_const",
        const=True,
        help="end a run once nothing that matters is unclear (default: make all edits)",
    )
