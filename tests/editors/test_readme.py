"""The README's example of an editor does what the README says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import Image

from smile_core import explain, list_editors
from smile_core.editors import registry

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def test_the_example_of_an_editor_can_be_explained(monkeypatch: pytest.MonkeyPatch):
    section = README.split("### Add an editor of your own")[1]
    code = re.search(r"```python\n(.*?)```", section, re.DOTALL)
    assert code is not None
    assert code[1].count("\n") < 40
    monkeypatch.setattr(registry, "_REGISTRY", dict(registry._REGISTRY))
    exec(code[1], {"__name__": "readme"})
    assert "warmer" in [card.name for card in list_editors()]
    photo = Image.new("RGB", (320, 256), (90, 90, 90))
    result = explain(photo, "make it warm", editor="warmer", perturbations=6, strength=0.8)
    assert max(result.units, key=lambda unit: unit.weight).text == "warm"
