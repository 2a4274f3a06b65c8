"""What a run will do, settled before anything is done: units, masks, prompts, weights of samples.

References
----------
[1] SMILE for instruction-based image editing, arXiv 2412.16277.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np

from smile_core.assembling import Plan
from smile_core.config import KNOBS, ConfigError, RunConfig
from smile_core.edit_cache import EditCache, edit_key, pixel_digest
from smile_core.editing import BLANK, REFERENCE, Ask, EditMaker
from smile_core.editors.protocol import Editor, EditorCard, fit_to_card, resolve_knobs
from smile_core.instruction import join_units, split_units
from smile_core.mask_picture import describe_mask, mask_for
from smile_core.masks import design_masks
from smile_core.photo import NOTES_KEY, Source, open_photo
from smile_core.regression import MAX_INTERACTION_UNITS
from smile_core.settling import is_check
from smile_core.text_distance import load_word_vectors, text_distances

# How often an editor without a seed makes the full edit, and the edit without instruction.
REPEATS = 3


def plan_run(
    image: Source, mask: Source | None, config: RunConfig, card: EditorCard, encoder: str
) -> Plan:
    """Settle what a run will do.

    Parameters
    ----------
    image, mask, config
        As in `engine.stream`.
    card : EditorCard
        The card of the editor.
    encoder : str
        Name of the encoder, for the result.

    Raises
    ------
    ConfigError
        When something given cannot be used.
    """
    _, p_value_seed = np.random.SeedSequence(config.seed).spawn(3)[::2]
    photo = open_photo(image)
    notes = list(photo.info.get(NOTES_KEY, ()))
    units, masks, prompts = shorten(config)
    m = len(units)
    if config.interactions and m > MAX_INTERACTION_UNITS:
        raise ConfigError(
            f"Interactions can be fitted for at most {MAX_INTERACTION_UNITS} words, not {m}. "
            "Switch them off, shorten the instruction, or choose the granularity 'phrase'."
        )
    if config.surrogate == "lime":
        config = config.with_(image_distance="cosine", text_distance="cosine")
        notes.append("LIME uses cosine distances for pictures and words.")
    if not card.takes_seed:
        notes.append(no_seed_note(card))
    painted = mask_for(mask, photo, card)
    if painted is not None:
        notes.append(describe_mask(painted))
    vectors = load_word_vectors(config.word_vectors)
    return Plan(
        config=config,
        editor=config.editor,
        encoder=encoder,
        photo=fit_to_card(photo, card),
        units=units,
        masks=masks,
        prompts=prompts,
        text_distances=text_distances(config.text_distance, units, masks, vectors),
        p_value_seed=p_value_seed,
        notes=tuple(notes),
        mask=painted,
        photo_stands_in=photo_stands_in(config, card),
    )


def no_seed_note(card: EditorCard) -> str:
    """Return what has to be said of an editor whose edits differ by chance."""
    return (
        f"{card.title} takes no seed: edits differ by chance as well as by words, and the "
        "intervals count both."
    )


def photo_stands_in(config: RunConfig, card: EditorCard) -> bool:
    """Say whether the photo takes the place of the edit without instruction."""
    return (config.blank or ("photo" if card.key_variable else "edit")) == "photo"


def count_edits(config: RunConfig, card: EditorCard) -> int:
    """Return how many edits a whole run makes; an editor may refuse some, or end early."""
    m = len(split_units(config.instruction, config.granularity))
    return len(_fixed_asks(config, card, "")) + config.seeds * config.perturbations_for(m)


def plan_asks(config: RunConfig, card: EditorCard, prompts: Sequence[str]) -> list[Ask]:
    """Return the edits of a run, in order.

    Under each seed these are the full edit, the edit without instruction unless the photo stands
    in for it, their repeats by an editor without a seed, and the shortened instructions.

    Parameters
    ----------
    config, card
        The settings, and the card of the editor.
    prompts : sequence of str, length n + 1
        The full instruction first.
    """
    fixed = _fixed_asks(config, card, prompts[0])
    asks = []
    for index, seed in enumerate(edit_seeds(config)):
        asks += [ask for ask in fixed if ask.seed_index == index]
        asks += [Ask(row, prompt, index, seed) for row, prompt in enumerate(prompts) if row > 0]
    return asks


def _fixed_asks(config: RunConfig, card: EditorCard, full: str) -> list[Ask]:
    """Return the edits that a run makes whatever is left out."""
    blank = not photo_stands_in(config, card)
    asks = []
    for index, seed in enumerate(edit_seeds(config)):
        asks += first_asks(full, index, seed, blank=blank)
    if not card.takes_seed and config.seeds == 1:
        for repeat in range(1, REPEATS):
            # Another seed, should the editor heed it after all: chance is to differ.
            seed = (config.seed + repeat) % 2**32
            asks += first_asks(full, 0, seed, repeat, blank=blank)
    elif not card.repeatable and config.seeds == 1:
        asks.append(Ask(REFERENCE, full, 0, config.seed, 1))
    return asks


def first_asks(full: str, index: int, seed: int, repeat: int = 0, *, blank: bool) -> list[Ask]:
    """Return the full edit, and if wanted the edit without instruction."""
    asks = [Ask(REFERENCE, full, index, seed, repeat)]
    return [*asks, Ask(BLANK, "", index, seed, repeat)] if blank else asks


def further_repeats(plan: Plan) -> list[Ask]:
    """Return what is made besides once the full edit turned out to differ from its repeat."""
    full, seed = plan.prompts[0], plan.config.seed
    blank = not plan.photo_stands_in
    repeats = [
        ask
        for repeat in range(1, REPEATS)
        for ask in first_asks(full, 0, seed, repeat, blank=blank)
    ]
    return [ask for ask in repeats if (ask.row, ask.repeat) != (REFERENCE, 1)]


def shorten(config: RunConfig) -> tuple[tuple[str, ...], np.ndarray, tuple[str, ...]]:
    """Return the units of the instruction, the masks to try and the prompts that come of them.

    Returns
    -------
    units : tuple of str, length m
    masks : ndarray of int8, shape (n + 1, m), read-only
        Row 0 is the reference, all ones.
    prompts : tuple of str, length n + 1
    """
    units = split_units(config.instruction, config.granularity)
    wanted = config.perturbations_for(len(units))
    return _shorten(config.instruction, config.granularity, wanted, config.design, config.seed)


# Photos, editors and fits of a study share their masks, so most are asked for again and again.
@lru_cache(maxsize=256)
def _shorten(
    instruction: str, granularity: str, perturbations: int, design: str, seed: int
) -> tuple[tuple[str, ...], np.ndarray, tuple[str, ...]]:
    mask_seed, _, _ = np.random.SeedSequence(seed).spawn(3)
    units = split_units(instruction, granularity)
    rng = np.random.default_rng(mask_seed)
    shortened = design_masks(len(units), perturbations, design=design, rng=rng)  # (n, m)
    masks = np.vstack([np.ones((1, len(units)), dtype=np.int8), shortened])
    masks.setflags(write=False)
    return units, masks, tuple(join_units(units, mask, granularity) for mask in masks)


def edit_seeds(config: RunConfig) -> list[int]:
    """Return the seeds that every prompt of a run is edited under."""
    return [(config.seed + step) % 2**32 for step in range(config.seeds)]


@dataclass(frozen=True)
class SeenDigests:
    """What tells a photo and its mask, as an editor sees them, from all others.

    Attributes
    ----------
    photo : str
        `pixel_digest` of the photo at the editor's working size.
    mask : str or None
        The same of the mask; None for an editor that needs none.
    """

    photo: str
    mask: str | None


def seen_digests(image: Source, mask: Source | None, card: EditorCard) -> SeenDigests:
    """Return the digests that `edit_keys` takes; they hold for every run on this photo.

    Raises
    ------
    ConfigError
        When photo or mask cannot be used.
    """
    photo = open_photo(image)
    painted = mask_for(mask, photo, card)
    return SeenDigests(
        pixel_digest(fit_to_card(photo, card)), None if painted is None else pixel_digest(painted)
    )


def edit_keys(
    seen: SeenDigests, config: RunConfig, card: EditorCard, fingerprint: str | None
) -> set[str]:
    """Return the cache keys of all edits of a run.

    It says what a run will cost before it is begun: keys that the cache does not hold, and those
    that no other run shares.
    """
    knobs = _knobs(config, card)
    return {
        edit_key(seen.photo, fingerprint or "", ask.prompt, ask.seed, knobs, seen.mask, ask.repeat)
        for ask in plan_asks(config, card, shorten(config)[2])
    }


def edit_maker(plan: Plan, editor: Editor, cache: EditCache | None) -> EditMaker:
    """Return what makes the edits of a plan with `editor`, kept in `cache`.

    Raises
    ------
    ConfigError
        When a knob is set that the editor does not have.
    """
    stops = plan.config.stop_when_settled
    return EditMaker(
        editor,
        plan.photo,
        plan_asks(plan.config, editor.card, plan.prompts),
        knobs=_knobs(plan.config, editor.card),
        batch_size=plan.config.batch_size,
        cache=cache,
        mask=plan.mask,
        if_unsteady=further_repeats(plan),
        pauses=partial(is_check, n_units=len(plan.units)) if stops else None,
    )


def _knobs(config: RunConfig, card: EditorCard) -> dict[str, object]:
    return resolve_knobs(card, **{name: getattr(config, name) for name in KNOBS})
