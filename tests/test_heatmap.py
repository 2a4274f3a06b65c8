from __future__ import annotations

import json
from itertools import pairwise

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from smile_core.colors import weight_color
from smile_core.config import ConfigError, RunConfig
from smile_core.explanation import ANY_UNIT, CHANCE, UNCHANGED
from smile_core.explanation_json import from_json, to_json
from smile_core.heatmap import (
    HEATMAP_CSS,
    heatmap_html,
    heatmap_text,
    read_heatmap_png,
    save_heatmap_png,
    waiting_html,
)
from smile_core.heatmap_png import draw_heatmap
from smile_core.together import joined_units, shown_limit
from tests.parsed_html import Page
from tests.sample_explanations import HOSTILE, never_left_out, sample_explanation, with_units


def either(mask):
    return max(mask[1], mask[3])


def both(mask):
    return mask[1] * mask[3]


def pair(response):
    """Return the explanation of five words of which "snowy" and "winter" act together."""
    return sample_explanation("it snowy so winter now", n=30, response=response)


def test_units_stand_in_order_with_number_and_verdict():
    explanation = with_units(
        sample_explanation("make it snowy"),
        ("make", -0.004, -0.03, 0.03),
        ("it", -0.3, -0.4, -0.2),
        ("snowy", 0.81, 0.76, 0.86),
    )
    page = Page(heatmap_html(explanation))
    assert [text for _, text in page.with_class("smile-word")] == ["make", "it", "snowy"]
    assert [text for _, text in page.with_class("smile-number")] == ["0.00", "−0.30", "0.81"]
    units = page.with_class("smile-unit")
    assert [attrs["class"].split()[1] for attrs, _ in units] == [
        "smile-no-effect",
        "smile-against",
        "smile-drives",
    ]
    assert units[2][0]["title"] == units[2][0]["aria-label"]
    assert units[2][0]["title"] == ("snowy: weight 0.81, interval 0.76 to 0.86, drives the edit")
    assert {(a["role"], a["tabindex"]) for a, _ in units} == {("listitem", "0")}
    (frame, _) = page.with_class("smile-units")[0]
    assert frame["role"] == "list"


def test_colours_and_whiskers_follow_the_numbers():
    explanation = with_units(
        sample_explanation("a b"), ("a", -1.0, -1.0, -0.5), ("b", 0.5, 0.0, 1.0)
    )
    page = Page(heatmap_html(explanation))
    blue, orange = (attrs["style"] for attrs, _ in page.with_class("smile-word"))
    for style, weight in ((blue, -1.0), (orange, 0.5)):
        color = weight_color(weight, 1.0)
        assert f"light-dark({color.light},{color.dark})" in style
    # From -1 to 1 the axis is 100 % wide, so -1 lies at 0 %, 0 at 50 % and 0.5 at 75 %.
    assert [a["style"] for a, _ in page.with_class("smile-range")] == [
        "left:0.0%;width:25.0%",
        "left:50.0%;width:50.0%",
    ]
    assert [a["style"] for a, _ in page.with_class("smile-dot")] == ["left:0.0%", "left:75.0%"]


@pytest.mark.parametrize("outcome", [UNCHANGED, CHANCE])
def test_where_nothing_happened_nothing_is_coloured_and_no_number_is_shown(outcome):
    html = heatmap_html(sample_explanation(outcome=outcome))
    page = Page(html)
    assert [attrs.get("style") for attrs, _ in page.with_class("smile-word")] == [None] * 6
    assert [text for _, text in page.with_class("smile-number")] == ["–"] * 6
    assert page.with_class("smile-range") == page.with_class("smile-dot") == []
    assert page.with_class("smile-legend") == []
    assert page.with_class("smile-unit")[2][0]["title"] == "snowy: nothing happened"
    assert len(page.with_class("smile-waiting")) == 6
    lines = heatmap_text(sample_explanation(outcome=outcome)).splitlines()
    assert lines[0].split() == ["word", "weight", "interval", "verdict"]
    assert [line.split() for line in lines[1:]] == [
        [word, "–", "–", "–"] for word in "make it snowy and gently foggy".split()
    ]


