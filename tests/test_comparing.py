"""Columns that run side by side, on editors whose answers are known."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import pytest
from PIL import Image

from smile_core.columns import column_configs
from smile_core.comparing import ComparisonSnapshot, compare, stream_comparison
from smile_core.comparison_sentence import summarize_comparison
from smile_core.config import ConfigError, RunConfig
from smile_core.edit_cache import EditCache
from smile_core.editors import EditorCard
from smile_core.engine import RunError
from smile_core.explanation import EDITED, NOTHING_HAPPENED, UNCHANGED
from smile_core.projection import tsne
from tests.toy_editors import EFFECTS, INSTRUCTION, ToyEditor, ToyEncoder, photo
from tests.toy_runs import last

# The second editor hardly hears "snowy", hears "foggy" more, and takes "make" the other way.
OTHER_EFFECTS = {"make": 30, "it": 1, "very": 0, "snowy": 0, "and": 2, "foggy": 60}


def pair(**changes: object) -> list[ToyEditor]:
    return [
        ToyEditor(name="first", **changes),
        ToyEditor(OTHER_EFFECTS, name="second", fingerprint="toy-2"),
    ]


class MaskedToy(ToyEditor):
    def edit(self, image, prompts, *, mask, **knobs):
        assert mask.size == image.size
        return super().edit(image, prompts, **knobs)


def run(
    editors: Sequence[ToyEditor],
    instructions: Sequence[str] = (INSTRUCTION,),
    *,
    cache: EditCache | None = None,
    stop=None,
    perturbations: int = 14,
    **settings: object,
) -> list[ComparisonSnapshot]:
    texts = list(instructions) * (len(editors) if len(instructions) == 1 else 1)
    # As in `toy_runs`: the words of a toy add up along a line.
    given = {"image_distance": "wasserstein", "perturbations": perturbations} | settings
    configs = [RunConfig(instruction=text, **given) for text in texts]
    return list(
        stream_comparison(
            photo(), configs, editors=editors, encoder=ToyEncoder(), cache=cache, stop=stop
        )
    )


@pytest.fixture(scope="module")
def snapshots() -> list[ComparisonSnapshot]:
    return run(pair(), perturbations=64)


def test_differences_and_verdicts_are_those_of_the_editors(snapshots) -> None:
    """All 62 masks are run, so a weight is a word's effect by the sum of all of them."""
    comparison = snapshots[-1].comparison
    assert [column.label for column in comparison.columns] == ["first", "second"]
    assert [row.text for row in comparison.rows] == INSTRUCTION.split()
    for row in comparison.rows:
        truth = EFFECTS[row.text] / 66 - OTHER_EFFECTS[row.text] / 93
        (difference,) = row.differences
        assert difference.value == pytest.approx(truth, abs=1e-6)
        assert difference.exact  # nothing was left to chance
    said = {row.text: row.differences[0].verdict for row in comparison.rows}
    assert said["snowy"] == '"snowy" matters to first, not to second'
    assert said["foggy"] == 'second listens to "foggy" more than first'
    assert said["make"] == '"make" matters to second, not to first'
    assert said["very"] == 'neither first nor second listens to "very"'


def test_each_column_is_what_it_is_alone(snapshots) -> None:
    for column, editor in zip(snapshots[-1].comparison.columns, pair(), strict=True):
        alone = last(editor)
        assert column.explanation.units == alone.units
        assert column.explanation.fidelity == alone.fidelity
        assert column.explanation.projection == alone.projection


def test_masks_and_photo_are_the_same_in_all_columns() -> None:
    one, other = run(pair(), perturbations=20, seed=5)[-1].comparison.explanations
    assert [s.mask for s in one.samples] == [s.mask for s in other.samples]
    assert [s.prompt for s in one.samples] == [s.prompt for s in other.samples]
    assert one.seed == other.seed == 5
    assert one.source.tobytes() == other.source.tobytes()
    comparison = run(pair(), perturbations=20, seed=5)[-1].comparison
    assert comparison.contrasts[0].shared_masks == 20
    assert comparison.notes == ()


