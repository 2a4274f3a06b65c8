"""The page: puts the panels together and launches.

`python app.py --editor my.toml path/to/folder someone/model` offers more editors in its menus.
"""

from __future__ import annotations

import argparse
import os
import threading
from collections.abc import Sequence
from pathlib import Path

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

import gradio as gr

from components import (
    api,
    compare,
    compare_inputs,
    evaluate,
    explain,
    inputs,
    method,
    pace,
    theme,
)
from components.html import html
from components.served import keep_swept
from components.session import close_session
from smile_core.config import ConfigError
from smile_core.editors import add_editor, list_editors

EXAMPLE = Path(__file__).parent / "assets" / "example"
HEADER = "<h1><b>SMILE</b> <span>which words drive your edit?</span></h1>"


def build_page(example: Path | None = None) -> gr.Blocks:
    """Make the page.

    Parameters
    ----------
    example : Path or None
        Folder of the finished explanation that is shown first.
    """
    # Uploads and their copies are removed after a day.
    with gr.Blocks(title="SMILE: which words drive your edit?", delete_cache=(3600, 86400)) as demo:
        header = html(HEADER, js_on_load="smile.takeFiles(upload, trigger);", elem_id="header")
        with gr.Tabs(elem_id="tabs") as tabs:
            with gr.Tab("Explain", id="explain"):
                left = explain.build(demo, header, example)
            with gr.Tab("Compare", id="compare"):
                compare.build(demo, header, tabs, left.photo)
            with gr.Tab("Evaluate", id="evaluate") as tab:
                evaluate.build(tab)
            with gr.Tab("Method", id="method"):
                method.build()
        api.build()
        demo.unload(close_session)
    return demo.queue(max_size=16)


def launch(demo: gr.Blocks, **options: object) -> None:
    """Serve the page; `options` go to `gr.Blocks.launch` on top of the page's own."""
    settings: dict[str, object] = {
        "theme": theme.theme(),
        "css_paths": theme.CSS_FILES,
        "head": theme.head(),
        "mcp_server": True,
        "ssr_mode": False,
        "max_file_size": "25mb",
        "footer_links": ["api", "settings"],
        "run_history": False,
    }
    keep_swept()
    demo.launch(**{**settings, **options})  # type: ignore[arg-type]


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve the page until the process is ended.

    Parameters
    ----------
    arguments : sequence of str or None
        Those of the command line; None takes them from there.
    """
    parser = argparse.ArgumentParser(description="Serve the page.")
    parser.add_argument(
        "--editor",
        nargs="+",
        action="extend",
        default=[],
        metavar="EDITOR",
        help="offer more editors on the page: a file that describes one (.toml, .json), a folder, "
        "weights, or the id of a model on the hub. Give only files that you trust: they start "
        "programs, for everyone who can reach the page",
    )
    try:
        for name in parser.parse_args(arguments).editor:
            add_editor(name)
    except ConfigError as error:
        parser.error(str(error))
    # So that nobody waits for it after the first click.
    trial = (inputs.PHOTOS["temple"], compare_inputs.bundled_editors(list_editors()))
    threading.Thread(target=pace.try_out, args=trial, daemon=True).start()
    launch(build_page(EXAMPLE if (EXAMPLE / "explanation.json").exists() else None))


if __name__ == "__main__":
    main()