@pytest.mark.parametrize("outcome", [UNCHANGED, CHANCE])
def test_where_nothing_happened_nothing_is_coloured_in_the_drawing(outcome):
    drawing = draw_heatmap(sample_explanation(outcome=outcome))
    orange = tuple(bytes.fromhex(weight_color(1, 1).light[1:]))
    hues = {max(color) - min(color) for color in set(drawing.get_flattened_data())}
    assert max(hues) < 25  # text and boxes are nearly grey
    assert max(orange) - min(orange) > 100


def test_a_unit_that_was_never_left_out_has_a_question_mark_and_no_number(tmp_path):
    explanation = never_left_out(sample_explanation(), 3)
    page = Page(heatmap_html(explanation))
    attrs, _ = page.with_class("smile-unit")[3]
    assert "smile-unknown" in attrs["class"]
    assert attrs["title"] == "and: never left out, so nothing is known"
    assert "style" not in page.with_class("smile-word")[3][0]
    assert page.with_class("smile-number")[3][1] == "?"
    assert len(page.with_class("smile-range")) == len(page.with_class("smile-dot")) == 5
    assert "never left out: nothing is known" in page.with_class("smile-legend")[0][1]
    assert "never left out" not in heatmap_html(sample_explanation())
    line = heatmap_text(explanation).splitlines()[4]
    assert line.split() == ["and", "?", "not", "measured", "unclear"]
    save_heatmap_png(explanation, tmp_path / "a.png")
    unit = read_heatmap_png(tmp_path / "a.png")["units"][3]
    assert (unit["weight"], unit["low"], unit["high"]) == (None, None, None)
    assert from_json(to_json(explanation)).units == explanation.units


def test_numbers_are_exact_where_all_was_run():
    explanation = sample_explanation(n=62)
    page = Page(heatmap_html(explanation))
    told = [attrs["title"] for attrs, _ in page.with_class("smile-unit")]
    assert all(", exact, " in text for text in told)
    (legend,) = page.with_class("smile-legend")
    assert "all shortened instructions were run: the numbers are exact" in legend[1]
    assert "interval" not in legend[1]
    assert all(line.split()[2] == "exact" for line in heatmap_text(explanation).splitlines()[1:])
    (legend,) = Page(heatmap_html(sample_explanation())).with_class("smile-legend")
    assert "line: interval, 95 % for all words at once" in legend[1]
    assert "exact" not in legend[1]


@pytest.mark.parametrize(
    ("response", "label", "about"),
    [
        (either, "either 1.00", "stands in for winter, either of them 1.00"),
        (both, "both 1.00", "needs winter, both together 1.00"),
    ],
)
def test_two_words_that_act_together_share_colour_and_number(response, label, about):
    explanation = pair(response)
    assert sorted(joined_units(explanation)) == [1, 3]
    assert shown_limit(explanation) == 1.0
    page = Page(heatmap_html(explanation))
    units = page.with_class("smile-unit")
    assert ["smile-joined" in attrs["class"] for attrs, _ in units] == [0, 1, 0, 1, 0]
    assert units[1][0]["title"].endswith(f"; {about}")
    numbers = [text for _, text in page.with_class("smile-number")]
    assert numbers[1] == numbers[3] == label
    styles = [attrs["style"] for attrs, _ in page.with_class("smile-word")]
    assert styles[1] == styles[3]
    assert weight_color(1.0, 1.0).light in styles[1]
    # The line of a word alone would say something else than the number below it.
    assert len(page.with_class("smile-dot")) == 3
    assert f"snowy {about}" in heatmap_text(explanation).splitlines()
    orange = tuple(bytes.fromhex(weight_color(1.0, 1.0).light[1:]))
    assert orange in set(draw_heatmap(explanation).get_flattened_data())


def test_the_scale_of_a_comparison_holds_what_words_do_together():
    weak = with_units(sample_explanation("a b"), ("a", 0.4, 0.3, 0.5), ("b", 0.1, 0.0, 0.2))
    color = weight_color(0.4, 1.0).light
    assert color in heatmap_html(weak, among=[pair(either)])
    assert color not in heatmap_html(weak)


