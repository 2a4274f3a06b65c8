"""The endpoints `/explain` and `/compare`: the page's jobs for programs, also as MCP tools.

They are the only public events of the page, and they keep no state.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import gradio as gr

from components.compare_asked import OWN, checked_comparison
from components.key_field import KeyField, revealed
from components.loading import load_for
from components.runs import EDITOR_TURN, checked_config, own_editor
from components.served import uploaded_path
from components.session import Session, has_editor
from smile_core.columns import column_configs
from smile_core.comparing import stream_comparison
from smile_core.comparison_export import comparison_json
from smile_core.comparison_sentence import summarize_comparison
from smile_core.config import BUNDLED_EDITOR, ConfigError, RunConfig
from smile_core.engine import RunError, stream
from smile_core.explanation_json import to_json
from smile_core.photo import open_photo
from smile_core.sentence import summarize

MAX_PERTURBATIONS = 256  # programs and the page share one editor


def explain(
    image: dict[str, Any] | None,
    instruction: str,
    editor: str = BUNDLED_EDITOR,
    perturbations: int | None = None,
    seed: int = 0,
    mask: dict[str, Any] | None = None,
    key: object = None,
) -> Iterator[dict[str, Any]]:
    """Find out which words of an image-editing instruction drive the edit.

    Args:
        image: The photo to edit (PNG, JPEG or WebP).
        instruction: What the editor should do, 2 to 64 words, e.g. "make it a snowy evening".
        editor: Name of the image editor.
        perturbations: How many shortened instructions to try, 1 to 256. More take longer. Left
            out, it is 64, or four for each word where that is more.
        seed: Seed of the edits; the same seed gives the same result.
        mask: For editors that edit inside a mask: a picture of the photo's size, white where they
            may edit and black elsewhere. All white is the whole picture. Others take none.
        key: For editors behind an API: the key of their provider, used for this run only. Left
            empty it is the server's own, which a public server does not lend.

    Returns:
        The explanation: a plain-language summary, the words with weight, interval and
        verdict, fidelity figures, and all samples without their pictures.
    """  # noqa: D406, D407 - the form that Gradio reads for the API page and for MCP
    try:
        if image is None:
            raise ConfigError("There is no image. Send a PNG, JPEG or WebP.")
        config = _checked(
            {
                "instruction": instruction,
                "editor": editor,
                "perturbations": perturbations,
                "seed": seed,
            }
        )
        photo = open_photo(uploaded_path(image))
        where = None if mask is None else uploaded_path(mask)
        tool = own_editor(config, revealed(key))
        explanation = None
        with has_editor(Session()):
            for _ in load_for(config, tool, lambda: False):
                # Gradio closes the generator here, or below, once the client is gone.
                yield gr.skip()
            for snapshot in stream(photo, config, where, editor=tool):
                explanation = snapshot.explanation
                yield gr.skip()
    except (ConfigError, RunError) as error:
        raise gr.Error(str(error), print_exception=False) from error
    if explanation is None:
        raise gr.Error("The run ended before its first edit. Try again.")
    yield {"summary": summarize(explanation), **json.loads(to_json(explanation))}


def compare(
    image: dict[str, Any] | None,
    instructions: list[str],
    editors: list[str],
    perturbations: int | None = None,
    seed: int = 0,
    settings: dict[str, Any] | None = None,
    mask: dict[str, Any] | None = None,
    key_a: object = None,
    key_b: object = None,
    key_c: object = None,
) -> Iterator[dict[str, Any]]:
    """Find out how two or three image editors, or two or three instructions, differ word by word.

    Args:
        image: The photo to edit (PNG, JPEG or WebP).
        instructions: What the editors should do: one instruction for all, or one for each column.
        editors: Names of image editors: one for all columns, or one for each.
        perturbations: How many shortened instructions to try in each column, 1 to 256. Left out,
            it is 64, or four for each word where that is more.
        seed: Seed of the edits; the same seed gives the same result.
        settings: Settings of the editors by name (steps, guidance_scale, image_guidance_scale,
            strength, scheduler, seed): one value for all columns, or a list with one for each,
            e.g. {"steps": [10, 50]}.
        mask: For editors that edit inside a mask, as for /explain.
        key_a: For editors behind an API: the key of the first column's provider, or of all
            columns if there is one editor for all. Used for this run only, as for /explain.
        key_b: The same for the second column.
        key_c: The same for the third column.

    Returns:
        The comparison: a plain-language summary, a row per word with its weight in each column,
        the differences with intervals and verdicts, and rank correlations.
    """  # noqa: D406, D407 - the form that Gradio reads for the API page and for MCP
    try:
        if image is None:
            raise ConfigError("There is no image. Send a PNG, JPEG or WebP.")
        chosen = _one_or_more("editors", editors)
        varied = _own_settings(settings)
        shared = {"perturbations": perturbations, **({} if "seed" in varied else {"seed": seed})}
        configs = [
            _checked({**config.to_dict(), **shared})
            for config in column_configs(
                instruction=_one_or_more("instructions", instructions), editor=chosen, **varied
            )
        ]
        keys = [revealed(key) for key in (key_a, key_b, key_c)]
        # Which of the keys is that of each column.
        places = [0 if isinstance(chosen, str) else column for column in range(len(configs))]
        where = None if mask is None else uploaded_path(mask)
        job = checked_comparison(uploaded_path(image), configs, where, [keys[at] for at in places])
        if mask is not None and job.mask is None:
            raise ConfigError("None of these editors takes a mask. Leave it out.")
        _check_keys(keys, {at for at, tool in zip(places, job.tools, strict=True) if tool})
        comparison = None
        with has_editor(Session()):
            for config, tool in zip(job.configs, job.tools, strict=True):
                for _ in load_for(config, tool, lambda: False):
                    # Gradio closes the generator here, or below, once the client is gone.
                    yield gr.skip()
            for snapshot in stream_comparison(job.photo, configs, job.mask, editors=job.tools):
                comparison = snapshot.comparison
                yield gr.skip()
    except (ConfigError, RunError) as error:
        raise gr.Error(str(error), print_exception=False) from error
    if comparison is None:
        raise gr.Error("The comparison ended before its first edit. Try again.")
    yield {
        "summary": summarize_comparison(comparison),
        **json.loads(comparison_json(comparison)),
    }


def _check_keys(keys: list[str], used: set[int]) -> None:
    """Refuse a key that no column has any use for."""
    for at, key in enumerate(keys):
        if key and at not in used:
            raise ConfigError(f"No column has any use for key_{'abc'[at]}. Leave it empty.")


def _own_settings(given: Any) -> dict[str, Any]:
    """Return the settings that columns can have of their own, as the page offers them."""
    settings = {} if given in (None, "") else given
    if not isinstance(settings, dict) or not settings.keys() <= set(OWN):
        raise ConfigError(
            f"settings must be an object with some of {', '.join(OWN)}, each with one value or "
            'one for each column, such as {"steps": [10, 50]}.'
        )
    return settings


def _one_or_more(name: str, given: Any) -> str | list[str]:
    """Return the only text of a list, or the list."""
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not texts or not all(isinstance(t, str) for t in texts):
        raise ConfigError(f'{name} must be a list of texts, such as ["…", "…"].')
    return texts[0] if len(texts) == 1 else texts


def _checked(settings: dict[str, Any]) -> RunConfig:
    """Return settings, checked, with no more perturbations than programs may ask for."""
    config = checked_config(settings)
    if (config.perturbations or 0) > MAX_PERTURBATIONS:
        raise ConfigError(
            f"The number of perturbations must be from 1 to {MAX_PERTURBATIONS} here, not "
            f"{config.perturbations}. The page takes more."
        )
    return config


def build() -> None:
    """Make the endpoints; their components are never drawn."""
    gr.Button(visible=False).click(
        explain,
        [
            gr.Image(type="filepath", image_mode=None, label="image", visible=False),
            gr.Textbox(label="instruction", visible=False),
            gr.Textbox(BUNDLED_EDITOR, label="editor", visible=False),
            gr.Number(None, label="perturbations", visible=False),
            gr.Number(0, label="seed", visible=False),
            gr.Image(type="filepath", image_mode=None, label="mask", visible=False),
            KeyField(label="key", type="password", visible=False),
        ],
        gr.JSON(label="explanation", visible=False),
        api_name="explain",
        preprocess=False,  # the engine's own checks speak for every value
        concurrency_limit=1,
        concurrency_id=EDITOR_TURN,
    )
    gr.Button(visible=False).click(
        compare,
        [
            gr.Image(type="filepath", image_mode=None, label="image", visible=False),
            gr.JSON(label="instructions", visible=False),
            gr.JSON([BUNDLED_EDITOR], label="editors", visible=False),
            gr.Number(None, label="perturbations", visible=False),
            gr.Number(0, label="seed", visible=False),
            gr.JSON({}, label="settings", visible=False),
            gr.Image(type="filepath", image_mode=None, label="mask", visible=False),
            *(KeyField(label=f"key_{letter}", type="password", visible=False) for letter in "abc"),
        ],
        gr.JSON(label="comparison", visible=False),
        api_name="compare",
        preprocess=False,
        concurrency_limit=1,
        concurrency_id=EDITOR_TURN,
    )
