"""What an editor can do, in plain sentences."""

from __future__ import annotations

from smile_core.editors.protocol import EditorCard

# Of an editor that takes instructions of all sorts and claims no more than that.
GENERAL_EDITS = "edits of a whole picture or of parts of it, by instruction"


def ability_sentences(card: EditorCard) -> str:
    """Return what an editor does and does not do, with an example; empty if its card is silent."""
    sentences = []
    if card.does:
        sentences.append(f"Does {card.does.rstrip('.')}.")
    if card.does_not:
        sentences.append(f"Knows no {card.does_not.rstrip('.')}.")
    if card.example:
        sentences.append(f"For example: “{card.example}”.")
    return " ".join(sentences)
