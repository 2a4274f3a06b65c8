"""Taking a study away."""

from __future__ import annotations

import shutil

from components import export
from components.session import EvaluationPlace
from smile_core.evaluation import study_report
from smile_core.result_files import write_text

STUDY_FILE = "study.yaml"
ZIP_FILE = "study.zip"
FILES = {
    study_report.REPORT_FILE: ("Report", "One page that opens anywhere: all tables and plots."),
    study_report.RESULTS_FILE: ("Words", "One row per word per explanation."),
    study_report.SUMMARY_CSV_FILE: ("Tables", "Every figure of every table, ours and the paper’s."),
    study_report.SUMMARY_FILE: ("Tables as text", "Markdown, to paste into a paper or a page."),
    study_report.TIMINGS_FILE: ("Seconds", "Where the time of every explanation went."),
    STUDY_FILE: ("Study", "Runs it again: python -m smile_core study study.yaml"),
    ZIP_FILE: ("Everything", "All of these files in one."),
}


def written(place: EvaluationPlace) -> str:
    """Write the files of the last study unless they are there; return the links to them.

    Raises
    ------
    ExportError
        When they cannot be written.
    """
    with place.writing:
        snapshot = place.snapshot
        if place.closed or snapshot is None or not snapshot.pairs:
            return export.render(None, FILES)
        if snapshot is not place.exported:
            with place.writing_files() as empty:
                folder = empty / "study"
                study_report.save_study(snapshot.study, snapshot.pairs, folder)
                write_text(folder / STUDY_FILE, place.text)
                shutil.make_archive(str(folder), "zip", folder)
                (empty / ZIP_FILE).replace(folder / ZIP_FILE)
            place.exported, place.links = snapshot, export.render(folder, FILES)
        return place.links
