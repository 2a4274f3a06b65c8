"""The effects that the bundled editor learns, rendered on photographs.

Every effect is a function `(picture, noise, strength) -> picture` on float32 arrays (H, W, 3) in
[0, 1]. `noise` is a standard normal field (H, W, 3): where a flake falls or a cloud hangs is read
off it, and in training the same field is the diffusion noise. So the editor can see in its noise
what it has to draw, as in a rectified flow with coupled ends (Liu et al., Flow straight and fast,
2022), and flakes stay crisp instead of averaging to a veil.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

Picture = np.ndarray  # (H, W, 3) float32 in [0, 1]
Effect = Callable[[Picture, np.ndarray, float], Picture]

LUMA = np.float32([0.299, 0.587, 0.114])


def luma(picture: Picture) -> np.ndarray:
    """Return brightness (H, W, 1)."""
    return (picture @ LUMA)[..., None]


def mix(a: Picture, b: Picture | np.ndarray | float, amount: np.ndarray | float) -> Picture:
    """Return `a` moved towards `b` by `amount` in [0, 1]."""
    return a + (b - a) * amount


def height(picture: Picture) -> np.ndarray:
    """Return (H, 1, 1): 0 at the top edge, 1 at the bottom."""
    return np.linspace(0, 1, picture.shape[0], dtype=np.float32)[:, None, None]


def smoothstep(low: float, high: float, x: np.ndarray) -> np.ndarray:
    """Return a soft step from 0 at `low` to 1 at `high`."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def saturate(picture: Picture, amount: float) -> Picture:
    """Scale the distance from grey by `amount`."""
    return mix(luma(picture), picture, amount)


def tint(colour: tuple[float, float, float]) -> Effect:
    """Return an effect that washes the whole scene in `colour`, keeping light and shade."""
    rgb = np.float32(colour)

    def wash(picture: Picture, noise: np.ndarray, strength: float) -> Picture:
        shade = luma(picture)
        return mix(picture, shade * rgb + 0.25 * rgb * (1 - shade), 0.8 * strength)

    return wash


