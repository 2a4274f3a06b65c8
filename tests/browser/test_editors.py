"""Editors of all kinds on the page: behind an API with a key, typed by folder or hub id."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image
from playwright.sync_api import Browser, Page, Request, expect

from components.inputs import PHOTOS
from smile_core.editors import list_editors
from tests.browser.driving import ask, choose_editor, explain, type_editor, wait_for_end, window
from tests.browser.running import Running, quick_page
from tests.browser.server import MASK_CARD
from tests.loopback_api import Fault, LoopbackApi
from tests.loopback_hub import Repository, files_in, serving

pytestmark = pytest.mark.browser

KEY = "sk-secret-0123456789"
FLARE = next(card for card in list_editors() if card.name == "gpt-image-2.5-flare")
INSTRUCTION = "make it snowy"
WEIGHTS = "unet/diffusion_pytorch_model.safetensors"


@pytest.fixture(scope="module")
def service() -> Iterator[LoopbackApi]:
    with LoopbackApi() as running:
        yield running


@pytest.fixture(scope="module")
def hub(tiny_pipeline: Path) -> Iterator[str]:
    files = files_in(tiny_pipeline)
    repositories = {
        "lab/tiny": Repository(files),
        "lab/gated": Repository(files, gated=True),
        "lab/huge": Repository(files, sizes={WEIGHTS: 10**15}),
        "lab/slow": Repository({**files, WEIGHTS: bytes(80_000_000)}, slow={WEIGHTS: 24}),
    }
    with serving(repositories) as (address, _):
        yield address


@pytest.fixture(scope="module")
def served(
    service: LoopbackApi, hub: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Running, Path]]:
    """A page on one's own machine without any key, whose OpenAI and hub are servers of ours."""
    folder = tmp_path_factory.mktemp("page with a key")
    environment = {
        "OPENAI_BASE_URL": f"{service.url}/v1",
        "OPENAI_API_KEY": "",
        "HF_ENDPOINT": hub,
        "HF_HOME": str(folder / "hub"),
        "HF_HUB_OFFLINE": "0",
        "HF_HUB_DISABLE_XET": "1",
        "HF_TOKEN": "",
    }
    with quick_page(folder, **environment) as page:
        yield page, folder


@pytest.fixture
def own_page(chromium: Browser, served: tuple[Running, Path]) -> Iterator[Page]:
    with window(chromium, served[0].url) as opened:
        yield opened


