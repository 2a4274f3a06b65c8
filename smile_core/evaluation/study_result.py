"""What a study keeps of every run: numbers and texts, no pictures; and its CSV.

Numbers of the CSV have six decimals, so that they do not depend on the last bits, in which a
machine may differ from itself (a sum in another order). It holds no times; those have a file of
their own.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from smile_core.evaluation.accuracy import Accuracy, accuracy
from smile_core.evaluation.study_plan import Run, photo_name
from smile_core.explanation import DRIVES, Explanation, UnitWeight
from smile_core.fidelity import FIDELITY
from smile_core.result_files import csv_text

RUN_COLUMNS = (
    "part", "protocol", "editor", "photo", "instruction", "group", "form", "change", "method",
    "perturbations", "seed", "image_distance", "text_distance", "surrogate",
)  # fmt: skip
WORD_COLUMNS = ("word_index", "word", "keyword", "weight", "low", "high", "verdict")
FIGURE_COLUMNS = (
    "edits", "failed_edits", "effective_sample_size", "noise_floor", *FIDELITY,
    "att_acc", "att_f1", "att_auroc",
)  # fmt: skip
TIME_COLUMNS = (
    "fresh_edits", "edit_s", "encoded_pictures", "encode_s", "text_distance_s",
    "image_distance_s", "fit_s",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class RunResult:
    """What came of one run.

    Attributes
    ----------
    units : tuple of UnitWeight
        Empty when it failed.
    truth : tuple of int or None
        1 for each keyword unit; None when they are not known.
    figures : dict of str to float or None
        Named as in `FIGURE_COLUMNS` without the accuracy.
    measures : dict of str to float or None
        What the protocol measured besides.
    notes : tuple of str
        Those of the explanation.
    failed : str or None
        Why there is no explanation.
    timing : dict of str to float
        Named as in `TIME_COLUMNS`; edits and encoding are told by the first run of those that
        share them.
    """

    units: tuple[UnitWeight, ...] = ()
    truth: tuple[int, ...] | None = None
    figures: dict[str, float | None] = field(default_factory=dict)
    measures: dict[str, float | None] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    failed: str | None = None
    timing: dict[str, float] = field(default_factory=dict)

    @property
    def weights(self) -> list[float]:
        """The weights in order."""
        return [unit.weight for unit in self.units]

    @property
    def accuracy(self) -> Accuracy | None:
        """Agreement with the keywords; None when they are not known, or there are no weights."""
        return None if self.truth is None or not self.units else accuracy(self.weights, self.truth)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> RunResult:
        """Rebuild a result from `to_dict`."""
        truth = values["truth"]
        return cls(
            units=tuple(UnitWeight(**unit) for unit in values["units"]),
            truth=None if truth is None else tuple(truth),
            figures=dict(values["figures"]),
            measures=dict(values["measures"]),
            notes=tuple(values["notes"]),
            failed=values["failed"],
            timing=dict(values["timing"]),
        )


def result_of(
    run: Run,
    explanation: Explanation,
    timing: Mapping[str, float],
    measures: Mapping[str, float | None],
    edits: int,
) -> RunResult:
    """Return what to keep of a finished explanation, which took so many edits."""
    texts = [unit.text for unit in explanation.units]
    truth = run.instruction.truth(texts)
    failed = sum(sample.failed is not None for sample in explanation.samples)
    return RunResult(
        units=explanation.units,
        truth=None if truth is None else tuple(truth),
        figures={
            "edits": edits,
            "failed_edits": failed,
            "effective_sample_size": explanation.effective_sample_size,
            "noise_floor": explanation.noise_floor,
            **explanation.fidelity,
        },
        measures=dict(measures),
        notes=explanation.notes,
        timing=dict(timing),
    )


def words_of(result: RunResult) -> list[tuple[str, float]]:
    """Return the words with their weights, in order."""
    return [(unit.text, unit.weight) for unit in result.units]


def control_weight(result: RunResult) -> float:
    """Return the sum of the weights of the keywords."""
    marked = zip(result.weights, result.truth or (), strict=True)
    return sum(weight for weight, is_keyword in marked if is_keyword)


def controls_found(result: RunResult) -> float:
    """Return the share of the keywords with the verdict that they drive the edit."""
    marked = zip(result.units, result.truth or (), strict=True)
    drives = [unit.verdict == DRIVES for unit, is_keyword in marked if is_keyword]
    return sum(drives) / len(drives)


def results_csv(pairs: Sequence[tuple[Run, RunResult]]) -> str:
    """Return one row per word per run; a failed run has one row, with the reason."""
    measures = sorted({name for _, result in pairs for name in result.measures})
    columns = (*RUN_COLUMNS, *WORD_COLUMNS, *FIGURE_COLUMNS, *measures, "failed")
    rows = []
    for run, result in pairs:
        about = _run_values(run) | _figures(result) | result.measures | {"failed": result.failed}
        rows += [about | word for word in _words(result)] or [about]
    return _csv(columns, rows)


def timings_csv(pairs: Sequence[tuple[Run, RunResult]]) -> str:
    """Return one row per run with its seconds."""
    rows = [_run_values(run) | result.timing for run, result in pairs]
    return _csv((*RUN_COLUMNS, *TIME_COLUMNS), rows)


def _run_values(run: Run) -> dict[str, Any]:
    config = run.config
    return {
        "part": run.part.name,
        "protocol": run.part.protocol,
        "editor": config.editor,
        "photo": photo_name(run.photo),
        "instruction": config.instruction,
        "group": run.instruction.group,
        "form": run.instruction.form,
        "change": run.change,
        "method": run.method,
        **{name: getattr(config, name) for name in RUN_COLUMNS[9:]},
    }


def _figures(result: RunResult) -> dict[str, Any]:
    score = result.accuracy
    found = {} if score is None else {f"att_{name}": v for name, v in asdict(score).items()}
    return result.figures | found


def _words(result: RunResult) -> Iterable[dict[str, Any]]:
    for index, unit in enumerate(result.units):
        yield {
            "word_index": index,
            "word": unit.text,
            "keyword": None if result.truth is None else result.truth[index],
            "weight": unit.weight,
            "low": unit.low,
            "high": unit.high,
            "verdict": unit.verdict,
        }


def _csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row.get(column)) for column in columns])
    return text.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6f}".replace("-0.000000", "0.000000")
    return csv_text(value) if isinstance(value, str) else str(value)
