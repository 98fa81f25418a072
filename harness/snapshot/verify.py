"""Does a snapshot hold what it says? Each fault in a line; what follows from a fault that was found is not reported."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from sqlite_utils import Database

from harness.errors import UserError
from harness.report.files import REPORT_VERSION
from harness.snapshot.checks import cell_problems, face_problems, identity_problems
from harness.snapshot.compare import csv_difference, difference, older_difference
from harness.snapshot.contents import write_contents
from harness.snapshot.load import BadRows, read_database
from harness.snapshot.manifest import Manifest, file_problems, read_manifest
from harness.snapshot.rows import Row
from harness.snapshot.tables import csv_text, table_names, table_schema

NOT_REBUILT = ("tables/", "matrices/", "matrix.yaml")


@dataclass(frozen=True, eq=False)
class Verdict:
    """What was found: ``problems``, none of them where all is well, and the rows as a database where they are read."""

    manifest: Manifest
    problems: list[str]
    db: Database | None = None
    remark: str | None = None

    @property
    def summary(self) -> str:
        """One line for a snapshot that holds."""
        counts = self.manifest.rows
        expected = len(self.manifest.expected)
        head = f"ok: {len(self.manifest.files)} files, {counts['runs']} runs, {expected} cells of the matrix"
        return "; ".join([head, *self.manifest.notes, *([self.remark] if self.remark else [])])


def verify_snapshot(folder: Path) -> Verdict:
    """Check the snapshot in ``folder``: files, rows, cells and ids, and every number that is derived from the rows.

    Raises UserError for a folder that is no snapshot, or of a newer format or report.
    """
    manifest = read_manifest(folder)
    if manifest.report > REPORT_VERSION:
        raise UserError(
            f"{folder}: its report is of version {manifest.report}, newer than this tunematrix makes "
            f"({REPORT_VERSION}); upgrade it"
        )
    if problems := file_problems(folder, manifest):
        return Verdict(manifest, problems)
    try:
        db = read_database(folder, manifest)
    except BadRows as bad:
        return Verdict(manifest, bad.problems)
    problems = [*identity_problems(db), *cell_problems(db, manifest), *face_problems(db, manifest)]
    problems = problems or _csv_problems(db, manifest, folder)
    problems = problems or _derived_problems(db, manifest, folder)
    older = f"its report is of version {manifest.report}: its words and pictures were not compared with the rows"
    return Verdict(manifest, problems, db, older if manifest.report < REPORT_VERSION else None)


def _csv_problems(db: Database, manifest: Manifest, folder: Path) -> list[str]:
    """A line for each CSV that says something else than its Parquet. Tables that came later than the snapshot are not
    asked for: those that its own schema has ``read_database`` has seen."""
    problems = []
    for table in (name for name in table_names(db) if name in manifest.rows):
        file = folder / "tables" / f"{table}.csv"
        rows: list[Row] = list(db.query(f'SELECT * FROM "{table}" ORDER BY {", ".join(db.table(table).pks)}'))
        given = csv_text(table, table_schema(db, table).names, rows)
        said = file.read_bytes().decode("utf-8", "replace") if file.is_file() else ""
        if found := None if said == given else csv_difference(said, given, exact=True):
            problems.append(f"tables/{table}.csv: {found} in tables/{table}.parquet")
    return problems


def _derived_problems(db: Database, manifest: Manifest, folder: Path) -> list[str]:
    """A line for each table of the report that does not follow from the rows; else for each other such file. A report
    of an older version has the same files: who makes one with others says here which."""
    with tempfile.TemporaryDirectory() as temporary:
        rebuilt = Path(temporary)
        try:
            write_contents(db, manifest, rebuilt)
        except Exception as error:  # rows that a stranger made up may break any line of the analysis
            return [f"tables: no report can be made of them: {type(error).__name__}: {error}"]
        given = {path.relative_to(rebuilt).as_posix() for path in rebuilt.rglob("*") if path.is_file()}
        said = {name for name in manifest.files if not name.startswith(NOT_REBUILT)}
        problems = [f"{name}: missing: the rows give it" for name in sorted(given - said)]
        problems += [f"{name}: does not follow from the rows" for name in sorted(said - given)]
        differs = difference if manifest.report == REPORT_VERSION else older_difference
        found = {name: differs(folder / name, rebuilt / name) for name in sorted(given & said)}
    tables = [f"{name}: {what}" for name, what in found.items() if what and name.endswith(".csv")]
    others = [f"{name}: {what}" for name, what in found.items() if what and not name.endswith(".csv")]
    return problems + (tables or others)
