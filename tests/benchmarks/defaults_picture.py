"""Curves of accuracy against the number of perturbations, drawn into a picture by Chromium."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from plotly.subplots import make_subplots

from smile_core.evaluation.study_plots import SERIES
from tests.browser.chromium import browser, require_chromium

WIDTH, HEIGHT = 900, 380
FIGURES = {"auroc": "AUROC", "f1": "F1 (weight ≥ 0.1)"}


def draw_curves(points: Sequence[dict], path: Path) -> None:
    """Write a picture with a panel per figure and a curve per editor and mask design.

    Parameters
    ----------
    points : sequence of dict
        Of `editor`, `design`, `perturbations` and the figures of `FIGURES`.
    path : Path
        Of the PNG.
    """
    figure = make_subplots(cols=len(FIGURES), subplot_titles=list(FIGURES.values()))
    curves = sorted({(point["editor"], point["design"]) for point in points})
    editors = sorted({editor for editor, _ in curves})
    for editor, design in curves:
        own = [p for p in points if (p["editor"], p["design"]) == (editor, design)]
        for column, name in enumerate(FIGURES, start=1):
            figure.add_scatter(
                x=[point["perturbations"] for point in own],
                y=[point[name] for point in own],
                name=f"{editor}, {design}",
                line={
                    "color": SERIES[editors.index(editor)],
                    "dash": "solid" if design == "balanced" else "dot",
                },
                showlegend=column == 1,
                row=1,
                col=column,
            )
    figure.update_xaxes(title="perturbations")
    figure.update_layout(
        template="plotly_white", width=WIDTH, height=HEIGHT,
        margin={"l": 50, "r": 20, "t": 40, "b": 50}, legend={"y": -0.25, "orientation": "h"},
    )  # fmt: skip
    with browser(require_chromium()) as chromium:
        page = chromium.new_page(viewport={"width": WIDTH, "height": HEIGHT}, device_scale_factor=2)
        page.set_content(figure.to_html(include_plotlyjs=True))
        page.wait_for_selector(".legend")
        page.screenshot(path=path)
