"""What the engine asks of an editor: a card that describes it, and one method, `edit`.

An editor is a black box, (picture, instructions, seed) to pictures. The engine hands it the photo
at its working size (`fit_to_card`) and expects one answer for every prompt: a picture, or an
`EditFailure` that says why there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from PIL import Image

from smile_core.config import ConfigError

Stop = Callable[[], bool]


@dataclass(frozen=True)
class EditFailure:
    """Stands in for a picture that could not be made.

    Parameters
    ----------
    reason : str
        One plain sentence.
    """

    reason: str


class StopRequested(Exception):  # noqa: N818 - not an error: the user asked for it
    """Raised out of `Editor.edit` when its `stop` answered True in the middle of a batch.

    Parameters
    ----------
    answers : sequence
        Answers to the first prompts of the batch, as far as they were made.
    """

    def __init__(self, answers: Sequence[Image.Image | EditFailure] = ()) -> None:
        super().__init__("The user stopped the run.")
        self.answers = list(answers)


@dataclass(frozen=True, kw_only=True)
class EditorCard:
    """What a user should know about an editor before choosing it.

    Parameters
    ----------
    name : str
        What `load_editor` takes.
    title : str
        What a menu shows.
    family : str
        The adapter that runs it, for example `instruct-pix2pix` or `callable`.
    licence : str
        Licence of the weights.
    gated : bool
        True when the weights need an accepted licence and an access token.
    memory_gb : float
        Memory it takes while it runs, in GB.
    steps : int or None
        Default number of denoising steps; None when it has none.
    knobs : mapping of str to float
        The knobs it takes besides `steps` with their defaults, named as in `config.KNOBS`.
    needs_mask, takes_seed, takes_negative_prompt : bool
        What else goes in; without a seed every edit is a new draw.
    repeatable : bool
        Whether the same call is known to give the same picture; False for a function, a command or
        a service, whose first edit is therefore made twice. Without a seed nothing repeats,
        whatever stands here.
    takes_scheduler : bool
        Whether another scheduler can take its steps, see `config.SCHEDULERS`.
    short_side, long_side : int or None
        Working size: the photo is scaled so that its short side is `short_side` and its long side
        at most `long_side` pixels; None leaves that side free.
    enlarge : bool
        False leaves a photo that is smaller than that at its own size.
    multiple_of : int
        Both sides are rounded to this.
    source : str
        Folder or hub id of the weights, or the model's name at a provider.
    key_variable : str
        Environment variable that holds the key of a provider; empty for an editor without one.
        Such an editor is billed by its provider, edit by edit.
    price_usd : float or None
        What one edit costs, with its date in `notes`; None when that is not known.
    notes : str
        Anything else, in a sentence or two.
    does : str
        What it can do: a noun phrase that completes "It does …", such as "weather, time of day,
        season, colour and style of a whole scene". Empty, as the next two, when that is not known.
    does_not : str
        What lies outside of that; completes "It knows no …", such as "objects and no people".
    example : str
        An instruction that works with it, such as "make it a snowy night".
    """

    name: str
    title: str
    family: str
    licence: str = "unknown"
    gated: bool = False
    memory_gb: float = 0.0
    steps: int | None = None
    knobs: Mapping[str, float] = field(default_factory=dict)
    needs_mask: bool = False
    takes_seed: bool = True
    repeatable: bool = True
    takes_negative_prompt: bool = False
    takes_scheduler: bool = False
    short_side: int | None = None
    long_side: int | None = None
    enlarge: bool = True
    multiple_of: int = 1
    source: str = ""
    key_variable: str = ""
    price_usd: float | None = None
    notes: str = ""
    does: str = ""
    does_not: str = ""
    example: str = ""


@runtime_checkable
class Editor(Protocol):
    """An instruction-based image editor.

    Attributes
    ----------
    name : str
        Its name in the registry and in results.
    card : EditorCard
        Its description.
    fingerprint : str or None
        Changes whenever the same call could give another picture (weights, precision); part of
        the key under which edits are cached. None: its edits are not cached.
    """

    name: str
    card: EditorCard
    fingerprint: str | None

    def edit(
        self,
        image: Image.Image,
        prompts: Sequence[str],
        *,
        seed: int,
        mask: Image.Image | None = None,
        stop: Stop | None = None,
        **knobs: Any,
    ) -> list[Image.Image | EditFailure]:
        """Edit one picture by every prompt, each from the same noise.

        Parameters
        ----------
        image : PIL.Image.Image
            The photo, RGB.
        prompts : sequence of str
            The instructions.
        seed : int
            Seed of the noise, the same for every prompt.
        mask : PIL.Image.Image or None
            Where to edit, mode L, of the size of the photo: white is edited, black is kept. Given
            to editors whose card says `needs_mask`.
        stop : callable or None
            Asked now and then; when it answers True the edit ends with `StopRequested`.
        **knobs
            `steps` and those that the card lists, see `resolve_knobs`; None or left out takes the
            default.

        Returns
        -------
        list
            One picture or `EditFailure` for every prompt, in order.

        Raises
        ------
        ConfigError
            When a prompt or a knob cannot be used; this ends the run. After any other exception
            the prompts are run one by one; one that raises alone is recorded as a failure, and
            the run goes on.
        StopRequested
            When `stop` answered True.
        """
        ...


def fit_to_card(image: Image.Image, card: EditorCard) -> Image.Image:
    """Return the photo at the editor's working size, its aspect ratio kept up to rounding.

    Fitting a picture that already fits returns it as it is.
    """
    short, long = sorted(image.size)
    scales = [
        wanted / side
        for wanted, side in ((card.short_side, short), (card.long_side, long))
        if wanted is not None
    ]
    scale = min(scales, default=1.0)
    if not card.enlarge:
        scale = min(scale, 1.0)
    size = tuple(
        max(1, round(side * scale / card.multiple_of)) * card.multiple_of for side in image.size
    )
    if size == image.size:
        return image
    return image.resize((size[0], size[1]), Image.Resampling.LANCZOS)


def resolve_knobs(card: EditorCard, **given: Any) -> dict[str, Any]:
    """Return the knobs of an editor with the given values, or its defaults where None.

    Parameters
    ----------
    card : EditorCard
        Says which knobs there are: `steps` when it has steps, those in `card.knobs`, and
        `negative_prompt` (by default empty) when it takes one. A `scheduler` is among them only
        when one is given, so that edits with the editor's own stay those they were.
    **given
        Values by name.

    Raises
    ------
    ConfigError
        When a value is given for a knob that the card does not list.
    """
    defaults: dict[str, Any] = {**({} if card.steps is None else {"steps": card.steps})}
    defaults |= card.knobs
    if card.takes_negative_prompt:
        defaults["negative_prompt"] = ""
    names = [*defaults, "scheduler"] if card.takes_scheduler else [*defaults]
    given = {name: value for name, value in given.items() if value is not None}
    for name in given:
        if name not in names:
            what = "scheduler but its own" if name == "scheduler" else name
            allowed = ", ".join(names) or "none"
            raise ConfigError(
                f"The editor {card.name!r} has no {what}. Knobs it has: {allowed}. Leave it unset."
            )
    return defaults | given
