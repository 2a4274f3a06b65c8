"""The edits that several runs of a study share: made once, encoded once, fitted in many ways.

Pictures are encoded one by one, in the order of the run. So the features of a picture do not
depend on which others came out of the cache, and a study that was interrupted ends with the same
numbers as one that was not.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

from PIL import Image

from smile_core.assembling import Plan
from smile_core.edit_cache import EditCache
from smile_core.editing import Made
from smile_core.editors.protocol import EditFailure, Editor, Stop
from smile_core.evaluation.plain_run import fit_measured, has_no_reference, measure_made
from smile_core.evaluation.study_plan import Run, load_photo, mask_of
from smile_core.explanation import Explanation
from smile_core.feature_memory import RememberingEncoder
from smile_core.planning import edit_maker, plan_run


class CountedEditor:
    """An editor that counts what it makes, for the clock of a study.

    Attributes
    ----------
    made : int
        Answers so far.
    seconds : float
        Time they took.
    """

    def __init__(self, editor: Editor) -> None:
        self.name, self.card, self.fingerprint = editor.name, editor.card, editor.fingerprint
        self.made, self.seconds = 0, 0.0
        self._editor = editor

    def edit(
        self, image: Image.Image, prompts: Sequence[str], *, seed: int, **rest: Any
    ) -> list[Image.Image | EditFailure]:
        """Edit as the editor itself does."""
        began = time.perf_counter()
        answers = self._editor.edit(image, prompts, seed=seed, **rest)
        self.made += len(answers)
        self.seconds += time.perf_counter() - began
        return answers


class SharedEdits:
    """The edits of runs that differ in nothing but the fit.

    Parameters
    ----------
    group : sequence of Run
        As `study_plan.group_by_edits` returns them.
    editor : Editor
        Makes what is not cached.
    encoder : RememberingEncoder
        Sees each picture once.
    cache : EditCache or None
        Where edits are kept.

    Attributes
    ----------
    maker : EditMaker
        Knows how many edits were made, and how long that took.
    """

    def __init__(
        self,
        group: Sequence[Run],
        editor: Editor,
        encoder: RememberingEncoder,
        cache: EditCache | None,
    ) -> None:
        self._editor, self._encoder = editor, encoder
        self.maker = edit_maker(self._plan(group[0]), editor, cache)
        self._made: list[Made] = []
        self._untold = True  # whether a run is still to tell the time that the edits took

    def _plan(self, run: Run) -> Plan:
        card = self._editor.card
        photo, mask = load_photo(run.photo), mask_of(run, card)
        return plan_run(photo, mask, run.config, card, self._encoder.name)

    def batches(self, stop: Stop) -> Iterator[None]:
        """Make the edits, pausing after every batch; end early when nothing can come of them."""
        for batch in self.maker.batches(stop):
            self._made += batch
            yield
            if has_no_reference(self._made):
                return

    def fit(self, run: Run, stop: Stop) -> tuple[Explanation, dict[str, float]]:
        """Fit the edits in the way of one run.

        Returns
        -------
        Explanation
            Without a projection.
        dict of str to float
            Seconds by station, see `study_result.TIME_COLUMNS`.

        Raises
        ------
        RunError
            As `measure_made`.
        """
        encoded, seconds = self._encoder.encoded, self._encoder.seconds
        began = time.perf_counter()
        plan = self._plan(run)
        planned = time.perf_counter()
        measured = measure_made(plan, self._made, self._encoder)
        done = time.perf_counter()
        explanation = fit_measured(plan, measured, stop)
        told, self._untold = self._untold, False
        return explanation, {
            "fresh_edits": float(self.maker.fresh if told else 0),
            "edit_s": self.maker.seconds if told else 0.0,
            "encoded_pictures": float(self._encoder.encoded - encoded),
            "encode_s": self._encoder.seconds - seconds,
            "text_distance_s": planned - began,
            "image_distance_s": max(done - planned - measured.seconds, 0.0),
            "fit_s": time.perf_counter() - done,
        }
