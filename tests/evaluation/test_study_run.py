"""Studies on a glass box: right verdicts, no edit twice, and no mark of an interruption."""

from __future__ import annotations

import csv
import io
import json
import os
from pathlib import Path

import numpy as np
import pytest

from smile_core.edit_cache import EditCache
from smile_core.evaluation.study_answers import answer_study
from smile_core.evaluation.study_journal import JOURNAL_FILE
from smile_core.evaluation.study_measures import robustness_name
from smile_core.evaluation.study_report import save_study
from smile_core.evaluation.study_result import results_csv
from smile_core.evaluation.study_run import run_study, stream_study, study_cost
from smile_core.evaluation.study_tables import Mean
from smile_core.explanation import DRIVES, NO_EFFECT, NOTHING_HAPPENED
from tests.evaluation.studies import HEAD, KEYWORDS, glass_study, part, run_glass
from tests.toy_editors import EFFECTS, INSTRUCTION, ToyEditor, ToyEncoder, photo, toy_card
from tests.toy_runs import last

PARTS = (
    part("accuracy", "accuracy", seeds=[0, 1])
    + part("faithfulness", "faithfulness")
    + part("fits", "fidelity", image_distances="[wasserstein, cosine, energy]",
           text_distances="[wmd, cosine]", surrogates="[linear, ridge]")
    + part("stability", "stability", changes='["###", please]')
)  # fmt: skip


def cell(table: object, column: str, row: int = 0) -> float:
    titles = [c.title for c in table.columns]
    value = table.rows[row][titles.index(column)]
    return value.value if isinstance(value, Mean) else value


def test_the_glass_box_comes_out_whole(tmp_path: Path) -> None:
    study = glass_study(tmp_path, PARTS)
    last = run_glass(study)[-1]
    assert last.state == "finished"
    assert len(last.pairs) == last.runs == 2 + 1 + 12 + 3
    for run, result in last.pairs:
        if run.part.name != "accuracy":
            continue
        assert result.accuracy.auroc == 1.0
        for unit in result.units:
            weight = EFFECTS[unit.text] / sum(EFFECTS.values())
            assert unit.weight == pytest.approx(weight, abs=1e-9)
            assert unit.verdict == (DRIVES if weight > 0.05 else NO_EFFECT), unit
    accuracy, faithfulness, *_ = answer_study(study, last.pairs)
    assert cell(accuracy.tables[0], "ATT AUROC") == 1.0
    assert cell(accuracy.tables[0], "ATT AUROC, paper") == 0.8943
    table = faithfulness.tables[0]
    assert cell(table, "Deletion area") > cell(table, "Deletion area, random order") + 0.1
    assert cell(table, "Insertion area") > cell(table, "Insertion area, random order") + 0.1
    assert cell(table, "Beats random") > 0.9


def test_no_edit_is_made_and_no_picture_encoded_twice(tmp_path: Path) -> None:
    study = glass_study(tmp_path, PARTS)
    editor, encoder = ToyEditor(name="glass"), ToyEncoder()
    cache = EditCache(tmp_path / "cache")
    given = {"editors": {"glass": editor}, "encoder": encoder, "cache": cache}
    cost = study_cost(study, editors={"glass": editor}, cache=cache)
    assert cost.seconds is None
    *_, last = stream_study(study, **given)
    assert len(editor.asked) == len(set(editor.asked))
    # The walk of deletion and insertion needs at most what was announced.
    assert editor.made <= cost.to_make["glass"] == cost.edits
    assert last.done == last.edits == cost.edits
    assert encoder.seen <= editor.made  # equal pictures are encoded once

    made = editor.made
    again = study_cost(study, editors={"glass": editor}, cache=cache)
    # Which edits the walk needs is not known before its run; at most all that 40 masks leave over.
    assert again.to_make["glass"] == 2**6 - 2 - 40
    *_, second = stream_study(study, **given)
    assert editor.made == made
    assert results_csv(second.pairs) == results_csv(last.pairs)


def test_the_cost_is_exact_where_no_edit_depends_on_a_result(tmp_path: Path) -> None:
    text = part("a", "accuracy", perturbations="[10, 20]")
    text += part("b", "cost", methods="[smile, lime]")
    study, editor = glass_study(tmp_path, text), ToyEditor(name="glass")
    cache = EditCache(tmp_path / "cache")
    # 40 perturbations hold the first 10 and 20 of the same seed, so 42 edits do for all: these,
    # the full edit and the one without instruction.
    assert study_cost(study, editors={"glass": editor}, cache=cache).to_make == {"glass": 42}
    last = run_glass(study, editor, cache=cache)[-1]
    assert editor.made == last.done == last.edits == last.fresh == 42
    assert [result.figures["edits"] for _, result in last.pairs] == [12, 22, 42, 42]
    assert sum(result.timing["fresh_edits"] for _, result in last.pairs) == 42
    assert study_cost(study, editors={"glass": editor}, cache=cache).to_make == {"glass": 0}


