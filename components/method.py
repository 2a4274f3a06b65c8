"""The Method tab: what SMILE does, in plain words, and what it cannot do."""

from __future__ import annotations

import gradio as gr

from components import advanced

INTRODUCTION = """
## What this page does

An editor takes a photo and an instruction and returns a picture; nobody looks inside it. To find
out which words of your instruction do the work, the page

1. edits the photo with your whole instruction, which gives the **full edit**;
2. edits the photo without any instruction. If that looks the same, or differs from the full edit by
   no more than chance, then **nothing happened**, and there is nothing to explain;
3. edits the photo with many **perturbations**, the same instruction with some words left out, from
   the same noise (the seed), so that only the words make a difference;
4. measures how far each picture lies from the full edit. The **similarity** is the share of the way
   that it has come: 0 for a picture as far away as the one without instruction, 1 for the full edit
   itself;
5. fits a weighted linear model, the **surrogate**, that predicts the similarity from which words
   were kept. Perturbations near the whole instruction count more.

The model's coefficient for a word is its **weight**: the share of the way that is gained by keeping
the word.

## How to read it

- A weight of 0.6 means that keeping the word brings the picture 0.6 of the way from no instruction
  (0) to the full edit (1), averaged over the perturbations. A weight near 0 means that the word
  does nothing. With a weight below 0, the picture comes closer to the full edit without the word.
- The scale is the same in all runs on one photo, as long as the image encoder and the image
  distance are the same. So you may compare the weights of two runs.
- Every weight has an **interval**, drawn as a line. All intervals of a run hold at once with 95 %
  confidence. They are there because only some of the shortened instructions were run. Where edits
  also differ by chance, under several seeds or because the editor takes no seed, they count that
  too.
- A short instruction has few shortened versions. When all of them were run, nothing was sampled:
  the weight is **exact** and has no interval, unless edits differ by chance.
- A word **drives the edit** or **works against it** when its whole interval lies beyond the
  smallest effect that matters, which is 0.05 unless you set another. It has **no effect** when its
  whole interval lies within that: try the instruction without the word. All other words are
  **unclear** and need more edits: press *64 more*.
- Two words may share one number. **Either** 0.90 means that one of the two is enough: only leaving
  out both loses 0.90 of the way. **Both** 0.90 means that they need each other: only together they
  bring 0.90 of the way. **Any one is enough** means that every shortened instruction gave the full
  edit.
- A **?** stands under a word that was never left out, so nothing is known about it.
- Look at **Fidelity** before you believe the weights. The leave-one-out R² says how well the
  surrogate predicts edits that it has not seen. If it is far below 1, words act together in ways
  that a sum cannot show.
- On the **map**, near points are pictures that look alike. Its axes have no meaning, and the
  distances between far groups have little.

## What it cannot tell

- The weights hold for this photo, this instruction, this editor and this seed. Another seed can
  move them. With *Seeds per perturbation* above 1 the intervals say by how much.
- Leaving words out can make prompts that nobody would write, and the editor may react oddly to
  them.
- Distances see what the image encoder sees. A change that it does not notice has no weight.
- Words that only work together (“black and white”) share their weight. Tick *Pairs of words*, or
  use phrases as units.

## The settings
"""

CITATION = """
## Your data

Photos and results stay on the machine that runs this page, and are removed after a day. The edits
are kept in a cache there, so that the same question is answered at once.

## Source

The method is SMILE (Statistical Model-agnostic Interpretability with Local Explanations), applied
to instruction-based image editing in [arXiv 2412.16277](https://arxiv.org/abs/2412.16277). If this
page helps your work, cite that paper.
"""


def build() -> None:
    """Make the tab."""
    gr.Markdown(
        INTRODUCTION + settings_table() + CITATION, elem_id="method", elem_classes="reading"
    )


def settings_table() -> str:
    """Return every setting with its one line of explanation, as a Markdown table."""
    rows = [
        (
            "Perturbations",
            "How many shortened instructions are tried. Automatic follows the number of words, "
            "until you set another number.",
        ),
        ("Seed", "The noise that every edit starts from. The same seed gives the same result."),
    ]
    menus = (advanced.MENUS, advanced.OPTIONAL_MENUS)
    for settings in (*menus, advanced.NUMBERS, advanced.OPTIONAL):
        rows += [(label, text) for label, text, *_ in settings.values()]
    rows += advanced.CHECKS.values()
    lines = "".join(f"| {label} | {text} |\n" for label, text in rows)
    return f"\n| setting | what it does |\n|---|---|\n{lines}"
