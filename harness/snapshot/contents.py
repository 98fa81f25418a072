"""Everything in a snapshot that follows from its rows: written once to publish it, and again to verify it."""

from dataclasses import replace
from pathlib import Path

from sqlite_utils import Database

from harness.report import Report, build_report, write_report
from harness.snapshot.figures import as_svg, figures
from harness.snapshot.manifest import Manifest
from harness.snapshot.pages import write_pages
from harness.store import reader


def write_contents(db: Database, manifest: Manifest, folder: Path) -> None:
    """Write the report, its figures and the pages of the snapshot whose rows are ``db`` to ``folder``."""
    report = snapshot_report(db, manifest)
    write_report(report, folder / "report")
    write_pages(db, manifest, report, _write_figures(db, report, folder), folder)


def snapshot_report(db: Database, manifest: Manifest) -> Report:
    """The report of a snapshot's rows, with what was allowed in it on its face."""
    return replace(build_report(db), notes=tuple(manifest.notes))


def _write_figures(db: Database, report: Report, folder: Path) -> dict[str, str]:
    """Write the figures of every section; returns their names with their titles."""
    (folder / "figures").mkdir()
    curves, titles = reader.curves(db), {}
    for section in report.sections:
        several = f"-{section.stack_id[:8]}" if len(report.sections) > 1 else ""
        for name, (title, chart) in figures(section, curves[curves["stack_id"] == section.stack_id]).items():
            titles[f"figures/{name}{several}.svg"] = title
            (folder / "figures" / f"{name}{several}.svg").write_text(as_svg(chart), encoding="utf-8")
    return titles
