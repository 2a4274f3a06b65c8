"""How the page looks: one accent colour, one font, light and dark.

Every colour of our own lives in the style sheet as a variable; this file only hands the same
colours to Gradio's components.
"""

from __future__ import annotations

from pathlib import Path

import gradio as gr
from gradio.themes.utils import fonts

from smile_core import heatmap

PAGE = Path(__file__).parents[1] / "assets" / "page"
STATIC = Path(heatmap.__file__).parent / "static"
CSS_FILES = [
    PAGE / "page.css",
    STATIC / "heatmap.css",
    STATIC / "comparison.css",
    PAGE / "comparison.css",
    STATIC / "study_report.css",
    PAGE / "evaluate.css",
]
SCRIPT_FILE = PAGE / "page.js"

ACCENT = gr.themes.Color(
    name="pine",
    c50="#effaf7",
    c100="#d5f1ea",
    c200="#aee2d6",
    c300="#7accbd",
    c400="#45b09f",
    c500="#239384",
    c600="#12756a",
    c700="#115e56",
    c800="#124b46",
    c900="#123f3b",
    c950="#042623",
)


def head() -> str:
    """Return what goes into the page's head: its script, inline, so that nothing is fetched."""
    # Gradio's style sheets do not reach its footer, where a phone shows one link of two.
    footer = (
        "<style>@media (max-width: 900px) { footer .divider { display: none !important } }</style>"
    )
    return f"<script>{SCRIPT_FILE.read_text(encoding='utf-8')}</script>{footer}"


def theme() -> gr.themes.Base:
    """Return the theme of the page."""
    return gr.themes.Base(
        primary_hue=ACCENT,
        secondary_hue=ACCENT,
        neutral_hue=gr.themes.colors.slate,
        text_size=gr.themes.sizes.text_md,
        spacing_size=gr.themes.sizes.spacing_md,
        radius_size=gr.themes.sizes.radius_md,
        # The 600 that ships with Gradio lacks most letters.
        font=[fonts.LocalFont("IBM Plex Sans", weights=(400, 700)), "system-ui", "sans-serif"],
        font_mono=["ui-monospace", "monospace"],
    ).set(
        body_background_fill="#f6f7f9",
        body_background_fill_dark="#0e1216",
        body_text_color="#18212b",
        body_text_color_dark="#e6eaee",
        body_text_color_subdued="#566270",
        body_text_color_subdued_dark="#9aa7b4",
        block_background_fill="#ffffff",
        block_background_fill_dark="#161c22",
        block_border_color="#e1e5ea",
        block_border_color_dark="#28313a",
        border_color_primary="#dfe4e9",
        border_color_primary_dark="#2a333d",
        block_shadow="none",
        block_border_width="1px",
        block_title_text_size="*text_sm",
        block_title_text_weight="600",
        block_title_text_color="*body_text_color",
        block_title_text_color_dark="*body_text_color",
        block_title_background_fill="transparent",
        block_title_background_fill_dark="transparent",
        block_title_padding="0",
        block_title_border_width="0px",
        block_title_border_width_dark="0px",
        block_label_text_size="*text_sm",
        block_label_background_fill="transparent",
        block_label_background_fill_dark="transparent",
        block_info_text_color="*body_text_color_subdued",
        block_info_text_color_dark="*body_text_color_subdued",
        block_info_text_size="*text_sm",
        panel_background_fill="transparent",
        panel_background_fill_dark="transparent",
        panel_border_width="0px",
        input_background_fill="#ffffff",
        input_background_fill_dark="#10161b",
        input_border_color="#d3d9e0",
        input_border_color_dark="#313c47",
        input_border_color_focus="*primary_600",
        input_border_color_focus_dark="*primary_400",
        input_border_width="1px",
        input_border_width_dark="1px",
        input_shadow="none",
        input_text_size="*text_md",
        button_primary_background_fill="*primary_600",
        button_primary_background_fill_dark="*primary_600",
        button_primary_background_fill_hover="*primary_700",
        button_primary_background_fill_hover_dark="*primary_500",
        button_primary_text_color="#ffffff",
        button_primary_text_color_dark="#ffffff",
        button_primary_shadow="none",
        button_secondary_background_fill="#ffffff",
        button_secondary_background_fill_dark="#1c242c",
        button_secondary_background_fill_hover="#f0f3f5",
        button_secondary_background_fill_hover_dark="#25303a",
        button_secondary_border_color="#d3d9e0",
        button_secondary_border_color_dark="#35414d",
        button_secondary_shadow="none",
        button_border_width="1px",
        slider_color="*primary_600",
        slider_color_dark="*primary_400",
        color_accent_soft="*primary_50",
        color_accent_soft_dark="*primary_950",
        checkbox_background_color_selected="*primary_600",
        checkbox_background_color_selected_dark="*primary_600",
        checkbox_border_color_selected="*primary_600",
        checkbox_border_color_selected_dark="*primary_500",
        checkbox_label_shadow="none",
        link_text_color="*primary_700",
        link_text_color_dark="*primary_300",
        error_background_fill="#fff5f4",
        error_background_fill_dark="#2a1714",
    )
