from __future__ import annotations

import re
from base64 import b64decode
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from smile_core.fidelity import FIDELITY
from smile_core.pictures import data_uri
from smile_core.report import report_html, write_report
from smile_core.report_charts import bars_html, map_html, scatter_html
from smile_core.sentence import summarize
from tests.parsed_html import Page
from tests.sample_explanations import HOSTILE, masked, sample_explanation, with_units


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
    page = Page(report_html(sample_explanation(n=4, size=32)))
    assert [text for _, text in page.with_class("number")] == ["undefined"] * len(FIDELITY)


def test_settings_and_versions_are_listed(page, explanation):
    names, values = ([text for _, text in page.with_tag(tag)] for tag in ("dt", "dd"))
    terms = dict(zip(names, values, strict=True))
    assert terms["image distance"] == "transport-cost"
    assert terms["kernel width"].startswith("automatic")
    assert terms["torch"] == "2.13.0"
    assert terms["edit time"] == "7.1 s"
    assert "instruction" not in terms


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
    )
    page = Page(report_html(bare))
    assert all("src" not in attrs for attrs, _ in page.with_tag("img"))
    assert len(page.with_class("no-picture")) == 1 + 6
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


def test_the_edit_without_instruction_ends_the_gallery():
    explanation = sample_explanation(n=6, compared=True)
    attrs, text = Page(report_html(explanation)).with_tag("figure")[-1]
    assert attrs["id"] == "edit-7"
    assert "no instruction at all" in text
