"""What a run yields: `Snapshot` while it goes, `Explanation` when it ends.

Both are immutable. An explanation keeps the raw samples beside the fitted weights, so every
number on the page can be recomputed from it. `explanation_json` writes and reads it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from PIL import Image

DRIVES = "drives the edit"
AGAINST = "works against it"
NO_EFFECT = "no effect"  # it may be dropped
UNCLEAR = "unclear"  # it needs more edits
NOTHING_HAPPENED = "nothing happened"  # there is no edit that a unit could drive
ONE_IS_ENOUGH = "any one is enough"  # each can be dropped, but not all of them
VERDICTS = (DRIVES, AGAINST, NO_EFFECT, UNCLEAR, NOTHING_HAPPENED, ONE_IS_ENOUGH)

EDITED = "edited"
UNCHANGED = "unchanged"  # the full edit is, to the eye, the edit without an instruction
CHANCE = "no more than chance"  # it lies no farther from that than two full edits may
ANY_UNIT = "any unit is enough"  # every shortened instruction gave the full edit
OUTCOMES = (EDITED, UNCHANGED, CHANCE, ANY_UNIT)


@dataclass(frozen=True, kw_only=True)
class UnitWeight:
    """One unit of the instruction with its influence.

    Attributes
    ----------
    text : str
        The unit as written.
    weight : float
        Surrogate coefficient: the share of the way from no instruction to the full edit that is
        gained by keeping the unit. Positive pulls the picture towards the full edit. Usually
        within [-1, 1]; 0, and no more than a place holder, where it was not measured.
    low, high : float
        Ends of the interval: all those of a run hold together with 95 % confidence. Both are the
        weight itself where nothing was left to chance.
    verdict : str
        One of `VERDICTS`.
    measured : bool
        False where there is no number for the unit: it was never left out, nothing happened, or
        any one unit is enough.
    """

    text: str
    weight: float
    low: float
    high: float
    verdict: str
    measured: bool = True

    @property
    def exact(self) -> bool:
        """Whether the weight has no interval, because nothing was left to chance."""
        return self.measured and self.low == self.high


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One perturbation: the prompt that was run and what came of it.

    Attributes
    ----------
    mask : tuple of int
        1 for each unit that was kept, 0 for each that was left out; length m.
    prompt : str
        The kept units, in order.
    image : PIL.Image.Image or None
        The edit; None when it failed or was not loaded.
    image_distance : float or None
        Distance to the reference edit, >= 0, in the units of the chosen distance.
    text_distance : float or None
        Distance of the prompt to the full instruction, >= 0.
    sample_weight : float or None
        Kernel weight in (0, 1]; how much the sample counts in the fit.
    similarity : float or None
        The response y: the share of the way to the full edit, 1 is the full edit itself; at least
        -1.
    predicted : float or None
        The surrogate's answer for this mask.
    p_value : float or None
        Bootstrap p-value of the image distance (Algorithm 1), in [0, 1].
    failed : str or None
        Why there is no picture; None when there is one.
    """

    mask: tuple[int, ...]
    prompt: str
    image: Image.Image | None = None
    image_distance: float | None = None
    text_distance: float | None = None
    sample_weight: float | None = None
    similarity: float | None = None
    predicted: float | None = None
    p_value: float | None = None
    failed: str | None = None


@dataclass(frozen=True, kw_only=True)
class Scale:
    """What the responses of a run are shares of.

    Attributes
    ----------
    rests_on : str
        `edit without instruction`; `photo`, where that took its place; or `farthest edit`, by the
        published scale or where neither is there.
    value : float or None
        The distance that counts as the whole way, in the units of the chosen distance; None until
        it is known.
    floor : float
        The distance that counts as none: the noise floor of an editor without a seed, else 0.
    visible : float or None
        How far the full edit differs to the eye from the edit without instruction: the mean
        difference of their most different 16 x 16 pixels, 0 to 255; None until it is known.
    """

    rests_on: str
    value: float | None
    floor: float = 0.0
    visible: float | None = None