@pytest.mark.parametrize(
    ("instruction", "label", "about"),
    [
        ("snowy winter", "either 1.00", "either of the two is enough for the full edit"),
        ("it snowy winter", "any one 1.00", "any one of the 3 is enough for the full edit"),
    ],
)
def test_where_any_word_is_enough_all_share_one_label(instruction, label, about):
    explanation = sample_explanation(instruction, n=6, outcome=ANY_UNIT)
    page = Page(heatmap_html(explanation))
    count = len(explanation.units)
    assert [text for _, text in page.with_class("smile-number")] == [label] * count
    assert len(page.with_class("smile-joined")) == count
    assert page.with_class("smile-unit")[0][0]["title"] == f"{instruction.split()[0]}: {about}"
    assert page.with_class("smile-range") == page.with_class("smile-dot") == []
    orange = tuple(bytes.fromhex(weight_color(1.0, 1.0).light[1:]))
    assert orange in set(draw_heatmap(explanation).get_flattened_data())
    lines = heatmap_text(explanation).splitlines()
    assert len(lines) == 1 + count
    assert "█" not in "".join(lines)
    assert all(line.endswith("one is enough") for line in lines[1:])


def test_what_the_user_wrote_is_never_markup():
    page = Page(heatmap_html(sample_explanation(HOSTILE)))
    assert {tag for tag, _, _ in page.elements} == {"div", "span", "i"}
    assert [text for _, text in page.with_class("smile-word")] == HOSTILE.split()
    assert page.with_class("smile-unit")[0][0]["title"].startswith('<script>alert("x")</script>:')
    waiting = Page(waiting_html(HOSTILE.split()))
    assert [text for _, text in waiting.with_class("smile-word")] == HOSTILE.split()


def test_right_to_left_instructions_run_from_the_right():
    def direction(html):
        return Page(html).with_class("smile-units")[0][0]["dir"]

    assert direction(heatmap_html(sample_explanation("עשה את זה מושלג"))) == "rtl"
    assert direction(heatmap_html(sample_explanation("make it שלג"))) == "ltr"


def test_waiting_boxes_match_the_later_ones():
    explanation = sample_explanation()
    waiting, done = (
        Page(waiting_html(explanation.instruction.split())),
        Page(heatmap_html(explanation)),
    )
    for name in ("smile-unit", "smile-word", "smile-whisker", "smile-number", "smile-steady"):
        assert len(waiting.with_class(name)) == len(done.with_class(name))
    assert "smile-steady" not in heatmap_html(explanation, stable_height=False)


def test_style_covers_the_classes_and_both_dark_switches():
    used = {
        name
        for html in (
            heatmap_html(sample_explanation()),
            heatmap_html(never_left_out(sample_explanation(), 1)),
            heatmap_html(sample_explanation("a b", n=2, outcome=ANY_UNIT)),
            waiting_html(["a"]),
        )
        for _, attrs, _ in Page(html).elements
        for name in (attrs.get("class") or "").split()
    }
    missing = {name for name in used if f".{name}" not in HEATMAP_CSS}
    assert missing == set()
    assert ".dark .smile-heatmap { color-scheme: dark; }" in HEATMAP_CSS
    assert "light-dark(" in HEATMAP_CSS


def test_table_for_the_terminal():
    explanation = with_units(
        sample_explanation("make it snowy"),
        ("make", 0.0, -0.05, 0.05),
        ("it", -0.5, -0.6, -0.4),
        ("snowy", 1.0, 0.9, 1.1),
    )
    lines = heatmap_text(explanation, width=80).splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith("word     weight  interval")
    make, it, snowy = (line.split("│") for line in lines[1:])
    assert len({len(part[0]) for part in (make, it, snowy)}) == 1
    assert make[1] == ""
    assert "against" in it[0]
    assert it[0].count("█") + it[0].count("▐") / 2 == pytest.approx(snowy[1].count("█") / 2)
    assert "  0.90 to 1.10  " in snowy[0]


def test_table_is_safe_and_aligned_for_any_script():
    explanation = sample_explanation("\x1b[31mred 東京 " + "x" * 90)
    lines = heatmap_text(explanation).splitlines()
    assert "\x1b" not in "".join(lines)
    assert "x" * 23 + "…" in lines[3]
    # Each of the two wide letters takes two columns.
    assert lines[2].index("│") == lines[1].index("│") - 2


