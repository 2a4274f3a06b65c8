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
from dataclasses import dataclass

import numpy as np

from smile_core.config import ConfigError, RunConfig, check_choice
from smile_core.editors.protocol import Editor, StopRequested
from smile_core.engine import as_editor, stream
from smile_core.evaluation.baselines import BASELINES, baseline_weights
from smile_core.evaluation.mask_edits import Tools
from smile_core.evaluation.stability import KeyedWeights, keyed_weights, spearman, top_k_jaccard
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


def padded(instruction: str, padding: str = PADDING) -> str:
    """Return the instruction with words before and behind it that mean nothing."""
    words = padding.split()
    half = len(words) // 2
    return " ".join([*words[:half], instruction, *words[half:]])


def reordered(instruction: str, rng: np.random.Generator, granularity: str = "word") -> str:
    """Return the units of the instruction in another, random order."""
    units = split_units(instruction, granularity)
    order = np.arange(len(units))
    while (order == np.arange(len(units))).all():
        order = rng.permutation(len(units))
    return join_units([units[unit] for unit in order], [1] * len(units), granularity)


def robustness(
    image: Source,
    config: RunConfig,
    keywords: Sequence[str],
    *,
    decoy: str | None = None,
    methods: Sequence[str] = BASELINES,
    detectors: Sequence[float] = DETECTORS,
    tools: Tools | None = None,
) -> tuple[Robustness, ...]:
    """Explain one edit under every attack, by every method on the same edits.

    Parameters
    ----------
    image : str, Path, bytes or PIL.Image.Image
        The photo.
    config : RunConfig
        The run that is attacked; its seed orders the words anew.
    keywords : sequence of str
        Words of the instruction that ought to be found.
    decoy : str or None
        A word that does nothing, for the editor with two faces; None takes the word that the
        unattacked run finds to weigh least.
    methods : sequence of str
        Of `baselines.BASELINES`. `leave-one-out` needs as many perturbations as the padded
        instruction has words.
    detectors : sequence of float
        One editor with two faces for each, see `TwoFacedEditor`.
    tools : Tools or None
        What makes and measures edits; None for named editors and encoders.

    Returns
    -------
    tuple of Robustness
        A row for each method and attack: `none`, `padded`, `reordered`, and for each detector
        `two-faced, 70 %`, say.

    Raises
    ------
    ConfigError
        When a keyword is not in the instruction, or something given cannot be used; names and
        keywords are checked before anything is edited.
    RunError
        When a run fails.
    StopRequested
        When `tools.stop` answered True.
    """
    for method in methods:
        check_choice("method", method, BASELINES)
    words = config.instruction
    _keyword_words(map(plain_word, split_units(words, config.granularity)), keywords)
    tools = tools or Tools()
    editor = as_editor(tools.editor, config.editor)
    plain = _explain(image, config, editor, tools)
    if decoy is None:
        decoy = _lightest(plain, keywords)
    rng = np.random.default_rng(config.seed)
    runs = {
        NO_ATTACK: plain,
        "padded": _explain(image, config.with_(instruction=padded(words)), editor, tools),
        "reordered": _explain(
            image,
            config.with_(instruction=reordered(words, rng, config.granularity)),
            editor,
            tools,
        ),
    }
    for share in detectors:
        attacker = TwoFacedEditor(editor, words, decoy, least_kept=share)
        runs[f"two-faced, {100 * share:.0f} %"] = _explain(image, config, attacker, tools)
    rows: list[Robustness] = []
    for method in methods:
        found = {name: _weights(run, method, tools) for name, run in runs.items()}
        rows.extend(
            _judge(name, method, found[NO_ATTACK], after, keywords) for name, after in found.items()
        )
    return tuple(rows)


def keyword_rank(weights: KeyedWeights, keywords: Sequence[str]) -> int:
    """Return the place of the best keyword by signed weight; of equals it comes last.

    Raises
    ------
    ConfigError
        When a keyword is not among the words.
    """
    wanted = _keyword_words((word for word, _ in weights), keywords)
    best = max(weight for (word, _), weight in weights.items() if word in wanted)
    others = [weight for (word, _), weight in weights.items() if word not in wanted]
    return 1 + sum(weight >= best for weight in others)


def _keyword_words(words: Iterable[str], keywords: Sequence[str]) -> set[str]:
    """Return the keywords as plain words, each of which has to be one of `words`."""
    wanted = set(map(plain_word, keywords))
    if not wanted or not wanted <= set(words):
        raise ConfigError(
            f"Give at least one keyword, each a word of the instruction, not {list(keywords)}."
        )
    return wanted


def _explain(image: Source, config: RunConfig, editor: Editor, tools: Tools) -> Explanation:
    snapshots = stream(
        image,
        config,
        tools.mask,
        editor=editor,
        encoder=tools.encoder,
        cache=tools.cache,
        stop=tools.stop,
    )
    *_, last = snapshots
    if last.state == "stopped" or last.explanation is None:
        raise StopRequested
    return last.explanation


def _weights(explanation: Explanation, method: str, tools: Tools) -> dict[tuple[str, int], float]:
    found = baseline_weights(explanation, method, encoder=tools.encoder)
    return keyed_weights([unit.text for unit in explanation.units], found.tolist())


def _lightest(explanation: Explanation, keywords: Sequence[str]) -> str:
    """Return the word that weighs least, keywords aside."""
    keys = set(map(plain_word, keywords))
    others = [unit for unit in explanation.units if plain_word(unit.text) not in keys]
    if not others:
        raise ConfigError("Every word is a keyword, so there is no decoy. Name fewer keywords.")
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
