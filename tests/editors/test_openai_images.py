from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from smile_core.config import ConfigError
from smile_core.edit_cache import EditCache
from smile_core.editors import EditFailure, Editor, cost_sentence, estimate_cost, list_editors
from smile_core.editors.openai_images import OpenAIImages, openai_card
from smile_core.editors.protocol import EditorCard, fit_to_card
from smile_core.export import save_explanation
from tests.editors.conftest import KEY, openai_editor
from tests.loopback_api import Fault, LoopbackApi
from tests.toy_runs import last, run

CARD = openai_card("gpt-image-2.5-flare", "Flare", "")


@pytest.fixture
def editor(server: LoopbackApi, tmp_path: Path) -> Editor:
    return openai_editor(server, tmp_path)


def test_the_request_is_what_the_service_documents(
    editor: Editor, server: LoopbackApi, photo: Image.Image
) -> None:
    (answer,) = editor.edit(photo, ["make it snowy"], seed=3)
    assert isinstance(answer, Image.Image)
    (asked,) = server.asked
    assert asked.path == "/v1/images/edits"
    assert asked.fields == {
        "model": "gpt-image-2.5-flare",
        "prompt": "make it snowy",
        "n": "1",
        "size": "1088x816",
        "quality": "medium",
        "background": "opaque",
        "output_format": "png",
    }
    assert answer.size == asked.photo.size == (1088, 816)
    assert asked.photo.tobytes() == fit_to_card(photo, CARD).tobytes()


@pytest.mark.parametrize("ratio", [1.0, 1.01, 4 / 3, 1.5, 16 / 9, 2.39, 2.9, 2.98, 3.0])
def test_every_shape_it_takes_has_a_size_that_the_service_takes(ratio: float) -> None:
    for short in (60, 333, 1000, 2999):
        long = round(short * ratio)
        for size in ((long, short), (short, long)):
            width, height = fit_to_card(Image.new("1", size), CARD).size
            assert width % 16 == height % 16 == 0
            assert max(width, height) <= 3 * min(width, height)
            assert 655_360 <= width * height <= 8_294_400
            assert max(width, height) <= 3840


def test_a_photo_too_long_is_refused_before_any_request(
    editor: Editor, server: LoopbackApi
) -> None:
    with pytest.raises(ConfigError, match="as long as wide, and this one"):
        editor.edit(Image.new("RGB", (640, 200)), ["snow"], seed=0)
    assert not server.asked


def test_a_refusal_by_moderation_names_its_code(
    editor: Editor, server: LoopbackApi, photo: Image.Image
) -> None:
    server.faults["blood"] = Fault(400, "Rejected by the safety system.", "moderation_blocked")
    (answer,) = editor.edit(photo, ["blood"], seed=0)
    assert answer == EditFailure(
        "OpenAI refused this edit by its moderation (400, moderation_blocked): Rejected by the "
        "safety system."
    )
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (429, "insufficient_quota", "wants to be paid"),
        (400, "billing_hard_limit_reached", "wants to be paid"),
        (404, "model_not_found", "name of the model"),
    ],
)
def test_what_no_other_edit_would_survive_ends_the_run(
    status: int, code: str, words: str, editor: Editor, server: LoopbackApi, photo: Image.Image
) -> None:
    server.script.append(Fault(status, "no", code))
    with pytest.raises(ConfigError, match=words):
        editor.edit(photo, ["snow"], seed=0)
    assert len(server.asked) == 1


def test_no_key_is_said_before_any_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    for key in (None, ""):
        with pytest.raises(ConfigError, match="variable OPENAI_API_KEY, or type it into"):
            OpenAIImages(CARD, key=key)


def test_a_key_that_is_none_is_refused_and_not_repeated() -> None:
    for key in (f"{KEY}\n", f" {KEY}", f"{KEY}…"):
        with pytest.raises(ConfigError, match="Copy it again") as caught:
            OpenAIImages(CARD, key=key)
        assert KEY not in str(caught.value)


