"""Photos and instructions that the bundled editor never saw, with the words that ought to matter.

The photos are not among those of `assets/recipes/collect_photos.py`, and no instruction is one
that `assets/recipes/scene_grammar.py` can write: each has words or turns that it does not have.
Instructions marked `held_out` name their effect with a word that never occurs in training, so only
its word vector can tell the editor what it means.

The first dozen of instructions was looked at while the editors were trained. The second dozen,
marked `fresh`, and the last two photos were written down when the training of `scene-pix2pix` was
over, before any editor was asked for them, and no decision about it was taken on them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PHOTO_FOLDER = Path(__file__).parents[2] / "assets" / "photos"
PHOTOS = tuple(
    PHOTO_FOLDER / f"{name}.jpg"
    for name in "temple meadow peaks flower rocket astronaut coffee cat hopper camera".split()
)


@dataclass(frozen=True)
class LabelledInstruction:
    """An instruction with its keywords; is a keyword held out from training, is it all fresh?"""

    text: str
    keywords: tuple[str, ...]
    held_out: bool = False
    fresh: bool = False

    def truth(self, units: tuple[str, ...]) -> list[int]:
        """Return 1 for each unit that is a keyword, 0 for the others."""
        return [int(unit.lower().strip(".,!?") in self.keywords) for unit in units]


def _one(text: str, keywords: str, **marks: bool) -> LabelledInstruction:
    return LabelledInstruction(text, tuple(keywords.split()), **marks)


def _fresh(text: str, keywords: str, **marks: bool) -> LabelledInstruction:
    return _one(text, keywords, fresh=True, **marks)


INSTRUCTIONS = (
    # After tables IX to XI of arXiv 2412.16277, in its wording.
    _one("Transform the weather to make it snowing.", "snowing"),
    _one("Transform the image to depict a cloudy, dark evening.", "cloudy dark evening"),
    _one("Turn it to night with snowy weather.", "night snowy"),
    _one("Convert it to night with some noise of lights.", "night lights"),
    # Our own.
    _one("I'd love to see my holiday picture as a foggy autumn morning", "foggy autumn"),
    _one("Could the whole view perhaps become rainy, with one big rainbow?", "rainy rainbow"),
    _one("Redo my snapshot like some old sepia postcard from grandma", "sepia"),
    _one("Bathe our village in purple tones, and blur every outline", "purple blur"),
    # With words that training never showed.
    _one("Let a blizzard hit this quiet spot right before lunch", "blizzard", held_out=True),
    _one("Show me how the same corner looks at dusk in crimson", "dusk crimson", held_out=True),
    _one("Our neighbours say there was smog and sleet yesterday", "smog sleet", held_out=True),
    _one("Paint an angry tempest above my house, please!", "tempest", held_out=True),
    # Fresh: the paper's longest one, then our own.
    _fresh(
        "Transform the image to a rainy scene with dark clouds, steady raindrops, and puddles "
        "forming on the ground.",
        "rainy dark clouds raindrops puddles",
    ),
    _fresh("Can we pretend it was misty when grandpa took this shot?", "misty"),
    _fresh("Give everybody the feeling of a warm sunset by the sea", "warm sunset"),
    _fresh("My brother wants this one as a pencil sketch", "pencil sketch"),
    _fresh("Half an hour later a thunderstorm rolled over us", "thunderstorm"),
    _fresh("Same frame, but pink and hazy, like in a dream", "pink hazy"),
    _fresh("Winter came early this year, so bring snowflakes, lots of them", "winter snowflakes"),
    _fresh("Our printer broke, so monochrome will have to do", "monochrome"),
    _fresh("Now pretend that rainfall surprised the hikers", "rainfall", held_out=True),
    _fresh("Twilight would suit this shot, would it not?", "twilight", held_out=True),
    _fresh("What a gloomy postcard that could become", "gloomy", held_out=True),
    _fresh("Dip everything in violet for our album cover", "violet", held_out=True),
)

# Each instruction with two photos, others for the next, so that every photo has its turn.
PAIRS = tuple(
    (labelled, PHOTOS[place % len(PHOTOS)])
    for index, labelled in enumerate(INSTRUCTIONS)
    for place in (2 * index, 2 * index + 1 + index // 5)
)
