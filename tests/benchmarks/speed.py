"""How long does an explanation take, warm, on this machine?

    python -m tests.benchmarks.speed [--editor NAME] [--perturbations 64]

Explains a bundled photo with an instruction of eight words, after a first run with other words has
loaded everything, and prints the seconds to the first snapshot, to the finished explanation, and of
the same explanation asked again from the cache. What batching gains is measured in `batching`.
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
import time

import torch

from smile_core import RunConfig, stream
from smile_core.config import BUNDLED_EDITOR
from smile_core.edit_cache import EditCache
from tests.benchmarks.labelled_edits import PHOTOS

PHOTO = PHOTOS[0]
WARM_UP = "paint it green and very sunny today friends"
INSTRUCTION = "make it a snowy evening with some lights"  # eight words


def timed_run(instruction: str, cache: EditCache, **settings: object) -> dict[str, float]:
    """Run one explanation and return its seconds to the first and to the last snapshot."""
    config = RunConfig(instruction=instruction, **settings)
    started = time.perf_counter()
    marks = [
        (time.perf_counter() - started, snapshot)
        for snapshot in stream(PHOTO, config, cache=cache)
        if snapshot.explanation is not None
    ]
    return {
        "first": marks[0][0],
        "total": marks[-1][0],
        "edits_per_second": marks[-1][1].edits_per_second or 0.0,
        **marks[-1][1].explanation.timing,
    }


def main() -> None:
    """Print the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--editor", default=BUNDLED_EDITOR)
    parser.add_argument("--perturbations", type=int, default=64)
    args = parser.parse_args()
    settings = {"editor": args.editor, "perturbations": args.perturbations}
    print(f"{platform.machine()}, {os.cpu_count()} cores, torch {torch.__version__}")
    with tempfile.TemporaryDirectory() as folder:
        cache = EditCache(folder)
        timed_run(WARM_UP, cache, editor=args.editor, perturbations=4)
        run = timed_run(INSTRUCTION, cache, **settings)
        again = timed_run(INSTRUCTION, cache, **settings)
    print(f"first heatmap after {run['first']:.2f} s")
    print(
        f"{args.perturbations} perturbations in {run['total']:.1f} s "
        f"({run['edit_s']:.1f} editing, {run['encode_s']:.1f} encoding, {run['other_s']:.1f} other)"
    )
    print(f"{run['edits_per_second']:.2f} edits a second")
    print(f"the same asked again: {again['total']:.2f} s")


if __name__ == "__main__":
    main()
