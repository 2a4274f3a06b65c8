"""Which edits a run asks its editor for, how many, and in what order."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from smile_core.config import RunConfig
from smile_core.edit_cache import EditCache
from smile_core.editors import CallableEditor, EditFailure, EditorCard, list_editors
from smile_core.planning import count_edits, edit_keys, seen_digests, shorten
from tests.toy_editors import ToyEditor, photo, toy_card
from tests.toy_runs import last, run

TEXT = "make snowy"
FULL, BLANK, SHORT = [0], [-1], [1, 2]


def asks(*parts: tuple[int, list[int]]) -> list[tuple[int, int]]:
    """Return seed and row of every edit; row -1 is the edit without instruction."""
    return [(seed, row) for seed, rows in parts for row in rows]


# What a card says, what is set, and what is asked for by whoever starts at seed 7.
CASES: dict[str, tuple[dict[str, Any], dict[str, Any], list[tuple[int, int]]]] = {
    "one seed": ({}, {}, asks((7, FULL + BLANK + SHORT))),
    "several seeds, each by itself": (
        {},
        {"seeds": 2},
        asks((7, FULL + BLANK + SHORT), (8, FULL + BLANK + SHORT)),
    ),
    # Another seed is sent, should it be heeded after all.
    "no seed": (
        {"takes_seed": False},
        {},
        asks((7, FULL + BLANK), (8, FULL + BLANK), (9, FULL + BLANK), (7, SHORT)),
    ),
    "no seed, and draws of everything": (
        {"takes_seed": False},
        {"seeds": 2},
        asks((7, FULL + BLANK + SHORT), (8, FULL + BLANK + SHORT)),
    ),
    # Under the same seed, to see whether it repeats itself.
    "nobody vouches": ({"repeatable": False}, {}, asks((7, FULL + BLANK + FULL + SHORT))),
    "nobody vouches, several seeds": (
        {"repeatable": False},
        {"seeds": 2},
        asks((7, FULL + BLANK + SHORT), (8, FULL + BLANK + SHORT)),
    ),
    "billed": ({"key_variable": "A_KEY"}, {}, asks((7, FULL + SHORT))),
    "billed, and wanted": (
        {"key_variable": "A_KEY"},
        {"blank": "edit"},
        asks((7, FULL + BLANK + SHORT)),
    ),
    "billed, no seed": (
        {"key_variable": "A_KEY", "takes_seed": False},
        {},
        asks((7, FULL), (8, FULL), (9, FULL), (7, SHORT)),
    ),
    "not wanted": ({}, {"blank": "photo"}, asks((7, FULL + SHORT))),
    "the last seed is followed by the first": (
        {"takes_seed": False},
        {"seed": 2**32 - 1, "blank": "photo"},
        asks((2**32 - 1, FULL), (0, FULL), (1, FULL), (2**32 - 1, SHORT)),
    ),
}


def settings_of(case: str) -> dict[str, Any]:
    return {"instruction": TEXT, "seed": 7} | CASES[case][1]


@pytest.mark.parametrize("batch_size", [1, 8])
@pytest.mark.parametrize("case", CASES)
def test_edits_are_asked_for_in_this_order(case: str, batch_size: int) -> None:
    card, _, expected = CASES[case]
    editor, config = ToyEditor(card=toy_card(**card)), RunConfig(**settings_of(case))
    snapshots = run(editor, batch_size=batch_size, **settings_of(case))
    prompts = (*shorten(config)[2], "")  # the last is row -1
    assert editor.asked == [(seed, prompts[row]) for seed, row in expected]
    assert {shot.total for shot in snapshots} == {len(expected)}
    assert snapshots[-1].done == count_edits(config, editor.card) == len(expected)
    assert [sample.prompt for sample in snapshots[-1].explanation.samples] == list(prompts[1:3])
    # No call is given one text twice, or shortened instructions beside the first two edits.
    for call in editor.calls:
        assert len(call) == len(set(call))
        assert len({prompt in prompts[1:3] for prompt in call}) == 1


@pytest.mark.parametrize("case", CASES)
def test_what_a_run_needs_is_known_before_it_is_made(case: str, tmp_path: Path) -> None:
    """The edit without instruction and every repeat have a key of their own."""
    card, _, expected = CASES[case]
    editor, cache = ToyEditor(card=toy_card(**card)), EditCache(tmp_path)
    seen = seen_digests(photo(), None, editor.card)
    keys = edit_keys(seen, RunConfig(**settings_of(case)), editor.card, editor.fingerprint)
    assert len(keys) == len(expected)
    last(editor, cache=cache, **settings_of(case))
    assert {path.stem for path in tmp_path.rglob("*.png")} == keys
    again = ToyEditor(card=editor.card)
    last(again, cache=cache, **settings_of(case))
    assert again.made == 0


@pytest.mark.parametrize("batch_size", [1, 8])
@pytest.mark.parametrize(
    ("blank", "expected"),
    [
        ("edit", asks((7, (FULL + BLANK) * 3 + SHORT))),
        ("photo", asks((7, FULL * 3 + SHORT))),
    ],
)
def test_who_differs_from_himself_is_asked_as_one_without_a_seed(
    blank: str, expected: list[tuple[int, int]], batch_size: int
) -> None:
    # The second full edit is the third picture, or the second where the photo stands in.
    editor = ToyEditor(chance=(0, 4, 5), card=toy_card(repeatable=False))
    settings = {"instruction": TEXT, "seed": 7, "blank": blank, "batch_size": batch_size}
    snapshots = run(editor, **settings)
    prompts = (*shorten(RunConfig(**settings))[2], "")
    assert editor.asked == [(seed, prompts[row]) for seed, row in expected]
    assert snapshots[-1].done == snapshots[-1].total == len(expected)
    assert snapshots[0].total < len(expected)  # nobody knew


def function_of(toy: ToyEditor) -> Any:
    def paint(
        image: Image.Image, prompts: Sequence[str], seed: int
    ) -> list[Image.Image | EditFailure]:
        return toy.edit(image, prompts, seed=seed)

    return paint


def test_a_function_that_repeats_itself_costs_exactly_one_edit_more() -> None:
    steady, plain = ToyEditor(), ToyEditor()
    found = last(function_of(steady), perturbations=20)
    expected = last(plain, perturbations=20)
    assert steady.made == plain.made + 1 == 23
    assert found.units == expected.units
    assert found.scale == expected.scale
    assert (found.repeats, found.noise_floor, found.notes) == (None, None, ())


def test_a_function_that_does_not_is_made_to_show_how_far_chance_goes() -> None:
    toy = ToyEditor(chance=(0, 0, 3, 1, 6, 2, *[0] * 20))
    found = last(function_of(toy), perturbations=20)
    assert toy.made == 3 + 3 + 20
    assert len(found.repeats.references) == len(found.repeats.without_instruction) == 3
    assert sum("two different edits by the same text and seed" in n for n in found.notes) == 1
    assert found.noise_floor == pytest.approx((3 + 6 + 3) / 3)


def test_functions_are_not_vouched_for_and_what_runs_here_is() -> None:
    assert not CallableEditor(function_of(ToyEditor())).card.repeatable
    assert EditorCard(name="a", title="A", family="a").repeatable
    assert all(card.repeatable for card in list_editors() if card.takes_seed)
