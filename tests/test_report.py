from __future__ import annotations

import re
from base64 import b64decode
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from smile_core.explanation import ANY_UNIT, CHANCE, UNCHANGED
from smile_core.fidelity import FIDELITY
from smile_core.pictures import data_uri
from smile_core.report import report_html, write_report
from smile_core.report_charts import bars_html, map_html, scatter_html
from smile_core.response import PHOTO
from smile_core.sentence import summarize
from tests.parsed_html import Page
from tests.sample_explanations import (
    HOSTILE,
    masked,
    never_left_out,
    sample_explanation,
    with_units,
)


@pytest.fixture(scope="module")
def explanation():
    return sample_explanation(n=12, failed=1, size=64)


@pytest.fixture(scope="module")
def page(explanation):
    return Page(report_html(explanation))


def picture(uri: str) -> Image.Image:
    kind, data = uri.split(";base64,")
    assert kind == "data:image/webp"
    image = Image.open(BytesIO(b64decode(data)))
    image.load()
    return image


def pixels(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("RGB"), dtype=float)


def test_the_answer_comes_first(page, explanation):
    (heading,) = page.with_tag("h1")
    assert heading[1].replace("\u00a0", " ") == summarize(explanation)
    assert [text for _, text in page.with_class("instruction")] == [explanation.instruction]
    assert [text for _, text in page.with_tag("h2")] == [
        "The instruction",
        "Weights with 95 % intervals",
        "Every edit",
        "Map of the edits",
        "Predicted against measured",
        "Fidelity",
        "How it was made",
        "Method",
    ]
    assert [text for _, text in page.with_class("notes")] == list(explanation.notes)


def test_the_file_needs_nothing_from_outside(page, explanation):
    html = report_html(explanation)
    links = [attrs["href"] for attrs, _ in page.with_tag("a")]
    assert {link for link in links if not link.startswith("#edit-")} == {
        "https://arxiv.org/abs/2412.16277"
    }
    assert all(a["src"].startswith("data:") for a, _ in page.with_tag("img") if "src" in a)
    assert page.with_tag("link") == []
    assert all("src" not in attrs for attrs, _ in page.with_tag("script"))
    assert set(re.findall(r"url\(\"(\w+):", html)) == {"data"}
    policy = next(a for a, _ in page.with_tag("meta") if "http-equiv" in a)["content"]
    assert policy.startswith("default-src 'none'")


def test_every_link_of_a_dot_leads_to_its_edit(page, explanation):
    ids = {attrs["id"] for attrs, _ in page.with_tag("figure")}
    targets = [attrs["href"][1:] for attrs, _ in page.with_class("dot")]
    assert set(targets) <= ids
    # Eleven edits and the reference on the map, eleven edits in the scatter.
    assert len(targets) == 12 + 11


def test_pictures_are_real_and_in_place(page, explanation):
    after, before, first = (picture(a["src"]) for a, _ in page.with_tag("img")[:3])
    for found, made in (
        (after, explanation.reference.image),
        (before, explanation.source),
        (first, explanation.reference.image),
    ):
        assert found.size == made.size
        assert np.abs(pixels(found) - pixels(made)).mean() < 6
    (slider,) = page.with_tag("input")
    assert slider[0]["type"] == "range"


def test_the_mask_is_outlined_on_the_photo(explanation):
    plain, outlined = (
        Page(report_html(shown)).with_tag("img")[1][0]
        for shown in (explanation, masked(explanation))
    )
    assert outlined["alt"] == "Before: the photo, the mask outlined"
    before, after = (pixels(picture(image["src"])).mean(axis=2) for image in (plain, outlined))
    middle = before.shape[1] // 2
    assert np.abs(after - before)[:, : middle - 8].mean() < 3
    assert np.abs(after - before)[:, middle - 2 : middle + 2].mean() > 30


