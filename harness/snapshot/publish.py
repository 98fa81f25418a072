"""Freeze the runs of a suite as a folder that others can check."""

import os
import secrets
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sqlite_utils import Database

from harness.errors import UserError
from harness.report.files import REPORT_VERSION
from harness.snapshot.contents import write_contents
from harness.snapshot.expected import Expected
from harness.snapshot.face import Fault, faults
from harness.snapshot.index import refuse_foreign_index, write_index
from harness.snapshot.load import database_of
from harness.snapshot.manifest import FORMAT, Allowance, Manifest, check_name, write_manifest
from harness.snapshot.rows import Rows, select_suite, selected_rows
from harness.snapshot.tables import write_tables
from harness.store.schema import migrations
from tunematrix.version import __version__


@dataclass(frozen=True)
class Publication:
    """What is to be published: a suite, the texts by name of the matrix files that asked for it, and every cell."""

    name: str
    suite: str
    matrices: Mapping[str, str]
    expected: Sequence[Expected]
    overrides: tuple[str, ...] = ()
    changed_files: tuple[str, ...] = ()
    with_text: bool = False
    allow: frozenset[Allowance] = frozenset()


def publish_snapshot(db: Database, what: Publication, results: Path) -> Manifest:
    """Write ``results/NAME``, all at once or not at all, and list it in ``results/README.md``; returns its manifest.

    Raises UserError, with nothing written, for a name that is none or is taken, for what ``what.allow`` does not
    allow, and where that README is no list of snapshots.
    """
    target = results / check_name(what.name)
    if target.exists() or target.is_symlink():
        raise UserError(f"{target}: exists already, and a snapshot never changes; choose another name")
    refuse_foreign_index(results)
    rows = selected_rows(db, select_suite(db, what.suite), with_text=what.with_text)
    if not rows["runs"]:
        raise UserError(f"no runs of suite {what.suite!r} to publish")
    published = database_of(rows)
    found = faults(published, what.expected, what.changed_files)
    _refuse(found, what)
    results.mkdir(exist_ok=True)
    part = results / f".{what.name}.{secrets.token_hex(4)}"
    try:
        part.mkdir()
        manifest = _write(published, rows, _manifest(published, rows, what, found), what.matrices, part)
        _sync(part)
        part.rename(target)
    finally:
        with suppress(FileNotFoundError):
            shutil.rmtree(part)
    write_index(results)
    return manifest


def _refuse(found: Sequence[Fault], what: Publication) -> None:
    for fault in found:
        if fault.kind not in what.allow:
            raise UserError(f"{what.suite}: {fault.words}: {fault.remedy}, or --allow {fault.kind}")


def _write(db: Database, rows: Rows, manifest: Manifest, matrices: Mapping[str, str], folder: Path) -> Manifest:
    (folder / "tables").mkdir()
    write_tables(db, rows, folder / "tables")
    for name, text in matrices.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8", newline="")
    write_contents(db, manifest, folder)
    return write_manifest(manifest, folder)


def _manifest(db: Database, rows: Rows, what: Publication, found: Sequence[Fault]) -> Manifest:
    trained = {cell["cell_id"]: cell["seed"] for cell in rows["cells"] if cell["learning_rate"] is not None}
    return Manifest(
        format=FORMAT,
        schema_applied=[migration.name for migration in migrations.applied(db)],
        tunematrix=__version__,
        report=REPORT_VERSION,
        name=what.name,
        suite=what.suite,
        overrides=list(what.overrides),
        seeds=sorted({seed for seed in trained.values() if seed is not None}),
        stacks=[stack["stack_id"] for stack in rows["stacks"]],
        newest_run=max(run["started_at"] for run in rows["runs"]),
        git_commits=sorted({run["git_commit"] for run in rows["runs"] if run["git_commit"]}),
        git_changed_files=list(what.changed_files),
        with_text=what.with_text,
        allowed=sorted(fault.kind for fault in found),
        notes=[fault.note for fault in found],
        expected=list(what.expected),
        rows={table: len(of_table) for table, of_table in rows.items()},
    )


def _sync(folder: Path) -> None:
    """On the disk before the name is: a snapshot is there whole, or not."""
    for path in [*folder.rglob("*"), folder]:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
