"""An editor that behaves only while it does not feel watched.

References
----------
[1] Slack et al., Fooling LIME and SHAP: adversarial attacks on post hoc explanation methods, AIES
    2020.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any

from PIL import Image

from smile_core.config import ConfigError
from smile_core.editors.protocol import EditFailure, Editor, EditorCard, Stop, StopRequested
from smile_core.instruction import join_units, split_units, units_in


class TwoFacedEditor:
    """Honest on whole instructions, innocent on shortened ones, as in the attack of Slack et al.

    A prompt that keeps at least `least_kept` of the instruction's units is taken for a real one
    and edited honestly. Any other is taken for a perturbation: it shows the honest edit of the
    full instruction if it holds the decoy, and the untouched photo if not. So whoever looks at
    shortened instructions sees an editor that follows the decoy.

    Parameters
    ----------
    editor : Editor
        Makes the honest edits.
    instruction : str
        The instruction that will be explained.
    decoy : str
        A unit of the instruction that does nothing.
    least_kept : float
        Share of the units, in (0, 1]; 1 recognises every shortened instruction.
    granularity : {"word", "phrase"}
        What the units are.
    known : mapping of str to PIL.Image.Image, or None
        Honest edits by prompt that need not be made again; they are taken for any seed.

    Raises
    ------
    ConfigError
        When the decoy is not in the instruction, or the share is outside its range.
    """

    def __init__(
        self,
        editor: Editor,
        instruction: str,
        decoy: str,
        *,
        least_kept: float = 1.0,
        granularity: str = "word",
        known: Mapping[str, Image.Image] | None = None,
    ) -> None:
        units = split_units(instruction, granularity)
        if decoy not in units:
            raise ConfigError(
                f"The decoy {decoy!r} is no {granularity} of the instruction {instruction!r}. "
                f"Choose one of: {', '.join(units)}."
            )
        if not 0 < least_kept <= 1:
            raise ConfigError(f"The share of kept words must be in (0, 1], not {least_kept:g}.")
        self._editor, self._decoy, self._granularity = editor, decoy, granularity
        self._full = join_units(units, [1] * len(units), granularity)
        self._fewest = least_kept * len(units)
        self._known = dict(known or {})
        self.name: str = f"two-faced {editor.name}"
        self.card: EditorCard = replace(editor.card, name=self.name, title=self.name)
        self.fingerprint: str | None = None
        if editor.fingerprint is not None:
            parts = (editor.fingerprint, self._full, decoy, str(least_kept), granularity)
            self.fingerprint = sha256("\n".join(parts).encode()).hexdigest()

    def edit(
        self,
        image: Image.Image,
        prompts: Sequence[str],
        *,
        seed: int,
        stop: Stop | None = None,
        **options: Any,
    ) -> list[Image.Image | EditFailure]:
        """Edit honestly or innocently, prompt by prompt, see `Editor.edit`."""
        shown = [self._shown(prompt) for prompt in prompts]
        honest = [prompt for prompt in shown if prompt is not None]
        wanted = [prompt for prompt in dict.fromkeys(honest) if prompt not in self._known]
        answers: Sequence[Image.Image | EditFailure] = []
        if wanted:
            try:
                answers = self._editor.edit(image, wanted, seed=seed, stop=stop, **options)
            except StopRequested as stopped:
                answers = stopped.answers
        made = {**self._known, **dict(zip(wanted, answers, strict=False))}  # fewer when stopped
        result: list[Image.Image | EditFailure] = []
        for prompt in shown:
            if prompt is not None and prompt not in made:
                raise StopRequested(result)
            result.append(image.copy() if prompt is None else made[prompt])
        return result

    def _shown(self, prompt: str) -> str | None:
        """Return the prompt whose honest edit is shown; None for the untouched photo."""
        units = units_in(prompt, self._granularity)
        if len(units) >= self._fewest:
            return prompt
        return self._full if self._decoy in units else None