def traces(folder: Path, text: str) -> list[Path]:
    """Return the files below `folder`, the server's log among them, that hold `text`."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert any(path.name == "server.log" for path in files)
    return [path for path in files if text.encode() in path.read_bytes()]


def test_a_key_is_asked_for_used_once_and_kept_nowhere(
    own_page: Page, served: tuple[Running, Path], service: LoopbackApi
) -> None:
    page, (running, folder) = own_page, served
    expect(page.locator("#key")).to_be_hidden()
    choose_editor(page, FLARE.title)
    expect(page.locator("#key input")).to_be_visible()
    expect(page.locator("#key input")).to_have_attribute("type", "password")
    expect(page.locator("#cost")).to_contain_text("bills every edit")
    expect(page.locator("#editor-card")).to_contain_text("Runs at its provider")
    ask(page, INSTRUCTION, 4)
    expect(page.locator(".alert")).to_contain_text("needs an API key")

    service.asked.clear()
    page.fill("#key input", KEY)
    explain(page, INSTRUCTION, 4)
    expect(page.locator("#status")).to_contain_text("7 of 7 edits")
    expect(page.locator("#key input")).to_have_value("")
    assert service.asked
    assert all(KEY in asked.headers["authorization"] for asked in service.asked)
    assert KEY not in page.content()
    assert KEY not in page.url
    assert KEY not in page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    page.get_by_role("tab", name="Export").click()
    expect(page.locator("#export-links a")).to_have_count(4)
    # Gradio writes what it remembers of a tab to disk for whoever asks so.
    session = page.evaluate("window.gradio_config?.session_hash") or session_hash(page)
    assert page.request.get(f"{running.url}gradio_api/deep_link?session_hash={session}").ok
    assert any("deep_links" in path.parts for path in folder.rglob("state.json"))
    assert traces(folder, "Flare") != []  # files are looked into
    assert traces(folder, KEY) == []
    # The next run needs it again.
    ask(page, INSTRUCTION, 3)
    expect(page.locator(".alert")).to_contain_text("needs an API key")


def session_hash(page: Page) -> str:
    """Return what the page calls its session, as its next request says it."""

    def tells(request: Request) -> bool:
        return "session_hash" in (request.post_data or "")

    with page.expect_request(tells) as sent:
        page.fill("#instruction textarea", "make it foggy")
    return str(sent.value.post_data_json["session_hash"])


def test_a_service_that_repeats_a_wrong_key_does_not_get_it_onto_the_page(
    own_page: Page, served: tuple[Running, Path], service: LoopbackApi
) -> None:
    page = own_page
    choose_editor(page, FLARE.title)
    page.fill("#key input", KEY + "x")
    service.script.extend([Fault(401, f"Incorrect API key provided: {KEY}x.")] * 8)
    ask(page, "make it foggy", 4)
    expect(page.locator(".alert")).to_contain_text("Check that the key", timeout=30_000)
    expect(page.locator(".alert")).to_contain_text("<key>")
    service.script.clear()
    assert KEY not in page.content()
    assert traces(served[1], KEY) == []


def test_a_folder_is_typed_loaded_and_explained(own_page: Page, tiny_pipeline: Path) -> None:
    page = own_page
    type_editor(page, str(tiny_pipeline))
    expect(page.locator("#editor-card")).to_contain_text("Runs here on", timeout=30_000)
    ask(page, INSTRUCTION, 3)
    wait_for_end(page, 90)
    expect(page.locator("#status")).to_contain_text("5 of 5 edits")
    expect(page.locator(".alert")).to_have_count(0)
    assert "tiny" in page.url
    choose_editor(page, "Quick test editor")
    expect(page.locator("#editor-card")).to_contain_text("0.1 GB")


def test_a_model_of_the_hub_is_typed_fetched_and_explained(own_page: Page) -> None:
    page = own_page
    type_editor(page, "lab/tiny")
    expect(page.locator("#editor-card")).to_contain_text("licence: mit", timeout=30_000)
    ask(page, INSTRUCTION, 3)
    wait_for_end(page, 90)
    expect(page.locator("#status")).to_contain_text("5 of 5 edits")
    expect(page.locator(".alert")).to_have_count(0)


def test_a_download_is_told_and_can_be_stopped(own_page: Page) -> None:
    page = own_page
    type_editor(page, "lab/slow")
    ask(page, INSTRUCTION, 3)
    expect(page.locator("#status")).to_contain_text(
        re.compile(r"Downloading lab/slow: [1-9]\d* MB of 80 MB · about \d+ s left"),
        timeout=30_000,
    )
    expect(page.locator("#sentence")).to_contain_text("Loading the editor")
    page.click("#stop")
    expect(page.locator("#status")).to_contain_text("Stopped before the first edit")
    expect(page.locator("#explain")).to_be_enabled()
    choose_editor(page, "Quick test editor")
    explain(page, INSTRUCTION, 3)  # and the next run does not wait for the rest of it
    expect(page.locator("#status")).to_contain_text("5 of 5 edits")


def test_what_cannot_be_loaded_says_why_before_the_run_or_at_its_start(
    own_page: Page, tmp_path: Path
) -> None:
    page = own_page
    for name, sentence, is_known in [
        ("lab/unknown", "There is no public model", True),
        ("lab/gated", "is gated. Accept its licence", True),
        (str(tmp_path), "no readable model_index.json", True),
        ("nobody", "Unknown editor 'nobody'", True),
        ("lab/huge", "GB of memory", False),
        ("editor.toml", "starts programs", False),
    ]:
        type_editor(page, name)
        if is_known:
            expect(page.locator("#editor-card .warning")).to_contain_text(sentence, timeout=30_000)
        page.click("#explain")
        expect(page.locator(".alert")).to_contain_text(sentence, timeout=30_000)
        expect(page.locator("#explain")).to_be_enabled()
        assert page.input_value("#editor input") == name


def test_a_phone_shows_what_went_wrong(
    chromium: Browser, served: tuple[Running, Path], tmp_path: Path
) -> None:
    with window(chromium, served[0].url) as page:
        page.set_viewport_size({"width": 390, "height": 844})
        type_editor(page, str(tmp_path))
        page.click("#explain")
        expect(page.locator(".alert")).to_contain_text("no readable model_index", timeout=30_000)
        expect(page.locator(".alert")).to_be_in_viewport(ratio=0.9)


def test_a_public_server_offers_its_list_and_wants_ones_own_key(
    chromium: Browser, tmp_path: Path
) -> None:
    with (
        quick_page(tmp_path, SPACE_ID="someone/smile", OPENAI_API_KEY=KEY) as served,
        window(chromium, served.url) as page,
    ):
        expect(page.locator("#editor input")).not_to_be_editable()
        choose_editor(page, FLARE.title)
        expect(page.locator("#key")).to_contain_text("Your own key is needed here")
        ask(page, INSTRUCTION, 4)
        expect(page.locator(".alert")).to_contain_text("with your own key only")
        client = Client(served.url, verbose=False)
        photo = handle_file(str(PHOTOS["temple"]))
        for editor, words in [
            (FLARE.name, "with your own key only"),
            ("nobody/never-downloaded", "this public server loads no others"),
        ]:
            with pytest.raises(AppError, match=re.escape(words)):
                client.predict(photo, INSTRUCTION, editor, api_name="/explain")
        assert traces(tmp_path, KEY) == []


def test_the_endpoint_takes_a_mask_and_a_key(
    served: tuple[Running, Path], service: LoopbackApi, tmp_path: Path
) -> None:
    running, folder = served
    client = Client(running.url, verbose=False)
    photo = handle_file(str(PHOTOS["temple"]))
    with Image.open(PHOTOS["temple"]) as opened:
        left = Image.new("L", opened.size, 0)
    left.paste(255, (0, 0, left.width // 2, left.height))
    left.save(tmp_path / "mask.png")
    mask = handle_file(str(tmp_path / "mask.png"))

    def ask_for(**settings: object) -> dict:
        return client.predict(photo, INSTRUCTION, perturbations=3, api_name="/explain", **settings)

    answer = ask_for(editor=MASK_CARD.name, mask=mask)
    assert any("covers 50 % of the picture" in note for note in answer["notes"])
    for settings, words in [
        ({"editor": MASK_CARD.name}, "edits only inside a mask"),
        ({"mask": mask}, "takes no mask"),
        ({"key": KEY}, "takes no key"),
        ({"editor": FLARE.name}, "needs an API key"),
    ]:
        with pytest.raises(AppError, match=re.escape(words)):
            ask_for(**settings)
    service.asked.clear()
    answer = ask_for(editor=FLARE.name, key=KEY)
    assert answer["editor"] == FLARE.name
    assert all(KEY in asked.headers["authorization"] for asked in service.asked)
    assert KEY not in str(answer)
    service.asked.clear()
    compared = client.predict(
        photo,
        [INSTRUCTION],
        [FLARE.name, "scene-pix2pix"],
        perturbations=3,
        seed=5,  # so that no edit is found
        key_a=KEY,
        api_name="/compare",
    )
    assert all(KEY in asked.headers["authorization"] for asked in service.asked)
    assert len(service.asked) == 6  # three, and the full edit three times
    assert KEY not in str(compared)
    with pytest.raises(AppError, match="any use for key_b"):  # the other column's editor takes none
        client.predict(
            photo,
            [INSTRUCTION],
            [FLARE.name, "scene-pix2pix"],
            key_a=KEY,
            key_b=KEY,
            api_name="/compare",
        )
    assert traces(folder, KEY) == []
