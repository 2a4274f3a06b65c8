"""Photos and instructions that the bundled editor never saw, with the words that ought to matter.

The photos are not among those of `assets/recipes/collect_photos.py`, and no instruction is one
that `assets/recipes/scene_grammar.py` can write: each has words or turns that it does not have.
Instructions marked `held_out` name their effect with a word that never occurs in training, so only
its word vector can tell the editor what it means.

The first two dozen instructions were looked at while the editors were trained. The third dozen,
marked `fresh`, was written down before the last training and asked for once after it; no decision
was taken on it.
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
    # The paper's longest, then more of our own; three of them name an effect twice.
    _one(
        "Transform the image to a rainy scene with dark clouds, steady raindrops, and puddles "
        "forming on the ground.",
        "rainy dark clouds raindrops puddles",
    ),
    _one("Can we pretend it was misty when grandpa took this shot?", "misty"),
    _one("Give everybody the feeling of a warm sunset by the sea", "warm sunset"),
    _one("My brother wants this one as a pencil sketch", "pencil sketch"),
    _one("Half an hour later a thunderstorm rolled over us", "thunderstorm"),
    _one("Same frame, but pink and hazy, like in a dream", "pink hazy"),
    _one("Winter came early this year, so bring snowflakes, lots of them", "winter snowflakes"),
    _one("Our printer broke, so monochrome will have to do", "monochrome"),
    _one("Now pretend that rainfall surprised the hikers", "rainfall", held_out=True),
    _one("Twilight would suit this shot, would it not?", "twilight", held_out=True),
    _one("What a gloomy postcard that could become", "gloomy", held_out=True),
    _one("Dip everything in violet for our album cover", "violet", held_out=True),
    # Fresh.
    _fresh("Snow everywhere, a real winter wonderland", "snow winter"),
    _fresh("Our trip deserves a dramatic sky full of lightning and thunder", "lightning thunder"),
    _fresh("Late October, with leaves all around and some fog", "october leaves fog"),
    _fresh("Please let the sun come out for our reunion", "sun"),
    _fresh("Make everything look as if it were drawn by hand in pencil", "drawn pencil"),
    _fresh("The neighbours should see it covered in green haze", "green haze"),
    _fresh("Let us have darkness over the whole valley tonight", "darkness tonight"),
    _fresh("Grandfather's album calls for faded yellow tones", "faded yellow"),
    _fresh("Sudden showers spoiled the wedding", "showers", held_out=True),
    _fresh("I picture this spot moonlit and empty", "moonlit", held_out=True),
    _fresh("Her favourite colour is crimson, so use it", "crimson", held_out=True),
    _fresh("Some flurries drift past my window", "flurries", held_out=True),
)

# What decisions are taken on, and one photo for each, another one for the next.
LOOKED_AT = tuple(labelled for labelled in INSTRUCTIONS if not labelled.fresh)
PAIRS = tuple(
    (labelled, PHOTOS[(index + index // len(PHOTOS)) % len(PHOTOS)])
    for index, labelled in enumerate(LOOKED_AT)
)
