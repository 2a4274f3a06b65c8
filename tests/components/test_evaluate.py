"""The Evaluate tab without a browser: what is asked, its cost, and studies that are stopped."""

from __future__ import annotations

import json
import os
import re
import zipfile
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import pytest
import yaml

from components import evaluate, evaluate_cost, evaluate_inputs, evaluate_view
from components.evaluate_asked import (
    GRID,
    MOST_EDITS,
    READY,
    Asked,
    check_edits,
    chosen_study,
    offered_editors,
    runs_of,
)
from components.evaluate_files import FILES
from components.evaluate_runs import EvaluateRuns, keep_newest
from components.session import has_editor, session_of
from smile_core.config import ConfigError
from smile_core.editors import EditorCard, registry
from smile_core.evaluation.study import METHODS
from smile_core.evaluation.study_file import STUDY_FOLDER, bundled_studies, load_study, read_study
from smile_core.evaluation.study_plan import StudyCost, plan_study
from tests.toy_editors import ToyEditor

CARD = EditorCard(name="toy", title="Toy", family="test")
GIVEN = {
    "kind": GRID,
    "study": "accuracy",
    "parts": ["ten prompts, one photo"],
    "questions": ["accuracy", "fidelity"],
    "photos": ["meadow"],
    "instructions": "make it very *snowy* and *foggy*\nmake it *snowy*",
    "editors": ["toy"],
    "perturbations": "6, 12",
    "seeds": "0",
    "image_distances": ["cosine"],
    "text_distances": [],
    "surrogates": [],
    "methods": ["smile"],
}


