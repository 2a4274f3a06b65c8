"""The engine against toy editors whose truth is known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from smile_core import __version__, explain, stream
from smile_core.config import SURROGATES, ConfigError, RunConfig
from smile_core.edit_cache import EditCache
from smile_core.editors import EditFailure
from smile_core.explanation import DRIVES, EDITED, NO_EFFECT, Scale
from smile_core.response import WITHOUT
from tests.toy_editors import BASE, EFFECTS, INSTRUCTION, ToyEditor, ToyEncoder, photo
from tests.toy_runs import WORDS, last, run, same, weights

# How far the full edit lies from the edit without instruction.
WAY = sum(EFFECTS.values())
TRUTH = np.array([EFFECTS[word] / WAY for word in WORDS])

# Known answers


@pytest.mark.parametrize("surrogate", [name for name in SURROGATES if name != "lime"])
@pytest.mark.parametrize("perturbations", [24, 64])
def test_a_linear_editor_gets_its_weights_back(surrogate: str, perturbations: int) -> None:
    found = last(surrogate=surrogate, perturbations=perturbations)
    # y = 1 - d/D, and leaving a word out moves the picture by exactly its effect.
    assert np.abs(weights(found) - TRUTH).max() < 1e-6
    assert found.fidelity["r2_w"] == pytest.approx(1, abs=1e-9)
    assert found.outcome == EDITED
    # Less than 5 % of the way does not matter: "make" weighs 3 of 66.
    assert [unit.verdict for unit in found.units] == [
        NO_EFFECT, NO_EFFECT, NO_EFFECT, DRIVES, NO_EFFECT, DRIVES,
    ]  # fmt: skip
    for unit in found.units:
        assert unit.measured
        assert unit.low <= unit.weight <= unit.high
        assert unit.high - unit.low < 1e-5  # nothing is left over that a weight could be off by
        assert unit.exact or perturbations == 24  # all 62 were run, so nothing was sampled


def test_every_number_can_be_worked_out_by_hand() -> None:
    found = last()
    for sample in found.samples:
        missing = sum(EFFECTS[w] for w, kept in zip(WORDS, sample.mask, strict=True) if not kept)
        assert sample.prompt == " ".join(
            w for w, kept in zip(WORDS, sample.mask, strict=True) if kept
        )
        assert sample.image_distance == pytest.approx(missing)
        assert sample.similarity == pytest.approx(1 - missing / WAY)
        assert sample.predicted == pytest.approx(sample.similarity)
        assert sample.image.getpixel((0, 0))[0] == BASE + WAY - missing
        assert 0 < sample.sample_weight <= 1
        assert 0 <= sample.p_value <= 1
    total = np.array([1.0, *(s.sample_weight for s in found.samples)])
    assert found.effective_sample_size == pytest.approx(total.sum() ** 2 / (total**2).sum())
    assert found.reference.mask == (1,) * 6
    assert found.reference.image_distance == 0
    assert found.reference.similarity == 1
    # The whole picture gets darker by as many levels, so every block of it does.
    assert found.scale == Scale(rests_on=WITHOUT, value=WAY, floor=0.0, visible=WAY)
    assert found.repeats is None
    assert found.source.tobytes() == photo().tobytes()
    assert len(found.projection) == len(found.samples) + 1


def test_an_interacting_editor_shows_its_interaction() -> None:
    editor = ToyEditor(pair=("very", "snowy"), bonus=30)
    found = last(editor, interactions=True)
    strongest = max(found.interactions, key=lambda entry: abs(entry[2]))
    assert strongest[:2] == (WORDS.index("very"), WORDS.index("snowy"))
    assert strongest[2] == pytest.approx(30 / 96, abs=1e-6)
    others = [c for *pair, c in found.interactions if tuple(pair) != strongest[:2]]
    assert np.abs(others).max() < 1e-6
    assert found.fidelity["r2_w"] > last(editor).fidelity["r2_w"] + 0.01


def test_lime_is_cosine_everywhere() -> None:
    found = last(surrogate="lime")
    assert found.config["image_distance"] == found.config["text_distance"] == "cosine"
    kept = np.array([sum(sample.mask) for sample in found.samples]) / 6
    measured = [sample.text_distance for sample in found.samples]
    assert np.allclose(measured, 1 - np.sqrt(kept))
    assert any("LIME" in note for note in found.notes)


def test_the_order_of_the_words_moves_the_weights_along() -> None:
    turned = "foggy and snowy very it make"
    found, other = last(), last(instruction=turned)
    by_word = {unit.text: unit.weight for unit in found.units}
    assert all(unit.weight == pytest.approx(by_word[unit.text]) for unit in other.units)


def test_a_word_that_comes_twice_is_two_units() -> None:
    editor = ToyEditor(effects={"very": 10, "cold": 20})
    found = last(editor, instruction="very very cold")
    assert [unit.text for unit in found.units] == ["very", "very", "cold"]
    # The same prompt from two masks is made once and counted twice.
    # One more is the full instruction, another the edit without any.
    assert {sample.prompt for sample in found.samples} == {"very very", "very cold", "very", "cold"}
    assert editor.made == 4 + 2
    assert weights(found) == pytest.approx([10 / 40, 10 / 40, 20 / 40], abs=1e-6)


@pytest.mark.parametrize("distance", ["cosine", "sliced-wasserstein", "gaussian-w2", "energy"])
def test_other_distances_run(distance: str) -> None:
    found = last(image_distance=distance, perturbations=16)
    assert weights(found).argmax() == WORDS.index("snowy")


# The same run, the same result


def test_the_result_does_not_depend_on_the_batches() -> None:
    one, other = last(batch_size=1), last(batch_size=64)
    assert np.allclose(weights(one), weights(other), atol=0)
    assert same(replace(one, config={}), replace(other, config={}))


def test_the_same_seed_gives_the_same_bytes_and_another_does_not() -> None:
    assert same(last(perturbations=20), last(perturbations=20))
    assert not same(last(perturbations=20), last(perturbations=20, seed=1))


def test_every_picture_is_encoded_once() -> None:
    eyes = ToyEncoder()
    config = RunConfig(instruction=INSTRUCTION, perturbations=20)
    *_, end = stream(photo(), config, editor=ToyEditor(), encoder=eyes, cache=None)
    found = end.explanation
    samples = (found.reference, found.without_instruction, *found.samples)
    assert eyes.seen == len({sample.image.tobytes() for sample in samples}) <= 22


def test_timing_and_versions_are_told() -> None:
    found = last(ToyEditor(delay_s=0.002), perturbations=16)
    timing = found.timing
    assert timing["edit_s"] > 18 * 0.002
    assert timing["edit_s"] + timing["encode_s"] + timing["other_s"] == pytest.approx(
        timing["total_s"]
    )
    assert found.versions["smile"] == __version__
    assert {"python", "torch", "diffusers", "transformers", "numpy", "sklearn", "pot", "gensim"} < (
        found.versions.keys()
    )
    assert "unknown" not in found.versions.values()


# Without any instruction


def test_the_edit_without_instruction_is_made_second_and_is_no_sample() -> None:
    editor = ToyEditor()
    snapshots = run(editor, perturbations=20)
    assert editor.calls[0] == [INSTRUCTION, ""]
    found = snapshots[-1].explanation
    for explanation in (snapshots[0].explanation, found):
        without = explanation.without_instruction
        assert (without.prompt, without.mask, without.failed) == ("", (0,) * 6, None)
        assert without.image.getpixel((0, 0))[0] == BASE
        assert without.image_distance == pytest.approx(WAY)
        assert without.similarity is without.sample_weight is without.predicted is None
    assert snapshots[-1].done == snapshots[-1].total == 22
    assert len(found.samples) == 20
    assert len(found.projection) == 21


# p-values


def test_the_p_value_cutoff_leaves_samples_out() -> None:
    whole = last(perturbations=30)
    values = sorted(sample.p_value for sample in whole.samples)
    cutoff = (values[9] + values[20]) / 2
    found = last(perturbations=30, p_cutoff=cutoff)
    kept = [sample.sample_weight is not None for sample in found.samples]
    assert kept == [sample.p_value <= cutoff for sample in found.samples]
    assert any("p-value above" in note for note in found.notes)


def test_a_cutoff_that_nothing_passes() -> None:
    found = last(perturbations=10, p_cutoff=0.0)
    assert not weights(found).any()
    assert any("10 of 10 edits have a p-value above 0" in note for note in found.notes)


# Seeds


def test_several_seeds_are_averaged_and_the_noise_floor_is_told() -> None:
    editor = ToyEditor(seed_step=2)
    found = last(editor, seeds=3, perturbations=16)
    assert editor.made == 3 * 18
    # Every picture moves by 2 levels a seed: against the first seed by 2 and by 4.
    assert found.noise_floor == pytest.approx(3)
    # Each is compared with the full edit of its own seed, so nothing of it is left in the weights.
    assert np.abs(weights(found) - TRUTH).max() < 1e-6
    assert found.scale.floor == 0
    assert last(editor, perturbations=16).noise_floor is None


def test_more_seeds_reuse_the_first(tmp_path: Path) -> None:
    cache = EditCache(tmp_path)
    last(cache=cache, perturbations=8)
    more = ToyEditor()
    last(more, cache=cache, perturbations=8, seeds=2)
    assert more.made == 10


# What editors may be, and may not return


def test_three_lines_are_enough(tmp_path: Path) -> None:
    def paint(image: Image.Image, prompts: list[str], seed: int) -> list[Image.Image]:
        toy = ToyEditor(effects={"red": 90})
        return [Image.new("RGB", image.size, (toy.level(p), 60, 60)) for p in prompts]

    path = tmp_path / "photo.png"
    photo().save(path)
    result = explain(path, "make it red", editor=paint, perturbations=6)
    assert result.editor == "paint"
    assert [unit.text for unit in result.units] == ["make", "it", "red"]
    # With "red" it is the full edit, and without it the edit without instruction, to any encoder.
    assert weights(result) == pytest.approx([0, 0, 1], abs=1e-6)


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        (lambda image, prompts, seed: [image], "returned 1 pictures for 4 prompts"),
        (lambda image, prompts, seed: [np.zeros((4, 4, 3))] * len(prompts), "returned a ndarray"),
    ],
)
def test_an_editor_that_breaks_the_contract(answers: object, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        run(answers)


def test_a_run_asks_for_nothing_when_a_setting_is_wrong() -> None:
    editor = ToyEditor()
    for settings in (
        {"instruction": "snowy"},
        {"instruction": " ".join(["word"] * 65)},
        {"steps": 4},
        {"instruction": "a b c d e f g h i j k", "interactions": True},
        {"word_vectors": "no-such-vectors"},
    ):
        with pytest.raises(ConfigError):
            run(editor, **settings)
    with pytest.raises(ConfigError):
        stream(b"not a picture", RunConfig(instruction=INSTRUCTION), editor=editor)
    assert editor.made == 0


def test_an_editor_without_a_seed_says_so() -> None:
    editor = ToyEditor()
    editor.card = replace(editor.card, takes_seed=False)
    assert any("takes no seed" in note for note in last(editor, perturbations=8).notes)


def test_a_failure_is_no_picture() -> None:
    found = last(
        lambda image, prompts, seed: [
            EditFailure("no") if prompt == "snowy" else Image.new("L", image.size, len(prompt))
            for prompt in prompts
        ],
        instruction="make snowy",
    )
    assert [sample.failed for sample in found.samples if sample.prompt == "snowy"] == ["no"]
    assert found.reference.image.mode == "RGB"
