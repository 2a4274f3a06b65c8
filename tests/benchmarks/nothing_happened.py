"""Is nothing said where nothing happened, and only there?

    python -m tests.benchmarks.nothing_happened [--editor NAME ...]

Asks both bundled editors for objects and people, which they do not know, and for the labelled edits
of `labelled_edits`, which they do, on ten photos. Prints how often a run says that nothing
happened, and how far the most different block of 16 x 16 pixels of the full edit differs from the
edit without instruction: the number that decides it (`smile_core.visible`).

The limit was set on the first twenty instructions about objects; the second twenty were written
down afterwards. None of them names a colour, a time, a weather or a style: *turn the car red*
reddens the whole picture, and that is an edit.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence

import numpy as np

from smile_core import RunConfig, stream
from smile_core.explanation import Snapshot
from smile_core.visible import VISIBLE
from tests.benchmarks.labelled_edits import INSTRUCTIONS, PHOTOS

FIRST = """
add a hat to the cat
remove the person
make her smile
put a dog on the sofa
add sunglasses to his face
replace the bicycle with a motorcycle
give the man a beard
add a boat to the lake
make the building taller
open the door of the house
put a cup of tea on the table
change the person's age to look considerably older
make it anime
Mach daraus einen verschneiten Winterabend
add a tattoo on her arm
let the child hold an umbrella
replace the flag with a banner
turn the horse into a cow
show this place at snowey nigth
add a clock to the tower
""".strip().splitlines()
SECOND = """
give the dog a collar
remove the car from the street
add a lamp post beside the house
make him look younger
replace the cup with a bottle
put a crown on her head
add a bird on the roof
let the man wave his hand
swap the chair for a bench
add a second window
take away the fence
make the child laugh
put glasses on the woman
add a bicycle leaning on the wall
turn the boat into a canoe
give her long hair
make the tower shorter
put a book in his hands
add a kite
close the door
""".strip().splitlines()


def first_look(photo: object, instruction: str, editor: str) -> tuple[bool, float]:
    """Return whether anything happened, and how far it can be seen, after the first two edits."""
    config = RunConfig(instruction=instruction, editor=editor, perturbations=1)
    seen: list[Snapshot] = []
    # The first batch is the full edit and the one without instruction.
    for snapshot in stream(photo, config, stop=lambda: bool(seen)):
        seen.append(snapshot)
    found = seen[-1].explanation
    assert found is not None
    assert found.scale is not None
    assert found.scale.visible is not None
    return found.happened, found.scale.visible


def report(name: str, instructions: Sequence[str], editor: str) -> None:
    """Print one line, and the runs that are nearest to the limit."""
    looks = [
        (*first_look(photo, text, editor), photo.stem, text)
        for text in instructions
        for photo in PHOTOS
    ]
    visible = np.array([seen for _, seen, *_ in looks])
    nothing = np.mean([not happened for happened, *_ in looks])
    print(
        f"{editor:<16}{name:<26}{len(looks):>5} runs: nothing happened in {nothing:>6.1%}; most "
        f"different block {visible.min():.2f} to {visible.max():.2f} levels, limit {VISIBLE}",
        flush=True,
    )
    nearest = sorted(looks, key=lambda look: abs(np.log(max(look[1], 1e-9) / VISIBLE)))[:3]
    for happened, seen, photo, text in nearest:
        print(f"    {seen:6.2f} {'an edit' if happened else 'nothing'}: {photo}: {text}")
    if nothing > 0.5:  # then those are telling that are not as the others
        edited = Counter(text for happened, _, _, text in looks if happened)
        for text, count in edited.items():
            print(f"    an edit on {count} of {len(PHOTOS)} photos: {text}")


def main() -> None:
    """Print the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--editor", nargs="+", default=["scene-pix2pix", "one-step"])
    for editor in parser.parse_args().editor:
        report("objects, first twenty", FIRST, editor)
        report("objects, second twenty", SECOND, editor)
        report("labelled edits", [labelled.text for labelled in INSTRUCTIONS], editor)


if __name__ == "__main__":
    main()
