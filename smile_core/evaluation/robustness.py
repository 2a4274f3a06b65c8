"""Robustness: does an explanation still find the word that does the work, against an adversary.

Three kinds of adversary. One *pads* the instruction with words that mean nothing. One *reorders*
it. One builds the editor against the method, as in the attack that SMILE was proposed against [1]:
such an editor does what its words say whenever an instruction looks complete, and shows innocent
pictures, which follow a decoy word only, whenever words are missing.

Every method judges the same edits. Against a detector that knows every shortened instruction no
method that shortens instructions can win, SMILE or LIME; what tells methods apart is how much they
trust the samples near the full instruction, where a less perfect detector is still honest.

References
----------
[1] Slack et al., Fooling LIME and SHAP: adversarial attacks on post hoc explanation methods, AIES
    2020.
[2] Aslansefat et al., Explaining black boxes with a SMILE: statistical model-agnostic
    interpretability with local explanations, arXiv 2311.07286.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from smile_core.config import ConfigError, RunConfig, check_choice
from smile_core.engine import as_editor
from smile_core.evaluation.baselines import BASELINES, baseline_weights
from smile_core.evaluation.mask_edits import Tools
from smile_core.evaluation.plain_run import explanation_steps
from smile_core.evaluation.stability import KeyedWeights, keyed_weights, spearman, top_k_jaccard
from smile_core.evaluation.steps import Steps, to_the_end
from smile_core.evaluation.two_faced_editor import TwoFacedEditor
from smile_core.explanation import Explanation
from smile_core.instruction import join_units, plain_word, split_units
from smile_core.photo import Source

NO_ATTACK = "none"
PADDING = "if you would be so kind right now"
# Size of the sets of heaviest words that are compared.
TOP = 3
# Shares of the words from which on the editor with two faces takes a prompt for a real one.
DETECTORS = (1.0, 0.7)


@dataclass(frozen=True)
class Robustness:
    """What one method says after one attack, beside what it said before.

    Attributes
    ----------
    attack, method : str
        Names.
    rank : int
        Place of the best keyword among the words by weight, 1 the heaviest.
    found : bool
        Whether that place is the first.
    jaccard : float
        Shared part of the sets of the 3 heaviest words before and after, in [0, 1].
    spearman : float or None
        Rank correlation of the words that both have, see `stability.spearman`.
    """

    attack: str
    method: str
    rank: int
    found: bool
    jaccard: float
    spearman: float | None


def padded(instruction: str, padding: str = PADDING, granularity: str = "word") -> str:
    """Return the instruction with words before and behind it that mean nothing.

    Where units are phrases, the words before it are one phrase and those behind it another.
    """
    words = padding.split()
    half = len(words) // 2
    parts = [" ".join(words[:half]), instruction, " ".join(words[half:])]
    return join_units(parts, [1] * len(parts), granularity)


def reordered(instruction: str, rng: np.random.Generator, granularity: str = "word") -> str:
    """Return the units of the instruction in another, random order."""
    units = split_units(instruction, granularity)
    order = np.arange(len(units))
    while (order == np.arange(len(units))).all():
        order = rng.permutation(len(units))
    return join_units([units[unit] for unit in order], [1] * len(units), granularity)


def attacked(config: RunConfig) -> dict[str, RunConfig]:
    """Return the runs of the attacks that change the instruction, by their names."""
    text, granularity = config.instruction, config.granularity
    rng = np.random.default_rng(config.seed)
    return {
        "padded": config.with_(instruction=padded(text, granularity=granularity)),
        "reordered": config.with_(instruction=reordered(text, rng, granularity)),
    }


def check_attacks(config: RunConfig, keywords: Sequence[str]) -> None:
    """Refuse what `robustness` could only find out on its way.

    Raises
    ------
    ConfigError
        When a keyword is no unit of the instruction, when nothing but keywords is left to be a
        decoy, or when the padded instruction has too many units.
    """
    units = split_units(config.instruction, config.granularity)
    wanted = _plain_keywords(map(plain_word, units), keywords, config.granularity)
    if wanted >= set(map(plain_word, units)):
        raise ConfigError(
            f"Every {config.granularity} of {config.instruction!r} is a keyword, so none is left "
            "for the editor with two faces to follow. Name fewer keywords."
        )
    long = attacked(config)["padded"].instruction
    try:
        split_units(long, config.granularity)
    except ConfigError as error:
        raise ConfigError(
            f"Padded with {PADDING!r}, the instruction is too long. {error}"
        ) from error


def robustness_steps(
    image: Source,
    config: RunConfig,
    keywords: Sequence[str],
    *,
    decoy: str | None = None,
    methods: Sequence[str] = BASELINES,
    detectors: Sequence[float] = DETECTORS,
    tools: Tools | None = None,
    plain: Explanation | None = None,
) -> Steps[tuple[Robustness, ...]]:
    """Explain one edit under every attack, by every method on the same edits.

    Parameters
    ----------
    image : str, Path, bytes or PIL.Image.Image
        The photo.
    config : RunConfig
        The run that is attacked; its seed orders the words anew.
    keywords : sequence of str
        Units of the instruction, words or phrases, that ought to be found.
    decoy : str or None
        A unit that does nothing, for the editor with two faces; None takes the one that the
        unattacked run finds to weigh least.
    methods : sequence of str
        Of `baselines.BASELINES`. `leave-one-out` needs as many perturbations as the padded
        instruction has words.
    detectors : sequence of float
        One editor with two faces for each, see `TwoFacedEditor`.
    tools : Tools or None
        What makes and measures edits; None for named editors and encoders.
    plain : Explanation or None
        The run of `config` without an attack, where it is there already.

    Returns
    -------
    tuple of Robustness
        A row for each method and attack: `none`, `padded`, `reordered`, and for each detector
        `two-faced, 70 %`, say.

    Raises
    ------
    ConfigError
        As `check_attacks`, or when something given cannot be used; names and keywords are
        checked before anything is edited.
    RunError
        When a run fails.
    StopRequested
        When `tools.stop` answered True.
    """
    for method in methods:
        check_choice("method", method, BASELINES)
    check_attacks(config, keywords)
    tools = tools or Tools()
    editor = as_editor(tools.editor, config.editor)
    if plain is None:
        plain = yield from explanation_steps(image, config, editor, tools)
    runs = {NO_ATTACK: plain}
    for name, changed in attacked(config).items():
        runs[name] = yield from explanation_steps(image, changed, editor, tools)
    known = _honest_edits(plain)
    # What is made of known edits in no time need not be kept.
    quick = replace(tools, cache=None) if known else tools
    for share in detectors:
        attacker = TwoFacedEditor(
            editor,
            config.instruction,
            _lightest(plain, keywords) if decoy is None else decoy,
            least_kept=share,
            granularity=config.granularity,
            known=known,
        )
        name = f"two-faced, {100 * share:.0f} %"
        runs[name] = yield from explanation_steps(image, config, attacker, quick)
    rows: list[Robustness] = []
    for method in methods:
        found = {name: _weights(run, method, tools) for name, run in runs.items()}
        rows.extend(
            _judge(name, method, found[NO_ATTACK], after, keywords) for name, after in found.items()
        )
    return tuple(rows)


robustness = to_the_end(robustness_steps)


def keyword_rank(weights: KeyedWeights, keywords: Sequence[str]) -> int:
    """Return the place of the best keyword by signed weight; of equals it comes last.

    Raises
    ------
    ConfigError
        When a keyword is not among the words.
    """
    wanted = _plain_keywords((word for word, _ in weights), keywords)
    best = max(weight for (word, _), weight in weights.items() if word in wanted)
    others = [weight for (word, _), weight in weights.items() if word not in wanted]
    return 1 + sum(weight >= best for weight in others)


def _plain_keywords(
    units: Iterable[str], keywords: Sequence[str], granularity: str = "word"
) -> set[str]:
    """Return the keywords as plain words, each of which has to be one of `units`."""
    wanted = set(map(plain_word, keywords))
    if not wanted or not wanted <= set(units):
        raise ConfigError(
            f"Give at least one keyword, each a {granularity} of the instruction, not "
            f"{list(keywords)}."
        )
    return wanted


def _honest_edits(plain: Explanation) -> dict[str, Image.Image]:
    """Return the pictures of a run by prompt; of several seeds an explanation keeps one only."""
    if RunConfig.from_dict(plain.config).seeds > 1:
        return {}
    rows = (plain.reference, *plain.samples)
    return {row.prompt: row.image for row in rows if row.image is not None}


def _weights(explanation: Explanation, method: str, tools: Tools) -> dict[tuple[str, int], float]:
    found = baseline_weights(explanation, method, encoder=tools.encoder)
    return keyed_weights([unit.text for unit in explanation.units], found.tolist())


def _lightest(explanation: Explanation, keywords: Sequence[str]) -> str:
    """Return the word that weighs least, keywords aside."""
    keys = set(map(plain_word, keywords))
    others = [unit for unit in explanation.units if plain_word(unit.text) not in keys]
    return min(others, key=lambda unit: abs(unit.weight)).text


def _judge(
    attack: str,
    method: str,
    before: KeyedWeights,
    after: KeyedWeights,
    keywords: Sequence[str],
) -> Robustness:
    rank = keyword_rank(after, keywords)
    return Robustness(
        attack=attack,
        method=method,
        rank=rank,
        found=rank == 1,
        jaccard=top_k_jaccard(before, after, TOP),
        spearman=spearman(before, after),
    )
