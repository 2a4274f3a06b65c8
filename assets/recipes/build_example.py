"""Make the finished explanation that a newcomer to the page sees first.

A real run of the bundled editor on a bundled photo, stored as it came out. Run from the repository
root whenever the editor or the measurements change::

    python -m assets.recipes.build_example [--photo meadow] [--instruction "…"]
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from smile_core import explain, save_explanation

ASSETS = Path(__file__).parents[1]
EXAMPLE = ASSETS / "example"


def main() -> None:
    """Run the explanation and replace the stored one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photo", default="temple", help="name of a bundled photo")
    parser.add_argument("--instruction", default="Turn this lake into a rainy evening")
    parser.add_argument("--perturbations", type=int, default=32)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    photo = ASSETS / "photos" / f"{given.photo}.jpg"
    explanation = explain(
        photo, given.instruction, perturbations=given.perturbations, seed=given.seed
    )
    shutil.rmtree(EXAMPLE, ignore_errors=True)
    save_explanation(explanation, EXAMPLE)
    # The page shows the bundled photo itself among the inputs.
    (EXAMPLE / "photo.txt").write_text(f"{given.photo}\n", encoding="utf-8")
    for unit in explanation.units:
        print(f"{unit.text:>16} {unit.weight:6.2f}  {unit.verdict}")


if __name__ == "__main__":
    main()
