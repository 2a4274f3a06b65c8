from __future__ import annotations

from dataclasses import replace

import pytest

from smile_core.config import ConfigError
from smile_core.editors import list_editors, load_api_editor, load_editor
from smile_core.editors.api_editors import API_CARDS
from smile_core.editors.hf_inference import HFInference
from smile_core.editors.openai_images import OpenAIImages
from tests.editors.conftest import KEY

MADE = {"openai": OpenAIImages, "hf-inference": HFInference}
OWNERS = "owners-key-0123456789"


@pytest.fixture
def _public(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hosted Space whose owner keeps keys in its environment."""
    monkeypatch.setenv("SPACE_ID", "someone/smile")
    for card in API_CARDS:
        monkeypatch.setenv(card.key_variable, OWNERS)


@pytest.mark.parametrize("card", API_CARDS, ids=lambda card: card.name)
def test_each_card_is_listed_and_makes_its_editor(card) -> None:
    assert card in list_editors()
    editor = load_api_editor(card, KEY)
    assert type(editor) is MADE[card.family]
    assert editor._key().reveal() == KEY


@pytest.mark.parametrize("card", API_CARDS, ids=lambda card: card.name)
@pytest.mark.parametrize("key", [None, ""])
def test_at_home_the_key_of_the_environment_will_do(card, key, monkeypatch) -> None:
    monkeypatch.delenv("SPACE_ID", raising=False)
    monkeypatch.setenv(card.key_variable, OWNERS)
    assert load_api_editor(card, key)._key().reveal() == OWNERS


@pytest.mark.usefixtures("_public")
@pytest.mark.parametrize("card", API_CARDS, ids=lambda card: card.name)
def test_a_public_server_never_lends_its_owners_key(card) -> None:
    for load in (
        lambda: load_editor(card.name),
        lambda: load_api_editor(card),
        lambda: load_api_editor(card, ""),
    ):
        with pytest.raises(ConfigError, match="with your own key only") as caught:
            load()
        assert OWNERS not in str(caught.value)
    assert load_api_editor(card, KEY)._key().reveal() == KEY


def test_other_editors_take_no_key() -> None:
    with pytest.raises(ConfigError, match="takes no key"):
        load_api_editor(replace(API_CARDS[0], family="instruct-pix2pix"), KEY)
