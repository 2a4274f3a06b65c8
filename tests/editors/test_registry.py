from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import pytest
from PIL import Image

from smile_core.config import BUNDLED_EDITOR, ConfigError
from smile_core.editors import (
    CallableEditor,
    EditFailure,
    Editor,
    EditorCard,
    add_editor,
    devices,
    list_editors,
    load_editor,
    register_editor,
    registry,
)
from smile_core.editors.protocol import fit_to_card
from smile_core.editors.registry import find_card, kind_of, make_room

EXAMPLE = Path(__file__).parents[2] / "assets" / "editors" / "examples" / "command.toml"
PHOTO = Image.new("RGB", (32, 32), "gray")


def copy_photo(image: Image.Image, prompts: Sequence[str], seed: int) -> list[Image.Image]:
    return [image.copy() for _ in prompts]


@pytest.fixture
def _own_registry() -> Iterator[None]:
    before = dict(registry._REGISTRY)
    yield
    registry._REGISTRY.clear()
    registry._REGISTRY.update(before)
    registry._load.cache_clear()


def test_the_bundled_editor_comes_first() -> None:
    names = [card.name for card in list_editors()]
    assert names[0] == BUNDLED_EDITOR
    assert "instruct-pix2pix" in names
    assert len(set(names)) == len(names)


@pytest.mark.usefixtures("_own_registry")
def test_a_registered_editor_loads_once() -> None:
    @register_editor(EditorCard(name="copy", title="Copy", family="callable"))
    def make() -> Editor:
        return CallableEditor(copy_photo, name="copy")

    assert list_editors()[-1].title == "Copy"
    editor = load_editor("copy")
    assert isinstance(editor, Editor)
    assert load_editor("copy") is editor


@pytest.mark.usefixtures("_own_registry")
def test_a_name_that_is_taken_warns_and_is_replaced() -> None:
    card = EditorCard(name="copy", title="Copy", family="callable")
    register_editor(card)(lambda: CallableEditor(copy_photo, name="first"))
    assert load_editor("copy").name == "first"
    with pytest.warns(UserWarning, match="'copy' was registered again"):
        register_editor(card)(lambda: CallableEditor(copy_photo, name="second"))
    assert load_editor("copy").name == "second"


@pytest.mark.usefixtures("_own_registry")
def test_a_file_and_a_folder_are_added_to_the_list(
    tiny_pipeline: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tiny_pipeline.parents[1])
    folder = f"{tiny_pipeline.parent.name}/{tiny_pipeline.name}"  # it could be a hub id, too
    before = list_editors()
    cards = (add_editor(str(EXAMPLE)), add_editor(folder))
    assert list_editors() == (*before, *cards)
    assert [card.name for card in cards] == ["my-program", tiny_pipeline.name]
    for card, path in zip(cards, (str(EXAMPLE), folder), strict=True):
        editor = load_editor(card.name)
        assert (editor.name, editor.card) == (card.name, card)
        assert editor.fingerprint == load_editor(path).fingerprint  # the same kept edits
    assert add_editor("my-program") == cards[0]
    assert list_editors() == (*before, *cards)


@pytest.mark.usefixtures("_own_registry")
def test_a_folder_may_be_called_what_it_is_typed_as(
    tiny_pipeline: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tiny_pipeline.parent)
    assert add_editor(tiny_pipeline.name).name == tiny_pipeline.name
    assert load_editor(tiny_pipeline.name).card.title == "Tiny"


@pytest.mark.usefixtures("_own_registry")
def test_an_editor_that_cannot_be_added_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own.toml"
    own.write_text(EXAMPLE.read_text().replace("my-program", BUNDLED_EDITOR))
    with pytest.raises(ConfigError, match="is called 'scene-pix2pix', as another one is"):
        add_editor(str(own))
    with pytest.raises(ConfigError, match="Unknown editor 'nobody'"):
        add_editor("nobody")
    monkeypatch.setenv("SPACE_ID", "someone/smile")
    with pytest.raises(ConfigError, match="this public server loads no others"):
        add_editor(str(EXAMPLE))


@pytest.mark.usefixtures("_own_registry")
def test_the_editor_used_longest_ago_makes_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "_CGROUP", tmp_path)
    (tmp_path / "memory.max").write_text("1000000000")
    loaded = 0

    def use(change: int) -> None:
        nonlocal loaded
        loaded += change
        (tmp_path / "memory.current").write_text(str(loaded * 300_000_000))

    def make(name: str) -> Editor:
        editor = CallableEditor(copy_photo, name=name)
        use(1)
        weakref.finalize(editor, use, -1)
        return editor

    for name in ("one", "two", "three"):
        register_editor(EditorCard(name=name, title=name, family="callable"))(partial(make, name))
    for name in ("one", "two", "three", "one"):
        load_editor(name)
    make_room(0.3, "cpu")  # 0.1 GB are free, and each editor has 0.3
    assert loaded == 2
    load_editor("one")
    load_editor("three")
    assert loaded == 2  # both were still there
    load_editor("two")
    make_room(1.1, "cpu")  # more than there is
    assert loaded == 3
    make_room(0.9, "cpu")
    assert loaded == 0


