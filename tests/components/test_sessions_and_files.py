from __future__ import annotations

import base64
import io
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from html import unescape
from pathlib import Path
from urllib.parse import parse_qsl

import gradio as gr
import pytest
from PIL import Image

from app import build_page
from components import api, export, inputs, runs, scatter, served, session
from components.bring_back import BringBack
from components.link import to_query
from components.runs import checked_config
from components.show import unit_texts
from smile_core.config import PRESETS, ConfigError, RunConfig
from smile_core.explanation import Explanation
from smile_core.explanation_json import to_json
from smile_core.export import save_explanation
from tests.components.explain_tab import page_parts, request
from tests.sample_explanations import landscape, sample_explanation


def test_each_tab_has_its_own_session():
    one, two = session.session_of(request("one")), session.session_of(request("two"))
    assert one is not two
    assert session.session_of(request("one")) is one


def test_closing_a_tab_stops_its_run_and_removes_its_files():
    tab = session.session_of(request("closing"))
    folder = tab.new_folder()
    (folder / "report.html").write_text("x")
    session.close_session(request("closing"))
    assert tab.stop.is_set()
    assert not folder.exists()
    assert session.session_of(request("closing")) is not tab


def test_files_that_are_being_written_while_their_tab_closes_go_with_it(
    monkeypatch: pytest.MonkeyPatch,
):
    tab = session.session_of(request("leaving"))
    tab.explanation = sample_explanation()
    writes, closes = threading.Event(), threading.Event()

    def slow_save(explanation: Explanation, folder: Path) -> Path:
        writes.set()
        closes.wait(10)
        return save_explanation(explanation, folder)

    monkeypatch.setattr(runs, "save_explanation", slow_save)
    with ThreadPoolExecutor(2) as threads:
        links = threads.submit(runs.written, tab)
        assert writes.wait(10)
        closing = threads.submit(session.close_session, request("leaving"))
        with pytest.raises(TimeoutError):
            closing.result(0.2)
        closes.set()
        closing.result(10)
        assert "report.html" in links.result(10)
    assert list(served.served_folder("results").iterdir()) == []
    tab.explanation = sample_explanation()
    assert "href" not in runs.written(tab)
    assert list(served.served_folder("results").iterdir()) == []


def test_the_longest_unused_of_many_sessions_is_let_go():
    first = session.session_of(request("first"))
    for index in range(session.MAX_SESSIONS):
        session.session_of(request(f"tab {index}"))
    assert first.stop.is_set()


def test_a_session_that_runs_or_waits_outlives_many_new_tabs():
    running, waiting = (session.session_of(request(name)) for name in ("running", "waiting"))
    photo = Image.new("RGB", (32, 32))
    waiting.job = session.Job(photo=photo, config=RunConfig(instruction="make it snowy"))
    with session.has_editor(running):
        assert session.is_editor_taken()
        for index in range(2 * session.MAX_SESSIONS):
            session.session_of(request(f"new {index}"))
        assert not running.stop.is_set()
        assert session.session_of(request("running")) is running
        assert session.session_of(request("waiting")) is waiting
    assert not running.running
    assert not session.is_editor_taken()
    session.close_session(request("waiting"))


def test_nothing_is_restored_while_the_session_runs(tmp_path: Path):
    folder = save_explanation(sample_explanation(), tmp_path / "saved")
    left, panels = page_parts()
    back = BringBack(left, panels, None, None)
    tab = session.session_of(request("restoring"))
    with session.has_editor(tab):
        updates = back.restore_path(folder / "explanation.json", request("restoring"))
    assert set(updates) == {left.message}
    assert "An explanation is running" in updates[left.message]
    assert tab.explanation is None
    back.restore_path(folder / "explanation.json", request("restoring"))
    assert tab.explanation is not None


def test_the_map_keeps_its_colours_while_the_words_stay():
    left, panels = page_parts()
    back = BringBack(left, panels, None, None)
    tab = session.session_of(request("colours"))
    explanation = sample_explanation()
    words = unit_texts(explanation)
    tab.show(words, None)
    assert back.color_map(2, request("colours")) == ""  # nothing to draw yet, but it is kept
    tab.shown = explanation
    assert back.color_map(1, request("colours")) == scatter.render(
        explanation, served.picture_url, 1
    )
    tab.show(words, explanation)
    assert tab.color_by == 1
    back.color_map(len(words), request("colours"))  # a menu of the run before had more words
    assert tab.color_by == 1
    tab.show(("other", "words"), None)
    assert tab.color_by == scatter.SIMILARITY


