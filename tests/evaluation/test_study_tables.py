"""Tables of studies against hand-worked numbers, the paper's beside them, and the report."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from smile_core.evaluation import study_robustness
from smile_core.evaluation.paper_tables import nearest_editor, paper_table
from smile_core.evaluation.study_answers import all_tables, answer_study
from smile_core.evaluation.study_clock import StudyClock, editing_seconds, read_speeds, write_speed
from smile_core.evaluation.study_measures import robustness_name
from smile_core.evaluation.study_report import study_report_html, summary_markdown
from smile_core.evaluation.study_result import RunResult
from smile_core.evaluation.study_run import StudySnapshot
from smile_core.evaluation.study_tables import (
    Column,
    Mean,
    Table,
    mean_of,
    table_markdown,
    table_text,
    tables_csv,
)
from tests.evaluation.studies import glass_study, part, run_glass
from tests.toy_editors import INSTRUCTION, ToyEditor

FORMS = ", ".join(
    f"{{text: {text}, keywords: [{word}], group: snow, form: {form}}}"
    for text, word, form in (
        ("make it snowy", "snowy", "adjective"),
        ("make it very very foggy", "foggy", "noun"),
    )
)
ALL = (
    part("accuracy", "accuracy")
    + part("words", "words")
    + part("scenarios", "scenarios", FORMS)
    + part("wordings", "wordings", FORMS)
    + part("stability", "stability", changes='["###", doubled space]')
    + part("consistency", "consistency", seeds="[0, 1]", perturbations="[10, 20]")
    + part("counts", "fidelity", perturbations="[32, 64]")
    + part("fits", "fidelity", image_distances="[cosine, wasserstein-1d]",
           surrogates="[linear, bayesian-ridge]")
    + part("cost", "cost", methods="[lime, smile, bay-lime]")
    + part("faithfulness", "faithfulness")
    + part("attacks", "robustness", perturbations=30)
)  # fmt: skip


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> StudySnapshot:
    return run_glass(glass_study(tmp_path_factory.mktemp("study"), ALL))[-1]


@pytest.fixture(scope="module")
def answers(finished: StudySnapshot) -> list[object]:
    return answer_study(finished.study, finished.pairs)


def rows(answers: list[object], name: str, table: int = 0) -> list[dict[str, object]]:
    (answer,) = (answer for answer in answers if answer.part.name == name)
    found = answer.tables[table]
    titles = [column.title for column in found.columns]
    return [dict(zip(titles, row, strict=True)) for row in found.rows]


def test_the_paper_stands_beside_every_table_that_it_has(answers: list[object]) -> None:
    assert rows(answers, "accuracy")[0]["ATT F1, paper"] == 0.6869
    first, second = rows(answers, "stability")
    assert (first["Change"], first["Jaccard of the top 3, paper"]) == ("###", 0.85)
    assert second["Jaccard of the top 3, paper"] is None
    assert rows(answers, "consistency")[0]["Variance, paper"] == 0.0161
    assert [row["MSE, paper"] for row in rows(answers, "counts")] == [0.0178, 0.0120]
    assert [(row["Image distance"], row["Surrogate"], row["Weighted R², paper"])
            for row in rows(answers, "fits")] == [
        ("cosine", "linear", 0.8558), ("cosine", "bayesian-ridge", 0.8369),
        ("wasserstein-1d", "linear", 0.9495), ("wasserstein-1d", "bayesian-ridge", 0.9485),
    ]  # fmt: skip
    assert [row["Seconds, paper"] for row in rows(answers, "cost")] == [1013.35, 1208.08, 1024.32]


def test_only_seeds_that_were_run_are_counted(
    finished: StudySnapshot, answers: list[object]
) -> None:
    assert [row["Seeds"] for row in rows(answers, "consistency")] == [2, 2]
    so_far = [pair for pair in finished.pairs if pair[0].config.seed == 0]
    row, _ = rows(answer_study(finished.study, so_far), "consistency")
    assert (row["Seeds"], row["Variance"]) == (1, None)


def test_the_spread_of_every_word(finished: StudySnapshot, answers: list[object]) -> None:
    found = rows(answers, "consistency", 2)
    assert [row["Word"] for row in found] == INSTRUCTION.split()
    for count in (10, 20):
        runs = [pair for pair in finished.pairs if pair[0].part.name == "consistency"]
        weights = [result.weights for run, result in runs if run.config.perturbations == count]
        for row, own in zip(found, np.transpose(weights), strict=True):
            assert row[f"SD, {count}"].value == pytest.approx(np.std(own, ddof=1))
            assert row[f"Variance, {count}"].value == pytest.approx(np.var(own, ddof=1))
    assert found[3]["Mean weight"].value == pytest.approx(np.mean(weights, axis=0)[3])


def test_curves_of_deletion_and_insertion(answers: list[object]) -> None:
    (answer,) = (answer for answer in answers if answer.part.name == "faithfulness")
    curves = {trace.name: np.array(trace.y) for trace in answer.figures[0].plot.data}
    assert curves["deletion, heaviest first"][0] == 1 == curves["insertion, heaviest first"][-1]
    for curve, sign in (("deletion", -1), ("insertion", 1)):
        gap = curves[f"{curve}, heaviest first"] - curves[f"{curve}, random order"]
        assert (sign * gap >= -1e-9).all()
        assert sign * gap[5] > 0.1


def test_every_number_of_versions_is_told(tmp_path: Path) -> None:
    text = part("a", "fidelity", "make it snowy, make snowy", perturbations=8)
    study = glass_study(tmp_path, text)
    notes = answer_study(study, run_glass(study)[-1].pairs)[0].tables[0].notes
    told = [re.findall(r"\d+", note) for note in notes if note.startswith("Of ")]
    assert told == [["8", "6"], ["8", "2"]]


def test_words_alone_reach_the_published_stability(answers: list[object]) -> None:
    first, second = rows(answers, "stability")
    assert first["Jaccard of the words alone"].value == pytest.approx(6 / 7)
    assert second["Jaccard of the top 3"].value == 1
    assert second["Ruzicka"].value == 1  # the prompts are the same, so nothing may change


def test_scenarios_and_wordings_of_the_glass_box(answers: list[object]) -> None:
    (row,) = rows(answers, "scenarios")
    assert row["Group"] == "snow"
    assert row["Control words that drive"].value == 1
    forms = {row["Form"]: row for row in rows(answers, "wordings")}
    # "make" and "it" weigh 3 and 1 levels beside the word's own 40 or 20.
    assert forms["adjective"]["Weight of the control words"].value == pytest.approx(1, abs=0.1)
    (answer,) = (answer for answer in answers if answer.part.name == "wordings")
    assert re.search(r"glass follows the form “\w+” best", answer.tables[0].notes[0])


def test_the_cost_adds_up_and_methods_share_their_edits(answers: list[object]) -> None:
    found = rows(answers, "cost")
    for row in found:
        stations = [value for name, value in row.items() if name.endswith(", s")]
        assert row["Seconds"] == pytest.approx(sum(stations))
        assert row["Edits, s"] == found[0]["Edits, s"] > 0
        assert row["Edits"].value == 42  # 40, the full edit and the one without instruction


def test_attacks_on_the_glass_box(answers: list[object]) -> None:
    found = {(row["Attack"], row["Method"]): row for row in rows(answers, "attacks")}
    for method in ("smile", "lime", "bay-lime", "kernel-shap"):
        for attack in ("none", "padded", "reordered"):
            assert found[attack, method]["Keyword found"].value == 1, (attack, method)
        # A detector that knows every shortened instruction leaves nothing to be found.
        assert found["two-faced, 100 %", method]["Keyword found"].value == 0
    (answer,) = (answer for answer in answers if answer.part.name == "attacks")
    assert "glass, none: SMILE and LIME put the keyword at the same place" in str(answer.tables)


@pytest.mark.parametrize(
    ("smile", "lime", "words"),
    [
        ([1.0] * 6, [3.0] * 6, "SMILE does better, .* 1.00 .* LIME has it at 3.00; beyond chance"),
        ([2.0] * 6, [1.0] * 6, "LIME does better, .*; beyond chance"),
        ([1.0] * 6, [1.0] * 5 + [4.0], "SMILE does better, .* 1.50; which may be chance"),
        ([1.0, 2.0], [4.0, 4.0], "SMILE does better, .*; there are too few explanations"),
        # The means alone look apart; what is taken from pair to pair is certain.
        ([1.0, 5.0, 9.0, 2.0, 7.0], [2.0, 6.0, 10.0, 3.0, 8.0], "SMILE .*; beyond chance"),
    ],
)
def test_a_verdict_says_how_sure_it_is(smile: list[float], lime: list[float], words: str) -> None:
    group = [
        (None, RunResult(measures={robustness_name("rank", "x", "smile"): one,
                                   robustness_name("rank", "x", "lime"): other}))
        for one, other in zip(smile, lime, strict=True)
    ]  # fmt: skip
    assert re.search(words, study_robustness._verdict("glass", "x", group))


def test_what_changes_nothing_is_told(tmp_path: Path) -> None:
    text = part("walk", "faithfulness") + part("attacks", "robustness", perturbations=10)
    study = glass_study(tmp_path, text)
    last = run_glass(study, ToyEditor(effects={}, name="glass"))[-1]
    for answer in answer_study(study, last.pairs):
        assert answer.tables[0].rows == ()
        assert "1 of 1 explanations are not in the table" in answer.notes[0]


def test_means_and_their_intervals() -> None:
    values = np.random.default_rng(3).normal(0.5, 0.1, 40)
    found = mean_of([*values, None])
    assert found.count == 40
    assert found.value == pytest.approx(values.mean())
    half = 1.96 * values.std(ddof=1) / np.sqrt(40)
    assert (found.low, found.high) == (
        pytest.approx(values.mean() - half, abs=0.01),
        pytest.approx(values.mean() + half, abs=0.01),
    )
    assert mean_of([0.1, 0.2, 0.3, 0.2]) == Mean(pytest.approx(0.2), None, None, 4)
    assert mean_of([0.3]) == Mean(0.3, None, None, 1)
    assert mean_of([None]) is None


def test_intervals_are_those_of_scipys_bootstrap() -> None:
    values = np.random.default_rng(1).random(12) ** 3  # lopsided
    theirs = stats.bootstrap(
        (values,), np.mean, n_resamples=20_000, method="percentile", rng=np.random.default_rng(2)
    ).confidence_interval
    ours = mean_of(values)
    assert ours.low == pytest.approx(theirs.low, abs=0.01)
    assert ours.high == pytest.approx(theirs.high, abs=0.01)


def test_a_table_in_three_forms() -> None:
    columns = (Column("Editor"), Column("F1"), Column("F1, paper", paper=True), Column("n"))
    table = Table("Title", columns, (("a|b", Mean(0.5, 0.25, 0.75, 4), 0.6869, 4),), ("A note.",))
    assert table_markdown(table) == (
        "### Title\n\n| Editor | F1 | **F1, paper** | n |\n|---|---|---|---|\n"
        "| a\\|b | 0.500 (0.250 to 0.750) | 0.687 | 4 |\n\n- A note.\n"
    )
    assert table_text(table).splitlines()[2] == "a|b     0.500      0.687  4"
    found = list(csv.DictReader(io.StringIO(tables_csv([table]))))
    assert [(row["source"], float(row["value"])) for row in found] == [
        ("ours", 0.5), ("paper", 0.6869), ("ours", 4.0),
    ]  # fmt: skip
    risky = Table("=A1", (Column("Editor"), Column("F1")), (("@b", 0.5),))
    (row,) = csv.DictReader(io.StringIO(tables_csv([risky])))
    assert (row["table"], row["row"]) == ("'=A1", "'@b")  # no spreadsheet runs it as a formula


def test_the_report_is_one_file_that_fetches_nothing(answers: list[object]) -> None:
    study = type("Named", (), {"title": "A <study>", "about": "On & off"})()
    html = study_report_html(study, answers)
    body = html.split("</script>", 1)[1]  # behind the script of plotly
    assert "A &lt;study&gt;" in html
    assert "default-src 'none'" in html
    # Plotly's own code names its servers; nothing of ours may load anything.
    assert not re.findall(r'(?:src|href)="(?!#|data:|https://arxiv\.org)[^"]+"', body)
    figures = sum(len(answer.figures) for answer in answers)
    assert figures >= len(answers)
    assert body.count("Plotly.newPlot(") == figures
    assert html.index("plotly.js v") < html.index("Plotly.newPlot(")
    for table in all_tables(answers):
        assert table.title.split(": ", 1)[1].split(" “")[0][:30] in html
    assert 'class="paper number"' in body
    assert "can be reached by the words alone" in body
    assert "0.857 for six words, 0.875 for seven" in summary_markdown(study, answers)


def test_the_published_figures() -> None:
    table = paper_table("I")
    where = {"editor": "img2img-turbo", "condition": "different images"}
    assert table.figure("att_acc", **where) == 0.8286
    assert table.figure("att_acc", editor="another") is None
    assert paper_table("V").figure("r2_w", editor="img2img-turbo", perturbations=256) == 0.6025
    fits = {"surrogate": "linear", "text_distance": "wmd", "image_distance": "cosine"}
    assert paper_table("VII").figure("r2_w", editor="instruct-pix2pix", **fits) == 0.8558
    # Every row is of an editor, so no figure can stand beside one of another kind.
    assert paper_table("VII").figure("r2_w", editor="img2img-turbo", **fits) is None
    assert all("editor" in row for n in ("I", "II", "III", "IV", "V", "VII", "VIII")
               for row in paper_table(n).rows)  # fmt: skip
    assert paper_table("III").problems
    assert nearest_editor("pix2pix-turbo-edges") == "img2img-turbo"
    assert nearest_editor("sd15-inpainting") == "diffusers-inpaint"
    assert nearest_editor("scene-pix2pix") == "instruct-pix2pix"
    assert nearest_editor("one-step") == "img2img-turbo"  # one pass each, and no noise of its own


def test_the_clock() -> None:
    assert editing_seconds({"a": 0}, {}) == 0
    assert editing_seconds({"a": 3}, {"a": None}) is None
    assert editing_seconds({"a": 3, "b": 2}, {"a": 2.0, "b": None}) == 10
    clock = StudyClock(30, {"a": 20}, 60, {"a": 0.5})
    assert (clock.done, clock.seconds_left()) == (10, 10)
    clock.begin("a", 12)
    clock.count(6, 6.0)  # slower than the last time
    assert (clock.done, clock.seconds_left()) == (16, 14)
    clock.count(14, 14.0)  # two were thrown out of the cache meanwhile
    assert clock.done == 22
    clock.fitted(20, 2.0)
    clock.end(8)
    assert (clock.done, clock.fresh) == (22, 14)
    assert clock.seconds_left() == pytest.approx(8 + 4)


def test_speeds_are_remembered(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    assert read_speeds(folder) == {}
    write_speed(folder, "a", 0.25)
    write_speed(folder, "b", 1.5)
    write_speed(folder, None, 9.0)
    assert read_speeds(folder) == {"a": 0.25, "b": 1.5}
    (folder / "speeds.json").write_text("[1")
    assert read_speeds(folder) == {}