def test_a_public_server_loads_registered_names_only(
    tiny_pipeline: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPACE_ID", "someone/smile")
    registry._load.cache_clear()
    for name in (str(tiny_pipeline), "nobody/never-downloaded"):
        with pytest.raises(ConfigError, match="this public server loads no others"):
            load_editor(name)
    assert load_editor(BUNDLED_EDITOR).name == BUNDLED_EDITOR


@pytest.mark.parametrize(
    ("space", "told", "public"),
    [("", "", False), ("a/b", "", True), ("", "1", True), ("a/b", "0", False), ("", "0", False)],
)
def test_which_server_is_public(
    space: str, told: str, public: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPACE_ID", space)
    monkeypatch.setenv("SMILE_PUBLIC", told)
    assert registry.is_public_server() is public


def test_the_hub_id_of_a_model_that_has_a_card_is_its_name() -> None:
    assert kind_of("stabilityai/sd-turbo") == "registered"
    assert find_card("stabilityai/sd-turbo") is find_card("sd-turbo")
    kontext = find_card("black-forest-labs/FLUX.1-Kontext-dev")
    assert kontext.name == "flux1-kontext"  # and not the one behind an API


def test_what_a_name_stands_for_is_told_without_loading(tiny_pipeline: Path) -> None:
    assert kind_of(BUNDLED_EDITOR) == "registered"
    assert kind_of("my.toml") == "description"
    assert kind_of("weights.pkl") == "turbo"
    assert kind_of(str(tiny_pipeline)) == kind_of("someone/model") == "model"
    with pytest.raises(ConfigError, match="Unknown editor 'nobody'"):
        kind_of("nobody")


def test_a_card_is_found_by_name_and_by_folder(tiny_pipeline: Path) -> None:
    assert find_card(BUNDLED_EDITOR) == list_editors()[0]
    card = find_card(str(tiny_pipeline))
    assert card is not None
    assert card == load_editor(str(tiny_pipeline)).card
    assert find_card("weights.pkl") is None
    with pytest.raises(ConfigError, match="not on this machine"):
        find_card("nobody/never-downloaded")


def test_an_unknown_name_lists_the_choices_and_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"Did you mean 'scene-pix2pix'\?.*instruct-pix2pix"):
        load_editor("scene-pixpix")
    with pytest.raises(ConfigError, match="Choose one of"):
        load_editor("<script>")


def test_a_hub_model_with_no_network_is_one_sentence() -> None:
    with pytest.raises(ConfigError, match="not on this machine") as caught:
        load_editor("nobody/never-downloaded")
    assert "\n" not in str(caught.value)


def test_a_function_is_an_editor() -> None:
    editor = CallableEditor(copy_photo)
    assert isinstance(editor, Editor)
    assert editor.name == "copy_photo"
    assert editor.fingerprint is None
    assert editor.edit(PHOTO, ["a", "b"], seed=0) == [PHOTO, PHOTO]


def test_a_function_may_give_none_for_a_picture() -> None:
    editor = CallableEditor(lambda image, prompts, seed: [image, None], name="half")
    first, second = editor.edit(PHOTO, ["a", "b"], seed=0)
    assert first == PHOTO
    assert isinstance(second, EditFailure)


def test_a_function_has_no_knobs_to_turn() -> None:
    with pytest.raises(ConfigError, match="has no steps"):
        CallableEditor(copy_photo).edit(PHOTO, ["a"], seed=0, steps=5)


def test_something_else_is_not_an_editor() -> None:
    with pytest.raises(ConfigError, match="not int"):
        CallableEditor(3)  # type: ignore[arg-type]


def test_a_function_gets_large_photos_smaller_and_small_ones_as_they_are() -> None:
    large = Image.new("RGB", (4000, 3000))
    small = Image.new("RGB", (300, 200))
    assert fit_to_card(large, CallableEditor(copy_photo).card).size == (1024, 768)
    assert fit_to_card(small, CallableEditor(copy_photo).card) is small
    assert fit_to_card(large, CallableEditor(copy_photo, long_side=512).card).size == (512, 384)
    assert fit_to_card(large, CallableEditor(copy_photo, long_side=None).card) is large