def test_the_key_of_the_environment(
    server: LoopbackApi, photo: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-environment")
    monkeypatch.setenv("OPENAI_BASE_URL", f"{server.url}/v1")
    OpenAIImages(CARD).edit(photo, ["snow"], seed=0)
    OpenAIImages(CARD, key="sk-of-the-page").edit(photo, ["snow"], seed=0)
    assert [asked.headers["authorization"] for asked in server.asked] == [
        "Bearer sk-of-the-environment",
        "Bearer sk-of-the-page",
    ]


def test_the_key_is_nowhere_to_be_found(
    editor: Editor, server: LoopbackApi, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server.faults["make it"] = Fault(500, f"trace with {KEY}")
    server.faults["it"] = Fault(400, f"bad request by {KEY}")
    cache = EditCache(tmp_path / "kept")
    with caplog.at_level(logging.DEBUG):
        explanation = last(editor, cache=cache, instruction="make it snowy")
    folder = save_explanation(explanation, tmp_path / "saved")
    assert sum(sample.failed is not None for sample in explanation.samples) == 2
    shown = [repr(editor), str(vars(editor)), str(editor.fingerprint), caplog.text]
    shown += [repr(explanation), repr(editor.card)]
    assert not any(KEY in text for text in shown)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(cache.folder in path.parents for path in files)
    assert any(folder in path.parents for path in files)
    assert not any(KEY.encode() in path.read_bytes() for path in files)


def test_seeds_are_replicates_and_say_how_large_chance_is(
    editor: Editor, server: LoopbackApi, tmp_path: Path
) -> None:
    server.chance = True
    cache = EditCache(tmp_path / "kept")
    explanation = last(editor, cache=cache, instruction="make it snowy", seeds=2)
    assert explanation.noise_floor == pytest.approx(10)  # the server shifts each draw by 10 levels
    assert any("edits differ by chance as well" in note for note in explanation.notes)
    assert sum(asked.prompt == "make it snowy" for asked in server.asked) == 2
    assert "seed" not in server.asked[0].fields
    made = len(server.asked)
    again = last(editor, cache=cache, instruction="make it snowy", seeds=2)
    assert len(server.asked) == made  # both draws of each prompt were kept apart
    assert again.noise_floor == explanation.noise_floor
    assert [unit.weight for unit in again.units] == [unit.weight for unit in explanation.units]


def test_a_refused_key_ends_the_run_of_the_engine(editor: Editor, server: LoopbackApi) -> None:
    server.script.extend(Fault(401, "Incorrect API key provided") for _ in range(9))
    with pytest.raises(ConfigError, match="Incorrect API key provided"):
        run(editor, instruction="make it snowy")


def test_a_wrong_knob_is_refused(editor: Editor, photo: Image.Image) -> None:
    with pytest.raises(ConfigError, match="has no steps"):
        editor.edit(photo, ["snow"], seed=0, steps=5)


def test_what_a_run_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    assert estimate_cost(CARD, 64) is None
    assert "up to 1,024" in (said := cost_sentence(CARD, 1024))
    assert "price list" in said
    priced = EditorCard(name="a", title="A", family="openai", key_variable="A_KEY", price_usd=0.04)
    assert estimate_cost(priced, 66) == pytest.approx(2.64)
    assert (
        cost_sentence(priced, 66) == "This run makes up to 66 edits, which A bills at about $2.64."
    )
    monkeypatch.setenv("SMILE_PRICES", "other=1, gpt-image-2.5-flare = 0.05")
    assert cost_sentence(CARD, 66).endswith("which Flare bills at about $3.30.")
    for wrong in ("free", "-1", "inf", "nan", ""):
        monkeypatch.setenv("SMILE_PRICES", f"gpt-image-2.5-flare={wrong}")
        with pytest.raises(ConfigError, match="SMILE_PRICES says"):
            cost_sentence(CARD, 66)
    free = EditorCard(name="b", title="B", family="callable")
    assert estimate_cost(free, 64) == 0
    assert cost_sentence(free, 64) == ""


def test_only_models_that_exist_are_listed() -> None:
    names = {card.source for card in list_editors() if card.family == "openai"}
    from openai.types import ImageModel

    assert names <= set(ImageModel.__args__)
    assert not any(name.startswith("dall-e") or name == "gpt-image-1" for name in names)


def test_listing_editors_imports_no_client() -> None:
    code = (
        "import sys; from smile_core.editors import list_editors; list_editors(); "
        "sys.exit(bool({'openai', 'httpx2', 'torch', 'huggingface_hub'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
