"""Everything a run depends on besides the photo: frozen, keyword-only, checked once.

`RunConfig` is the one object that the page, the command line and Python code hand to the engine.
It is validated when it is made, before anything expensive, and every message says what was wrong,
what is allowed and what to do. Numbers outside their range are refused, never clipped.

References
----------
[1] SMILE for instruction-based image editing, arXiv 2412.16277 (the `paper` preset).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields, replace
from difflib import get_close_matches
from typing import Any

BUNDLED_EDITOR = "scene-pix2pix"

DESIGNS = ("balanced", "bernoulli")
GRANULARITIES = ("word", "phrase")
IMAGE_DISTANCES = (
    "wasserstein",
    "transport-cost",
    "sliced-wasserstein",
    "gaussian-w2",
    "wasserstein-1d",
    "kolmogorov-smirnov",
    "cramer-von-mises",
    "energy",
    "cosine",
    "wasserstein+cosine",
)
TEXT_DISTANCES = ("wmd", "cosine", "wmd+cosine")
SURROGATES = ("linear", "bayesian-ridge", "ridge", "lasso", "lime", "shapley")
RESPONSES = ("share", "min-max")
BLANKS = ("edit", "photo")
PRESETS = ("recommended", "paper")
# What can be set of an editor; its card says which of these it has.
KNOBS = (
    "steps",
    "guidance_scale",
    "image_guidance_scale",
    "strength",
    "negative_prompt",
    "scheduler",
)
DPM_SOLVER = "dpm-solver"
SCHEDULERS = (DPM_SOLVER,)

MAX_PERTURBATIONS = 4096
# What is run where no number is asked for: so many, and more where there are many words. With
# three for each word or fewer the weights of 20 words and more hang on one edit each.
PERTURBATIONS, AUTOMATIC_PER_UNIT = 64, 4
# No verdict is given before there are so many for each unit.
PERTURBATIONS_PER_UNIT = 2
MAX_UNITS = 64
MAX_INSTRUCTION_CHARACTERS = 2000


def automatic_perturbations(n_units: int, least: int = PERTURBATIONS) -> int:
    """Return how many shortened instructions are tried where no number is asked for."""
    return max(least, AUTOMATIC_PER_UNIT * n_units)


class ConfigError(ValueError):
    """A setting that cannot be used; the message says what is allowed and what to do."""


def check_choice(what: str, value: object, allowed: Iterable[str]) -> None:
    """Refuse a `value` that is not among `allowed`, naming the choices and the nearest one.

    Raises
    ------
    ConfigError
        When `value` is not one of `allowed`.
    """
    names = sorted(allowed)
    if value in names:
        return
    near = get_close_matches(str(value), names, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise ConfigError(f"Unknown {what} {value!r}.{hint} Choose one of: {', '.join(names)}.")


def _check_whole(what: str, value: object, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ConfigError(f"{what} must be a whole number from {low} to {high}, not {value!r}.")
    if not low <= value <= high:
        raise ConfigError(f"{what} must be from {low} to {high}, not {value}.")


def _check_number(what: str, value: object, low: float, high: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ConfigError(f"{what} must be a number from {low:g} to {high:g}, not {value!r}.")


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """The settings of one explanation.

    Parameters
    ----------
    instruction : str
        What the editor is asked to do, 1 to 64 units, at most 2,000 characters.
    editor : str
        Name in the editor registry, see `smile_core.list_editors`.
    perturbations : int or None
        How many shortened instructions to try, 1 to 4,096; the full instruction and the edit
        without any come on top. When the instruction has no more than this many non-empty subsets,
        all of them are run. None tries 64, and four for each word where that is more.
    seed : int
        Seed of the edits, the masks and the p-values, 0 to 2**32 - 1.
    seeds : int
        Repeat every prompt under this many seeds (1 to 32); above 1 intervals hold over seeds, and
        the noise floor is measured.
    granularity : {"word", "phrase"}
        What counts as one unit of the instruction.
    design : {"balanced", "bernoulli"}
        Which subsets are tried; `bernoulli` is the published design.
    encoder : str
        Name of the image encoder, or a hub id of a DINOv2 model.
    image_distance : str
        One of `IMAGE_DISTANCES`.
    order : float
        Order p of the Wasserstein distances, 1 to 8.
    text_distance : str
        One of `TEXT_DISTANCES`.
    word_vectors : str
        `bundled`, or the name of a gensim-downloader model.
    response : {"share", "min-max"}
        What an edit's distance is measured by: as a share of the way from the edit without
        instruction to the full one, or by the farthest edit of the run, as published.
    blank : {"edit", "photo"} or None
        What stands for no instruction: an edit by the empty text, or the photo itself. None takes
        the photo for an editor that bills every edit, and the edit for all others.
    negligible : float
        The smallest effect that matters, as a share of the way, 0.001 to 1; verdicts are about it.
    kernel_width : float or None
        σ in exp(-(D/σ)²); None chooses it so that the effective sample size is half of n.
    surrogate : str
        One of `SURROGATES`.
    interactions : bool
        Fit pairwise products too (at most 10 units).
    p_cutoff : float or None
        Leave samples with a bootstrap p-value above this out of the fit, as the paper does.
    p_iterations : int
        Bootstrap iterations behind every p-value, 100 to 1,000,000.
    steps : int or None
        Denoising steps; this and the next five are the editor's knobs, and None takes its own
        default. Which of them an editor has is written on its card.
    guidance_scale, image_guidance_scale : float or None
        How strongly the text steers, and how strongly the photo is kept, 0 to 100.
    strength : float or None
        How much of the photo is painted anew, above 0 (nothing) to 1 (all).
    negative_prompt : str or None
        What the edit should not show; part of every edit, never of the explanation.
    scheduler : {"dpm-solver"} or None
        Who takes the denoising steps. `dpm-solver` needs few of them and draws no noise on the way
        (DPM-Solver++, arXiv 2211.01095); it does not change `steps`, so set that too. None is the
        editor's own.
    stop_when_settled : bool
        End the run once no word that matters is unclear, see `smile_core.settling`, and at once
        where nothing happened. Off by default: a run is as long as it was asked to be.
    batch_size : int
        Edits per call of the editor, 1 to 64; a snapshot follows each call. Cached edits do not
        depend on it.

    Raises
    ------
    ConfigError
        On construction, when a value is outside its range.
    """

    instruction: str
    editor: str = BUNDLED_EDITOR
    perturbations: int | None = None
    seed: int = 0
    seeds: int = 1
    granularity: str = "word"
    design: str = "balanced"
    encoder: str = "efficientnet-lite0"
    image_distance: str = "transport-cost"
    order: float = 2.0
    text_distance: str = "wmd"
    word_vectors: str = "bundled"
    response: str = "share"
    blank: str | None = None
    negligible: float = 0.05
    kernel_width: float | None = None
    surrogate: str = "linear"
    interactions: bool = False
    p_cutoff: float | None = None
    p_iterations: int = 1000
    steps: int | None = None
    guidance_scale: float | None = None
    image_guidance_scale: float | None = None
    strength: float | None = None
    negative_prompt: str | None = None
    scheduler: str | None = None
    stop_when_settled: bool = False
    batch_size: int = 8

    def __post_init__(self) -> None:
        if not isinstance(self.instruction, str) or not self.instruction.strip():
            raise ConfigError(
                "The instruction is empty. Write what the editor should do, "
                "for example: make it a snowy evening."
            )
        if len(self.instruction) > MAX_INSTRUCTION_CHARACTERS:
            raise ConfigError(
                f"The instruction has {len(self.instruction):,} characters; at most "
                f"{MAX_INSTRUCTION_CHARACTERS:,} can be explained. Shorten it."
            )
        if any("\ud800" <= letter <= "\udfff" for letter in self.instruction):
            raise ConfigError(
                "The instruction holds half a character (a lone surrogate), which cannot be saved. "
                "Type it again."
            )
        for name in ("interactions", "stop_when_settled"):
            if not isinstance(getattr(self, name), bool):
                raise ConfigError(
                    f"The setting {name!r} must be true or false, not {getattr(self, name)!r}."
                )
        for name in ("editor", "encoder", "word_vectors"):
            if not isinstance(getattr(self, name), str):
                raise ConfigError(
                    f"The setting {name!r} must be a name, not {getattr(self, name)!r}."
                )
        if self.perturbations is not None:
            _check_whole("The number of perturbations", self.perturbations, 1, MAX_PERTURBATIONS)
        _check_whole("The seed", self.seed, 0, 2**32 - 1)
        _check_whole("The number of seeds", self.seeds, 1, 32)
        _check_whole("The number of p-value iterations", self.p_iterations, 100, 1_000_000)
        _check_whole("The batch size", self.batch_size, 1, 64)
        check_choice("granularity", self.granularity, GRANULARITIES)
        check_choice("mask design", self.design, DESIGNS)
        check_choice("image distance", self.image_distance, IMAGE_DISTANCES)
        check_choice("text distance", self.text_distance, TEXT_DISTANCES)
        check_choice("surrogate", self.surrogate, SURROGATES)
        _check_number("The order of the Wasserstein distance", self.order, 1, 8)
        check_choice("response", self.response, RESPONSES)
        if self.blank is not None:
            check_choice("blank", self.blank, BLANKS)
        _check_number("The smallest effect that matters", self.negligible, 0.001, 1)
        if self.kernel_width is not None:
            _check_number("The kernel width", self.kernel_width, 1e-3, 1e3)
        if self.p_cutoff is not None:
            _check_number("The p-value cutoff", self.p_cutoff, 0, 1)
        if self.steps is not None:
            _check_whole("The number of steps", self.steps, 1, 1000)
        for name in ("guidance_scale", "image_guidance_scale"):
            if getattr(self, name) is not None:
                _check_number(f"The {name}", getattr(self, name), 0, 100)
        if self.strength is not None:
            _check_number("The strength", self.strength, 0.01, 1)
        if self.negative_prompt is not None:
            self._check_negative_prompt()
        if self.scheduler is not None:
            check_choice("scheduler", self.scheduler, SCHEDULERS)

    def _check_negative_prompt(self) -> None:
        text = self.negative_prompt
        if not isinstance(text, str) or len(text) > MAX_INSTRUCTION_CHARACTERS:
            raise ConfigError(
                f"The negative prompt must be a text of at most {MAX_INSTRUCTION_CHARACTERS:,} "
                "characters. Shorten it, or leave it unset."
            )

    def perturbations_for(self, n_units: int) -> int:
        """Return how many shortened instructions of so many units are tried: at most all."""
        return min(self.perturbations or automatic_perturbations(n_units), 2**n_units - 2)

    @classmethod
    def preset(cls, name: str, *, instruction: str, **changes: Any) -> RunConfig:
        """Return the settings called `name`, with `changes` on top.

        `recommended` is the default of every field. `paper` is the published choice: Bernoulli
        masks, 64 perturbations, pooled DINOv2-base features, the one-dimensional Wasserstein
        distance of order 1 on the scale of the farthest edit, Word Mover's Distance on word2vec
        vectors with kernel width 0.25, weighted linear regression and the p-value cutoff of 0.05
        at 1e5 iterations [1].

        The editor stays the chosen one, with its own defaults, so `paper` leaves out what was
        published for InstructPix2Pix: 100 steps, guidance_scale 7.5 and image_guidance_scale 1.5.
        Choose that editor and give those three to have them.
        """
        check_choice("preset", name, PRESETS)
        values = dict(PAPER) if name == "paper" else {}
        unknown = set(changes) - {field.name for field in fields(cls)}
        if unknown:
            raise ConfigError(f"Unknown setting: {', '.join(sorted(unknown))}.")
        return cls(instruction=instruction, **{**values, **changes})

    def with_(self, **changes: Any) -> RunConfig:
        """Return a copy with `changes`, checked like a new one."""
        return replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain values, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> RunConfig:
        """Rebuild settings from `to_dict`; an unknown key, or no instruction, is refused."""
        unknown = set(values) - {field.name for field in fields(cls)}
        if unknown:
            raise ConfigError(f"Unknown setting: {', '.join(sorted(map(str, unknown)))}.")
        if "instruction" not in values:
            raise ConfigError("The settings hold no instruction, which they must.")
        return cls(**values)


# The kernel width divides the distance inside the square, so the published
# sqrt(exp(-d²/0.25²)) is exp(-(d/σ)²) with σ = 0.25·√2.
PAPER: dict[str, Any] = {
    "perturbations": 64,
    "design": "bernoulli",
    "response": "min-max",
    "encoder": "facebook/dinov2-base",
    "image_distance": "wasserstein-1d",
    "order": 1.0,
    "word_vectors": "word2vec-google-news-300",
    "kernel_width": 0.25 * 2**0.5,
    "p_cutoff": 0.05,
    "p_iterations": 100_000,
}
