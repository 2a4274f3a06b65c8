"""A study on its way: every edit once, every finished run kept.

The runs that share edits go together: the edits are made, or found in the cache, then fitted in
each of their ways. A finished run goes to the journal in the study's folder; when the study is
asked for again, it is read from there.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from smile_core.config import ConfigError, check_choice
from smile_core.edit_cache import EditCache
from smile_core.editors.callable_editor import CallableEditor, EditFunction
from smile_core.editors.protocol import Editor, Stop, StopRequested
from smile_core.editors.registry import list_editors, load_editor
from smile_core.encoders import Encoder
from smile_core.engine import RunError, remembering, shared_encoder
from smile_core.evaluation.mask_edits import Tools
from smile_core.evaluation.study import Study
from smile_core.evaluation.study_clock import (
    StudyClock,
    editing_seconds,
    read_speeds,
    write_speed,
)
from smile_core.evaluation.study_edits import CountedEditor, SharedEdits
from smile_core.evaluation.study_journal import Journal
from smile_core.evaluation.study_measures import Measures, further_edits, measure, rows_to_measure
from smile_core.evaluation.study_plan import (
    EditorFacts,
    Run,
    StudyCost,
    group_by_edits,
    group_keys,
    mask_of,
    missing_edits,
    plan_study,
    run_key,
    wanted_edits,
)
from smile_core.evaluation.study_result import RunResult, result_of
from smile_core.feature_memory import RememberingEncoder

Editors = Mapping[str, Editor | EditFunction]
Cache = EditCache | Literal["default"] | None


@dataclass(frozen=True, kw_only=True)
class StudySnapshot:
    """The state of a study after a batch of edits or a finished run.

    Attributes
    ----------
    study : Study
        What is run.
    pairs : tuple of (Run, RunResult)
        The runs that are done, in the order of the study.
    runs : int
        Runs in all.
    done, edits : int
        Different edits that are there, and of the whole study.
    fresh : int
        Edits made since this process began with the study.
    edits_per_second : float or None
        How fast the editor at work is; None until it made one.
    seconds_left : float or None
        Time left, edits that the cache has costing nothing; None until it can be told.
    now : str
        What is being run.
    state : {"running", "finished", "stopped"}
        The last two mark the last snapshot.
    """

    study: Study
    pairs: tuple[tuple[Run, RunResult], ...]
    runs: int
    done: int
    edits: int
    fresh: int
    edits_per_second: float | None
    seconds_left: float | None
    now: str
    state: str


class RunningStudy:
    """A study on its way.

    Parameters
    ----------
    study, out, editors, encoder, cache
        As in `study_run.stream_study`.

    Raises
    ------
    ConfigError
        When something given cannot be used.
    """

    def __init__(
        self,
        study: Study,
        out: Path | None,
        editors: Editors,
        encoder: Encoder | None,
        cache: Cache,
    ) -> None:
        self._study = study
        self._encoder = None if encoder is None else remembering(encoder)
        self._given = {
            name: tool if isinstance(tool, Editor) else CallableEditor(tool, name=name)
            for name, tool in editors.items()
        }
        self._cache = EditCache() if cache == "default" else cache
        self._runs = plan_study(study)
        names = list(dict.fromkeys(run.config.editor for run in self._runs))
        _check_editors([name for name in names if name not in self._given])
        self._facts = {}
        for name in names:
            editor = self._editor(name)
            self._facts[name] = EditorFacts(editor.card, editor.fingerprint)
        self._keys = [self._key(run) for run in self._runs]
        self._journal = Journal(out)
        # Results that must not outlive this process: failures, and those of editors of which
        # nobody can tell whether they are still the same.
        self._own: dict[str, RunResult] = {}
        self._told = 0.0  # seconds that whoever listens took, in the middle of a run
        by_key = dict(zip(self._keys, self._runs, strict=True))
        self._groups = group_by_edits(
            [run for key, run in by_key.items() if self._known(key) is None]
        )
        self._every = wanted_edits(group_by_edits(list(by_key.values())), self._facts)
        wanted = wanted_edits(self._groups, self._facts)
        for group in self._groups:
            wanted[group[0].config.editor] |= self._further(group)
        for name, keys in wanted.items():
            self._every[name] |= keys
        self._missing = missing_edits(wanted, self._facts, self._cache)

    def cost(self) -> StudyCost:
        """Say what is left to do; nothing is run."""
        to_make = {name: len(keys) for name, keys in self._missing.items()}
        return StudyCost(
            runs=len(self._runs),
            edits=sum(map(len, self._every.values())),
            to_make=to_make,
            seconds=editing_seconds(to_make, dict(self._rates())),
        )

    def snapshots(self, stop: Stop) -> Iterator[StudySnapshot]:
        """Run what is left, see `study_run.stream_study`."""
        rows = sum(rows_to_measure(run) for group in self._groups for run in group)
        self._clock = clock = StudyClock(
            sum(map(len, self._every.values())),
            {name: len(keys) for name, keys in self._missing.items()},
            rows,
            self._rates(),
        )
        for number, group in enumerate(self._groups):
            name = group[0].config.editor
            own = "" if self._facts[name].fingerprint else f"{number} "
            keys = {own + key for key in group_keys(group, self._facts[name])}
            keys |= self._further(group)
            clock.begin(name, len(keys & self._missing[name]))
            yield self._snapshot(group[0], "running")
            editor, eyes = CountedEditor(self._editor(name)), self._eyes(group[0])
            shared = SharedEdits(group, editor, eyes, self._cache)
            for _ in shared.batches(stop):
                clock.count(editor.made, editor.seconds)
                yield self._snapshot(group[0], "running")
            for run in group:
                tools = Tools(mask=mask_of(run, editor.card), editor=editor, encoder=eyes,
                              cache=self._cache, stop=stop)  # fmt: skip
                told, editing = self._told, editor.seconds
                began = time.perf_counter()
                if (
                    shared.maker.stopped
                    or stop()
                    or not (yield from self._fit(run, shared, editor, tools))
                ):
                    yield self._snapshot(run, "stopped")
                    return
                spent = time.perf_counter() - began - (self._told - told)
                clock.count(editor.made, editor.seconds)
                clock.fitted(rows_to_measure(run), spent - (editor.seconds - editing))
                yield self._snapshot(run, "running")
            self._missing[name] -= keys
            clock.end(len(self._missing[name]))
            self._remember_speed(name)
        yield self._snapshot(None, "finished")

    def _fit(
        self, run: Run, shared: SharedEdits, editor: CountedEditor, tools: Tools
    ) -> Generator[StudySnapshot, None, bool]:
        """Finish one run, telling how far it is; return False when it was stopped."""
        key = self._key(run)
        try:
            explanation, timing = shared.fit(run, tools.stop or (lambda: False))
            measures: Measures | None = None
            for measures in measure(run, explanation, tools):
                if measures is None:
                    self._clock.count(editor.made, editor.seconds)
                    began = time.perf_counter()
                    yield self._snapshot(run, "running")
                    self._told += time.perf_counter() - began
            result = result_of(run, explanation, timing, measures or {}, shared.maker.total)
        except StopRequested:
            return False
        except (RunError, ConfigError) as error:  # of this run alone, hours into the others
            self._own[key] = RunResult(failed=str(error))
            return True
        if self._facts[run.config.editor].fingerprint is None:
            self._own[key] = result
        else:
            self._journal.put(key, result)
        return True

    def _known(self, key: str) -> RunResult | None:
        return self._own.get(key) or self._journal.get(key)

    def _snapshot(self, run: Run | None, state: str) -> StudySnapshot:
        clock = self._clock
        found = [(run, self._known(key)) for run, key in zip(self._runs, self._keys, strict=True)]
        rate = None if run is None else clock.rate(run.config.editor)
        return StudySnapshot(
            study=self._study,
            pairs=tuple((run, result) for run, result in found if result is not None),
            runs=len(self._runs),
            done=clock.done,
            edits=clock.edits,
            fresh=clock.fresh,
            edits_per_second=1 / rate if rate else None,
            seconds_left=clock.seconds_left(),
            now="" if run is None else run.label,
            state=state,
        )

    def _key(self, run: Run) -> str:
        eyes = run.config.encoder if self._encoder is None else self._encoder.name
        return run_key(run, self._facts[run.config.editor], eyes)

    def _editor(self, name: str) -> Editor:
        return self._given.get(name) or load_editor(name)

    def _eyes(self, run: Run) -> RememberingEncoder:
        return self._encoder or shared_encoder(run.config.encoder)

    def _further(self, group: list[Run]) -> set[str]:
        """Return keys of the edits that measuring a group makes on top."""
        return further_edits(group, self._facts[group[0].config.editor], self._key(group[0]))

    def _rates(self) -> dict[str, float]:
        speeds = read_speeds(self._cache.folder if self._cache else None)
        return {
            name: speeds[facts.fingerprint]
            for name, facts in self._facts.items()
            if facts.fingerprint in speeds
        }

    def _remember_speed(self, name: str) -> None:
        seconds = self._clock.measured(name)
        if seconds is not None and self._cache is not None:
            write_speed(self._cache.folder, self._facts[name].fingerprint, seconds)


def _check_editors(names: Sequence[str]) -> None:
    """Refuse a misspelt name before any editor is loaded; paths and hub ids are left to loading."""
    known = [card.name for card in list_editors()]
    for name in names:
        if not set("/\\.") & set(name):
            check_choice("editor", name, known)
