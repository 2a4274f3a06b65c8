"""The Method tab: what SMILE does, in plain words, and what it cannot do."""

from __future__ import annotations

import gradio as gr

from components import advanced

INTRODUCTION = """
## What this page does

An editor takes a photo and an instruction and returns a picture; nobody looks inside it. To find
out which words of your instruction do the work, the page

1. edits the photo with your whole instruction, which is the **reference**;
2. edits it again with many **perturbations**, the same instruction with some words left out, from
   the same noise (the seed), so that only the words make a difference;
3. measures how far each picture lies from the reference, and turns the distances of the run into a
   **similarity** from 0 (the farthest) to 1 (the same picture);
4. fits a weighted linear model, the **surrogate**, that predicts the similarity from which words
   were kept. Perturbations near the whole instruction count more.

The model's coefficient for a word is its **weight**: how much similarity to the full edit is lost
when the word is left out, on the scale of this run.

## How to read it

- A weight of 0.6 means that leaving the word out costs 0.6 of the way from the full edit (1) to the
  run's farthest edit (0), averaged over the perturbations. Near 0 the word does nothing; below 0
  the picture comes closer to the full edit without it.
- The scale is the run's own, so compare the weights of one run with each other, not with those of
  another run.
- Every weight has a 95 % **interval**, found by resampling the edits. When it spans 0 the word
  *cannot be told from nothing*: try the instruction without it.
- Look at **Fidelity** before you believe the weights. The leave-one-out R² says how well the
  surrogate predicts edits that it has not seen; far below 1, words act together in ways that a sum
  cannot show.
- On the **map**, near points are pictures that look alike. Its axes have no meaning, and the
  distances between far groups have little.

## What it cannot tell

- The weights hold for this photo, this instruction, this editor and this seed. Another seed can
  move them; *Seeds per perturbation* shows by how much.
- Leaving words out can make prompts that nobody would write, and the editor may react oddly to
  them.
- Distances see what the image encoder sees. A change that it does not notice has no weight.
- Words that only work together (“black and white”) share their weight; tick *Pairs of words*, or
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
        ("Perturbations", "How many shortened instructions are tried. Few words need few."),
        ("Seed", "The noise that every edit starts from. The same seed gives the same result."),
    ]
    menus = (advanced.MENUS, advanced.OPTIONAL_MENUS)
    for settings in (*menus, advanced.NUMBERS, advanced.OPTIONAL):
        rows += [(label, text) for label, text, *_ in settings.values()]
    rows += advanced.CHECKS.values()
    lines = "".join(f"| {label} | {text} |\n" for label, text in rows)
    return f"\n| setting | what it does |\n|---|---|\n{lines}"