def test_columns_take_turns(snapshots) -> None:
    turns = [snapshot.turn for snapshot in snapshots]
    assert turns[:6] == [0, 1, 0, 1, 0, 1]
    for snapshot in snapshots:
        done = [0 if one is None else one.done for one in snapshot.snapshots]
        assert abs(done[0] - done[1]) <= 8
        assert snapshot.done == sum(done)
        assert snapshot.total == 2 * 64
    assert [s.state for s in snapshots[:-1]] == ["running"] * (len(snapshots) - 1)
    assert snapshots[-1].state == "finished"
    assert snapshots[0].comparison.columns[1].explanation is None
    assert snapshots[0].comparison.contrasts == (None,)


def test_a_slow_editor_does_not_hold_a_quick_one_with_a_cache_back(tmp_path) -> None:
    """Turns go by answers, so what one column finds in the cache is made good by the other."""
    cache = EditCache(tmp_path)
    run(pair(), cache=cache, perturbations=30)
    again = [ToyEditor(name="first"), ToyEditor(OTHER_EFFECTS, name="new", fingerprint="toy-3")]
    turns = [s.turn for s in run(again, cache=cache, perturbations=30)]
    assert turns[:2] == [0, 1]
    assert turns.count(0) < turns.count(1)
    assert again[0].made == 0


def test_stop_ends_all_columns_and_keeps_everything() -> None:
    editors = pair()
    end = run(editors, perturbations=64, stop=lambda: editors[1].painted >= 12)[-1]
    assert end.state == "stopped"
    assert [s.state for s in end.snapshots] == ["stopped", "stopped"]
    one, other = end.comparison.explanations
    # Twelve edits are the full one, the one without instruction and ten shortened ones.
    assert 10 <= len(one.samples) < 62
    assert len(other.samples) == 10
    assert all("Stopped after" in " ".join(found.notes) for found in (one, other))
    assert all(row.differences[0] is not None for row in end.comparison.rows)
    places = [column.places for column in end.comparison.columns]
    assert [len(spots) for spots in places] == [len(one.samples) + 1, len(other.samples) + 1]


def test_stop_before_the_first_edit_leaves_two_empty_columns() -> None:
    end = run(pair(), stop=lambda: True)[-1]
    assert end.state == "stopped"
    assert end.done == 0
    assert end.comparison.explanations == ()
    assert end.comparison.rows == ()
    assert end.comparison.contrasts == (None,)


def refuse_the_rest(editor: ToyEditor) -> None:
    """Let an editor fail at all but the full instruction and the first 12 prompts."""
    prompts = [s.prompt for s in last(editor, perturbations=40).samples]
    editor.fails = tuple(prompts[12:])


def test_a_failing_column_keeps_what_it_has_and_spares_the_other() -> None:
    editors = pair()
    refuse_the_rest(editors[0])
    end = run(editors, perturbations=40)[-1]
    broken, whole = end.comparison.columns
    assert end.state == "finished"
    assert "more than half" in broken.failed
    assert len(broken.explanation.samples) > 12
    assert whole.failed is None
    assert whole.explanation.units == last(pair()[1], perturbations=40).units
    assert any(note.startswith("first ended early: ") for note in end.comparison.notes)
    assert end.snapshots[1].state == "finished"


def test_a_column_without_a_full_edit_has_no_weights() -> None:
    editors = pair(fails=(INSTRUCTION,))
    end = run(editors)[-1]
    broken, whole = end.comparison.columns
    assert "the toy refused" in broken.failed
    assert broken.explanation is None
    assert broken.places == ()
    assert end.done == end.total == 16
    assert len(whole.explanation.samples) == 14
    assert [row.units[0] for row in end.comparison.rows] == [None] * 6
    assert [row.units[1].text for row in end.comparison.rows] == INSTRUCTION.split()
    assert [row.differences for row in end.comparison.rows] == [(None,)] * 6


def test_an_editor_that_does_nothing_has_no_weights_beside_one_that_does() -> None:
    end = run([ToyEditor(name="busy"), ToyEditor({}, name="idle")], perturbations=40)[-1]
    busy, idle = end.comparison.explanations
    assert (busy.outcome, idle.outcome) == (EDITED, UNCHANGED)
    assert {unit.verdict for unit in idle.units} == {NOTHING_HAPPENED}
    assert busy.units == last(perturbations=40).units
    assert [row.differences for row in end.comparison.rows] == [(None,)] * 6
    said = summarize_comparison(end.comparison)
    assert said.startswith('busy: "snowy" (0.61')
    assert "idle changed nothing: " in said