def test_the_endpoint_takes_fewer_perturbations_than_the_page():
    with pytest.raises(gr.Error, match="from 1 to 256 here, not 257"):
        next(api.explain({"path": "a.png"}, "make it snowy", perturbations=257))


def test_a_job_is_taken_once():
    tab = session.Session()
    photo = Image.new("RGB", (32, 32))
    tab.job = session.Job(photo=photo, config=RunConfig(instruction="make it snowy"))
    assert tab.take_job() is not None
    assert tab.take_job() is None


def test_a_picture_is_written_once_and_named_by_its_content(tmp_path: Path):
    red, blue = Image.new("RGB", (8, 8), "red"), Image.new("RGB", (8, 8), "blue")
    assert served.picture_url(red) == served.picture_url(red.copy())
    assert served.picture_url(red) != served.picture_url(blue)
    assert len(list((tmp_path / "gradio" / "smile-pictures").iterdir())) == 2


def served_entry(kind: str, name: str, *, hours: float, size: int = 1000) -> Path:
    """Return a picture, or the folder of a result, that was last used so many `hours` ago."""
    entry = served.served_folder(kind) / name
    if kind == "results":
        (entry / "edits").mkdir(parents=True)
        (entry / "edits" / "0000.png").write_bytes(bytes(size))
    else:
        entry.write_bytes(bytes(size))
    used = time.time() - hours * 3600
    os.utime(entry, (used, used))
    return entry


def test_files_that_nobody_used_for_a_day_are_swept():
    old = [served_entry("pictures", "old.webp", hours=25), served_entry("results", "o", hours=25)]
    new = [served_entry("pictures", "new.webp", hours=23), served_entry("results", "n", hours=23)]
    served.sweep()
    assert not any(path.exists() for path in old)
    assert all(path.exists() for path in new)


def test_the_longest_unused_go_when_there_are_too_many():
    entries = [
        served_entry(kind, f"{kind} {hours}", hours=hours, size=100_000)
        for hours, kind in [(1, "results"), (2, "pictures"), (3, "results"), (4, "pictures")]
    ]
    served.sweep(max_bytes=250_000)  # folders take some room, too
    assert [path.exists() for path in entries] == [True, True, False, False]


def test_an_idle_server_is_swept():
    old = served_entry("pictures", "old.webp", hours=25)
    ended = served.keep_swept(every_s=0.02)
    try:
        deadline = time.monotonic() + 20
        while old.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not old.exists()
    finally:
        ended.set()


def test_a_picture_that_cannot_be_written_is_its_own_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "file").write_bytes(b"x")  # nothing can be written below a file
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "file"))
    head, _, data = served.picture_url(Image.new("RGB", (8, 8), "red")).partition(",")
    assert head == "data:image/webp;base64"
    assert Image.open(io.BytesIO(base64.b64decode(data))).size == (8, 8)


def test_only_files_inside_the_upload_folder_count_as_uploaded(tmp_path: Path):
    inside = served.served_folder("pictures") / "a.png"
    inside.write_bytes(b"x")
    assert served.is_uploaded(inside)
    assert not served.is_uploaded(Path(__file__))
    assert not served.is_uploaded(inside.parent / ".." / ".." / ".." / Path(__file__).name)


def test_a_payload_may_name_uploads_and_the_photos_of_the_page_only(tmp_path: Path):
    inside = served.served_folder("pictures") / "a.png"
    inside.write_bytes(b"x")
    build_page()
    photo = inputs.PHOTOS["temple"]
    assert served.uploaded_path({"path": str(inside)}) == inside
    assert served.uploaded_path({"path": str(photo), "meta": {"_type": "gradio.FileData"}}) == photo
    elsewhere = tmp_path / "secret.png"
    elsewhere.write_bytes(b"x")
    names = ["/etc/hostname", str(elsewhere), f"{inside.parent}/../../../secret.png"]
    for path in (*names, str(inside.parent), str(inside) + "x", "x" * 9999, "\0", "", None, 3):
        with pytest.raises(ConfigError, match="no such upload"):
            served.uploaded_path({"path": path})
    for payload in ({}, None, "a.png", []):
        with pytest.raises(ConfigError, match="no such upload"):
            served.uploaded_path(payload)


def test_the_endpoint_opens_no_file_of_the_server(tmp_path: Path):
    elsewhere = tmp_path / "secret.png"
    landscape(64).save(elsewhere)
    with pytest.raises(gr.Error, match="no such upload"):
        next(api.explain({"path": str(elsewhere)}, "make it snowy"))


