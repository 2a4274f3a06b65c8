"""Photos and instructions that the bundled editor never saw, with the words that ought to matter.

The photos are not among those of `assets/recipes/collect_photos.py`, and no instruction occurred in
the last training, as `seen_in_training` counts.
Instructions marked `held_out` name their effect with a word that never occurs in training, so only
its word vector can tell the editor what it means.

The first three dozens were looked at while the editors were trained. The last two, marked `fresh`,
were written down by somebody who did not know the words of the training, before the last of it, and
asked for once after it; no decision was taken on them. Like the first dozen, and unlike the second
and third, they name no effect twice.
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
    # With rarer words.
    _one("Let a blizzard hit this quiet spot right before lunch", "blizzard"),
    _one("Show me how the same corner looks at dusk in crimson", "dusk crimson"),
    _one("Our neighbours say there was smog and sleet yesterday", "smog sleet"),
    _one("Paint an angry tempest above my house, please!", "tempest"),
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
    _one("Now pretend that rainfall surprised the hikers", "rainfall"),
    _one("Twilight would suit this shot, would it not?", "twilight"),
    _one("What a gloomy postcard that could become", "gloomy"),
    _one("Dip everything in violet for our album cover", "violet"),
    # The third dozen names an effect twice in four of its instructions.
    _one("Snow everywhere, a real winter wonderland", "snow winter"),
    _one("Our trip deserves a dramatic sky full of lightning and thunder", "lightning thunder"),
    _one("Late October, with leaves all around and some fog", "october leaves fog"),
    _one("Please let the sun come out for our reunion", "sun"),
    _one("Make everything look as if it were drawn by hand in pencil", "drawn pencil"),
    _one("The neighbours should see it covered in green haze", "green haze"),
    _one("Let us have darkness over the whole valley tonight", "darkness tonight"),
    _one("Grandfather's album calls for faded yellow tones", "faded yellow"),
    _one("Sudden showers spoiled the wedding", "showers"),
    _one("I picture this spot moonlit and empty", "moonlit"),
    _one("Her favourite colour is crimson, so use it", "crimson"),
    _one("Some flurries drift past my window", "flurries"),
    # Fourth dozen.
    _fresh("Transform the scene into a foggy night.", "foggy night"),
    _fresh(
        "Alter the environment to show a rainy evening with lamps along the road.",
        "rainy evening lamps",
    ),
    _fresh("Convert the image to sepia and render it blurred.", "sepia blurred"),
    _fresh("Modify the setting to depict a stormy, red atmosphere.", "stormy red"),
    _fresh("Hey, could you get my street to look snowy for mum?", "snowy"),
    _fresh("My boss would like it brighter before our team meeting", "brighter"),
    _fresh("Any chance the garden gets a rainbow before my sister visits?", "rainbow"),
    _fresh("Honestly, our guests keep asking for autumn, and make it vivid", "autumn vivid"),
    _fresh("Aunt Helen swears our bus stop looked overcast, so go with that", "overcast"),
    _fresh("Give the band poster from my cousin an emerald look, thanks!", "emerald"),
    _fresh("I was hoping for a midnight mood in mauve, whatever Peter says", "midnight mauve"),
    _fresh("Guess what, my teacher wants a bleached copy of this", "bleached"),
    # Fifth dozen.
    _fresh("Change the image so that it shows a sunny autumn scene.", "sunny autumn"),
    _fresh(
        "Switch the environment to a dark setting with lightning over the road.", "dark lightning"
    ),
    _fresh("Turn the photograph into a sketch with a pink finish.", "sketch pink"),
    _fresh("Adjust the picture to a cold, yellow mood with mist.", "cold yellow mist"),
    _fresh("Um, is it possible that it rains while we wait outside?", "rains"),
    _fresh("For dad's office wall I need this in orange", "orange"),
    _fresh("Okay, so the couple next door asked for clouds and a rainbow", "clouds rainbow"),
    _fresh("Just for fun, what would our station be like at night?", "night"),
    _fresh("Would you mind a lavender touch before it goes to Anna?", "lavender"),
    _fresh("Tell me our farm can look wintry on the club calendar", "wintry"),
    _fresh("Nobody liked the last attempt, try a colourless one for the magazine", "colourless"),
    _fresh(
        "Quick favour, toss in some streetlamps and a drizzle, would you?",
        "streetlamps drizzle",
        held_out=True,
    ),
)

# What the defaults are decided on: the first two dozens; and one photo for each.
DECIDED_ON = INSTRUCTIONS[:24]
PAIRS = tuple(
    (labelled, PHOTOS[(index + index // len(PHOTOS)) % len(PHOTOS)])
    for index, labelled in enumerate(DECIDED_ON)
)