def test_fidelity_has_meaning_and_direction(page, explanation):
    rows = [text for _, text in page.with_tag("tr")]
    assert len(rows) == len(FIDELITY)
    for row, metric in zip(rows, FIDELITY.values(), strict=True):
        assert row.startswith(metric.label)
        assert metric.meaning in row
        assert f"{metric.direction} is better" in row
    shown = [float(text.replace("−", "-")) for _, text in page.with_class("number")]
    assert shown == pytest.approx([explanation.fidelity[key] for key in FIDELITY], rel=0.01)


def test_undefined_numbers_are_called_so():
    explanation = sample_explanation(n=4, size=32)
    page = Page(report_html(explanation))
    values = explanation.fidelity.values()
    shown = [text == "undefined" for _, text in page.with_class("number")]
    assert shown == [value is None for value in values]
    assert 0 < sum(shown) < len(FIDELITY)


def test_settings_and_versions_are_listed(page, explanation):
    names, values = ([text for _, text in page.with_tag(tag)] for tag in ("dt", "dd"))
    terms = dict(zip(names, values, strict=True))
    assert terms["image distance"] == "transport-cost"
    assert terms["kernel width"].startswith("automatic")
    assert terms["torch"] == "2.13.0"
    assert terms["edit time"] == "7.1 s"
    assert "instruction" not in terms
    assert terms["blank"].startswith("automatic")
    # By default the kernel is as wide as makes it half of the samples, which tells nothing.
    assert "effective sample size" not in terms


def terms_of(explanation):
    page = Page(report_html(explanation))
    names, values = ([text for _, text in page.with_tag(tag)] for tag in ("dt", "dd"))
    return dict(zip(names, values, strict=True))


def test_the_effective_sample_size_is_shown_with_a_kernel_width_of_ones_own():
    explanation = sample_explanation(n=14, size=32, kernel_width=0.5)
    shown = terms_of(explanation)["effective sample size"]
    assert float(shown) == pytest.approx(explanation.effective_sample_size, abs=0.05)


def test_the_scale_is_told_in_words(explanation):
    terms = terms_of(explanation)
    assert terms["0 on the scale"] == "the edit without instruction"
    assert terms["1 on the scale"] == "the full edit"
    assert terms["length of the way"] == "40 (from no instruction to the full edit)"
    assert terms["difference to the eye"] == "61.0 of 255 levels at most (2.2 can be seen)"
    scale = replace(explanation.scale, rests_on=PHOTO, floor=2.5)
    terms = terms_of(replace(explanation, scale=scale))
    assert terms["0 on the scale"] == "the photo, in the place of an edit without instruction"
    assert terms["length of the way"] == (
        "40, less the noise floor of 2.5 (from the photo to the full edit)"
    )
    published = sample_explanation(n=14, size=32, compared=False)
    assert terms_of(published)["0 on the scale"] == "the farthest edit of the run"
    assert "0 on the scale" not in terms_of(replace(explanation, scale=None))


@pytest.mark.parametrize("outcome", [UNCHANGED, CHANCE])
def test_where_nothing_happened_there_is_nothing_to_explain(outcome):
    explanation = sample_explanation(n=14, size=32, outcome=outcome)
    page = Page(report_html(explanation))
    assert page.with_tag("h1")[0][1] == summarize(explanation)
    titles = [text for _, text in page.with_tag("h2")]
    assert titles == [
        "The instruction",
        "Every edit",
        "Map of the edits",
        "Fidelity",
        "How it was made",
        "Method",
    ]
    hints = [text for _, text in page.with_class("hint")]
    assert hints == ["Nothing happened, so there is nothing to explain."] * 3
    for name in ("bar", "bar-range", "dot", "number", "smile-dot", "smile-range"):
        assert page.with_class(name) == [], name
    assert not any("style" in attrs for attrs, _ in page.with_class("smile-word"))
    assert terms_of(explanation)["intercept"] == "none"
    assert "worst predicted" not in [text for _, text in page.with_tag("option")]


