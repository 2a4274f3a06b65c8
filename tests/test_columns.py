from __future__ import annotations

import pytest

from smile_core.columns import column_configs, column_labels
from smile_core.config import ConfigError, RunConfig

TEXT = "make it snowy"


def test_a_setting_with_several_values_makes_a_column_of_each() -> None:
    configs = column_configs(instruction=TEXT, editor=["a", "b"], steps=(5, 9), seed=3)
    assert [(c.editor, c.steps, c.seed) for c in configs] == [("a", 5, 3), ("b", 9, 3)]
    assert len(column_configs(instruction=[TEXT, "b c", "d e"])) == 3


def test_presets_differ_too() -> None:
    one, other = column_configs(instruction=TEXT, preset=["recommended", "paper"])
    assert (one.design, other.design) == ("balanced", "bernoulli")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"instruction": TEXT}, "two or three columns, not 1"),
        ({"instruction": TEXT, "seed": [1, 2, 3, 4]}, "not 4"),
        ({"instruction": TEXT, "seed": []}, "not 0"),
        ({"instruction": [TEXT, "b c"], "seed": [1, 2, 3]}, "2 of instruction, 3 of seed"),
        ({"instruction": TEXT, "steps": [5, -1]}, "from 1 to 1000"),
        ({"instruction": TEXT, "colour": ["red", "blue"]}, "Unknown setting: colour"),
    ],
)
def test_what_makes_no_columns_is_refused(settings: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        column_configs(**settings)


@pytest.mark.parametrize(
    ("changes", "labels"),
    [
        ([{"editor": "a"}, {"editor": "b"}], ["a", "b"]),
        ([{"steps": 5}, {}], ["steps 5", "default steps"]),
        ([{"guidance_scale": 7.5}, {"guidance_scale": 1}],
         ["guidance scale 7.5", "guidance scale 1"]),
        ([{"editor": "a", "steps": 5}, {"editor": "b", "steps": 9}], ["a, steps 5", "b, steps 9"]),
        ([{"instruction": "be  snowy"}, {"instruction": "x " * 60}],
         ["“be snowy”", f"“{'x ' * 29}x…”"]),
        ([{}, {}], ["scene-pix2pix (A)", "scene-pix2pix (B)"]),
    ],
)  # fmt: skip
def test_labels_say_what_sets_a_column_apart(changes, labels) -> None:
    configs = [RunConfig(**{"instruction": TEXT, **change}) for change in changes]
    assert column_labels(configs) == labels