def test_a_broken_promise_of_one_editor_spares_the_other() -> None:
    class Short(ToyEditor):
        def edit(self, image, prompts, **knobs):
            answers = super().edit(image, prompts, **knobs)
            return answers if self.made < 20 else answers[:-1]

    end = run([pair()[0], Short(name="short")], perturbations=40)[-1]
    assert "returned 7 pictures for 8 prompts" in end.comparison.columns[1].failed
    assert len(end.comparison.columns[1].explanation.samples) > 10
    assert len(end.comparison.columns[0].explanation.samples) == 40


def test_when_every_column_fails_the_last_state_is_told_first() -> None:
    seen = []
    configs = [RunConfig(instruction=INSTRUCTION)] * 2
    editors = [ToyEditor(name=name, fails=(INSTRUCTION,)) for name in ("one", "two")]
    with pytest.raises(RunError, match="Every column failed"):
        seen.extend(
            stream_comparison(photo(), configs, editors=editors, encoder=ToyEncoder(), cache=None)
            if not seen
            else []
        )


def test_the_map_is_one_of_all_edits(snapshots) -> None:
    """The same as t-SNE of all pooled features, taken edit by edit."""
    columns = snapshots[-1].comparison.columns
    levels = np.array(
        [
            [sample.image.getpixel((0, 0))[0] for sample in (e.reference, *e.samples)]
            for e in (column.explanation for column in columns)
        ],
        dtype=float,
    )  # (2, 63)
    pooled = np.column_stack([levels.T.ravel(), np.full(126, 100.0)])  # (126, 2)
    expected = tsne(pooled, 0).reshape(63, 2, 2)
    for index, column in enumerate(columns):
        np.testing.assert_allclose(np.array(column.places), expected[:, index], atol=1e-6)


def test_failed_edits_have_no_place_on_the_map() -> None:
    bad = last(perturbations=14).samples[7].prompt
    (column, _) = run(pair(fails=(bad,)))[-1].comparison.columns
    assert [i for i, place in enumerate(column.places) if place is None] == [8]


def test_instructions_are_matched_by_word() -> None:
    tool = ToyEditor()
    texts = ["make it very snowy", "make it gently snowy and foggy"]
    comparison = run([tool, tool], texts)[-1].comparison
    assert [column.label for column in comparison.columns] == [f"“{text}”" for text in texts]
    assert [row.text for row in comparison.rows] == "make it very snowy gently and foggy".split()
    assert [row.positions for row in comparison.rows][3:5] == [(3, 3), (None, 2)]
    with_difference = [row.text for row in comparison.rows if row.differences[0] is not None]
    assert with_difference == ["make", "it", "snowy"]
    assert comparison.names == ("A", "B")  # an instruction is no name
    assert comparison.contrasts[0].shared_masks == 0
    assert "no shortened instruction in common" in comparison.notes[0]


def test_instructions_of_one_length_share_their_masks() -> None:
    tool = ToyEditor()
    comparison = run([tool, tool], ["make it snowy", "make it foggy"])[-1].comparison
    assert comparison.contrasts[0].shared_masks == 6
    assert comparison.notes == ()


def test_two_settings_of_one_editor() -> None:
    configs = column_configs(
        instruction=INSTRUCTION, surrogate=["linear", "ridge"], perturbations=14
    )
    tool = ToyEditor()
    *_, end = stream_comparison(
        photo(), configs, editors=[tool, tool], encoder=ToyEncoder(), cache=None
    )
    labels = [column.label for column in end.comparison.columns]
    assert labels == ["surrogate linear", "surrogate ridge"]


def test_three_columns_are_held_against_the_first() -> None:
    editors = [*pair(), ToyEditor(name="third", fingerprint="toy-4")]
    comparison = run(editors)[-1].comparison
    assert len(comparison.contrasts) == 2
    snowy = next(row for row in comparison.rows if row.text == "snowy")
    assert snowy.differences[0].value > 0.5
    assert snowy.differences[1].value == pytest.approx(0, abs=1e-6)
    assert snowy.differences[1].verdict == 'first and third both listen to "snowy"'
    assert comparison.contrasts[1].rank_correlation == pytest.approx(1)