def test_links_appear_for_files_that_are_there(tmp_path: Path):
    save_explanation(sample_explanation(n=8), tmp_path / "result")
    html = export.render(tmp_path / "result")
    assert html.count("download=") == len(export.FILES)
    assert "href" not in export.render(None)


def test_results_come_back_from_json_png_and_folder(tmp_path: Path):
    explanation = sample_explanation(n=8)
    folder = save_explanation(explanation, tmp_path)
    assert export.read_result(folder).reference.image is not None
    from_json = export.read_result(folder / "explanation.json")
    from_png = export.read_result(folder / "heatmap.png")
    assert [unit.text for unit in from_json.units] == explanation.instruction.split()
    assert to_json(from_png) == to_json(from_json)
    for name in ("config", "units", "fidelity", "projection", "versions", "notes"):
        assert getattr(from_png, name) == getattr(explanation, name)
    assert from_png.samples == tuple(replace(edit, image=None) for edit in explanation.samples)
    assert export.carries_result(folder / "heatmap.png")
    assert not export.carries_result(folder / "input.png")


def test_a_file_that_restores_nothing_is_refused(tmp_path: Path):
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "broken.json").write_text("{")
    for name in ("notes.txt", "broken.json"):
        with pytest.raises(ConfigError):
            export.read_result(tmp_path / name)


def test_only_registered_editors_may_be_asked_for_on_a_public_server(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv("SPACE_ID", "someone/smile")
    for name in ("timbrooks/instruct-pix2pix", "/etc", "nobody", ""):
        with pytest.raises(ConfigError, match="Unknown editor"):
            checked_config({"instruction": "make it snowy", "editor": name})


def test_hub_ids_and_folders_may_be_asked_for_on_ones_own_machine(tmp_path: Path):
    for name in ("timbrooks/instruct-pix2pix", str(tmp_path)):
        config = checked_config({"instruction": "make it snowy", "editor": name})
        assert config.editor == name
    for name in ("nobody", ""):
        with pytest.raises(ConfigError, match="or give a folder saved by diffusers, or a hub id"):
            checked_config({"instruction": "make it snowy", "editor": name})


def test_a_file_that_starts_programs_is_never_taken_from_the_page():
    with pytest.raises(ConfigError, match="starts programs"):
        checked_config({"instruction": "make it snowy", "editor": "my-editor.toml"})


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"editor": "nobody"}, "Unknown editor"),
        ({"editor": "my-editor.json"}, "starts programs"),
        ({"encoder": "someone/weights"}, "Unknown image encoder 'someone/weights'"),
        ({"word_vectors": "glove-twitter-200"}, "Unknown word vectors"),
        ({"p_iterations": 100_001}, "at most 100,000"),
    ],
)
def test_what_the_page_does_not_offer_is_refused_in_events_links_and_files(
    settings: dict[str, object], sentence: str, tmp_path: Path
):
    explanation = sample_explanation()
    config = RunConfig.from_dict({**explanation.config, **settings})
    with pytest.raises(ConfigError, match=sentence):
        checked_config(config.to_dict())

    left, panels = page_parts()
    back = BringBack(left, panels, None, None)
    opening = request("stranger")
    opening.query_params = dict(parse_qsl(to_query(config, None)))
    updates = back.open_page(opening)
    assert sentence in unescape(updates[left.message])
    assert set(updates) == {left.message}

    explanation = replace(
        explanation, config=config.to_dict(), editor=config.editor, encoder=config.encoder
    )
    folder = save_explanation(explanation, tmp_path / "saved")
    updates = back.restore_path(folder / "explanation.json", opening)
    assert sentence in unescape(updates[left.message])
    assert not set(left.settings.values()) & set(updates)


def test_both_presets_are_offered():
    for name in PRESETS:
        config = RunConfig.preset(name, instruction="make it snowy")
        assert checked_config(config.to_dict()) == config


def test_an_empty_number_is_named():
    with pytest.raises(ConfigError, match="The seed is empty"):
        checked_config({"instruction": "make it snowy", "seed": None})


def test_a_whole_number_with_a_point_is_whole():
    assert checked_config({"instruction": "make it snowy", "seed": 3.0}).seed == 3
    with pytest.raises(ConfigError, match="whole number"):
        checked_config({"instruction": "make it snowy", "seed": 3.5})
