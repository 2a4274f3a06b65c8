"""The picture that says where an editor may edit: opened, checked, and fitted to the photo.

White is edited, black is kept, and there is nothing in between: grey counts as white from the
middle on, as in the pipelines of diffusers. What is transparent was not painted, so it is kept;
a layer of white strokes is a mask as it is. (Which words are left out is a mask too, see `masks`.)
"""

from __future__ import annotations

from typing import Final

import numpy as np
from PIL import Image, ImageFilter

from smile_core.config import ConfigError
from smile_core.editors.protocol import EditorCard, fit_to_card
from smile_core.explanation import Explanation
from smile_core.photo import PhotoError, Source, open_photo

WHOLE: Final = "whole"  # in the place of a picture: edit everywhere
WHITE_FROM = 128
# A picture with more than this share of grey is a photo, not a mask with soft edges.
MOST_GREY = 0.25
_GREY = (64, 191)
_ADVICE = "A mask is white where the editor may edit and black where it must not."


def mask_for(given: Source | None, photo: Image.Image, card: EditorCard) -> Image.Image | None:
    """Return the mask that an editor is to be given.

    Parameters
    ----------
    given : str, Path, bytes, PIL.Image.Image or None
        A picture of the size of the photo, or of its proportions; `whole` edits everywhere (a
        file of this name has to be given as ./whole).
    photo : PIL.Image.Image
        The photo as it was given.
    card : EditorCard
        Says whether the editor needs a mask.

    Returns
    -------
    PIL.Image.Image or None
        Mode L, 0 and 255 only, of the editor's working size; None for an editor without a mask.

    Raises
    ------
    ConfigError
        When the editor needs a mask and there is none or the other way round, or when the mask
        is no picture, has other proportions than the photo, is all black, or is no mask.
    """
    check_mask(given, card)
    if given is None:
        return None
    size = fit_to_card(photo, card).size
    if isinstance(given, str) and given == WHOLE:
        return Image.new("L", size, 255)
    levels = np.asarray(_open(given).convert("L"))  # (height, width)
    mask = Image.fromarray(np.where(levels >= WHITE_FROM, 255, 0).astype(np.uint8))
    _check_proportions(mask.size, photo.size, size)
    if not mask.getbbox():
        raise ConfigError(
            f"The mask is black everywhere, so nothing would be edited. {_ADVICE} Paint some of "
            f"it white, or choose the whole picture (mask='{WHOLE}')."
        )
    low, high = _GREY
    if np.mean((levels >= low) & (levels <= high)) > MOST_GREY:
        raise ConfigError(
            f"The mask looks like a photo: much of it is neither black nor white. {_ADVICE}"
        )
    return fit_mask(mask, size)


def check_mask(given: object, card: EditorCard) -> None:
    """Refuse to run an editor that needs a mask without one, or another with one.

    Raises
    ------
    ConfigError
        When there is none (`given` is None) and the editor needs one, or the other way round.
    """
    if given is None and card.needs_mask:
        raise ConfigError(
            f"{card.title} edits only inside a mask: draw one, upload one, or choose the whole "
            f"picture (mask='{WHOLE}')."
        )
    if given is not None and not card.needs_mask:
        raise ConfigError(
            f"{card.title} takes no mask: it edits the whole picture. Leave the mask out, or "
            "choose an editor that needs one."
        )


def fit_mask(mask: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Return the mask at another size, its pixels still black or white."""
    return mask.resize(size, Image.Resampling.NEAREST)


def covered(mask: Image.Image) -> float:
    """Return the share of the picture that is white, 0 to 1."""
    return float(np.mean(np.asarray(mask) >= WHITE_FROM))


def describe_mask(mask: Image.Image) -> str:
    """Return in a sentence how much of the picture the mask covers."""
    percent = 100 * covered(mask)
    share = f"{percent:.0f} %" if percent >= 1 else "less than 1 %"
    return f"The editor was given a mask that covers {share} of the picture."


def before_picture(explanation: Explanation) -> Image.Image | None:
    """Return the photo of an explanation, with the edge of the mask if there is one."""
    photo, mask = explanation.source, explanation.mask
    return photo if photo is None or mask is None else outlined(photo, mask)


def outlined(photo: Image.Image, mask: Image.Image) -> Image.Image:
    """Return the photo with the mask's edge as a white line beside a black one.

    Parameters
    ----------
    photo : PIL.Image.Image
        Mode RGB.
    mask : PIL.Image.Image
        Mode L.
    """
    mask = fit_mask(mask, photo.size)
    width = 2 * max(1, round(max(photo.size) / 300)) + 1  # odd, in pixels
    inside = np.asarray(mask) > 0  # (height, width)
    inner = inside & (np.asarray(mask.filter(ImageFilter.MinFilter(width))) == 0)
    outer = ~inside & (np.asarray(mask.filter(ImageFilter.MaxFilter(width))) > 0)
    pixels = np.array(photo)  # (height, width, 3)
    pixels[inner], pixels[outer] = 255, 0
    return Image.fromarray(pixels)


def _open(given: Source) -> Image.Image:
    try:
        return open_photo(given, background="black")
    except PhotoError as error:
        raise ConfigError(f"The mask cannot be used. {error}") from error


def _check_proportions(
    mask: tuple[int, int], photo: tuple[int, int], working: tuple[int, int]
) -> None:
    """Refuse a mask that would have to be stretched by more than rounding."""
    if mask == working:  # which was rounded from the photo already
        return
    across, down = mask[0] / photo[0], mask[1] / photo[1]
    off = min(abs(mask[0] - photo[0] * down), abs(mask[1] - photo[1] * across))  # pixels
    if off > 1:
        raise ConfigError(
            f"The mask has {mask[0]} × {mask[1]} pixels and the photo {photo[0]} × {photo[1]}: "
            "their proportions differ. Give a mask of the size of the photo."
        )