def test_where_any_word_is_enough_there_are_no_bars_and_no_fidelity():
    explanation = sample_explanation("snowy winter", n=2, size=32, outcome=ANY_UNIT)
    page = Page(report_html(explanation))
    hints = [text for _, text in page.with_class("hint")]
    reason = "Any one word is enough, so none has a weight of its own."
    assert hints.count(reason) == 3
    assert page.with_class("bar") == page.with_class("number") == []
    assert len(page.with_class("map")) == 1
    assert len(page.with_class("dot")) == 3  # on the map alone


def test_exact_weights_have_no_intervals():
    page = Page(report_html(sample_explanation(n=62, size=32)))
    assert "Weights" in [text for _, text in page.with_tag("h2")]
    assert page.with_class("bar-range") == []
    assert {text for _, text in page.with_tag("small") if "exact" in text} == {"exact"}


def test_the_method_says_what_the_numbers_mean():
    (_, text) = next(
        found for found in Page(report_html(sample_explanation(n=4, size=32))).with_class("prose")
    )
    told = " ".join(text.split())
    for part in (
        "0 is the edit without instruction, 1 is the full edit",
        "hold together with 95 % confidence",
        "for an editor without a seed or a run under several seeds, from the repeats",
        "beyond the smallest effect that matters (0.05)",
    ):
        assert part in told
    assert "bootstrap" not in told
    other = report_html(sample_explanation(n=4, size=32, negligible=0.2))
    assert "effect that matters (0.2)" in " ".join(other.split())


@pytest.mark.parametrize("instruction", [HOSTILE, "עשה את זה מושלג 🌨️ 'x' \"y\" </style></script>"])
def test_what_the_user_wrote_is_never_markup(instruction):
    explanation = sample_explanation(instruction, n=8, size=32)
    page = Page(report_html(explanation))
    assert len(page.with_tag("script")) == 1
    assert len(page.with_tag("style")) == 1
    assert instruction in page.with_tag("title")[0][1]
    assert "alert" not in page.with_tag("script")[0][1]
    assert [text for _, text in page.with_class("smile-word")] == instruction.split()


def test_a_stopped_run_has_no_map():
    explanation = sample_explanation(n=6, planned=40, projected=False, size=32)
    page = Page(report_html(explanation))
    assert page.with_class("map") == []
    assert "6 of 40 edits" in page.with_class("facts")[0][1]
    assert any("no map" in text for _, text in page.with_class("hint"))


def test_a_result_without_pictures_is_still_a_report():
    base = sample_explanation(n=5, size=32)
    bare = replace(
        base,
        source=None,
        reference=replace(base.reference, image=None),
        samples=tuple(replace(sample, image=None) for sample in base.samples),
        without_instruction=replace(base.without_instruction, image=None),
    )
    page = Page(report_html(bare))
    assert all("src" not in attrs for attrs, _ in page.with_tag("img"))
    assert len(page.with_class("no-picture")) == 1 + 7
    without_photo = Page(report_html(replace(base, source=None)))
    assert without_photo.with_tag("input") == []


def test_one_word_and_no_samples():
    explanation = replace(sample_explanation("snow", n=0, size=32), projection=())
    assert "single word" in Page(report_html(explanation)).with_tag("h1")[0][1]


def test_pairs_are_shown_when_they_were_fitted(explanation):
    page = Page(report_html(replace(explanation, interactions=((2, 5, -0.25),))))
    assert "snowy × foggy−0.25" in [text for _, text in page.with_tag("tr")]


def test_bars_lie_where_the_numbers_say():
    explanation = with_units(
        sample_explanation("a b", n=2), ("a", -0.5, -1.0, 0.0), ("b", 0.25, 0.2, 0.3)
    )
    page = Page(bars_html(explanation))
    # The axis runs from -1 to 1, so 0 lies at 50 %.
    bars = [attrs["style"] for attrs, _ in page.with_class("bar")]
    assert bars[0].startswith("left:25.00%;width:25.00%;")
    assert bars[1].startswith("left:50.00%;width:12.50%;")
    ranges = [attrs["style"] for attrs, _ in page.with_class("bar-range")]
    assert ranges == ["left:0.00%;width:50.00%", "left:60.00%;width:5.00%"]