def test_progress_only_grows_and_ends_at_the_whole(tmp_path: Path) -> None:
    snapshots = run_glass(glass_study(tmp_path, PARTS), cache=EditCache(tmp_path / "cache"))
    for name in ("done", "fresh"):
        values = [getattr(snapshot, name) for snapshot in snapshots]
        assert values == sorted(values)
    runs = [len(snapshot.pairs) for snapshot in snapshots]
    assert runs == sorted(runs)
    assert {snapshot.edits for snapshot in snapshots} == {snapshots[-1].edits}
    assert snapshots[-1].done == snapshots[-1].edits
    assert snapshots[-1].seconds_left == 0


@pytest.mark.parametrize(("protocol", "least"), [("faithfulness", 3), ("robustness", 16)])
def test_progress_moves_while_a_part_measures(tmp_path: Path, protocol: str, least: int) -> None:
    """The 42 edits of the run are there first; whatever is told then is of the measuring."""
    study = glass_study(tmp_path, part("a", protocol), f"{HEAD}settings: {{batch_size: 4}}\n")
    editor = ToyEditor(name="glass", delay_s=0.005)
    snapshots = run_glass(study, editor, cache=EditCache(tmp_path / "cache"))
    measuring = [shot for shot in snapshots if shot.fresh >= 42 or shot.done >= 42]
    measuring = [shot for shot in measuring if not shot.pairs]
    assert len({shot.done for shot in measuring}) >= least
    left = [shot.seconds_left for shot in measuring]
    assert min(left) < 0.8 * max(left)  # not to nothing: the walk is shorter than announced
    assert snapshots[-1].done == snapshots[-1].edits


def test_attacks_make_no_edit_twice_and_what_was_announced(tmp_path: Path) -> None:
    """Padded and reordered are new; the editor with two faces shows what is there."""
    study, editor = glass_study(tmp_path, part("a", "robustness")), ToyEditor(name="glass")
    given = {"editors": {"glass": editor}, "cache": EditCache(tmp_path / "cache")}
    cost = study_cost(study, **given)
    *_, last = stream_study(study, encoder=ToyEncoder(), **given)
    assert editor.made == len(set(editor.asked)) == cost.to_make["glass"] == last.fresh
    assert study_cost(study, **given).to_make == {"glass": 0}


def test_phrases_are_attacked_as_phrases(tmp_path: Path) -> None:
    """The keyword is one word of a phrase; a phrase in brackets has several."""
    text = "make it snowy, (very calm), and foggy"
    given = f"{{text: '{text}', keywords: [snowy]}}"
    head = HEAD.replace("perturbations: 40", "settings: {granularity: phrase}")
    study = glass_study(tmp_path, part("a", "robustness", given), head)
    effects = {"snowy": 40, "snowy,": 40, "foggy": 20}
    last = run_glass(study, ToyEditor(effects=effects, name="glass"))[-1]
    (result,) = (result for _, result in last.pairs)
    assert [unit.text for unit in result.units] == ["make it snowy", "(very calm)", "and foggy"]
    assert result.truth == (1, 0, 0)
    for attack in ("none", "padded", "reordered"):
        assert result.measures[robustness_name("rank", attack, "smile")] == 1, attack
    assert result.measures[robustness_name("rank", "two-faced, 100 %", "smile")] > 1


def test_the_time_left_counts_edits_and_not_runs(tmp_path: Path) -> None:
    # One run of 42 edits, then twelve fits of them: by runs, the time left would be 12 times off.
    text = part("a", "fidelity", image_distances="[wasserstein, cosine, energy]",
                text_distances="[wmd, cosine]", surrogates="[linear, ridge]")  # fmt: skip
    editor = ToyEditor(name="glass", delay_s=0.02)
    snapshots = run_glass(glass_study(tmp_path, text), editor)
    early = next(s for s in snapshots if s.done >= 12)
    assert early.seconds_left == pytest.approx((42 - early.done) * 0.02, rel=0.5)


