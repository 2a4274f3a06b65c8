"""Instructions for the bundled editors, written the way people write, with what each word means.

An instruction is a list of words; some carry an effect, some a degree, the rest carry nothing.
`sample_instruction` also leaves words out at random, and what remains still means what its own
words say: *make it snowy* asks for snow, *make it* asks for nothing. That is what makes the editor
explainable word by word, and what teaches it that function words mean nothing. The words are in
`scene_words`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scene_words import (
    BASE_STRENGTH,
    FORMS,
    HEAVY,
    HEAVY_FACTOR,
    LIGHT,
    LIGHT_FACTOR,
    STRONG_FORMS,
    WEAK_FORMS,
)

# Effects that have to be drawn, not only toned, take longer to learn and occur more often.
DRAWN = ("rain", "snow", "lights", "rainbow", "blur", "sketch", "clouds", "storm")
DRAWN_SHARE = 2.0
LIGHTS_AT_NIGHT = 0.4  # how often lamps are asked for together with night
COMMON = 1000  # of the words without a meaning, those that half of all strewn-in ones are from
# How often an effect is named by two words ("a snowy winter", "rain ... puddles"), which asks for
# more of it than either does; and how often the two then stand side by side.
NAMED_TWICE, SIDE_BY_SIDE = 0.25, 0.5
_SHARES = np.array([DRAWN_SHARE if name in DRAWN else 1.0 for name in FORMS])
_SHARES /= _SHARES.sum()

OPENINGS = """
make it|make the image|make the photo|make the picture|make this|make the scene|make the weather|
turn it|turn it into|turn this image to|turn the image into|turn this beautiful image to|turn to|
transform the image to|transform the weather to|transform the scene into|transform this photo to be|
transform the image to depict a|change it to|change the weather to|change the photo so it is|
change the scene to a|convert it to|convert it into a|convert the picture to|alter the scene into|
switch the weather to|set the scene in|give it|give the photo a|give it the look of|add|add some|
add a touch of|put it in|i want it|i would like the image to be|please make it|could you make it|
let it be|let the scene look|show it|show the place on a|depict the scene as|render it|the image is|
the image must be|the weather must be|the weather should become|it must be|it should look|
edit the photo to look|modify the image to be|adjust the picture to be|must be|see this|imagine it|
bring|cover the scene with|fill the scene with|take this picture and make it|style it as|
the image is depicting a|make the image depict a|the image must depict a|with|in|a|the|
"""
SOURCES = """
change the {} weather to|transform the {} into|turn the {} image to|switch the {} scene to one with|
convert a {} scene into a|change the {} sky to a|alter the {} environment into a|
transform the {} image to depict a|make the {} photo|convert the {} picture to
"""
JOINERS = "and|and|with|and also|with some|on a|in the|during a|and make it|and a|while|plus|,"
NOUNS = """
scene|weather|sky|atmosphere|look|mood|setting|view|picture|style|place|landscape|photo|effect|
tones|environment|filter|feeling|season|image|skies|world|air|conditions|ambience|background
"""
ENDINGS = """
in the photo|in the sky|with a nice sense|on the ground|of the scene|everywhere|in the background|
please|for the whole picture|all over the place|in this picture|across the view|with care|
of the road|falling from the sky|over the city|forming on the ground|falling steadily|
filling the sky|
where the road is visible|with the world coming to life|as in a movie|and keep the rest the same|
without changing the people|on the street|taking over|creating a nice atmosphere|of the place|
around it|striking down|gently falling|turned on|that looks natural|today|now|again|to life
"""
NEGATIONS = "remove the|without the|without|take away the|get rid of the|no|stop the|no more"
REMOVABLE = ("rain", "snow", "fog", "clouds", "storm", "night")


def pick(options: Sequence[str], rng: np.random.Generator) -> str:
    """Return one of `options`; `rng.choice` would copy them into an array first."""
    return options[int(rng.integers(len(options)))]


def _choices(text: str) -> list[str]:
    return [" ".join(part.split()) for part in text.replace("\n", " ").split("|") if part.strip()]


_OPENINGS, _SOURCES, _ENDINGS = _choices(OPENINGS), _choices(SOURCES), _choices(ENDINGS)
_JOINERS, _NOUNS, _NEGATIONS = _choices(JOINERS), _choices(NOUNS), _choices(NEGATIONS)


@dataclass(frozen=True)
class Word:
    """One word with what it means.

    `effect` names what it asks for and `strength` how much; `degree` multiplies the effect words
    of its own group; a word of a `source` clause (*change the foggy weather to*) means nothing
    while a word of that clause's `frame` is there; a word under a negation takes its effect away.
    """

    text: str
    effect: str | None = None
    strength: float = BASE_STRENGTH
    degree: float = 1.0
    group: int = -1
    role: str = ""  # "source", "frame", "negation", "negated"


def _plain(text: str, role: str = "", group: int = -1) -> list[Word]:
    return [Word(part, role=role, group=group) for part in text.split()]


def _form(effect: str, rng: np.random.Generator) -> str:
    return pick(FORMS[effect].split(), rng)


def _effect_words(effect: str, group: int, rng: np.random.Generator) -> list[Word]:
    """Return the words that ask for `effect`: a degree, now and then, then the form."""
    if effect == "black_and_white" and rng.random() < 0.6:
        return [
            Word("black", effect=effect, strength=0.5, group=group),
            Word("and"),
            Word("white", effect="black_and_white+", strength=0.5, group=group),
        ]
    form = _form(effect, rng)
    scale = WEAK_FORMS.get(form, STRONG_FORMS.get(form, 1.0))
    words = [Word(form, effect=effect, strength=BASE_STRENGTH * scale, group=group)]
    chance = rng.random()
    if chance < 0.45:
        light = chance < 0.22
        text = pick((LIGHT if light else HEAVY).split(), rng)
        factor = LIGHT_FACTOR if light else HEAVY_FACTOR
        words = [
            *_plain("a" if text in ("little", "bit") else ""),
            Word(text, degree=factor, group=group),
            *words,
        ]
    if rng.random() < 0.35:
        words += _plain(pick(_NOUNS, rng))
    return words


def _fillers(n: int, neutral: list[str], rng: np.random.Generator) -> list[Word]:
    """Return n words without a meaning, half of them from among the most frequent."""
    upto = np.where(rng.random(n) < 0.5, min(COMMON, len(neutral)), len(neutral))
    return [Word(neutral[int(i)]) for i in rng.integers(upto)]


def compose(
    effects: list[str], weather: str | None, neutral: list[str], rng: np.random.Generator
) -> list[Word]:
    """Write an instruction that asks for `effects`; `weather` is what the photo already shows."""
    words: list[Word] = []
    if weather and weather in REMOVABLE and rng.random() < 0.25:
        words = [
            *_plain(pick(_NEGATIONS, rng), role="negation", group=90),
            Word(_form(weather, rng), effect=weather, group=90, role="negated"),
        ]
        if rng.random() < 0.6:
            words += _plain("and make it" if rng.random() < 0.5 else "and")
        else:
            effects = []
    elif (weather and rng.random() < 0.6) or rng.random() < 0.08:
        subject = weather or pick(["rain", "sun", "clouds", "day", "fog", "night"], rng)
        for part in pick(_SOURCES, rng).split():
            if part == "{}":
                words.append(Word(_form(subject, rng), effect=subject, group=80, role="source"))
            else:
                words.append(Word(part, role="frame", group=80))
    elif rng.random() < 0.93:
        words = _plain(pick(_OPENINGS, rng))
    for i, effect in enumerate(effects):
        again = i > 0 and effect == effects[i - 1]
        if i and not (again and rng.random() < SIDE_BY_SIDE):
            words += _plain(pick(_JOINERS, rng))
        words += _effect_words(effect, i, rng)
    if rng.random() < 0.35:
        words += _plain(pick(_ENDINGS, rng))
    if rng.random() < 0.7:
        for filler in _fillers(int(rng.integers(1, 10)), neutral, rng):
            words.insert(int(rng.integers(len(words) + 1)), filler)
    return words


def meaning(words: list[Word]) -> tuple[dict[str, float], set[str]]:
    """Return what `words` ask for: effects with strengths in (0, 1], and effects to take away."""
    framed = any(word.role == "frame" for word in words)
    negated = any(word.role == "negation" for word in words)
    degrees: dict[int, float] = {}
    for word in words:
        if word.degree != 1.0:
            degrees[word.group] = word.degree
    strengths: dict[str, float] = {}
    removed: set[str] = set()
    for word in words:
        if word.effect is None or (word.role == "source" and framed):
            continue
        if word.role == "negated" and negated:
            removed.add(word.effect)
            continue
        name = word.effect.removesuffix("+")
        if name != word.effect and name not in strengths:
            continue  # the second half of "black and white" means nothing on its own
        strength = min(1.0, word.strength * degrees.get(word.group, 1.0))
        strengths[name] = min(1.0, strengths.get(name, 0.0) + strength)
    return strengths, removed


def leave_words_out(words: list[Word], rng: np.random.Generator) -> list[Word]:
    """Drop words at random: none in four of ten instructions, else each at one random rate."""
    if rng.random() < 0.4:
        return words
    rate = rng.uniform(0.1, 0.85)
    return [word for word in words if rng.random() > rate]


def sample_words(weather: str | None, neutral: list[str], rng: np.random.Generator) -> list[Word]:
    """Return the words of a random instruction; for the parameters see `sample_instruction`."""
    count = int(np.searchsorted((0.03, 0.53, 0.9), rng.random()))
    effects = list(rng.choice(list(FORMS), size=count, replace=False, p=_SHARES))
    if weather and rng.random() < 0.5:
        effects = [pick(["clear", "sun", "day", "clear"], rng), *effects[1:]]
    if "lights" in effects and rng.random() < LIGHTS_AT_NIGHT:
        effects = ["night", "lights"]
    if effects and rng.random() < NAMED_TWICE:
        effects.insert(int(rng.integers(len(effects) + 1)), pick(effects, rng))
    words = compose(effects, weather, neutral, rng)
    return leave_words_out([word for word in words if word.text], rng)


def sample_instruction(
    weather: str | None, neutral: list[str], rng: np.random.Generator
) -> tuple[str, dict[str, float], set[str]]:
    """Return a random instruction, the effects it asks for, and the effects it takes away.

    Parameters
    ----------
    weather : str or None
        An effect that the photo already shows.
    neutral : list of str
        Words without a meaning for a scene, strewn in so that unknown words come to mean nothing,
        the most frequent first.
    rng : numpy.random.Generator
        Source of all choices.
    """
    words = sample_words(weather, neutral, rng)
    strengths, removed = meaning(words)
    return " ".join(word.text for word in words), strengths, removed
