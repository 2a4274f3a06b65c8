"""One self-contained HTML file with the whole explanation; it opens anywhere, offline.

Pictures are WebP data URIs, charts are plain HTML, and a content security policy forbids the page
to fetch anything. A report of 64 edits is about 1 MB.

References
----------
[1] Mapping the mind of an instruction-based image editing using SMILE, arXiv 2412.16277.
"""

from __future__ import annotations

from html import escape
from pathlib import Path

from smile_core.colors import color_limit, mark_color
from smile_core.explanation import ANY_UNIT, Explanation, Scale
from smile_core.fidelity import FIDELITY
from smile_core.gallery_html import gallery_html
from smile_core.heatmap import HEATMAP_CSS, heatmap_html
from smile_core.mask_picture import before_picture
from smile_core.pictures import data_uri
from smile_core.report_charts import bars_html, map_html, scatter_html, tip_pictures_css
from smile_core.response import PHOTO, WITHOUT
from smile_core.sentence import (
    edits_made,
    is_right_to_left,
    no_weights,
    sentence_html,
    signed,
    summarize,
)
from smile_core.visible import VISIBLE

STATIC = Path(__file__).parent / "static"
CITATION = "https://arxiv.org/abs/2412.16277"
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"

LARGE_SIDE = 768  # pixels, before and after
# Edits get smaller where there are many, so that a report stays a file one can send.
EDIT_SIDES = ((100, 320), (300, 208), (1000, 128))
SMALLEST_SIDE = 80

SORTS = {
    "order": "order of the run",
    "distance": "nearest to the full edit",
    "-distance": "farthest from it",
    "-error": "worst predicted",
    "units": "fewest words",
}
AUTOMATIC = {
    "perturbations": "automatic (64, or four for each word)",
    "blank": "automatic (an edit, or the photo where edits are billed)",
    "kernel_width": "automatic (half of the samples count)",
    "p_cutoff": "off",
    "steps": "the editor's default",
    "guidance_scale": "the editor's default",
    "image_guidance_scale": "the editor's default",
    "scheduler": "the editor's own",
}
METHOD = """
<p>The photo was edited with the full instruction, without any instruction, and with shortened
versions of the instruction. How far each edit lies from the full edit is measured between image
features and told as a share of the way: 0 is the edit without instruction, 1 is the full edit. A
linear model, in which shortened instructions close to the full one count more, learns from “which
words were kept” how much of the way an edit has come. Its coefficients are the weights: the share
of the way that is gained by keeping a word.</p>
<p>The first question is whether anything happened. If the full edit looks the same as the edit
without instruction, or the two differ no more than repeats of one of them, there are no weights:
rounding and chance would fill any scale.</p>
<p>The intervals hold together with 95 % confidence. They are found from how far the edits lie from
the linear model and, for an editor without a seed or a run under several seeds, from the repeats of
the full edit and of the edit without instruction. With an editor that takes a seed, and all
shortened instructions run, nothing is left to chance, and there is no interval.</p>
<p>A word drives the edit, or works against it, when its whole interval lies beyond the smallest
effect that matters ({negligible}). It has no effect when its whole interval lies within. Otherwise
it is unclear.</p>
<p>The weights describe this photo, this instruction and this seed, not the editor in general. Read
them together with the fidelity: where the leave-one-out R² is low, the words do not act one by
one.</p>
"""
# What 0 is on the scale of the weights, and what its length is called.
SCALES = {
    WITHOUT: ("the edit without instruction", "from no instruction to the full edit"),
    PHOTO: (
        "the photo, in the place of an edit without instruction",
        "from the photo to the full edit",
    ),
}
FARTHEST_EDIT = ("the farthest edit of the run", "from the farthest edit to the full one")


def write_report(explanation: Explanation, path: str | Path) -> None:
    """Write `report_html` to `path` as UTF-8."""
    Path(path).write_text(report_html(explanation), encoding="utf-8")


def report_html(explanation: Explanation) -> str:
    """Return the report as one HTML document.

    Parts without data (the map of a stopped run, a photo that was not kept) are left out or say
    so. Everything the user wrote is escaped.
    """
    answer = f"{before_after_html(explanation)}<div>{_words_html(explanation)}</div>"
    body = "".join(
        (
            _header_html(explanation),
            f'<section class="answer">{answer}</section>',
            _gallery_section(explanation),
            _evidence_html(explanation),
            _fidelity_html(explanation),
            f"<section><h2>How it was made</h2>{settings_html(explanation)}</section>",
            method_html(METHOD.format(negligible=explanation.config.get("negligible", 0.05))),
        )
    )
    body += (
        '<dialog id="large"><form method="dialog"><button aria-label="Close">×</button></form>'
        '<img alt=""><p></p></dialog>'
    )
    return document_html(explanation.instruction, body, tip_pictures_css(explanation))