def test_png_round_trip(tmp_path):
    explanation = sample_explanation(HOSTILE)
    save_heatmap_png(explanation, tmp_path / "heatmap.png")
    found = read_heatmap_png(tmp_path / "heatmap.png")
    assert RunConfig.from_dict(found["config"]) == RunConfig.from_dict(explanation.config)
    kept = ("text", "weight", "low", "high", "verdict")
    assert found["units"] == [
        {name: getattr(unit, name) for name in kept} for unit in explanation.units
    ]
    # All but the pictures comes back, so that every chart can be drawn again.
    assert to_json(from_json(json.dumps(found))) == to_json(explanation)
    with Image.open(tmp_path / "heatmap.png") as image:
        prompt, settings = image.info["parameters"].split("\n")
    assert prompt == HOSTILE
    assert settings.startswith("Seed: 0, Size: 160x160, Model: scene-pix2pix, Perturbations: 24")


def test_same_explanation_same_bytes(tmp_path):
    for name in ("a.png", "b.png"):
        save_heatmap_png(sample_explanation(), tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_drawing_shows_the_colours_of_the_weights():
    explanation = with_units(
        sample_explanation("make it snowy"),
        ("make", 0.0, -0.05, 0.05),
        ("it", -1.0, -1.1, -0.9),
        ("snowy", 1.0, 0.9, 1.1),
    )
    seen = set(draw_heatmap(explanation).get_flattened_data())
    for weight in (0.0, -1.0, 1.0):
        assert tuple(bytes.fromhex(weight_color(weight, 1.0).light[1:])) in seen


def test_drawing_wraps_long_instructions():
    words = " ".join(f"word{i}" for i in range(60))
    short, long = draw_heatmap(sample_explanation()), draw_heatmap(sample_explanation(words, n=70))
    assert long.height > 3 * short.height
    assert long.width == short.width


def png_with(path, **chunks):
    info = PngInfo()
    for key, value in chunks.items():
        info.add_itxt(key, value)
    Image.new("RGB", (4, 4)).save(path, pnginfo=info)
    return path


def test_files_that_cannot_restore_anything(tmp_path):
    plain = png_with(tmp_path / "plain.png", parameters="snow")
    with pytest.raises(ConfigError, match="carries no explanation"):
        read_heatmap_png(plain)
    for content in (b"", b"hello", plain.read_bytes()[:20]):
        (tmp_path / "bad.png").write_bytes(content)
        with pytest.raises(ConfigError, match="not a readable PNG"):
            read_heatmap_png(tmp_path / "bad.png")
    with pytest.raises(ConfigError, match="not a readable PNG"):
        read_heatmap_png(tmp_path / "nowhere.png")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda d: "{",
        lambda d: "[]",
        lambda d: json.dumps({**d, "units": [{"text": "a"}]}),
        lambda d: json.dumps({**d, "units": [{**d["units"][0], "verdict": "great"}]}),
        lambda d: json.dumps({**d, "config": {**d["config"], "perturbations": -1}}),
        lambda d: json.dumps({**d, "config": {**d["config"], "shell": "rm"}}),
        lambda d: json.dumps({k: v for k, v in d.items() if k != "config"}),
    ],
)
def test_a_damaged_chunk_is_refused(tmp_path, spoil):
    save_heatmap_png(sample_explanation(), tmp_path / "good.png")
    contents = read_heatmap_png(tmp_path / "good.png")
    with pytest.raises(ConfigError, match="inside this PNG cannot be used"):
        read_heatmap_png(png_with(tmp_path / "bad.png", smile=spoil(contents)))


def test_another_format_number_is_refused(tmp_path):
    path = png_with(tmp_path / "later.png", smile=json.dumps({"schema": 99}))
    with pytest.raises(ConfigError, match="schema 99"):
        read_heatmap_png(path)


def test_table_never_outgrows_its_width():
    for text, effects in (("a b c", (0.5, -0.5, 0)), (HOSTILE, (1, -2, 3))):
        explanation = sample_explanation(text, effects)
        widths = [max(map(len, heatmap_text(explanation, w).splitlines())) for w in (80, 100, 160)]
        assert all(width <= w for width, w in zip(widths, (80, 100, 160), strict=True))
        assert all(a < b for a, b in pairwise(widths))