def cloud_field(noise: np.ndarray) -> np.ndarray:
    """Return a soft field (H, W, 1) in [0, 1] with blobs some 20 and 50 pixels wide."""
    base = noise[..., 2]
    field = 0.0
    for sigma in (10, 24):
        smooth = cv2.GaussianBlur(base, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
        field = field + smooth * (sigma * 3.5)  # a blur by sigma leaves SD 1/(2√π·sigma)
    return (1 / (1 + np.exp(-1.4 * field)))[..., None].astype(np.float32)


def seeds(noise: np.ndarray, channel: int, threshold: float) -> np.ndarray:
    """Return where drops, flakes or lamps start (H/2, W/2), 0 to 1.

    Read off every other pixel: the editor draws details on that grid. The higher the noise stands
    above `threshold`, the brighter.
    """
    return np.clip((noise[::2, ::2, channel] - threshold) * 2, 0, 1)


def enlarge(field: np.ndarray, picture: Picture) -> np.ndarray:
    """Return a field of half the size, clipped to [0, 1], as (H, W, 1)."""
    size = (picture.shape[1], picture.shape[0])
    return cv2.resize(np.clip(field, 0, 1), size, interpolation=cv2.INTER_LINEAR)[..., None]


def rain(p: Picture, noise: np.ndarray, s: float) -> Picture:
    """Grey, darker, with slanted streaks."""
    p = mix(p, saturate(p, 0.35) * np.float32([0.72, 0.78, 0.86]), 0.4 + 0.6 * s)
    kernel = np.zeros((7, 7), np.float32)
    cv2.line(kernel, (4, 0), (2, 6), 1.0, 1)
    streaks = cv2.filter2D(seeds(noise, 0, 2.35 - 0.55 * s), -1, kernel)
    return mix(p, 0.88, enlarge(streaks, p) * (0.35 + 0.4 * s))


def snow(p: Picture, noise: np.ndarray, s: float) -> Picture:
    """White ground, pale light, flakes."""
    cover = smoothstep(0.15, 0.75, height(p)) * smoothstep(0.1, 0.6, luma(p))
    p = mix(p, mix(luma(p), np.float32([0.86, 0.9, 0.97]), 0.45), 0.35 + 0.45 * s)
    p = mix(p, np.float32([0.95, 0.97, 1.0]), cover * 0.75 * s)
    flakes = cv2.GaussianBlur(seeds(noise, 1, 2.6 - 0.5 * s), (3, 3), 0.7) * 3
    return mix(p, 1.0, enlarge(flakes, p) * 0.9)


def fog(p: Picture, noise: np.ndarray, s: float) -> Picture:
    """A pale veil, thicker towards the horizon and above it."""
    veil = s * (0.88 - 0.42 * smoothstep(0.35, 1.0, height(p)))
    soft = cv2.GaussianBlur(p, (0, 0), 1.2)
    return mix(mix(p, soft, min(1.0, s)), np.float32([0.8, 0.82, 0.84]), veil)


def clouds(p: Picture, noise: np.ndarray, s: float) -> Picture:
    """Grey clouds over the upper part, duller light below."""
    p = mix(p, saturate(p, 0.6) * 0.82, s)
    grey = mix(np.float32([0.48, 0.5, 0.54]), np.float32([0.85, 0.86, 0.88]), cloud_field(noise))
    return mix(p, grey, s * 0.85 * (1 - smoothstep(0.25, 0.62, height(p))))


def sun(p: Picture, noise: np.ndarray, s: float) -> Picture:
    """Warm, bright and contrasty, with a glow from the upper right."""
    h, w = p.shape[:2]
    across = np.linspace(0, 1, w, dtype=np.float32)[None, :, None]
    glow = np.exp(-(((across - 0.85) * w / h) ** 2 + (height(p) - 0.05) ** 2) / 0.18)
    warm = np.clip((saturate(p, 1.25) - 0.5) * 1.12 + 0.6, 0, 1) * np.float32([1.08, 1.0, 0.82])
    return mix(mix(p, warm, s), np.float32([1.0, 0.93, 0.68]), glow * 0.85 * s)


def night(p: Picture, noise: np.ndarray, s: float) -> Picture:
    """Dark and blue."""
    dark = (p**1.35) * np.float32([0.2, 0.27, 0.46])
    return mix(p, dark, 0.3 + 0.7 * s)


def sunset(p: Picture, noise: np.ndarray, s: float) -> Picture:
    """Orange light, purple shadows, a glowing sky."""
    sky = mix(np.float32([0.75, 0.35, 0.5]), np.float32([1.0, 0.62, 0.25]), height(p) * 1.6)
    light = p * np.float32([1.02, 0.68, 0.5])
    light = mix(light, np.clip(sky, 0, 1), 0.6 * (1 - smoothstep(0.2, 0.65, height(p))))
    return mix(p, light, s)


def autumn(p: Picture, noise: np.ndarray, s: float) -> Picture:
    """Greens turn orange and red."""
    r, g, b = p[..., 0:1], p[..., 1:2], p[..., 2:3]
    green = np.clip((g - np.maximum(r, b)) * 5 + 0.35, 0, 1)
    leaf = np.concatenate([g * 1.25 + 0.1, g * 0.58, b * 0.25], -1)
    warm = mix(p * np.float32([1.1, 0.92, 0.72]), leaf, green)
    return mix(p, warm, s)


def storm(p: Picture, noise: np.ndarray, s: float) -> Picture:
    """Dark, steel-grey, with heavy clouds and hard contrast."""
    grey = saturate((p - 0.5) * 1.15 + 0.5, 0.3) * np.float32([0.45, 0.5, 0.58])
    heavy = mix(np.float32([0.12, 0.13, 0.17]), np.float32([0.42, 0.44, 0.5]), cloud_field(noise))
    grey = mix(grey, heavy, 0.85 * (1 - smoothstep(0.25, 0.65, height(p))))
    return mix(p, grey, s)


def rainbow(p: Picture, noise: np.ndarray, s: float) -> Picture:
    """A bow of colours across the upper half."""
    h, w = p.shape[:2]
    across = np.linspace(-0.5, 0.5, w, dtype=np.float32)[None, :, None] * w / h
    radius = np.sqrt(across**2 + (height(p) - 0.95) ** 2)  # (H, W, 1)
    place = (radius - 0.58) / 0.2  # 0 at the inner rim, 1 at the outer
    bow = np.concatenate([np.clip(1.6 - np.abs(place - c) * 3.2, 0, 1) for c in (0.9, 0.5, 0.1)], 2)
    inside = smoothstep(0, 0.15, place) * (1 - smoothstep(0.85, 1, place))
    return mix(p, bow, inside * (0.15 + 0.6 * s))


def lights(p: Picture, noise: np.ndarray, s: float) -> Picture:
    """Warm glowing lamps, strewn over the middle of the picture, and what they light up."""
    band = smoothstep(0.1, 0.35, height(p)) * (1 - smoothstep(0.75, 1.0, height(p)))
    lit = np.clip(p * np.float32([1.3, 1.1, 0.75]) + np.float32([0.24, 0.15, 0.02]), 0, 1)
    p = mix(p, lit, band * (0.25 + 0.6 * s))
    spots = seeds(noise, 1, 2.55 - 0.3 * s)
    glow = cv2.GaussianBlur(spots, (9, 9), 1.8) * 12
    core = cv2.GaussianBlur(spots, (5, 5), 0.8) * 4
    lamp = enlarge(glow * 0.6 + core, p) * (0.25 + 0.75 * band)
    return mix(p, np.float32([1.0, 0.82, 0.45]), lamp * min(1.0, 0.4 + 0.6 * s))


def black_and_white(p: Picture, noise: np.ndarray, s: float) -> Picture:
    """No colour."""
    return mix(p, luma(p), min(1.0, s * 1.25))


def sepia(p: Picture, noise: np.ndarray, s: float) -> Picture:
    """An old brown print."""
    return mix(p, luma(p) * np.float32([0.98, 0.8, 0.58]) + np.float32([0.08, 0.05, 0.02]), s)


def sketch(p: Picture, noise: np.ndarray, s: float) -> Picture:
    """Pencil lines on paper."""
    shade = luma(p)
    around = cv2.GaussianBlur(shade, (0, 0), 3.0)[..., None]
    lines = np.clip(shade / (around + 0.06), 0, 1) ** 3
    return mix(p, lines * np.float32([0.97, 0.97, 0.95]), min(1.0, s * 1.15))


def blur(p: Picture, noise: np.ndarray, s: float) -> Picture:
    """Out of focus."""
    return cv2.GaussianBlur(p, (0, 0), 0.6 + 3.2 * s)


def brighter(p: Picture, noise: np.ndarray, s: float) -> Picture:
    """More light."""
    return mix(p, 1 - (1 - p) ** 2.2 + 0.04, s)


def darker(p: Picture, noise: np.ndarray, s: float) -> Picture:
    """Less light."""
    return p * (1 - 0.62 * s)


def vivid(p: Picture, noise: np.ndarray, s: float) -> Picture:
    """Strong colours."""
    return saturate(mix(p, (p - 0.5) * 1.15 + 0.5, s), 1 + 1.1 * s)


def faded(p: Picture, noise: np.ndarray, s: float) -> Picture:
    """Pale colours, low contrast."""
    return mix(p, saturate(p, 0.4) * 0.6 + 0.3, s)


def warm(p: Picture, noise: np.ndarray, s: float) -> Picture:
    """Towards orange."""
    return p * (1 + s * np.float32([0.18, 0.0, -0.38]))


def cold(p: Picture, noise: np.ndarray, s: float) -> Picture:
    """Towards blue."""
    return p * (1 + s * np.float32([-0.36, -0.08, 0.16]))


def clear(p: Picture, noise: np.ndarray, s: float) -> Picture:
    """Crisp air: contrast and colour, a bluer sky. Weather in the photo is taken away elsewhere."""
    crisp = saturate((p - 0.5) * 1.18 + 0.53, 1.3)
    sky = (1 - smoothstep(0.2, 0.6, height(p))) * smoothstep(0.35, 0.7, luma(p))
    return mix(p, mix(crisp, np.float32([0.38, 0.62, 0.95]), 0.55 * sky), s)


def day(p: Picture, noise: np.ndarray, s: float) -> Picture:
    """Full daylight."""
    return mix(p, np.clip(1 - (1 - p) ** 1.6, 0, 1) * np.float32([1.04, 1.01, 0.96]), s)


EFFECTS: dict[str, Effect] = {
    "clear": clear,
    "day": day,
    "autumn": autumn,
    "vivid": vivid,
    "faded": faded,
    "warm": warm,
    "cold": cold,
    "red": tint((1.0, 0.22, 0.2)),
    "green": tint((0.3, 0.95, 0.35)),
    "blue": tint((0.25, 0.45, 1.0)),
    "yellow": tint((1.0, 0.92, 0.2)),
    "purple": tint((0.68, 0.3, 0.95)),
    "orange": tint((1.0, 0.58, 0.15)),
    "pink": tint((1.0, 0.55, 0.75)),
    "sun": sun,
    "sunset": sunset,
    "clouds": clouds,
    "storm": storm,
    "brighter": brighter,
    "darker": darker,
    "night": night,
    "rainbow": rainbow,
    "fog": fog,
    "rain": rain,
    "snow": snow,
    "lights": lights,
    "blur": blur,
    "black_and_white": black_and_white,
    "sepia": sepia,
    "sketch": sketch,
}  # in the order in which they are laid over a picture

# What a request undoes: asking for the key takes these away when the photo already shows them.
UNDOES: dict[str, frozenset[str]] = {
    "clear": frozenset({"rain", "snow", "fog", "clouds", "storm"}),
    "sun": frozenset({"rain", "snow", "fog", "clouds", "storm"}),
    "day": frozenset({"night", "sunset", "darker"}),
    "brighter": frozenset({"darker", "night"}),
    "vivid": frozenset({"faded"}),
}


def render(picture: Picture, noise: np.ndarray, strengths: dict[str, float]) -> Picture:
    """Lay every effect of `strengths` (name to strength in (0, 1]) over `picture`, in order."""
    for name, effect in EFFECTS.items():
        if strengths.get(name, 0.0) > 0:
            picture = np.clip(effect(picture, noise, strengths[name]), 0, 1).astype(np.float32)
    return picture
