"""What a run with an editor behind an API will cost, told before it starts."""

from __future__ import annotations

from smile_core.editors.protocol import EditorCard


def estimate_cost(card: EditorCard, edits: int) -> float | None:
    """Return what `edits` edits cost in US dollars at most.

    Parameters
    ----------
    card : EditorCard
        The editor's card.
    edits : int
        Edits of the run: (perturbations + 1) times the seeds, and `planning.edits_aside`.
        Edits in the cache cost nothing, so a run may cost less.

    Returns
    -------
    float or None
        0 for an editor that nobody bills; None when the price is not known.
    """
    if card.price_usd is not None:
        return card.price_usd * edits
    return None if card.key_variable else 0.0


def cost_sentence(card: EditorCard, edits: int) -> str:
    """Return the estimate as a sentence; empty for an editor that nobody bills."""
    cost = estimate_cost(card, edits)
    if cost == 0.0:
        return ""
    if cost is None:
        return (
            f"{card.title} bills every edit, and this run makes up to {edits:,}. What one costs "
            "stands in the provider's price list."
        )
    return f"This run makes up to {edits:,} edits, which {card.title} bills at about ${cost:,.2f}."
