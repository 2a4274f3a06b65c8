"""The left side of the Compare tab: which inputs are there, and what they say."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qsl

import pytest

from components import compare_cost, compare_inputs, compare_link, pace
from components.compare_asked import EDITORS, INSTRUCTIONS, SETTINGS, asked_of, chosen_configs
from smile_core.config import ConfigError
from smile_core.editors import list_editors
from tests.components.compare_tab import TOOLS, asked, tab_parts, values_of
from tests.parsed_html import Page


def test_the_cards_are_folded_unless_something_is_in_the_way() -> None:
    plain = Page(compare_inputs.render_cards(asked(INSTRUCTIONS)))
    assert plain.with_tag("summary")[0][1] == "About this editor"
    gated = asked(EDITORS, editors=(TOOLS[0], "flux1-kontext", ""))
    ((attributes, _),) = [
        found for found in Page(compare_inputs.render_cards(gated)).with_tag("details")
        if "class" not in found[0]
    ]  # fmt: skip
    assert "open" in attributes


def test_the_inputs_follow_what_is_compared() -> None:
    left, _ = tab_parts()

    def there(by: str, **changes: object) -> list[str]:
        updates = compare_inputs.arranged(left, asked(by, **changes))
        shown = [part for part, to in updates.items() if isinstance(to, dict) and to.get("visible")]
        return [part.elem_id for part in shown]

    editors = ["compare-editor-a", "compare-editor-b", "compare-editor-c"]
    texts = ["compare-instruction-a", "compare-instruction-b", "compare-instruction-c"]
    assert [name for name in there(EDITORS) if name in (*editors, *texts)] == [*editors, texts[0]]
    assert [name for name in there(SETTINGS) if name in (*editors, *texts)] == [
        editors[0], texts[0],
    ]  # fmt: skip
    # Each column has the knobs of its own editor.
    assert {name for name in there(EDITORS) if name and name.startswith("compare-strength")} == {
        "compare-strength-b"
    }
    guidance = [f"compare-image_guidance_scale-{letter}" for letter in "abc"]
    assert [name for name in there(EDITORS) if name in guidance] == guidance[:1]
    assert [name for name in there(INSTRUCTIONS) if name in guidance] == guidance[:2]
    assert [name for name in there(SETTINGS) if name in guidance] == guidance


def test_a_scheduler_is_chosen_for_each_column_whose_editor_takes_it() -> None:
    editors = ("hq-edit", "scene-pix2pix", "")
    own = {"scheduler": ("dpm-solver", "dpm-solver", "")}
    left, _ = tab_parts()
    boxes = left.own["scheduler"]
    assert not any(menu.visible for menu in boxes)  # of the bundled editors none takes it
    updates = compare_inputs.arranged(left, asked(EDITORS, editors=editors, own=own))
    assert [updates[menu] for menu in boxes] == [
        {"__type__": "update", "visible": there, "value": value}
        for there, value in [(True, "dpm-solver"), (False, ""), (False, "")]
    ]
    two = chosen_configs(asked(SETTINGS, editors=("hq-edit", "", ""), own={
        "scheduler": ("", "dpm-solver", ""), "steps": ("", "20", "")
    }))  # fmt: skip
    assert [(c.scheduler, c.steps) for c in two] == [(None, None), ("dpm-solver", 20)]
    assert chosen_configs(asked_of(two)) == two
    query = dict(parse_qsl(compare_link.to_query(two, "temple")))
    assert compare_link.from_query(query) == two
    with pytest.raises(ConfigError, match="'scene-pix2pix' has no scheduler but its own"):
        chosen_configs(asked(EDITORS, editors=editors, own=own))


def test_a_box_that_is_gone_holds_nothing() -> None:
    left, _ = tab_parts()
    updates = compare_inputs.arranged(left, asked(EDITORS, own={"strength": ("0.5", "0.7", "")}))
    assert [updates[box]["value"] for box in left.own["strength"]] == ["", "0.7", ""]
    assert [updates[box]["placeholder"] for box in left.own["strength"]] == ["", "0.5", ""]


def test_the_first_choice_is_of_bundled_editors_or_of_two_instructions() -> None:
    cards = list_editors()
    bundled = [card for card in cards if card.source.startswith("assets/")]
    alone = [cards[0], *(card for card in cards if card not in bundled)]
    assert compare_inputs.first_asked(alone).by == INSTRUCTIONS
    second = replace(cards[0], name="second", source="assets/editors/second")
    first = compare_inputs.first_asked([*alone, second])
    assert (first.by, first.editors[:2]) == (EDITORS, ("scene-pix2pix", "second"))


def test_the_cost_is_of_all_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {"scene-pix2pix": 0.5}
    monkeypatch.setattr(pace, "_seconds_per_edit", known)
    both = chosen_configs(asked(EDITORS))
    # Three words have six shortened versions; the whole and none come on top.
    assert compare_cost.cost_text(both) == (
        "16 edits (8 + 8); how long they take is known after the first run."
    )
    known["sd-turbo"] = 1.5
    assert "16 edits (8 + 8), about 16 s" in compare_cost.cost_text(both)
    assert "A and B are the same" in compare_cost.say_cost(*values_of(asked(SETTINGS)))
    billed = chosen_configs(asked(EDITORS, editors=(TOOLS[0], "gpt-image-2.5-flare", "")))
    # It takes no seed, so the whole is made three times; the photo stands for none.
    assert "17 edits (8 + 9)" in compare_cost.cost_text(billed)
    assert "bills every edit, and this run makes up to 9" in compare_cost.cost_text(billed)
