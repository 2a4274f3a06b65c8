"""What a run with an editor behind an API will cost, told before it starts.

Providers change their prices, so no card holds one. Whoever knows the price of an edit tells it in
`SMILE_PRICES`, in US dollars: `gpt-image-2.5-flare=0.04,flux-kontext-api=0.03`.
"""

from __future__ import annotations

import os

from smile_core.config import ConfigError
from smile_core.editors.protocol import EditorCard


def estimate_cost(card: EditorCard, edits: int) -> float | None:
    """Return what `edits` edits cost in US dollars at most.

    Parameters
    ----------
    card : EditorCard
        The editor's card.
    edits : int
        Edits of the run, see `planning.count_edits`. Edits in the cache cost nothing, so a run
        may cost less.

    Returns
    -------
    float or None
        0 for an editor that nobody bills; None when the price is not known.

    Raises
    ------
    ConfigError
        When `SMILE_PRICES` tells a price that is none.
    """
    price = _told_price(card) if card.price_usd is None else card.price_usd
    if price is not None:
        return price * edits
    return None if card.key_variable else 0.0


def _told_price(card: EditorCard) -> float | None:
    """Return the price of an edit by `SMILE_PRICES`; None when it is silent about this editor."""
    entries = [entry.partition("=") for entry in os.environ.get("SMILE_PRICES", "").split(",")]
    told = {name.strip(): price.strip() for name, _, price in entries}
    if card.name not in told:
        return None
    try:
        price = float(told[card.name])
    except ValueError:
        price = -1.0
    if not 0 <= price < float("inf"):
        raise ConfigError(
            f"SMILE_PRICES says {told[card.name]!r} for {card.name!r}. Write US dollars for an "
            f"edit, such as {card.name}=0.04."
        )
    return price


def cost_sentence(card: EditorCard, edits: int) -> str:
    """Return the estimate as a sentence; empty for an editor that nobody bills.

    Raises
    ------
    ConfigError
        As `estimate_cost`.
    """
    cost = estimate_cost(card, edits)
    if cost == 0.0:
        return ""
    if cost is None:
        return (
            f"{card.title} bills every edit, and this run makes up to {edits:,}. What one costs "
            "stands in the provider's price list; set SMILE_PRICES to have it worked out."
        )
    return f"This run makes up to {edits:,} edits, which {card.title} bills at about ${cost:,.2f}."
