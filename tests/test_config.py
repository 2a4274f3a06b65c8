from __future__ import annotations

import json

import pytest

from smile_core.config import PAPER, ConfigError, RunConfig

WORDS = "make it snowy"


def test_defaults_are_the_recommended_preset() -> None:
    assert RunConfig.preset("recommended", instruction=WORDS) == RunConfig(instruction=WORDS)


def test_the_paper_preset_is_the_published_choice() -> None:
    config = RunConfig.preset("paper", instruction=WORDS, seed=3)
    assert {name: getattr(config, name) for name in PAPER} == PAPER
    assert config.seed == 3
    # The published kernel sqrt(exp(-d²/0.25²)) equals exp(-(d/σ)²).
    assert config.kernel_width == pytest.approx((2 * 0.25**2) ** 0.5)


def test_the_paper_preset_keeps_the_published_scale_and_number() -> None:
    config = RunConfig.preset("paper", instruction=WORDS)
    assert (config.response, config.perturbations) == ("min-max", 64)
    ours = RunConfig(instruction=WORDS)
    assert (ours.response, ours.perturbations, ours.blank) == ("share", None, None)
    assert ours.negligible == 0.05


def test_a_change_wins_over_the_preset() -> None:
    assert RunConfig.preset("paper", instruction=WORDS, encoder="mine").encoder == "mine"


def test_there_and_back_through_json() -> None:
    config = RunConfig.preset("paper", instruction="make it ❄ שלג", p_cutoff=0.1)
    assert RunConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_settings_cannot_be_changed_but_copied() -> None:
    config = RunConfig(instruction=WORDS)
    with pytest.raises(AttributeError):
        config.seed = 1  # type: ignore[misc]
    assert config.with_(seed=1).seed == 1
    with pytest.raises(ConfigError):
        config.with_(seed=-1)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"instruction": ""}, "empty"),
        ({"instruction": " \n\t"}, "empty"),
        ({"instruction": None}, "empty"),
        ({"instruction": "a " * 2500}, "5,000 characters"),
        ({"instruction": "make it \ud800"}, "half a character"),
        ({"perturbations": 0}, "from 1 to 4096, not 0"),
        ({"perturbations": -1}, "not -1"),
        ({"perturbations": 10**6}, "not 1000000"),
        ({"perturbations": "many"}, "whole number"),
        ({"perturbations": 6.5}, "whole number"),
        ({"perturbations": True}, "whole number"),
        ({"seed": 2**32}, "seed"),
        ({"seeds": 33}, "number of seeds"),
        ({"batch_size": 0}, "batch size"),
        ({"p_iterations": 10}, "p-value iterations"),
        ({"steps": 0}, "steps"),
        ({"image_distance": "wasserstien"}, "Did you mean 'wasserstein'"),
        ({"text_distance": "x"}, "Choose one of: cosine, wmd"),
        ({"surrogate": "forest"}, "Unknown surrogate"),
        ({"design": "x"}, "mask design"),
        ({"granularity": "letter"}, "granularity"),
        ({"order": 0.5}, "order"),
        ({"order": float("nan")}, "order"),
        ({"kernel_width": 0}, "kernel width"),
        ({"response": "shares"}, "Did you mean 'share'"),
        ({"blank": "nothing"}, "Unknown blank 'nothing'. Choose one of: edit, photo"),
        ({"negligible": 0}, "smallest effect that matters must be a number from 0.001 to 1"),
        ({"negligible": 1.1}, "smallest effect"),
        ({"negligible": None}, "smallest effect"),
        ({"p_cutoff": 1.5}, "p-value cutoff"),
        ({"guidance_scale": -1}, "guidance_scale"),
        ({"strength": 0}, "strength"),
        ({"strength": 1.5}, "strength"),
        ({"negative_prompt": 3}, "negative prompt"),
        ({"negative_prompt": "x" * 2001}, "negative prompt"),
        ({"image_guidance_scale": "high"}, "image_guidance_scale"),
        ({"scheduler": "dpm_solver"}, "Did you mean 'dpm-solver'"),
        ({"scheduler": 3}, "Unknown scheduler 3"),
    ],
)
def test_what_is_out_of_range_is_refused(change: dict, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        RunConfig(**{"instruction": WORDS, **change})
    assert "\n" not in str(caught.value)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"Unknown preset 'papr'\. Did you mean 'paper'"):
        RunConfig.preset("papr", instruction=WORDS)
    with pytest.raises(ConfigError, match="Unknown setting: colour"):
        RunConfig.preset("paper", instruction=WORDS, colour=1)
    with pytest.raises(ConfigError, match="Unknown setting: colour"):
        RunConfig.from_dict({"instruction": WORDS, "colour": 1})