def document_html(title: str, body: str, style: str = "") -> str:
    """Return a whole page that fetches nothing.

    Parameters
    ----------
    title : str
        Plain text, behind the name of the project.
    body : str
        What the page shows.
    style : str
        Rules besides those of every report.
    """
    style = HEATMAP_CSS + (STATIC / "report.css").read_text(encoding="utf-8") + style
    script = (STATIC / "report.js").read_text(encoding="utf-8")
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>SMILE: {escape(title)}</title><style>{style}</style></head>"
        f"<body><main>{body}</main><script>{script}</script></body></html>"
    )


def method_html(method: str) -> str:
    """Return the section that says how the numbers came about; `method` is HTML."""
    return (
        f'<section><h2>Method</h2><div class="prose">{method}<p>Paper: '
        "<cite>Mapping the mind of an instruction-based image editing using SMILE</cite>, "
        f'<a href="{CITATION}">arXiv 2412.16277</a>.</p></div></section>'
    )


def before_after_html(explanation: Explanation) -> str:
    """Return the photo and its edit on top of each other with a slider between them.

    A mask is drawn as an outline on the photo.
    """
    edit, photo = explanation.reference.image, before_picture(explanation)
    if edit is None:
        return '<div class="no-picture"><p>The full edit was not kept.</p></div>'
    after = f'<img src="{data_uri(edit, LARGE_SIDE, 85)}" alt="After: the full edit">'
    if photo is None:
        return f'<div class="before-after">{after}</div>'
    before = data_uri(photo, LARGE_SIDE, 85)
    alt = "Before: the photo" + (", the mask outlined" if explanation.mask else "")
    return (
        f'<div class="before-after" style="aspect-ratio:{edit.width}/{edit.height}">{after}'
        f'<img class="before" src="{before}" alt="{alt}">'
        '<b class="tag">before</b><b class="tag tag-after">after</b><i class="divider"></i>'
        '<input type="range" min="0" max="100" value="50" '
        'aria-label="How much of the photo covers the edit, in percent"></div>'
    )


def _header_html(explanation: Explanation) -> str:
    direction = "rtl" if is_right_to_left(explanation.instruction) else "ltr"
    sentence = sentence_html(summarize(explanation))
    edits = f"{edits_made(explanation)} edits"
    facts = " · ".join((explanation.editor, edits, f"seed {explanation.seed}"))
    notes = "".join(f"<li>{escape(note)}</li>" for note in explanation.notes)
    return (
        '<header><p class="brand"><b>SMILE</b> which words drive your edit?</p>'
        f"<h1>{sentence}</h1>"
        f'<p class="instruction" dir="{direction}">{escape(explanation.instruction)}</p>'
        f'<p class="facts">{escape(facts)}</p>'
        f"{f'<ul class=notes>{notes}</ul>' if notes else ''}</header>"
    )


def _words_html(explanation: Explanation) -> str:
    pairs = "".join(
        f"<tr><td>{escape(explanation.units[i].text)} × {escape(explanation.units[j].text)}</td>"
        f"<td>{signed(value)}</td></tr>"
        for i, j, value in explanation.interactions
    )
    table = f"<h3>Words acting together</h3><table>{pairs}</table>" if pairs else ""
    words = f"<h2>The instruction</h2>{heatmap_html(explanation, stable_height=False)}"
    if no_weights(explanation):
        return f'{words}<p class="hint">{no_weights(explanation)}</p>'
    exact = any(unit.exact for unit in explanation.units)
    title = "Weights" if exact else "Weights with 95 % intervals"
    return f"{words}<h2>{title}</h2>{bars_html(explanation)}{table}"


def _gallery_section(explanation: Explanation) -> str:
    side = next(
        (side for most, side in EDIT_SIDES if len(explanation.samples) <= most), SMALLEST_SIDE
    )
    choices = "".join(
        f'<option value="{key}">{label}</option>'
        for key, label in SORTS.items()
        if key != "-error" or not no_weights(explanation)
    )
    figures = gallery_html(explanation, lambda image: data_uri(image, side))
    return (
        '<section><div class="head"><h2>Every edit</h2>'
        f'<label>Sort by <select id="sort">{choices}</select></label></div>'
        f'<div class="gallery" id="gallery">{figures}</div></section>'
    )


