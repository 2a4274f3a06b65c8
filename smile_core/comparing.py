"""Two or three runs side by side: they take turns batch by batch and are compared after each.

Every column is an ordinary run of the `engine`, so it has its own edits, cache entries, notes and
failures. Columns with the same seed, perturbations and number of words try the same masks in the
same order. What one column cannot do ends that column alone.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from smile_core.column_run import ColumnRun
from smile_core.columns import check_count, check_different, column_configs, column_labels
from smile_core.comparison import Column, Comparison
from smile_core.config import BUNDLED_EDITOR, RunConfig
from smile_core.edit_cache import EditCache
from smile_core.editors.callable_editor import EditFunction
from smile_core.editors.protocol import Editor, Stop
from smile_core.editors.registry import list_editors, load_editor
from smile_core.encoders import Encoder
from smile_core.engine import RunError, as_editor, remembering, shared_encoder, stream
from smile_core.explanation import Snapshot
from smile_core.joint_map import JointMap
from smile_core.photo import Source
from smile_core.planning import count_edits
from smile_core.word_differences import compare_columns

ENCODERS_DIFFER = "The columns use different encoders, so there is no map that they share."


@dataclass(frozen=True, kw_only=True)
class ComparisonSnapshot:
    """The state of a comparison after a batch of edits in one of its columns.

    Attributes
    ----------
    comparison : Comparison
        What is known so far; a column without its full edit has no explanation yet.
    snapshots : tuple of (Snapshot or None)
        The last state of each column's run; None before its first batch. Their clocks count the
        time of their own column only.
    turn : int
        The column that the last batch was of.
    done, total : int
        Edits made and edits in all, of all columns together. What a failed column leaves undone
        is not counted.
    seconds_left : float or None
        Estimate of the time left; None until every column can tell.
    stable : bool
        True once the ranking has stopped moving in every column.
    state : {"running", "finished", "stopped"}
        `finished` and `stopped` mark the last snapshot.
    """

    comparison: Comparison
    snapshots: tuple[Snapshot | None, ...]
    turn: int
    done: int
    total: int
    seconds_left: float | None
    stable: bool
    state: str


def compare(
    image: Source,
    instruction: str | Sequence[str],
    *,
    editors: Sequence[str | Editor | EditFunction] = (BUNDLED_EDITOR,),
    mask: Source | None = None,
    **settings: Any,
) -> Comparison:
    """Explain one photo in two or three ways and hold the words against each other.

    Parameters
    ----------
    image : str, Path, bytes or PIL.Image.Image
        The photo.
    instruction : str, or sequence of str
        What the editors are asked to do, or two or three instructions.
    editors : sequence of (str, Editor or callable)
        Two or three editors, each as in `smile_core.explain`, or one for all columns.
    mask : str, Path, bytes, PIL.Image.Image or None
        As in `smile_core.explain`, for the editors that need one.
    **settings
        Any other field of `RunConfig`, and `preset`; a list of two or three gives every column
        its own value.

    Returns
    -------
    Comparison
        The finished comparison.

    Raises
    ------
    ConfigError
        When something given cannot be used.
    RunError
        When every column fails.

    Examples
    --------
    >>> from smile_core import compare
    >>> both = compare("photo.jpg", "make it gently snowy", editors=["scene-pix2pix", "sd-turbo"])
    >>> [row.differences[0].verdict for row in both.rows]
    """
    names = [tool if isinstance(tool, str) else as_editor(tool, "").name for tool in editors]
    configs = column_configs(
        instruction=instruction if isinstance(instruction, str) else list(instruction),
        editor=names if len(names) > 1 else names[0],
        **settings,
    )
    given = [None if isinstance(tool, str) else tool for tool in editors]
    given = given if len(given) > 1 else given * len(configs)
    *_, last = stream_comparison(image, configs, mask, editors=given)
    return last.comparison


def stream_comparison(
    image: Source,
    configs: Sequence[RunConfig],
    mask: Source | None = None,
    *,
    editors: Sequence[Editor | EditFunction | None] | None = None,
    labels: Sequence[str] | None = None,
    encoder: Encoder | None = None,
    cache: EditCache | Literal["default"] | None = "default",
    stop: Stop | None = None,
) -> Iterator[ComparisonSnapshot]:
    """Run two or three columns in turns and yield what is known after every batch.

    Everything that can be checked is checked, and models are loaded, before this returns.

    Parameters
    ----------
    image : str, Path, bytes or PIL.Image.Image
        The photo, the same for all.
    configs : sequence of RunConfig
        The settings of each column, see `columns.column_configs`.
    mask : str, Path, bytes, PIL.Image.Image or None
        As in `engine.stream`; handed to the columns whose editor needs one.
    editors : sequence of (Editor, callable or None), or None
        Used in the place of `config.editor`, column by column.
    labels : sequence of str or None
        What to call the columns; None names what sets them apart.
    encoder, cache, stop
        As in `engine.stream`, for all columns. When `stop` answers True all columns end with what
        they have.

    Yields
    ------
    ComparisonSnapshot
        The column with the fewest edits moves next, so that all grow together. In the last one
        every column has ended, and the map is by t-SNE.

    Raises
    ------
    ConfigError
        When something given cannot be used.
    RunError
        After the last snapshot, when every column failed.
    """
    check_count(len(configs))
    tools = [None] * len(configs) if editors is None else list(editors)
    ready = [
        None if tool is None else as_editor(tool, config.editor)
        for tool, config in zip(tools, configs, strict=True)
    ]
    configs = [
        config if tool is None else config.with_(editor=tool.name)
        for tool, config in zip(ready, configs, strict=True)
    ]
    check_different(configs, tools)
    named = column_labels(configs) if labels is None else labels
    if encoder is None:
        eyes = [shared_encoder(config.encoder) for config in configs]
    else:
        eyes = [remembering(encoder)] * len(configs)
    masks = _masks(mask, configs, ready)
    runs = []
    for config, label, own, tool, eye in zip(configs, named, masks, ready, eyes, strict=True):
        started = time.perf_counter()
        snapshots = stream(image, config, own, editor=tool, encoder=eye, cache=cache, stop=stop)
        column = Column(label=label, config=config)
        planned = count_edits(config, as_editor(tool, config.editor).card)
        loading = time.perf_counter() - started
        runs.append(ColumnRun(column, snapshots, loading=loading, planned=planned))
    joint = JointMap(eyes[0], configs[0].seed) if len({eye.name for eye in eyes}) == 1 else None
    return _take_turns(runs, joint)


def _masks(
    mask: Source | None, configs: Sequence[RunConfig], tools: Sequence[Editor | None]
) -> list[Source | None]:
    """Return the mask for the editors that need one; where none does, all are to refuse it."""
    if mask is None:
        return [None] * len(configs)
    known = {card.name: card for card in list_editors()}
    cards = [
        tool.card
        if tool is not None
        else known.get(config.editor) or load_editor(config.editor).card
        for config, tool in zip(configs, tools, strict=True)
    ]
    alone = not any(card.needs_mask for card in cards)
    return [mask if alone or card.needs_mask else None for card in cards]


def _take_turns(runs: list[ColumnRun], joint: JointMap | None) -> Iterator[ComparisonSnapshot]:
    notes = () if joint is not None else (ENCODERS_DIFFER,)
    while waiting := [index for index, run in enumerate(runs) if not run.ended]:
        turn = min(waiting, key=lambda index: runs[index].done)
        runs[turn].advance()
        state = _state(runs)
        columns = [run.column for run in runs]
        if joint is not None:
            places = joint.places([column.explanation for column in columns], state=state)
            columns = [
                replace(column, places=spots) for column, spots in zip(columns, places, strict=True)
            ]
        left = [run.snapshot.seconds_left if run.snapshot else None for run in _moving(runs)]
        known = [seconds for seconds in left if seconds is not None]
        yield ComparisonSnapshot(
            comparison=compare_columns(columns, doubts=[run.doubt for run in runs], notes=notes),
            snapshots=tuple(run.snapshot for run in runs),
            turn=turn,
            done=sum(run.done for run in runs),
            total=sum(run.total for run in runs),
            seconds_left=sum(known) if len(known) == len(left) else None,
            stable=all(run.snapshot is not None and run.snapshot.stable for run in runs),
            state=state,
        )
    failures = [run.column.failed for run in runs if run.column.failed is not None]
    if len(failures) == len(runs):
        raise RunError(f"Every column failed. The first: {failures[0]}")


def _moving(runs: Sequence[ColumnRun]) -> list[ColumnRun]:
    return [run for run in runs if not run.ended]


def _state(runs: Sequence[ColumnRun]) -> str:
    if _moving(runs):
        return "running"
    stopped = any(run.snapshot is not None and run.snapshot.state == "stopped" for run in runs)
    return "stopped" if stopped else "finished"
