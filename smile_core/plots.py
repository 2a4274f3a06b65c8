"""Interactive figures of an explanation, for the page and for notebooks."""

from __future__ import annotations

import plotly.graph_objects as go

from .explanation import Explanation


def bar_chart(explanation: Explanation) -> go.Figure:
    """Draw the weight of each unit as a bar with its 95 % interval."""
    raise NotImplementedError


def tsne_map(
    explanation: Explanation, unit: int | None = None, thumbnails: bool = False
) -> go.Figure:
    """Draw the t-SNE map of the edits, the reference as a star."""
    raise NotImplementedError


def predicted_vs_measured(explanation: Explanation) -> go.Figure:
    """Draw what the surrogate predicts against what was measured."""
    raise NotImplementedError
