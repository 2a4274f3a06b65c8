"""The endpoint and the MCP tool of a real server, and what many runs leave behind."""

from __future__ import annotations

import ast
import base64
import re
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import anyio
import httpx
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from playwright.sync_api import Browser, Page, expect

from components.inputs import PHOTOS
from tests.browser.driving import ask, explain, wait_for_end, window
from tests.browser.running import Running, quick_page

pytestmark = pytest.mark.browser

IDLE_S = 12  # by then an idle thread has ended, if the pool has work


def test_the_endpoint_answers_and_refuses_with_sentences(url: str):
    client = Client(url, verbose=False)
    photo = handle_file(str(PHOTOS["temple"]))
    answer = client.predict(photo, "make it snowy", perturbations=6, api_name="/explain")
    assert [unit["text"] for unit in answer["units"]] == ["make", "it", "snowy"]
    assert "snowy" in answer["summary"]
    # Without a number of perturbations all are tried that three words have.
    whole = client.predict(photo, "make it snowy", api_name="/explain")
    assert (whole["config"]["perturbations"], len(whole["samples"])) == (None, 6)
    for settings, sentence in [
        ({"perturbations": 0}, "from 1 to 4096"),
        ({"perturbations": "many"}, "not 'many'"),
        ({"editor": "nobody"}, "Unknown editor 'nobody'"),
        ({"instruction": " "}, "instruction is empty"),
    ]:
        with pytest.raises(AppError, match=re.escape(sentence)):
            client.predict(
                image=photo, api_name="/explain", **{"instruction": "make it snowy", **settings}
            )
    assert list(client.view_api(return_format="dict")["named_endpoints"]) == [
        "/explain",
        "/compare",
    ]


def test_the_endpoint_stops_when_its_client_is_gone_and_the_page_waits_for_it(page: Page, url: str):
    photo = {"path": upload(url)}
    long_words = "one two three four five six seven eight nine ten snowy foggy"
    data = [photo, long_words, "scene-pix2pix", 256, 0, None, ""]
    sent = httpx.post(f"{url}gradio_api/call/explain", json={"data": data})
    assert sent.status_code == 200, sent.text
    address = f"{url}gradio_api/call/explain/{sent.json()['event_id']}"
    with httpx.stream("GET", address, timeout=30) as answer:
        lines = answer.iter_lines()  # kept, for the answer is closed with it
        assert any("generating" in line for line in lines)
        started = time.monotonic()
        ask(page, "make it foggy", 4)
        expect(page.locator("#status")).to_contain_text("Waiting for another explanation")
    wait_for_end(page)
    # All 257 edits of the endpoint's run take more than ten seconds.
    assert time.monotonic() - started < 8


def upload(url: str) -> str:
    """Upload a photo, and return what the server calls it."""
    with PHOTOS["temple"].open("rb") as file:
        return httpx.post(f"{url}gradio_api/upload", files={"files": file}).json()[0]


def with_tools(url: str, use: Callable[[ClientSession], Awaitable[Any]]) -> Any:
    """Return what `use` makes of the server's MCP tools."""

    async def session() -> Any:
        async with (
            streamable_http_client(f"{url}gradio_api/mcp/") as (read, write, _),
            ClientSession(read, write) as tools,
        ):
            await tools.initialize()
            return await use(tools)

    # Playwright's own event loop lives in this thread.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(anyio.run, session).result()


def test_there_are_two_tools_for_agents(url: str):
    tools = with_tools(url, lambda session: session.list_tools()).tools
    assert [tool.name for tool in tools] == ["explain", "compare"]


def test_the_tool_explains(url: str):
    photo = base64.b64encode(PHOTOS["temple"].read_bytes()).decode()
    arguments = {
        "image": f"data:image/jpeg;base64,{photo}",
        "instruction": "make it snowy",
    }
    answer = with_tools(url, lambda session: session.call_tool("explain", arguments))
    assert not answer.isError
    told = ast.literal_eval(answer.content[0].text)  # Gradio writes Python's form, not JSON
    weights = {unit["text"]: unit["weight"] for unit in told["units"]}
    assert list(weights) == ["make", "it", "snowy"]
    assert weights["snowy"] > 0.9 > 0.1 > weights["make"]
    assert "snowy" in told["summary"]
    refused = with_tools(
        url, lambda session: session.call_tool("explain", {**arguments, "perturbations": 0})
    )
    assert refused.isError
    assert "from 1 to 4096" in refused.content[0].text


class Footprint(NamedTuple):
    """What a process takes of the machine."""

    memory_mb: float
    threads: int
    open_files: int
    files: frozenset[Path]


def footprint(pid: int, folder: Path) -> Footprint:
    process = Path("/proc") / str(pid)
    status = dict(
        line.split(":", 1) for line in (process / "status").read_text().splitlines() if ":" in line
    )
    return Footprint(
        memory_mb=int(status["VmRSS"].split()[0]) / 1024,
        threads=int(status["Threads"]),
        open_files=len(list((process / "fd").iterdir())),
        files=frozenset(path for path in folder.rglob("*") if path.is_file()),
    )


def assert_unchanged(after: Footprint, before: Footprint) -> None:
    """Assert that the process has not grown.

    Fifty runs whose four edits stayed in memory would take 59 MB. Some come once, at any time, from
    the libraries.
    """
    assert after.memory_mb < before.memory_mb + 40
    assert after.threads <= before.threads + 2
    assert after.open_files <= before.open_files + 2
    assert after.files == before.files


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc")
def test_fifty_identical_runs_leave_memory_threads_and_files_where_they_were(
    chromium: Browser, tmp_path: Path
):
    with quick_page(tmp_path) as served:
        client = Client(served.url, verbose=False)
        photo = {"path": upload(served.url), "meta": {"_type": "gradio.FileData"}}

        def run() -> list[float]:
            answer = client.predict(photo, "make it snowy", perturbations=3, api_name="/explain")
            return [unit["weight"] for unit in answer["units"]]

        first = [run() for _ in range(8)][-1]
        before = at_rest(served, tmp_path)
        assert all(run() == first for _ in range(50))
        assert_unchanged(at_rest(served, tmp_path), before)

        # The page writes pictures and files to take away besides; they go with the tab.
        with window(chromium, served.url) as page:
            for _ in range(5):
                explain(page, "make it snowy", 3)
            page.get_by_role("tab", name="Export").click()
            expect(page.locator("#export-links a")).to_have_count(4)
        before = at_rest(served, tmp_path)
        with window(chromium, served.url) as page:
            for _ in range(10):
                explain(page, "make it snowy", 3)
        assert_unchanged(at_rest(served, tmp_path), before)


def at_rest(served: Running, folder: Path) -> Footprint:
    """Return the footprint once idle threads have ended and the files of closed tabs are gone.

    A thread of the server's pool ends when the pool gets work after the thread was idle for ten
    seconds (anyio), so the pool is given some, one request at a time.
    """
    started = time.monotonic()
    while time.monotonic() < started + 20:
        time.sleep(0.5)
        httpx.get(served.url).raise_for_status()
        found = footprint(served.pid, folder)
        if time.monotonic() < started + IDLE_S:
            continue
        if not any("smile-results" in path.parts for path in found.files):
            return found
    raise AssertionError(f"The files of a closed tab stayed: {found.files}")
