from __future__ import annotations

from dataclasses import replace

import pytest

from smile_core.colors import NEUTRAL, POSITIVE, mark_color
from smile_core.explanation import ANY_UNIT, CHANCE, UNCHANGED
from smile_core.plots import HEIGHT, bar_chart, predicted_vs_measured, tsne_map
from tests.sample_explanations import HOSTILE, never_left_out, sample_explanation, with_units

FIGURES = [bar_chart, tsne_map, lambda e: tsne_map(e, 2), predicted_vs_measured]


def test_bars_show_weights_and_intervals_in_order():
    explanation = with_units(
        sample_explanation("make it snowy"),
        ("make", 0.1, -0.1, 0.15),
        ("it", -0.3, -0.4, -0.1),
        ("snowy", 1.0, 0.9, 1.1),
    )
    figure = bar_chart(explanation)
    (bars,) = figure.data
    assert list(bars.x) == [0.1, -0.3, 1.0]
    assert list(bars.error_x.array) == pytest.approx([0.05, 0.2, 0.1])
    assert list(bars.error_x.arrayminus) == pytest.approx([0.2, 0.1, 0.1])
    assert list(bars.marker.color) == [mark_color(w, 1.0) for w in (0.1, -0.3, 1.0)]
    assert list(figure.layout.yaxis.ticktext) == ["make", "it", "snowy"]
    low, high = figure.layout.xaxis.range
    assert low == -high
    assert high > 1.1
    # The first word stands on top.
    assert figure.layout.yaxis.range[0] > figure.layout.yaxis.range[1]


@pytest.mark.parametrize("outcome", [UNCHANGED, CHANCE])
@pytest.mark.parametrize("draw", FIGURES)
def test_where_nothing_happened_every_figure_only_says_so(draw, outcome):
    figure = draw(sample_explanation(n=14, size=32, outcome=outcome))
    assert len(figure.data) == 0
    (note,) = figure.layout.annotations
    assert note.text == "Nothing happened, so there is nothing to explain."


def test_where_any_word_is_enough_only_the_map_is_drawn():
    explanation = sample_explanation("snowy winter", n=2, size=32, outcome=ANY_UNIT)
    for draw in (bar_chart, predicted_vs_measured):
        (note,) = draw(explanation).layout.annotations
        assert note.text == "Any one word is enough, so none has a weight of its own."
    assert len(tsne_map(explanation).data) == 2


def test_a_word_that_was_never_left_out_has_no_bar():
    (bars,) = bar_chart(never_left_out(sample_explanation(size=32), 3)).data
    assert bars.x[3] is None
    assert bars.error_x.array[3] == bars.error_x.arrayminus[3] == 0
    assert bars.customdata[3][1] == "and: never left out, so nothing is known"
    assert None not in bars.x[:3] + bars.x[4:]


def test_words_that_act_together_have_bars_of_what_they_do_together():
    explanation = sample_explanation(
        "it snowy so winter now", n=26, size=32, response=lambda mask: max(mask[1], mask[3])
    )
    figure = bar_chart(explanation)
    (bars,) = figure.data
    assert bars.x[1] == bars.x[3] == pytest.approx(1.0)
    assert bars.x[0] == explanation.units[0].weight
    assert [error > 0 for error in bars.error_x.array] == [True, False, True, False, True]
    told = bars.customdata[1][1].replace("<br>", " ")
    assert told.endswith("; stands in for winter, either of them 1.00")
    assert figure.layout.xaxis.range[1] > 1.0


def test_repeated_words_have_a_bar_each():
    (bars,) = bar_chart(sample_explanation("very very snowy", n=6)).data
    assert list(bars.y) == [0, 1, 2]


def test_map_by_unit_parts_the_edits_by_whether_it_was_kept():
    explanation = sample_explanation()
    kept, left_out, reference = tsne_map(explanation, unit=2).data
    assert kept.name == "“snowy” kept"
    masks = [explanation.samples[index - 1].mask[2] for index, _ in kept.customdata]
    assert set(masks) == {1}
    assert len(kept.x) + len(left_out.x) == len(explanation.samples)
    index = kept.customdata[3][0]
    assert (kept.x[3], kept.y[3]) == explanation.projection[index]
    assert reference.marker.symbol == "star"
    assert (reference.x[0], reference.y[0]) == explanation.projection[0]
    assert reference.customdata[0][0] == 0
    # Not by colour alone.
    assert left_out.marker.symbol == "circle-open"
    with pytest.raises(IndexError):
        tsne_map(explanation, unit=17)


def test_map_by_similarity():
    explanation = sample_explanation()
    edits, _ = tsne_map(explanation).data
    assert list(edits.marker.color) == [sample.similarity for sample in explanation.samples]
    assert [color for _, color in edits.marker.colorscale] == [NEUTRAL, POSITIVE]


def test_hover_tells_prompt_and_numbers():
    explanation = sample_explanation()
    edits, _ = tsne_map(explanation).data
    sample = explanation.samples[4]
    assert edits.customdata[4][1] == (
        f"<b>edit 5</b><br>{sample.prompt}<br>distance {sample.image_distance:.3g} · "
        f"similarity {sample.similarity:.2f} · predicted {sample.predicted:.2f} · "
        f"p {sample.p_value:.3f}"
    )


def test_failed_edits_are_not_drawn_and_the_others_keep_their_place():
    explanation = sample_explanation(failed=3)
    first = replace(explanation.samples[-1])
    samples = (first, *explanation.samples[:-1])
    edits, _ = tsne_map(replace(explanation, samples=samples)).data
    assert len(edits.x) == len(samples) - 3
    assert edits.customdata[0][0] == 2
    assert (edits.x[0], edits.y[0]) == explanation.projection[2]


def test_prediction_against_measurement():
    explanation = sample_explanation(failed=2)
    figure = predicted_vs_measured(explanation)
    diagonal, edits = figure.data
    assert list(diagonal.x) == list(diagonal.y)
    measured = [s for s in explanation.samples if s.failed is None]
    assert list(edits.x) == [s.similarity for s in measured]
    assert list(edits.y) == [s.predicted for s in measured]
    assert figure.layout.xaxis.range == figure.layout.yaxis.range
    sizes = dict(zip((s.sample_weight for s in measured), edits.marker.size, strict=True))
    assert sizes[max(sizes)] == max(sizes.values())


def test_unfinished_runs_say_what_is_missing():
    figure = tsne_map(sample_explanation(projected=False))
    assert "when the run ends" in figure.layout.annotations[0].text
    figure = predicted_vs_measured(replace(sample_explanation(), samples=()))
    assert "nothing to compare" in figure.layout.annotations[0].text
    assert figure.layout.height == HEIGHT


@pytest.mark.parametrize("draw", FIGURES)
def test_user_text_is_never_markup(draw):
    figure = draw(sample_explanation(HOSTILE + " <b>loud</b> " + "x" * 90))
    text = figure.to_json().replace("\\u003c", "<").replace("\\u003e", ">")
    assert "<script" not in text
    assert "<b>loud" not in text
    assert "x" * 91 not in text


@pytest.mark.parametrize("draw", FIGURES)
def test_figures_are_transparent_still_and_light(draw):
    small, large = draw(sample_explanation(n=8)), draw(sample_explanation(n=60))
    assert small.layout.height == large.layout.height
    assert small.layout.paper_bgcolor == small.layout.plot_bgcolor == "rgba(0,0,0,0)"
    assert len(large.to_json()) < 15_000
