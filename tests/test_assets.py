"""Everything that ships is there: what the README links to, the first example, the model's card."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from smile_core import load_explanation
from smile_core.editors.bundled_cards import BUNDLED_CARDS, bundled_folder
from smile_core.explanation import DRIVES

ROOT = Path(__file__).parents[1]
FOLDERS = [bundled_folder(card.name) for card in BUNDLED_CARDS]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_readme_links_to_files_that_exist() -> None:
    links = re.findall(r"\]\((?!https?://|#)([^)]+)\)", README)
    assert links
    missing = [link for link in links if not (ROOT / link).exists()]
    assert not missing


def test_the_front_matter_is_that_of_a_space() -> None:
    front = README.split("---")[1]
    for line in ("sdk: gradio", 'python_version: "3.12"', "app_file: app.py", "license: mit"):
        assert line in front


def test_the_first_example_is_a_real_explanation() -> None:
    example = load_explanation(ROOT / "assets" / "example")
    assert example.editor == "scene-pix2pix"
    assert any(unit.verdict == DRIVES for unit in example.units)
    assert all(sample.image is not None for sample in (example.reference, *example.samples))
    photo = (ROOT / "assets" / "example" / "photo.txt").read_text(encoding="utf-8").strip()
    assert (ROOT / "assets" / "photos" / f"{photo}.jpg").exists()


def test_every_photo_is_credited() -> None:
    credits = (ROOT / "assets" / "photos" / "CREDITS.md").read_text(encoding="utf-8")
    for photo in (ROOT / "assets" / "photos").glob("*.jpg"):
        assert photo.name in credits


@pytest.mark.parametrize("folder", [*FOLDERS, ROOT / "assets" / "word_vectors"])
def test_every_model_has_a_card(folder: Path) -> None:
    cards = list(folder.glob("*.md"))
    assert cards
    assert "licen" in cards[0].read_text(encoding="utf-8").lower()
