"""What comes to the Compare tab from outside: links, dropped files, saved comparisons."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from components import answer, compare_link, compare_view, editor_card, export, inputs, mask
from components.bring_back import NOT_UPLOADED, check_photo
from components.compare_asked import Asked, asked_of, chosen_configs, masked_cards
from components.compare_files import FILES, carries_comparison, written
from components.compare_inputs import CompareInputs, arranged, filled, render_cards
from components.compare_runs import ComparePanels, show_comparison
from components.served import is_uploaded, uploaded_path
from components.session import ComparisonPlace, session_of
from components.show import Updates
from smile_core.columns import empty_comparison
from smile_core.comparison_export import load_comparison
from smile_core.config import ConfigError
from smile_core.result_files import ExportError

TAB = "compare"  # the id of the tab
OPENED = "Opened from a link. Press Compare to run it."
RESTORED = "Restored from a file: all numbers. The pictures come back when you press Compare."
MOST_EDITS = 8192  # of a column; the intervals are computed anew


class CompareBack:
    """The handlers of one page's inputs, address, drops and restore button.

    Parameters
    ----------
    left : CompareInputs
        The inputs.
    panels : ComparePanels
        The panels.
    tabs : gr.Tabs
        The tabs of the page, to go to this one.
    """

    def __init__(self, left: CompareInputs, panels: ComparePanels, tabs: gr.Tabs) -> None:
        self.left = left
        self.panels = panels
        self.tabs = tabs

    def arrange(self, *values: Any) -> Updates:
        """Show the inputs that there are for what is to be compared."""
        return arranged(self.left, Asked.from_values(values))

    def choose(self, request: gr.Request, photo: Any, *values: Any) -> Updates:
        """Do the same for other editors, which may need a mask."""
        asked = Asked.from_values(values)
        updates = arranged(self.left, asked)
        return {**updates, **self._mask(session_of(request).comparing, photo, asked)}

    def look_up(self, request: gr.Request, photo: Any, *values: Any) -> Updates:
        """Look up the editors that were typed, and show what that tells."""
        asked = Asked.from_values(values)
        names = [asked.editor(index) or "" for index in range(asked.columns)]
        if all(editor_card.known_card(name) is not None for name in names):
            return {self.left.about: gr.skip()}
        told = render_cards(asked, editor_card.say_about)
        return {**self.choose(request, photo, *values), self.left.about: told}

    def _mask(self, place: ComparisonPlace, photo: Any, asked: Asked) -> Updates:
        """Show or hide the panel of the mask; what is painted there stays."""
        where = self.left.where
        needed = bool(masked_cards(asked))
        if place.painted is not None or not needed:
            return {where.panel: gr.update(visible=needed)}
        panel, drawing = mask.show(place, needed, photo)
        return {where.panel: panel, where.drawing: drawing}

    def show_photo(self, request: gr.Request, photo: Any, *values: Any) -> Updates:
        """Show another photo to paint on, if an editor needs a mask."""
        needed = bool(masked_cards(Asked.from_values(values)))
        panel, drawing = mask.show(session_of(request).comparing, needed, photo)
        return {self.left.where.panel: panel, self.left.where.drawing: drawing}

    def take_drawing(self, event: gr.EventData, request: gr.Request) -> Updates:
        """Keep what was painted for the next comparison."""
        return self._said(mask.take_drawing(session_of(request).comparing, event))

    def take_mask(self, request: gr.Request, file: Any, photo: Any, *values: Any) -> Updates:
        """Keep an uploaded mask, and show it as if it had been painted."""
        cards = masked_cards(Asked.from_values(values))
        place, card = session_of(request).comparing, cards[0] if cards else None
        drawing, sentence = mask.take_upload(place, file, photo, card)
        return {self.left.where.drawing: drawing, **self._said(sentence)}

    def open_page(self, request: gr.Request) -> Updates:
        """Fill in the comparison that the address carries, and go to its tab."""
        try:
            configs = compare_link.from_query(request.query_params)
            if configs is None:
                return {self.left.buttons.message: gr.skip()}
            asked = asked_of(configs)
            chosen_configs(asked)  # which is of what the page offers
        except ConfigError as error:
            sentence = f"The address holds settings that cannot be used. {error}"
            return {**self._said(sentence), self.tabs: gr.Tabs(selected=TAB)}
        named = inputs.PHOTOS.get(request.query_params.get("photo", ""))
        photo = str(named or self.left.photo.value["path"])
        return {
            **show_comparison(self.panels, empty_comparison(configs), compare_view.STRONGEST),
            **filled(self.left, asked),
            **self._mask(session_of(request).comparing, {"path": photo}, asked),
            self.left.photo: photo,
            self.panels.sentence: answer.render_quiet(OPENED),
            self.tabs: gr.Tabs(selected=TAB),
        }

    def take_file(self, event: gr.EventData, request: gr.Request) -> Updates:
        """Take a comparison that was dropped on the page; say what is wrong with a photo.

        All else is taken by the Explain tab, whose photo this tab follows.
        """
        path = Path(str((event._data or {}).get("path", "")))
        if not is_uploaded(path):
            return self._said(NOT_UPLOADED)
        if carries_comparison(path):
            return {**self._restored(path, request), self.tabs: gr.Tabs(selected=TAB)}
        if path.suffix.lower() == ".json" or export.carries_result(path):
            return {**self._said(""), self.tabs: gr.Tabs(selected="explain")}
        return {self.left.buttons.message: check_photo({"path": str(path)})}

    def restore(self, file: dict[str, Any] | None, request: gr.Request) -> Updates:
        """Restore from the file that was chosen in the export panel."""
        if file is None:
            return {self.left.buttons.message: gr.skip()}
        try:
            return self._restored(uploaded_path(file), request)
        except ConfigError as error:
            return self._said(str(error))

    def _restored(self, path: Path, request: gr.Request) -> Updates:
        """Show the comparison in the file at `path` and fill in its settings."""
        place = session_of(request).comparing
        if place.running or place.job is not None:
            return self._said("A comparison is running. Stop it before you restore another.")
        try:
            comparison = load_comparison(path, most_edits=MOST_EDITS)
        except ConfigError as error:
            return self._said(str(error))
        try:
            asked = asked_of([column.config for column in comparison.columns])
            chosen_configs(asked)
            shown = {**filled(self.left, asked), **self._said("")}
            shown |= {self.left.where.panel: gr.update(visible=bool(masked_cards(asked)))}
        except ConfigError as error:
            shown = self._said(f"The result is here, but this page cannot repeat it. {error}")
        place.comparison = comparison
        try:
            links = written(place)
        except ExportError as error:
            links, shown = export.render(None, FILES), {**shown, **self._said(str(error))}
        return {
            **show_comparison(self.panels, comparison, place.color_by),
            **shown,
            self.panels.status: answer.render_idle(RESTORED),
            self.panels.links: links,
        }

    def _said(self, sentence: str) -> Updates:
        return {self.left.buttons.message: inputs.render_message(sentence)}
