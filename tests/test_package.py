"""The package as a whole: its version, what it imports, and what fifty runs leave behind."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from smile_core import __version__
from smile_core.edit_cache import EditCache
from tests.toy_runs import run

ROOT = Path(__file__).parents[1]


def test_the_version_is_that_of_the_package() -> None:
    assert f'version = "{__version__}"' in (ROOT / "pyproject.toml").read_text()


def test_the_engine_never_imports_gradio_and_starts_quickly() -> None:
    script = (
        "import sys, smile_core\n"
        "quick = not {'torch', 'diffusers', 'sklearn', 'plotly'} & sys.modules.keys()\n"
        "for name in smile_core.__all__: getattr(smile_core, name)\n"
        "import smile_core.engine, smile_core.export, smile_core.__main__\n"
        "import smile_core.editors.instruct_pix2pix\n"
        "print(quick, 'gradio' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.split() == ["True", "False"]


def _open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts through /proc")
def test_fifty_runs_leave_memory_threads_and_files_where_they_were(tmp_path: Path) -> None:
    cache = EditCache(tmp_path)

    def once() -> None:
        run(cache=cache, perturbations=12, p_iterations=100)

    for _ in range(3):
        once()
    gc.collect()
    before = _open_files(), threading.active_count(), _resident_mb()
    for _ in range(50):
        once()
    gc.collect()
    after = _open_files(), threading.active_count(), _resident_mb()
    assert after[:2] == before[:2]
    assert after[2] - before[2] < 20