def test_a_stopped_study_goes_on_where_it_was(tmp_path: Path) -> None:
    study = glass_study(tmp_path, PARTS)
    cache = EditCache(tmp_path / "cache")
    whole = run_glass(study, cache=None)[-1]
    out = tmp_path / "out"
    out.mkdir()
    editor, left = ToyEditor(name="glass"), [120]

    def stop() -> bool:
        left[0] -= 1
        return left[0] < 0

    stopped = run_glass(study, editor, out=out, cache=cache, stop=stop)[-1]
    assert stopped.state == "stopped"
    assert 0 < len(stopped.pairs) < stopped.runs
    finished = run_glass(study, editor, out=out, cache=cache)[-1]
    assert finished.state == "finished"
    assert results_csv(finished.pairs) == results_csv(whole.pairs)
    assert editor.painted == len(set(editor.asked))  # the stop came in the middle of a call


def test_a_line_cut_by_a_kill_is_run_again(tmp_path: Path) -> None:
    study = glass_study(tmp_path, part("a", "accuracy", seeds=[0, 1]))
    cache = EditCache(tmp_path / "cache")
    whole = run_glass(study, out=tmp_path, cache=cache)[-1]
    journal = tmp_path / JOURNAL_FILE
    data = journal.read_bytes()
    journal.write_bytes(data[:-20])
    again = run_glass(study, out=tmp_path, cache=cache)[-1]
    assert results_csv(again.pairs) == results_csv(whole.pairs)
    lines = journal.read_text().splitlines()
    assert len(lines) == len({json.loads(line)["key"] for line in lines}) == 2


def test_other_keywords_are_not_given_the_results_of_the_first(tmp_path: Path) -> None:
    """The same edits and weights, judged by another truth: in one study, and in one mended."""
    texts = [f"{{text: {INSTRUCTION}, keywords: [{word}]}}" for word in ("snowy", "very", "foggy")]
    both = part("a", "accuracy", texts[0]) + part("b", "accuracy", texts[1])
    bare = part("c", "fidelity", INSTRUCTION)
    last = run_glass(glass_study(tmp_path, both + bare), out=tmp_path)[-1]
    assert [result.truth for _, result in last.pairs] == [
        (0, 0, 0, 1, 0, 0), (0, 0, 1, 0, 0, 0), None,
    ]  # fmt: skip
    mended = run_glass(glass_study(tmp_path, part("a", "accuracy", texts[2])), out=tmp_path)[-1]
    assert mended.pairs[0][1].truth == (0, 0, 0, 0, 0, 1)


def test_another_editor_under_the_name_does_not_get_old_results(tmp_path: Path) -> None:
    study = glass_study(tmp_path, part("a", "accuracy"))
    run_glass(study, out=tmp_path)
    other = ToyEditor({"make": 50}, name="glass", fingerprint="another")
    last = run_glass(study, other, out=tmp_path)[-1]
    assert last.pairs[0][1].units[0].weight == pytest.approx(1)


def test_a_function_without_a_fingerprint_is_run_anew(tmp_path: Path) -> None:
    study = glass_study(tmp_path, part("a", "accuracy"))
    toy = ToyEditor()
    for expected in (43, 86):  # the full edit is made twice, for nobody vouches for a function
        run_study(
            study, tmp_path, encoder=ToyEncoder(), cache=None,
            editors={"glass": lambda image, prompts, seed: toy.edit(image, prompts, seed=seed)},
        )  # fmt: skip
        assert toy.made == expected


def test_failures_are_told_and_tried_again(tmp_path: Path) -> None:
    study = glass_study(tmp_path, part("a", "accuracy", f"{KEYWORDS}, make it foggy"))
    broken = ToyEditor(name="glass", fails=(INSTRUCTION,))
    last = run_glass(study, broken, out=tmp_path)[-1]
    assert [bool(result.failed) for _, result in last.pairs] == [True, False]
    assert "The edit by the full instruction failed" in last.pairs[0][1].failed
    assert broken.made < 12  # without its full edit a run is given up at once
    row = results_csv(last.pairs).splitlines()[1]
    assert row.startswith("a,accuracy,glass,photo.png,")
    assert "the toy refused" in row
    (answer,) = answer_study(study, last.pairs)
    assert "1 of 2 runs failed" in answer.notes[-1]
    mended = run_glass(study, out=tmp_path)[-1]
    assert not any(result.failed for _, result in mended.pairs)


def test_the_csv_has_a_row_per_word_per_run_and_no_times(tmp_path: Path) -> None:
    study = glass_study(tmp_path, part("a", "accuracy", seeds=[0, 1]))
    last = run_glass(study)[-1]
    head, *rows = results_csv(last.pairs).splitlines()
    assert head.split(",")[-1] == "failed"
    assert len(rows) == 2 * len(INSTRUCTION.split())
    assert not [name for name in head.split(",") if name.endswith("_s") or "second" in name]
    values = dict(zip(head.split(","), rows[3].split(","), strict=True))
    assert (values["word"], values["keyword"], values["verdict"]) == ("snowy", "1", DRIVES)
    assert float(values["weight"]) == pytest.approx(last.pairs[0][1].units[3].weight, abs=1e-6)
    save_study(study, last.pairs, tmp_path / "out")
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"results.csv", "timings.csv", "summary.csv", "summary.md", "report.html"}
    timings = (tmp_path / "out" / "timings.csv").read_text().splitlines()
    assert len(timings) == 3