@pytest.fixture(autouse=True)
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ToyEditor:
    """Register an editor that counts its edits; everything is written to a folder of its own."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "gradio"))
    monkeypatch.setenv("SMILE_CACHE_DIR", str(tmp_path / "cache"))
    editor = ToyEditor(card=CARD)
    monkeypatch.setitem(registry._REGISTRY, "toy", (CARD, lambda: editor))
    registry._load.cache_clear()
    yield editor
    registry._load.cache_clear()


def asked(**changes: object) -> Asked:
    return Asked(**{**GIVEN, **changes})


def values(**changes: object) -> list[object]:
    return list({**GIVEN, **changes}.values())


def request(key: str) -> SimpleNamespace:
    return SimpleNamespace(session_hash=key)


def tab_parts() -> EvaluateRuns:
    with gr.Blocks():
        return EvaluateRuns(evaluate_inputs.build(), evaluate.build_panels())


def prompts(toy: ToyEditor) -> list[tuple[int, str]]:
    calls = zip(toy.seeds, toy.calls, strict=True)
    return [(seed, prompt) for seed, prompts in calls for prompt in prompts]


def test_a_grid_is_the_study_that_the_command_line_reads_from_its_file() -> None:
    chosen = chosen_study(asked())
    assert chosen.study == read_study(chosen.text, STUDY_FOLDER)
    first, second = chosen.study.parts
    assert (first.protocol, second.protocol) == ("accuracy", "fidelity")
    assert first.perturbations == (6, 12)
    assert [(one.text, one.keywords) for one in first.instructions] == [
        ("make it very snowy and foggy", ("snowy", "foggy")),
        ("make it snowy", ("snowy",)),
    ]
    assert chosen.name == chosen_study(asked()).name != chosen_study(asked(seeds="1")).name


def test_everything_that_can_be_ticked_can_be_planned() -> None:
    questions = [key for _, key in _choices("evaluate-questions")]
    chosen = chosen_study(
        asked(questions=questions, seeds="0 1", methods=list(METHODS), perturbations="6")
    )
    assert {part.protocol for part in chosen.study.parts} == set(questions)
    assert sum(map(runs_of, chosen.study.parts)) == len(plan_study(chosen.study))


def _choices(elem_id: str) -> list[tuple[str, str]]:
    with gr.Blocks() as page:
        evaluate_inputs.build()
    return next(b for b in page.blocks.values() if getattr(b, "elem_id", "") == elem_id).choices


@pytest.mark.parametrize("name", bundled_studies())
def test_every_ready_made_study_can_be_chosen_in_parts(name: str) -> None:
    names = [part.name for part in load_study(name).parts]
    chosen = chosen_study(asked(kind=READY, study=name, parts=names[-1:]))
    assert [part.name for part in chosen.study.parts] == names[-1:]
    assert yaml.safe_load(chosen.text)["title"] == chosen.study.title
    assert runs_of(chosen.study.parts[0]) == len(plan_study(chosen.study))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "file"}, "Unknown kind of study"),
        ({"kind": READY, "study": "/etc/passwd"}, "Unknown study"),
        ({"kind": READY, "study": ["accuracy"]}, "study by its name"),
        ({"kind": READY, "parts": []}, "Tick at least one"),
        ({"kind": READY, "parts": ["seconds"]}, "Unknown part"),
        ({"photos": ["/etc/passwd"]}, "Unknown photo"),
        ({"photos": "meadow"}, "photo by its name"),
        ({"photos": []}, "No photo is chosen"),
        ({"editors": ["/weights/of/mine"]}, "Unknown editor"),
        ({"editors": [{"name": "toy"}]}, "editor by its name"),
        ({"questions": ["wordings"]}, "Unknown question"),
        ({"instructions": " \n"}, "no instruction"),
        ({"instructions": "make it snowy"}, r"\*asterisks\* around them in “make it snowy”"),
        ({"instructions": "make it *snow*y"}, "not in the instruction"),
        ({"perturbations": "6; 12"}, "several with commas"),
        ({"perturbations": None}, "several with commas"),
        ({"perturbations": "0"}, "perturbations"),
        ({"seeds": "-1"}, "The seed must be"),
        ({"questions": ["consistency"]}, "at least two 'seeds'"),
        ({"image_distances": ["../x"]}, "Unknown image distance"),
        ({"methods": []}, "No method"),
        ({"seeds": ",".join(map(str, range(600)))}, "explanations; a study on this page has"),
    ],
)
def test_what_cannot_be_run_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        chosen_study(asked(**changes))


def test_a_public_server_has_a_limit_and_spends_no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    cost = StudyCost(runs=1, edits=5000, to_make={"toy": MOST_EDITS + 1}, seconds=None)
    check_edits(cost)
    assert "flux-kontext-api" in [card.name for card in offered_editors()]
    monkeypatch.setenv("SPACE_ID", "someone/space")
    with pytest.raises(ConfigError, match=f"{MOST_EDITS + 1:,} edits; on this public server"):
        check_edits(cost)
    check_edits(StudyCost(runs=1, edits=5000, to_make={"toy": MOST_EDITS}, seconds=None))
    assert not any(card.key_variable for card in offered_editors())
    with pytest.raises(ConfigError, match="Unknown editor"):
        chosen_study(asked(editors=["flux-kontext-api"]))
    with pytest.raises(ConfigError, match="2,000 perturbations are too many"):
        chosen_study(asked(perturbations="2000"))


def test_the_cost_is_told_without_loading_an_editor(
    monkeypatch: pytest.MonkeyPatch, toy: ToyEditor
) -> None:
    def refuse() -> ToyEditor:
        raise AssertionError("loaded")

    monkeypatch.setitem(registry._REGISTRY, "toy", (CARD, refuse))
    monkeypatch.setattr("components.pace._seconds_per_edit", {"toy": 2.0})
    text, button = evaluate_cost.say_cost(request("cost"), *values())
    # The long instruction shares the edits of its leave-one-out rows between 6 and 12.
    edits = int(re.search(r"of (\d+) edits", text).group(1))
    assert f"8 explanations of {edits} edits, {edits} to make at most" in text
    assert f"about {2 * edits} s of editing" in text
    assert button["value"] == evaluate_inputs.RUN
    assert toy.painted == 0


def test_stop_keeps_what_there_is_and_resume_makes_no_edit_twice(toy: ToyEditor) -> None:
    runs, given = tab_parts(), request("stopped")
    place = session_of(given).evaluating
    assert runs.begin(given, *values())[runs.left.message] == ""
    for _update in runs.run(given):
        if place.snapshot is not None and place.snapshot.pairs:
            runs.stop(given)
    assert place.snapshot.state == "stopped"
    assert 0 < len(place.snapshot.pairs) < place.snapshot.runs
    assert "Resume goes on from here" in _update[runs.panels.status]
    cost, button = evaluate_cost.say_cost(given, *values())
    assert "of them there already" in cost
    assert button["value"] == evaluate_inputs.RESUME
    assert runs.write_files(given)[runs.panels.links].count("<a ") == len(FILES)
    made = toy.painted

    runs.begin(given, *values())
    last = list(runs.run(given))[-1]
    assert place.snapshot.state == "finished"
    assert toy.painted == place.snapshot.edits > made
    assert len(prompts(toy)) == len(set(prompts(toy)))
    assert f"{toy.painted - made} edits made now" in last[runs.panels.status]
    assert 'class="paper' in last[runs.panels.tables]
    plots = json.loads(last[runs.panels.plots])
    assert {plot["title"].split(":")[0] for plot in plots} == {"Accuracy", "Fidelity"}

    # Another page finds it all, and asks the editor for nothing.
    other = request("another")
    runs.begin(other, *values())
    *_, again = runs.run(other)
    assert toy.painted == place.snapshot.edits
    assert again[runs.panels.tables] == last[runs.panels.tables]
    _check_files(runs, given)


def _check_files(runs: EvaluateRuns, given: SimpleNamespace) -> None:
    place = session_of(given).evaluating
    links = runs.write_files(given)[runs.panels.links]
    assert runs.write_files(given)[runs.panels.links] == links  # written once
    folder = place.folder / "study"
    assert set(FILES) == {path.name for path in folder.iterdir()}
    assert read_study((folder / "study.yaml").read_text(), STUDY_FOLDER) == place.snapshot.study
    with zipfile.ZipFile(folder / "study.zip") as files:
        assert files.testzip() is None
        assert set(files.namelist()) == set(FILES) - {"study.zip"}


def test_a_study_waits_for_its_turn_and_can_leave_the_line() -> None:
    runs, given = tab_parts(), request("waiting")
    with has_editor(session_of(request("busy")).comparing):
        begun = runs.begin(given, *values())
        assert "Waiting for another" in begun[runs.panels.status]
        ended = runs.stop(given)
    assert "Stopped before the first edit" in ended[runs.panels.status]
    assert ended[runs.left.run]["interactive"]
    assert list(runs.run(given)) == [{runs.left.message: gr.skip()}]


def test_one_part_is_shown_alone_and_the_tables_say_whose_figures_they_are() -> None:
    runs, given = tab_parts(), request("parts")
    runs.begin(given, *values(perturbations="6"))
    *_, last = runs.run(given)
    assert "are the paper’s own figures" in last[runs.panels.tables]
    shown = runs.choose_part("Fidelity", given)
    assert re.findall(r"<h2[^>]*>(.*?)</h2>", shown[runs.panels.tables]) == ["Fidelity"]
    titles = [plot["title"] for plot in json.loads(shown[runs.panels.plots])]
    assert titles
    assert not any(title.startswith("Fidelity: ") for title in titles)  # which part goes without
    overview = evaluate_view.render_overview(
        session_of(given).evaluating.snapshot.study, session_of(given).evaluating.snapshot
    )
    assert overview.count('class="done"') == 2
    assert "2 of 2" in overview


def test_a_study_that_breaks_off_says_so(toy: ToyEditor, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> ToyEditor:
        raise ConfigError("The weights are gone.")

    monkeypatch.setitem(registry._REGISTRY, "toy", (CARD, broken))
    runs, given = tab_parts(), request("broken")
    runs.begin(given, *values())
    *_, last = runs.run(given)
    assert "The weights are gone." in last[runs.left.message]
    assert not session_of(given).evaluating.running


def test_only_the_newest_journals_stay(tmp_path: Path) -> None:
    for age in range(5):
        keep_newest(tmp_path / f"study-{age}", most=9)
        os.utime(tmp_path / f"study-{age}", (age, age))
    keep_newest(tmp_path / "study-0", most=3)
    kept = {path.name for path in tmp_path.glob("study-*")}
    assert kept == {"study-0", "study-3", "study-4"}