def _evidence_html(explanation: Explanation) -> str:
    if not explanation.happened:
        return _hint_section("Map of the edits", no_weights(explanation))
    limit = color_limit(explanation)
    strongest = max(
        range(len(explanation.units)), key=lambda i: abs(explanation.units[i].weight), default=0
    )
    choices = "".join(
        f'<option value="{i}" data-color="{mark_color(unit.weight, limit)}"'
        f"{' selected' if i == strongest else ''}>{escape(unit.text)}</option>"
        for i, unit in enumerate(explanation.units)
    )
    map_part = (
        '<div class="head"><h2>Map of the edits</h2>'
        f'<label>Colour by <select id="color-by">{choices}</select></label></div>'
        f"{map_html(explanation, strongest)}"
        '<p class="hint">Near points are pictures that look alike (t-SNE). Filled: the word was '
        "kept; ring: it was left out; star: the full edit.</p>"
        if explanation.projection
        else '<h2>Map of the edits</h2><p class="hint">There is no map: it is drawn when a run '
        "ends, and this one was stopped or had too few edits.</p>"
    )
    scatter = (
        f'<p class="hint">{no_weights(explanation)}</p>'
        if explanation.outcome == ANY_UNIT
        else f'{scatter_html(explanation)}<p class="hint">One point per edit. On the dotted line '
        "the weights predict the edit exactly.</p>"
    )
    return (
        f'<section class="evidence"><div>{map_part}</div><div><div class="head">'
        f"<h2>Predicted against measured</h2></div>{scatter}</div></section>"
    )


def _hint_section(title: str, text: str) -> str:
    """Return a section that says why it is empty."""
    return f'<section><h2>{title}</h2><p class="hint">{text}</p></section>'


def _fidelity_html(explanation: Explanation) -> str:
    if no_weights(explanation):
        return _hint_section("Fidelity", no_weights(explanation))
    rows = []
    for key, metric in FIDELITY.items():
        value = explanation.fidelity.get(key)
        arrow = "↑ higher" if metric.direction == "higher" else "↓ lower"
        text = "undefined" if value is None else f"{value:.3g}".replace("-", "−")
        rows.append(
            f'<tr><th scope="row">{escape(metric.label)}</th><td class="number">{text}</td>'
            f"<td>{arrow} is better</td><td>{escape(metric.meaning)} "
            f"<small>({escape(metric.range)})</small></td></tr>"
        )
    return (
        '<section><h2>Fidelity</h2><p class="hint">How well the weights reproduce what the editor '
        'did.</p><div class="scroll"><table class="fidelity">'
        f"<tbody>{''.join(rows)}</tbody></table></div></section>"
    )


def settings_html(explanation: Explanation) -> str:
    """Return the settings, what is known about the run, and the versions, as lists."""
    settings = {
        name.replace("_", " "): AUTOMATIC.get(name, "none") if value is None else value
        for name, value in explanation.config.items()
        if name != "instruction"
    }
    run = {
        **_scale_facts(explanation.scale),
        **_kernel_facts(explanation),
        "noise floor": _number(explanation.noise_floor, "not measured (one seed)"),
        "intercept": signed(explanation.intercept) if explanation.happened else "none",
        **{
            f"{name.removesuffix('_s')} time": f"{s:.1f} s"
            for name, s in explanation.timing.items()
        },
    }
    parts = (("Settings", settings), ("This run", run), ("Versions", explanation.versions))
    lists = "".join(
        f"<div><h3>{title}</h3><dl>"
        + "".join(
            f"<div><dt>{escape(str(name))}</dt><dd>{escape(str(value))}</dd></div>"
            for name, value in values.items()
        )
        + "</dl></div>"
        for title, values in parts
    )
    return f'<div class="facts-grid">{lists}</div>'


def _scale_facts(scale: Scale | None) -> dict[str, str]:
    """Return in words what the weights are shares of; nothing in files of earlier versions."""
    if scale is None:
        return {}
    zero, way = SCALES.get(scale.rests_on, FARTHEST_EDIT)
    facts = {"0 on the scale": zero, "1 on the scale": "the full edit"}
    if scale.value is not None:
        taken_off = f", less the noise floor of {scale.floor:.3g}" if scale.floor else ""
        facts["length of the way"] = f"{scale.value:.3g}{taken_off} ({way})"
    if scale.visible is not None:
        facts["difference to the eye"] = (
            f"{scale.visible:.1f} of 255 levels at most ({VISIBLE:g} can be seen)"
        )
    return facts


def _kernel_facts(explanation: Explanation) -> dict[str, str]:
    """Return the effective sample size where it tells something: by default it is half of all."""
    if explanation.config.get("kernel_width") is None:
        return {}
    return {"effective sample size": f"{explanation.effective_sample_size:.1f}"}


def _number(value: float | None, missing: str) -> str:
    return missing if value is None else f"{value:.3g}"
