"""What tests of studies share: a glass box whose words are known, and a study of it."""

from __future__ import annotations

from pathlib import Path

from smile_core.edit_cache import EditCache
from smile_core.evaluation.study import Study
from smile_core.evaluation.study_file import read_study
from smile_core.evaluation.study_run import StudySnapshot, stream_study
from tests.toy_editors import INSTRUCTION, ToyEditor, ToyEncoder, photo

# The toy's words push the picture along one line, where this distance is linear in them.
HEAD = """
title: Glass box
perturbations: 40
editors: [glass]
photos: [photo.png]
image_distances: [wasserstein]
"""
KEYWORDS = f"{{text: {INSTRUCTION}, keywords: [snowy, foggy]}}"


def glass_study(folder: Path, parts: str, head: str = HEAD) -> Study:
    """Return a study of `photo.png` in `folder`; `parts` are lines of YAML."""
    photo().save(folder / "photo.png")
    return read_study(head + "parts:\n" + parts, folder)


def part(name: str, protocol: str, instructions: str = KEYWORDS, **more: object) -> str:
    """Return a part as a line of YAML."""
    rest = "".join(f", {key}: {value}" for key, value in more.items())
    return f"  - {{name: {name}, protocol: {protocol}, instructions: [{instructions}]{rest}}}\n"


def run_glass(
    study: Study,
    editor: ToyEditor | None = None,
    *,
    out: Path | None = None,
    cache: EditCache | None = None,
    **more: object,
) -> list[StudySnapshot]:
    """Run a study on a toy editor called `glass`."""
    tool = editor or ToyEditor(name="glass")
    given = {"editors": {"glass": tool}, "encoder": ToyEncoder(), "cache": cache}
    return list(stream_study(study, out, **given, **more))
