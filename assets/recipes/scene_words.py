"""The words that the bundled editors know: what each asks for, and what says how much of it.

What people mostly write stands in a list more than once. The words of `HELD_OUT` never occur in
training: only their word vectors can tell an editor what they mean.
"""

from __future__ import annotations

FORMS: dict[str, str] = {
    "rain": "rain rainy raining rained raindrops downpour drizzle drizzly rainstorm wet rains "
    "monsoon torrential drenched soaked damp precipitation rainstorms soaking raindrop drizzling "
    "puddles puddle rainfall rainfalls showers shower showery pouring pour pours downpours "
    "drizzles rainwater drenching sprinkle sprinkling sprinkles monsoons waterlogged cloudburst "
    "moist wetness dripping",
    "snow": "snow snowy snowing snowed snowfall snowflakes snowstorm winter wintry snowiness icy "
    "snows snowstorms frost frosty frozen ice hail glacier snowflake snowfalls arctic avalanche "
    "whiteout blizzard blizzards flurries flurry sleet slush slushy snowdrifts snowbound snowpack "
    "snowcapped iced icicles frosted polar hailstones hailstorm wintery winters snowman snowbanks",
    "fog": "fog foggy mist misty haze hazy fogged smoke smoky vapor veil mists vapors fumes smog "
    "smoggy murk murky fogs misted steam steamy smokey vapour",
    "clouds": "cloud clouds cloudy clouded overcast cloudiness cumulus clouding cloudier",
    "sun": "sun sunny sunshine sunlight summer summery shining beaming sunbeams sunlit sunrays "
    "sunbeam sunnier summertime summers tropical sunburst sunbathed",
    "night": "night nighttime midnight nightfall nocturnal nightly nights moonlight moon starry "
    "tonight starlight moonlit moonless stars starlit nocturne",
    "sunset": "sunset evening sundown sunrise dawn golden glow evenings sunsets daybreak dusk "
    "twilight sunrises dawning afterglow sunup",
    "autumn": "autumn autumnal fall-colors october fall foliage leaves harvest autumns",
    "storm": "storm stormy thunder thunderstorm lightning thundery storms thunderstorms hurricane "
    "cyclone typhoon tornado windy winds gusts gusty hurricanes tornadoes squall turbulent "
    "thunderous tempest tempestuous gale gales blustery windstorm windswept thunderbolt "
    "thunderbolts thunderclouds wind squally breezy typhoons cyclones",
    "rainbow": "rainbow rainbows",
    "lights": "lights lights lights lamps lanterns lit lamp lantern lighting illuminated neon "
    "candles candle bulbs torches headlights chandeliers streetlights candlelight lamplight "
    "candlelit chandelier spotlights spotlight floodlights floodlit streetlight lamppost lampposts "
    "lighted twinkling illumination illuminate bulb torch lightbulbs fluorescent flashlights",
    "black_and_white": "monochrome grayscale greyscale colorless black-and-white monochromatic "
    "noir colourless",
    "sepia": "sepia vintage retro antique nostalgic nostalgia victorian aged daguerreotype "
    "yesteryear bygone",
    "sketch": "sketch sketched drawing drawn pencil sketches drawings etching pencils etchings "
    "sketching engraving charcoal doodle doodles crayon crayons scribbled scribble graphite draw "
    "draws etched engraved illustrated woodcut lithograph scribbles",
    "blur": "blur blurry blurred blurring unfocused fuzzy smeared blurs smudged smudge indistinct "
    "blurriness smear",
    "brighter": "bright brighter brighten brightened lighten lighter lively brightness brilliant "
    "luminous shiny glowing dazzling gleaming radiant brightening brightest brightly lightened "
    "shimmering shine luminescent blazing sparkling incandescent radiance",
    "darker": "dark darker darken darkened darkening dim dimmed darkness shadowy shadows grim "
    "bleak dimly dismal somber dimming gloomy gloom darkest dimmer shaded shady blackened sombre "
    "dusky dreary moody ominous eerie shadowed",
    "vivid": "vivid vibrant colorful saturated colourful vividly saturation technicolor "
    "multicolored psychedelic garish gaudy kaleidoscopic flamboyant flashy",
    "faded": "faded dull pale muted washed-out bleached fading subdued drab fade fades paler "
    "pastel pastels desaturated dulled gray grey grayish greyish ashen lackluster",
    "warm": "warm warmer warmth hot cozy heat balmy warming warmest heated sweltering scorching "
    "cosy sultry toasty",
    "cold": "cold cool cooler colder chilly freezing frigid chill freeze coldest cooling chilled "
    "chills coldness coolness subzero",
    "red": "red reddish scarlet ruby maroon rust burgundy crimson carmine reds redder reddened "
    "ruddy garnet auburn",
    "green": "green greenish emerald lime olive jade greener greens mint mossy verdant khaki",
    "blue": "blue bluish azure navy cobalt turquoise teal cyan blues bluer sapphire aqua "
    "ultramarine periwinkle aquamarine",
    "yellow": "yellow yellowish lemon mustard yellowed yellows saffron gold canary",
    "purple": "purple lavender magenta lilac mauve indigo violet purplish amethyst plum violets "
    "orchid",
    "orange": "orange amber tangerine peach apricot copper coppery terracotta pumpkin orangish "
    "oranges carrot",
    "pink": "pink pinkish salmon fuchsia rosy pinks coral blush flamingo",
    "clear": "clear clearer cloudless cleared clearing unclouded",
    "day": "day daytime daylight noon midday noontime daylit midafternoon",
}
LIGHT = (
    "slightly little lightly light gentle gently softly mild subtle calm faint bit somewhat "
    "mildly faintly subtly barely tad vaguely delicate delicately modestly partly partially soft"
)
HEAVY = (
    "very heavy heavily intense thick strong strongly dense extremely deep fully completely "
    "totally really super absolutely utterly massively severely incredibly intensely deeply "
    "entirely greatly thoroughly powerful severe massive"
)
HELD_OUT = (
    "deluge snowdrift hoarfrost brume downcast sunbaked starless gloaming russet hailing "
    "lamplit inky pallid balmier chillier vermilion cerulean chartreuse ochre mulberry"
).split()

# Near a meaning without having one: training leaves them alone.
HINTS = (
    "morning afternoon tomorrow spring white black brown silver flood floods flooding burning fire "
    "january february march april may june july august september november december shade star "
    "horizon temperature temperatures climate painting paintings painted photographs colour color "
    "colors colours"
).split()

BASE_STRENGTH = 0.72
LIGHT_FACTOR = 0.55
HEAVY_FACTOR = 1.36
WEAK_FORMS = dict.fromkeys(
    "drizzle drizzly drizzling drizzles sprinkle sprinkling sprinkles damp wet moist".split(),
    LIGHT_FACTOR,
)
STRONG_FORMS = {
    **dict.fromkeys(
        "downpour downpours rainstorm rainstorms cloudburst torrential snowstorm snowstorms "
        "blizzard blizzards".split(),
        HEAVY_FACTOR,
    ),
    "overcast": 1.2,
}