def test_columns_with_other_encoders_have_no_common_map(tmp_path) -> None:
    from transformers import Dinov2Config, Dinov2Model

    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1}
    Dinov2Model(Dinov2Config(**sizes, patch_size=112)).save_pretrained(tmp_path / "dino")
    configs = [
        RunConfig(instruction="very snowy", encoder=name)
        for name in ("efficientnet-lite0", str(tmp_path / "dino"))
    ]
    tool = ToyEditor()
    *_, end = stream_comparison(photo(), configs, editors=[tool, tool], cache=None)
    assert [column.places for column in end.comparison.columns] == [(), ()]
    assert "different encoders" in end.comparison.notes[0]


def test_the_clock_of_a_column_is_its_own() -> None:
    editors = [ToyEditor(name="slow", delay_s=0.02), ToyEditor(name="quick", fingerprint="q")]
    snapshots = run(editors, perturbations=20)
    slow, quick = snapshots[-1].comparison.explanations
    assert slow.timing["edit_s"] >= 21 * 0.02
    assert quick.timing["edit_s"] < 0.2
    assert quick.timing["total_s"] < slow.timing["total_s"]
    for found in (slow, quick):
        parts = [found.timing[name] for name in ("edit_s", "encode_s", "other_s")]
        assert found.timing["total_s"] == pytest.approx(sum(parts))
    second = snapshots[3].snapshots
    assert second[1].seconds_left < second[0].seconds_left
    assert snapshots[3].seconds_left == pytest.approx(sum(s.seconds_left for s in second))


def test_a_consumer_that_dawdles_is_on_nobodys_clock() -> None:
    configs = [RunConfig(instruction="very snowy fog")] * 2
    begun = time.perf_counter()
    runs = stream_comparison(photo(), configs, editors=pair(), encoder=ToyEncoder(), cache=None)
    seen = [(snapshot, time.sleep(0.1)) for snapshot in runs]
    passed = time.perf_counter() - begun
    end = seen[-1][0].comparison
    own = sum(found.timing["total_s"] for found in end.explanations)
    assert own < passed - 0.3


def test_a_mask_goes_to_the_editors_that_need_one() -> None:
    card = EditorCard(name="inside", title="Inside", family="test", needs_mask=True)
    editors = [ToyEditor(name="everywhere"), MaskedToy(name="inside", card=card)]
    configs = column_configs(instruction=INSTRUCTION, editor=["x", "y"], perturbations=8)
    *_, end = stream_comparison(
        photo(), configs, "whole", editors=editors, encoder=ToyEncoder(), cache=None
    )
    everywhere, inside = end.comparison.explanations
    assert everywhere.mask is None
    assert inside.mask.size == photo().size
    with pytest.raises(ConfigError, match="takes no mask"):
        stream_comparison(photo(), configs, "whole", editors=pair(), encoder=ToyEncoder())
    with pytest.raises(ConfigError, match="only inside a mask"):
        stream_comparison(photo(), configs, editors=editors, encoder=ToyEncoder())


def test_compare_in_one_call() -> None:
    def grey(image: Image.Image, prompts: Sequence[str], seed: int) -> list[Image.Image]:
        return [Image.new("RGB", image.size, (9 * len(p),) * 3) for p in prompts]

    comparison = compare(
        photo(), "very snowy", editors=[ToyEditor(), grey], image_distance="cosine"
    )
    assert [column.label for column in comparison.columns] == ["toy", "grey"]
    texts = ["very snowy", "very foggy"]
    comparison = compare(photo(), texts, editors=[grey], seed=4)
    assert [column.config.instruction for column in comparison.columns] == texts
    assert {column.config.seed for column in comparison.columns} == {4}


def test_columns_that_cannot_be_compared_are_refused() -> None:
    tool = ToyEditor()
    same = [RunConfig(instruction=INSTRUCTION)] * 2
    with pytest.raises(ConfigError, match="A and B are the same"):
        stream_comparison(photo(), same, editors=[tool, tool])
    with pytest.raises(ConfigError, match="two or three columns, not 1"):
        stream_comparison(photo(), same[:1], editors=[tool])
    with pytest.raises(ConfigError, match="has no steps"):
        stream_comparison(
            photo(),
            [RunConfig(instruction=INSTRUCTION), RunConfig(instruction=INSTRUCTION, steps=3)],
            editors=[tool, tool],
        )