def test_seeds_repeat_to_the_byte(tmp_path: Path) -> None:
    study = glass_study(tmp_path, PARTS)
    one, other = (results_csv(run_glass(study)[-1].pairs) for _ in "ab")
    assert one == other
    titles = one.splitlines()[0].split(",")
    assert len(titles) == len(set(titles))
    weights = [row["weight"] for row in csv.DictReader(io.StringIO(one))]
    assert np.isfinite(np.array(weights, dtype=float)).all()


@pytest.mark.parametrize("size", [1, 5])
def test_batches_do_not_change_a_byte(tmp_path: Path, size: int) -> None:
    head = f"{HEAD}settings: {{batch_size: {size}}}\n"
    one, other = (results_csv(run_glass(study)[-1].pairs) for study in (
        glass_study(tmp_path, PARTS), glass_study(tmp_path, PARTS, head)))  # fmt: skip
    assert one == other


def test_a_photo_that_was_replaced_is_counted_anew(tmp_path: Path) -> None:
    study, editor = glass_study(tmp_path, part("a", "accuracy")), ToyEditor(name="glass")
    cache = EditCache(tmp_path / "cache")
    run_glass(study, editor, cache=cache)
    given = {"editors": {"glass": editor}, "cache": cache}
    assert study_cost(study, **given).to_make == {"glass": 0}
    file = tmp_path / "photo.png"
    before = file.stat().st_mtime_ns
    photo(40, 40).save(file)
    os.utime(file, ns=(before, before + 10**9))  # a clock may be coarse
    assert study_cost(study, **given).to_make == {"glass": 42}


class Drawing(ToyEditor):
    """Paints by chance, and says nothing of it."""

    def __init__(self, fingerprint: str | None = "drawn") -> None:
        draws = np.random.default_rng(1).integers(0, 4, 301).tolist()
        card = toy_card(repeatable=False)
        super().__init__(name="glass", chance=tuple(draws), card=card, fingerprint=fingerprint)


def test_a_study_finds_out_that_an_editor_differs_from_itself(tmp_path: Path) -> None:
    """Then it makes the first edits three times, as a run does, and says the same."""
    study, editor = glass_study(tmp_path, part("a", "accuracy")), Drawing()
    cache = EditCache(tmp_path / "cache")
    assert study_cost(study, editors={"glass": editor}, cache=cache).to_make == {"glass": 43}
    ((_, result),) = run_glass(study, editor, cache=cache)[-1].pairs
    assert editor.made == result.figures["edits"] == 40 + 3 + 3
    found = last(Drawing(), perturbations=40, cache=cache)
    assert result.units == found.units
    assert result.figures["noise_floor"] == found.noise_floor > 0


@pytest.mark.parametrize(("fields", "again"), [
    ({}, 0), ({"repeatable": False}, 1), ({"takes_seed": False}, 4),
    ({"takes_seed": False, "key_variable": "A_KEY"}, 2),
])  # fmt: skip
def test_a_walk_needs_no_more_than_was_announced(
    tmp_path: Path, fields: dict[str, object], again: int
) -> None:
    """Nothing is kept of an editor without a fingerprint but the first of its repeats."""
    study = glass_study(tmp_path, part("a", "faithfulness"))
    editor = ToyEditor(name="glass", card=toy_card(**fields), fingerprint=None)
    given = {"editors": {"glass": editor}, "cache": None}
    cost = study_cost(study, **given)
    firsts = (1 if "key_variable" in fields else 2) + again
    assert cost.to_make == {"glass": 40 + firsts + (62 - 40) + again}
    *_, last_shot = stream_study(study, encoder=ToyEncoder(), **given)
    assert 40 + firsts + again < editor.made <= cost.to_make["glass"]
    assert last_shot.done == last_shot.edits


def test_an_editor_that_does_nothing_is_judged_by_nobody(tmp_path: Path) -> None:
    """One level is a rounding, and an order by it would be chance."""
    parts = part("a", "faithfulness") + part("b", "robustness")
    editor = ToyEditor({"snowy": 1}, name="glass")
    study = glass_study(tmp_path, parts)
    last_shot = run_glass(study, editor)[-1]
    assert editor.made == 42
    for _, result in last_shot.pairs:
        assert result.measures == {}
        assert {unit.verdict for unit in result.units} == {NOTHING_HAPPENED}
