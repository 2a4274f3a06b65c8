"""The pure parts of the Compare tab."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qsl

import gradio as gr
import pytest
from PIL import Image

from components import (
    compare,
    compare_cost,
    compare_files,
    compare_inputs,
    compare_link,
    inputs,
    pace,
    served,
    session,
)
from components.compare_asked import (
    EDITORS,
    INSTRUCTIONS,
    OWN,
    SETTINGS,
    SHARED,
    Asked,
    asked_of,
    checked_comparison,
    chosen_configs,
)
from components.compare_back import CompareBack
from components.compare_runs import CompareRuns, LiveComparison
from smile_core.comparing import ComparisonSnapshot
from smile_core.comparison_export import load_comparison, save_comparison
from smile_core.config import ConfigError, RunConfig
from smile_core.editors import list_editors
from smile_core.mask_picture import WHOLE
from smile_core.word_differences import compare_columns
from tests.parsed_html import Page
from tests.sample_comparisons import sample_column, sample_comparison, unfinished

TEMPLE = inputs.PHOTOS["temple"]
MASKED = "sd2-inpainting"
TEXTS = ("make it snowy", "make it foggy", "")
NO_KEYS = ("", "", "")
TOOLS = ("scene-pix2pix", "sd-turbo", "")


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "gradio"))


def request(key: str) -> SimpleNamespace:
    return SimpleNamespace(session_hash=key)


def tab_parts() -> tuple[compare_inputs.CompareInputs, CompareRuns]:
    gr.set_static_paths(list(inputs.PHOTOS.values()))  # which the Explain tab does on the page
    with gr.Blocks():
        left = compare_inputs.build(list_editors(), str(TEMPLE))
        panels, _ = compare.build_panels()
        return left, CompareRuns(panels, left.buttons)


def asked(by: str, *, editors=TOOLS, instructions=TEXTS, own=None, **shared: object) -> Asked:
    defaults = RunConfig(instruction="any").to_dict()
    settings = {**{name: defaults[name] for name in SHARED}, "perturbations": 8.0, "seed": 3}
    texts = {**dict.fromkeys(OWN, ("", "", "")), **(own or {})}
    return Asked(
        by=by, editors=editors, instructions=instructions, own=texts, shared={**settings, **shared}
    )


def values_of(asked: Asked) -> list[object]:
    own = [text for name in OWN for text in asked.own[name]]
    shared = [asked.shared[name] for name in SHARED]
    return [asked.by, *asked.editors, *asked.instructions, *own, *shared]


def begin(runs: CompareRuns, key: str, instructions=TEXTS):
    photo = {"path": str(TEMPLE), "orig_name": TEMPLE.name}
    values = values_of(asked(INSTRUCTIONS, instructions=instructions))
    return runs.begin(request(key), photo, False, *NO_KEYS, *values)


def snapshot(comparison, state: str = "running") -> ComparisonSnapshot:
    return ComparisonSnapshot(
        comparison=comparison, snapshots=(None,) * len(comparison.columns), turn=0, done=2,
        total=4, seconds_left=None, stable=False, state=state,
    )  # fmt: skip


def test_editors_share_the_first_instruction_and_instructions_the_first_editor() -> None:
    by_editor = chosen_configs(asked(EDITORS))
    assert [(c.editor, c.instruction) for c in by_editor] == [
        ("scene-pix2pix", "make it snowy"),
        ("sd-turbo", "make it snowy"),
    ]
    assert {(c.perturbations, c.seed) for c in by_editor} == {(8, 3)}
    three = (*TEXTS[:2], "make it night")
    by_text = chosen_configs(asked(INSTRUCTIONS, instructions=three))
    assert [(c.editor, c.instruction) for c in by_text] == [
        ("scene-pix2pix", text) for text in three
    ]


def test_settings_are_of_one_editor_and_a_third_column_has_some_of_its_own() -> None:
    own = {"steps": ("", "3", ""), "guidance_scale": (" 2 ", "", ""), "seed": ("", "5", "")}
    two = chosen_configs(asked(SETTINGS, own=own))
    assert {(c.editor, c.instruction) for c in two} == {("scene-pix2pix", "make it snowy")}
    assert [(c.steps, c.guidance_scale, c.seed) for c in two] == [(None, 2, 3), (3, None, 5)]
    own["image_guidance_scale"] = ("", "", "1.5")
    assert [c.image_guidance_scale for c in chosen_configs(asked(SETTINGS, own=own))] == [
        None, None, 1.5,
    ]  # fmt: skip


def test_every_column_has_settings_of_its_own_whatever_is_compared() -> None:
    own = {"strength": ("", "0.7", ""), "steps": ("4", "1", "")}
    both = chosen_configs(asked(EDITORS, own=own, image_distance="cosine"))
    assert [(c.steps, c.strength) for c in both] == [(4, None), (1, 0.7)]
    assert {c.image_distance for c in both} == {"cosine"}


@pytest.mark.parametrize(
    ("by", "changes", "message"),
    [
        (INSTRUCTIONS, {"instructions": ("make it snowy", "make it snowy", "")}, "A and B are"),
        (SETTINGS, {}, "A and B are the same"),
        (EDITORS, {"editors": ("scene-pix2pix", "/etc/weights", "")}, "editor"),
        (INSTRUCTIONS, {"instructions": ("make it snowy", "", "")}, "instruction"),
        (EDITORS, {"perturbations": None}, "perturbations is empty"),
        (EDITORS, {"seed": None}, "seed is empty"),
        (EDITORS, {"own": {"steps": ("many", "", "")}}, "not 'many'"),
        (EDITORS, {"own": {"strength": ("0.5", "", "")}}, "has no strength"),
        (EDITORS, {"encoder": "/etc/weights"}, "image encoder"),
    ],
)
def test_what_cannot_be_compared_is_refused(by, changes, message) -> None:
    with pytest.raises(ConfigError, match=message):
        chosen_configs(asked(by, **changes))


@pytest.mark.parametrize(
    ("by", "changes"),
    [
        (EDITORS, {"own": {"strength": ("", "0.7", "")}, "surrogate": "ridge"}),
        (EDITORS, {"editors": (*TOOLS[:2], "hq-edit"), "own": {"seed": ("1", "2", "3")}}),
        (INSTRUCTIONS, {"instructions": (*TEXTS[:2], "make it night"), "perturbations": 500}),
        (SETTINGS, {"own": {"steps": ("", "3", "")}, "p_cutoff": "0.05"}),
        (SETTINGS, {"own": {"steps": ("2", "3", ""), "seed": ("", "", "3")}}),
    ],
)
def test_what_was_asked_comes_back_from_the_settings_and_from_an_address(by, changes) -> None:
    configs = chosen_configs(asked(by, **changes))
    again = asked_of(configs)
    assert (again.by, again.columns) == (by, len(configs))
    assert chosen_configs(again) == configs
    params = dict(parse_qsl(compare_link.to_query(configs, "temple")))
    assert params["photo"] == "temple"
    assert compare_link.is_comparison(params)
    assert compare_link.from_query({**params, "__theme": "dark"}) == configs


def test_a_link_of_a_comparison_reads_like_its_settings() -> None:
    configs = chosen_configs(asked(EDITORS, own={"steps": ("", "3", "")}))
    assert dict(parse_qsl(compare_link.to_query(configs, None))) == {
        "instruction": "make it snowy",
        "editor.a": "scene-pix2pix",
        "editor.b": "sd-turbo",
        "perturbations": "8",
        "seed": "3",
        "steps.a": "null",
        "steps.b": "3",
    }


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("instruction=x&editor.a=scene-pix2pix", "two or three columns"),
        ("instruction=x&steps.b=3", "for 1 of 2 columns"),
        ("editor.a=x&editor.b=y", "nothing to compare"),
        ("instruction=x&steps.a=1&steps.b=many", "not 'many'"),
        ("instruction=x&nothing.a=1&nothing.b=2", "Unknown setting: nothing"),
    ],
)
def test_damaged_links_are_refused_in_a_sentence(query: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        compare_link.from_query(dict(parse_qsl(query)))
    assert compare_link.from_query({"instruction": "make it snowy"}) is None


def test_what_the_page_cannot_repeat_is_said() -> None:
    plain = RunConfig(instruction="make it snowy")
    other = plain.with_(editor="sd-turbo")
    with pytest.raises(ConfigError, match="differ in surrogate"):
        asked_of([plain, plain.with_(surrogate="ridge")])
    with pytest.raises(ConfigError, match="differ in editor, instruction"):
        asked_of([plain, other.with_(instruction="make it foggy")])
    with pytest.raises(ConfigError, match="no input for negative prompt"):
        asked_of([c.with_(negative_prompt="blur") for c in (plain, other)])


def test_an_editor_that_needs_a_mask_takes_one_or_the_whole_picture_or_says_so() -> None:
    masked = chosen_configs(asked(EDITORS, editors=(TOOLS[0], MASKED, "")))
    with pytest.raises(ConfigError, match="mask"):
        checked_comparison(TEMPLE, masked, None, NO_KEYS[:2])
    assert checked_comparison(TEMPLE, masked, WHOLE, NO_KEYS[:2]).mask == WHOLE
    with pytest.raises(ConfigError, match="proportions"):
        checked_comparison(TEMPLE, masked, Image.new("L", (40, 90), 255), NO_KEYS[:2])
    plain = chosen_configs(asked(EDITORS))
    assert checked_comparison(TEMPLE, plain, WHOLE, NO_KEYS[:2]).mask is None


def test_each_column_runs_with_the_key_of_its_own_provider(monkeypatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    billed = asked(EDITORS, editors=(TOOLS[0], "gpt-image-2.5-flare", ""))
    assert [billed.key(index, ("a", "b", "c")) for index in (0, 1)] == ["a", "b"]
    one = asked(INSTRUCTIONS)
    assert [one.key(index, ("a", "b", "c")) for index in (0, 1)] == ["a", "a"]
    configs = chosen_configs(billed)
    with pytest.raises(ConfigError, match="OPENAI_API_KEY"):
        checked_comparison(TEMPLE, configs, None, NO_KEYS[:2])
    job = checked_comparison(TEMPLE, configs, None, ("", "sk-of-b"))
    assert job.tools[0] is None
    assert job.tools[1].name == "gpt-image-2.5-flare"
    assert "sk-of-b" not in repr(job)
    left, _ = tab_parts()
    updates = compare_inputs.arranged(left, billed)
    assert [updates[field]["visible"] for field in left.keys] == [False, True, False]


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
    # Three words have six shortened versions, and the whole one comes on top.
    assert compare_cost.cost_text(both) == (
        "14 edits (7 + 7); how long they take is known after the first run."
    )
    known["sd-turbo"] = 1.5
    assert "14 edits (7 + 7), about 14 s" in compare_cost.cost_text(both)
    assert "A and B are the same" in compare_cost.say_cost(*values_of(asked(SETTINGS)))
    billed = chosen_configs(asked(EDITORS, editors=(TOOLS[0], "gpt-image-2.5-flare", "")))
    assert "bills every edit, and this run makes up to 8" in compare_cost.cost_text(billed)


def test_a_comparison_is_restored_from_its_json_alone(tmp_path: Path) -> None:
    left, runs = tab_parts()
    back = CompareBack(left, runs.panels, gr.Tabs())
    configs = chosen_configs(asked(INSTRUCTIONS))
    columns = [
        sample_column(0, label=label, instruction=config.instruction)
        for label, config in zip("AB", configs, strict=True)
    ]
    comparison = compare_columns(columns)
    saved = save_comparison(comparison, served.served_folder("pictures") / "saved")
    alone = served.served_folder("pictures") / "comparison.json"
    (saved / "comparison.json").rename(alone)
    assert compare_files.carries_comparison(alone)
    assert not compare_files.carries_comparison(saved / "a" / "explanation.json")
    updates = back.restore({"path": str(alone)}, request("restores"))
    place = session.session_of(request("restores")).comparing
    assert place.comparison.rows == comparison.rows
    assert "Restored" in updates[runs.panels.status]
    assert updates[runs.panels.links].count("href=") == 3
    refused = back.restore({"path": str(saved / "a" / "explanation.json")}, request("restores"))
    assert "not a comparison" in refused[left.buttons.message]
    with pytest.raises(ConfigError, match="at most 3"):
        load_comparison(alone, most_edits=3)


def test_a_comparison_waits_in_its_own_place_and_stops_there() -> None:
    left, runs = tab_parts()
    updates = begin(runs, "waits")
    own = session.session_of(request("waits"))
    assert updates[left.buttons.compare]["interactive"] is False
    assert "snowy" in updates[runs.panels.heatmaps]
    assert [config.perturbations for config in own.comparing.job.configs] == [8, 8]
    assert own.job is None
    stopped = runs.stop(request("waits"))
    assert own.comparing.job is None
    assert not own.stop.is_set()
    assert "Stopped before the first edit" in stopped[runs.panels.status]
    assert list(runs.run(request("waits"))) == [{left.buttons.message: gr.skip()}]


def test_a_refused_comparison_changes_only_the_message() -> None:
    left, runs = tab_parts()
    updates = begin(runs, "refused", instructions=("make it snowy", "make it snowy", ""))
    assert list(updates) == [left.buttons.message]
    assert session.session_of(request("refused")).comparing.job is None


def test_closing_the_tab_ends_the_comparison_and_removes_its_files() -> None:
    place = session.session_of(request("closing")).comparing
    folder = place.new_folder()
    session.close_session(request("closing"))
    assert place.stop.is_set()
    assert not folder.exists()


def test_the_map_is_drawn_once_a_second_and_the_words_every_time() -> None:
    _, runs = tab_parts()
    panels, view = runs.panels, LiveComparison(runs.panels)
    half = compare_columns([sample_column(0), unfinished(sample_column(1))])
    first, soon, other, last = (
        view.updates(snapshot(comparison, state), elapsed, -1)
        for comparison, state, elapsed in (
            (half, "running", 0.0),
            (half, "running", 0.5),
            (sample_comparison(), "running", 1.2),
            (sample_comparison(), "finished", 1.3),
        )
    )
    assert all(panels.words in updates for updates in (first, soon, other, last))
    assert [panels.map in updates for updates in (first, soon, other, last)] == [
        True, False, True, True,
    ]  # fmt: skip
    assert [panels.color_by in updates for updates in (first, soon, other, last)] == [
        True, False, False, False,
    ]  # fmt: skip
    # The pictures change only with a new full edit.
    assert [panels.pairs in updates for updates in (first, soon, other, last)] == [
        True, False, True, False,
    ]  # fmt: skip


def test_the_files_are_written_once_and_hold_everything(tmp_path: Path) -> None:
    place = session.ComparisonPlace()
    assert "href" not in compare_files.written(place)
    place.comparison = sample_comparison()
    links = compare_files.written(place)
    folder = place.folder / "comparison"
    assert links.count("href=") == 3
    written_at = (folder / "comparison.json").stat().st_mtime_ns
    assert compare_files.written(place) == links
    assert (folder / "comparison.json").stat().st_mtime_ns == written_at
    with zipfile.ZipFile(folder / "comparison.zip") as files:
        files.extractall(tmp_path / "all")
    assert load_comparison(tmp_path / "all").rows == place.comparison.rows
    before, place.comparison = place.folder, replace(place.comparison, notes=("New.",))
    compare_files.written(place)
    assert not before.exists()