@dataclass(frozen=True, kw_only=True)
class Repeats:
    """Distances to each of the full edits of a run that made several.

    Attributes
    ----------
    of : {"seeds", "full edits"}
        Whether each was made under a seed of its own and is compared with edits under that seed
        only, or all are repeats by an editor without a seed.
    samples : tuple of tuple of (float or None)
        For each sample a distance to each full edit; None where unknown.
    without_instruction : tuple of tuple of (float or None)
        The same for each edit without instruction.
    references : tuple of tuple of float
        Between the full edits; empty for seeds.
    """

    of: str
    samples: tuple[tuple[float | None, ...], ...]
    without_instruction: tuple[tuple[float | None, ...], ...]
    references: tuple[tuple[float, ...], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """Which words drive one edit of one photo, and everything that was measured on the way.

    Attributes
    ----------
    instruction, editor, encoder, seed
        As in the settings, repeated at the top level for readers of the JSON.
    config : dict
        All settings, see `RunConfig.to_dict`.
    units : tuple of UnitWeight
        The instruction's units in order.
    intercept : float
        The surrogate's constant.
    interactions : tuple of (int, int, float)
        Pairs of unit indices with the coefficient of their product; empty unless asked for.
    fidelity : dict of str to float or None
        Keys mse, wmse, mae, wmae, l1, l2, r2, r2_w, r2_w_adj, r2_w_loo; None where undefined.
    effective_sample_size : float
        (Σπ)²/Σπ² over the samples in the fit.
    samples : tuple of Sample
        The perturbations, in the order they were run. The reference is not among them.
    reference : Sample
        The edit by the full instruction.
    source : PIL.Image.Image or None
        The photo as the editor saw it.
    mask : PIL.Image.Image or None
        Where it was edited, mode L, of the size of `source`: white was edited, black kept. None
        for an editor that takes no mask.
    without_instruction : Sample or None
        What the editor does when no word is left: the edit by the empty prompt under the first
        seed, its mask all 0, or the photo in its place. It is the zero of the scale, and no part
        of the fit. Only its picture and its distance are known, or why there is none.
    outcome : str
        One of `OUTCOMES`.
    scale : Scale or None
        What the weights are shares of; None in files of earlier versions.
    repeats : Repeats or None
        None where the full edit was made once.
    projection : tuple of (float, float)
        Coordinates in the plane; first the reference, then one per sample, a failed one at the
        place of the reference. Two principal components of the pooled features while a run goes
        and in a stopped one of more than 128 pictures; t-SNE in every other that has ended.
    noise_floor : float or None
        Mean image distance between edits of the same text that differ by chance: by the seed, or
        the full edits by an editor that takes none. None for one seed.
    notes : tuple of str
        Plain sentences a reader must know: failures, a deficient design, nothing changed.
    timing : dict of str to float
        Seconds: total_s, edit_s, encode_s, other_s.
    versions : dict of str to str
        Versions of this project, Python and the libraries that shape the numbers, and under
        `editor runs on` the device and precision of an editor that runs here.
    """

    instruction: str
    editor: str
    encoder: str
    seed: int
    config: dict[str, Any]
    units: tuple[UnitWeight, ...]
    intercept: float
    fidelity: dict[str, float | None]
    effective_sample_size: float
    samples: tuple[Sample, ...]
    reference: Sample
    source: Image.Image | None = None
    mask: Image.Image | None = None
    without_instruction: Sample | None = None
    outcome: str = EDITED
    scale: Scale | None = None
    repeats: Repeats | None = None
    interactions: tuple[tuple[int, int, float], ...] = ()
    projection: tuple[tuple[float, float], ...] = ()
    noise_floor: float | None = None
    notes: tuple[str, ...] = ()
    timing: dict[str, float] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def happened(self) -> bool:
        """Whether the editor did anything that the words of the instruction could drive."""
        return self.outcome not in (UNCHANGED, CHANCE)


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """The state of a run after a batch of edits.

    Attributes
    ----------
    explanation : Explanation or None
        What is known so far; None until the reference edit exists. Above 128 edits it is the
        same object as in the snapshot before, and up to 5 % of the edits behind `done`, until it
        is fitted anew; the last one has them all. While the run goes the projection is by
        principal components, and the last snapshot replaces it by t-SNE; p-values are filled in
        by the last snapshot only.
    done, total : int
        Edits made (cached ones included) and edits in all, the reference included.
    edits_per_second : float or None
        Newly made edits for each second spent making them; None until one was made.
    seconds_left : float or None
        Estimate of the time left; None until it can be told. Edits that the cache has cost no
        editing.
    stable : bool
        True once the ranking of the units has stopped moving.
    state : {"running", "finished", "stopped"}
        `finished` and `stopped` mark the last snapshot.
    """

    explanation: Explanation | None
    done: int
    total: int
    edits_per_second: float | None
    seconds_left: float | None
    stable: bool
    state: str