def test_words_that_act_together_have_bars_of_what_they_do_together():
    explanation = sample_explanation(
        "it snowy so winter now", n=26, size=32, response=lambda mask: max(mask[1], mask[3])
    )
    page = Page(bars_html(explanation))
    bars = [attrs["style"] for attrs, _ in page.with_class("bar")]
    assert bars[1] == bars[3]
    assert bars[1].startswith("left:50.00%;width:50.00%;")  # 1.00 on an axis to 1.00
    numbers = [text for _, text in page.with_class("bar-number")]
    assert numbers[1] == numbers[3] == "either 1.00"
    assert len(page.with_class("bar-range")) == 3
    assert page.with_class("bar-row")[1][0]["title"].endswith(
        "stands in for winter, either of them 1.00"
    )


def test_a_word_that_was_never_left_out_has_no_bar():
    page = Page(bars_html(never_left_out(sample_explanation(size=32), 3)))
    assert len(page.with_class("bar")) == len(page.with_class("bar-range")) == 5
    assert page.with_class("bar-number")[3][1] == "?not measured"


def test_map_marks_the_reference_and_the_chosen_word(explanation):
    page = Page(map_html(explanation, unit=5))
    dots = page.with_class("dot")
    assert "star" in dots[-1][0]["class"]
    for attrs, _ in dots:
        assert ("kept" in attrs["class"].split()) == (attrs["data-mask"][5] == "1")
    assert explanation.samples[0].prompt in dots[0][1]


def position(attrs):
    return tuple(float(v) for v in re.findall(r"(?:left|bottom):([\d.]+)%", attrs["style"]))


def test_map_keeps_distances_in_proportion():
    square = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0))
    base = sample_explanation("a b", n=2, size=32)
    dots = Page(map_html(replace(base, projection=square), unit=0)).with_class("dot")
    right, top, origin = (position(attrs) for attrs, _ in dots)
    # The field is four wide and three high.
    assert (right[0] - origin[0]) * 4 == pytest.approx((top[1] - right[1]) * 3)
    assert right[1] == pytest.approx(origin[1])


def test_a_perfect_prediction_lies_on_the_diagonal(explanation):
    perfect = replace(
        explanation,
        samples=tuple(replace(s, predicted=s.similarity) for s in explanation.samples),
    )
    for attrs, _ in Page(scatter_html(perfect)).with_class("dot"):
        left, bottom = position(attrs)
        assert left == bottom


def test_size_of_a_usual_report(tmp_path):
    rng = np.random.default_rng(0)
    explanation = sample_explanation(n=60, size=256)
    # Grain makes the drawn pictures as hard to pack as photographs.
    samples = tuple(
        replace(
            sample,
            image=Image.fromarray(
                (np.asarray(sample.image) + rng.normal(0, 12, (256, 256, 3)))
                .clip(0, 255)
                .astype("u1")
            ),
        )
        for sample in explanation.samples
    )
    write_report(replace(explanation, samples=samples), tmp_path / "report.html")
    assert (tmp_path / "report.html").stat().st_size < 2e6


def test_many_edits_get_smaller_pictures():
    words = " ".join("abcdefghij")
    page = Page(report_html(sample_explanation(words, n=101, size=256)))
    side = {picture(a["src"]).width for a, _ in page.with_tag("img")[2:-1]}
    assert side == {208}


def test_data_uri_shrinks_but_never_enlarges():
    image = Image.new("RGB", (300, 150), "#d9700d")
    assert picture(data_uri(image, 100)).size == (100, 50)
    assert picture(data_uri(image, 1000)).size == (300, 150)
    assert image.size == (300, 150)


def test_same_explanation_same_report(explanation):
    assert report_html(explanation) == report_html(explanation)


def test_the_edit_without_instruction_comes_second_in_the_gallery():
    attrs, text = Page(report_html(sample_explanation(n=6))).with_tag("figure")[1]
    assert attrs["id"] == "edit-without"
    assert "no instruction: the zero of the scale" in text
