"""SMILE for instruction-based image editing: which words drive an edit, and how sure can you be.

Three lines are enough::

    from smile_core import explain
    result = explain("photo.jpg", "make it a snowy evening")
    print([(unit.text, unit.weight) for unit in result.units])

Names are imported when they are first used, so `import smile_core` itself is quick.
"""

from __future__ import annotations

import logging
from importlib import import_module
from typing import TYPE_CHECKING, Any

from smile_core.versions import __version__

if TYPE_CHECKING:
    from smile_core.comparing import ComparisonSnapshot, compare, stream_comparison
    from smile_core.comparison import Comparison
    from smile_core.comparison_export import load_comparison, save_comparison
    from smile_core.config import ConfigError, RunConfig
    from smile_core.edit_cache import EditCache
    from smile_core.editors import (
        EditFailure,
        Editor,
        EditorCard,
        list_editors,
        load_editor,
        register_editor,
    )
    from smile_core.engine import RunError, explain, stream
    from smile_core.evaluation.study_file import load_study
    from smile_core.evaluation.study_report import save_study
    from smile_core.evaluation.study_run import (
        StudySnapshot,
        run_study,
        stream_study,
        study_cost,
    )
    from smile_core.explanation import Explanation, Snapshot
    from smile_core.explanation_json import from_json, to_json
    from smile_core.export import load_explanation, save_explanation

# Warnings go where the program that uses this library sends them, and nowhere by themselves.
logging.getLogger(__name__).addHandler(logging.NullHandler())

_HOMES = {
    "Comparison": "comparison",
    "ComparisonSnapshot": "comparing",
    "compare": "comparing",
    "stream_comparison": "comparing",
    "load_comparison": "comparison_export",
    "save_comparison": "comparison_export",
    "ConfigError": "config",
    "RunConfig": "config",
    "EditCache": "edit_cache",
    "EditFailure": "editors",
    "Editor": "editors",
    "EditorCard": "editors",
    "list_editors": "editors",
    "load_editor": "editors",
    "register_editor": "editors",
    "RunError": "engine",
    "explain": "engine",
    "stream": "engine",
    "load_study": "evaluation.study_file",
    "save_study": "evaluation.study_report",
    "StudySnapshot": "evaluation.study_run",
    "run_study": "evaluation.study_run",
    "stream_study": "evaluation.study_run",
    "study_cost": "evaluation.study_run",
    "Explanation": "explanation",
    "Snapshot": "explanation",
    "from_json": "explanation_json",
    "to_json": "explanation_json",
    "load_explanation": "export",
    "save_explanation": "export",
}

__all__ = [
    "Comparison",
    "ComparisonSnapshot",
    "ConfigError",
    "EditCache",
    "EditFailure",
    "Editor",
    "EditorCard",
    "Explanation",
    "RunConfig",
    "RunError",
    "Snapshot",
    "StudySnapshot",
    "__version__",
    "compare",
    "explain",
    "from_json",
    "list_editors",
    "load_comparison",
    "load_editor",
    "load_explanation",
    "load_study",
    "register_editor",
    "run_study",
    "save_comparison",
    "save_explanation",
    "save_study",
    "stream",
    "stream_comparison",
    "stream_study",
    "study_cost",
    "to_json",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
