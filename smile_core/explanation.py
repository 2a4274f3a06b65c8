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
NOTHING = "not distinguishable from nothing"
VERDICTS = (DRIVES, AGAINST, NOTHING)


@dataclass(frozen=True, kw_only=True)
class UnitWeight:
    """One unit of the instruction with its influence.

    Attributes
    ----------
    text : str
        The unit as written.
    weight : float
        Surrogate coefficient: how much similarity to the full edit is gained by keeping the unit.
        Positive pulls the picture towards the edit. Usually within [-1, 1].
    low, high : float
        Ends of the 95 % bootstrap interval.
    verdict : str
        One of `VERDICTS`.
    """

    text: str
    weight: float
    low: float
    high: float
    verdict: str


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
        The response y in [0, 1]; 1 is the full edit.
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
        seed, its mask all 0. For comparison only; it is no part of the fit. Only its picture and
        its distance are known, or why there is none. None until the run has finished.
    projection : tuple of (float, float)
        Coordinates in the plane; first the reference, then one per sample, a failed one at the
        place of the reference. Two principal components of the pooled features while a run goes
        and in a stopped one of more than 128 pictures; t-SNE in every other that has ended.
    noise_floor : float or None
        Mean image distance between edits of the same text that differ by chance: by the seed, or
        the full edit and its replicates by an editor that takes none. None for one seed.
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
    interactions: tuple[tuple[int, int, float], ...] = ()
    projection: tuple[tuple[float, float], ...] = ()
    noise_floor: float | None = None
    notes: tuple[str, ...] = ()
    timing: dict[str, float] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)


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
