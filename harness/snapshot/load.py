"""A snapshot as a database in memory, so that whatever reads a results file reads a snapshot too."""

import sqlite3
from collections import Counter
from pathlib import Path

from sqlite_utils import Database

from harness.errors import UserError
from harness.oneline import one_line
from harness.snapshot.checks import identity_problems
from harness.snapshot.manifest import Manifest, file_problems, read_manifest
from harness.snapshot.packed import packed_fault
from harness.snapshot.rows import Row, Rows
from harness.snapshot.shapes import shape_problems
from harness.snapshot.tables import BadTable, Room, read_table, table_names
from harness.store.database import open_in_memory
from harness.store.schema import migrations


class BadRows(Exception):
    """Rows that break the schema: ``problems`` has a line for each kind of fault."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = list(problems)


def load_snapshot(folder: Path) -> Database:
    """The snapshot in ``folder`` as a database in memory, its hashes, rows and ids checked.

    Raises UserError that names the first thing that does not verify. Whether the report follows from the rows is for
    ``verify_snapshot`` to say.
    """
    manifest = read_manifest(folder)
    problems = file_problems(folder, manifest)
    if not problems:
        try:
            db = read_database(folder, manifest)
            problems = identity_problems(db)
        except BadRows as bad:
            problems = bad.problems
    if not problems:
        return db
    more = f" (and {len(problems) - 1} more; `tunematrix verify` names them)" if len(problems) > 1 else ""
    raise UserError(f"{folder}: does not verify: {one_line(problems[0])}{more}")


def read_database(folder: Path, manifest: Manifest) -> Database:
    """The rows under ``tables/`` as a database of this version; raises BadRows, or UserError for a newer schema."""
    old = open_in_memory(_known_schema(folder, manifest))
    rows: Rows = {}
    problems, room = [], Room()
    for table in table_names(old):
        try:
            rows[table] = read_table(old, table, folder / "tables" / f"{table}.parquet", room)
            if len(rows[table]) != manifest.rows.get(table):
                problems.append(
                    f"tables/{table}.parquet: {len(rows[table])} rows, published with {manifest.rows.get(table)}"
                )
        except BadTable as bad:
            problems.append(f"tables/{table}.parquet: {bad}")
    if problems:
        raise BadRows(*problems)
    return _filled(old, rows)


def database_of(rows: Rows) -> Database:
    """``rows`` of the present schema as a database in memory; raises BadRows as above."""
    return _filled(open_in_memory(), rows)


def _filled(db: Database, rows: Rows) -> Database:
    if fault := packed_fault(rows["items"], {row["eval_id"]: row["n_items"] for row in rows["evals"]}):
        raise BadRows(f"tables/items.parquet: {fault}")
    problems: list[str] = []
    db.conn.execute("PRAGMA foreign_keys = OFF")
    for table, of_table in rows.items():
        try:
            _insert(db, table, of_table)
        except (sqlite3.Error, OverflowError) as error:
            problems.append(f"tables/{table}.parquet: {_explain(db, table, of_table, error)}")
    problems += [] if problems else [*_dangling(db), *shape_problems(db, list(rows))]
    if problems:
        raise BadRows(*problems)
    db.conn.execute("PRAGMA foreign_keys = ON")
    migrations.apply(db)
    return db


def _insert(db: Database, table: str, rows: list[Row]) -> None:
    if rows:
        names = ", ".join(f'"{name}"' for name in rows[0])
        marks = ", ".join("?" for _ in rows[0])
        with db.atomic():
            db.conn.executemany(f'INSERT INTO "{table}" ({names}) VALUES ({marks})', [tuple(r.values()) for r in rows])


def _explain(db: Database, table: str, rows: list[Row], error: Exception) -> str:
    keys = db.table(table).pks
    twice = [key for key, n in Counter(tuple(row[k] for k in keys) for row in rows).items() if n > 1]
    return f"stands twice: {', '.join(map(str, twice[0]))}" if twice else str(error)


def _dangling(db: Database) -> list[str]:
    """A line for each table and what it refers to in vain."""
    found = Counter((table, parent) for table, _, parent, _ in db.execute("PRAGMA foreign_key_check").fetchall())
    return [
        f"tables/{table}.parquet: {n} rows refer to {parent} that are not there" for (table, parent), n in found.items()
    ]


def _known_schema(folder: Path, manifest: Manifest) -> list[str]:
    known = [migration.name for migration in migrations.pending(Database(memory=True))]
    applied = manifest.schema_applied
    if applied != known[: len(applied)] or not applied:
        unknown = [name for name in applied if name not in known]
        raise UserError(
            f"{folder}: its schema ({(unknown or applied or ['none'])[-1]!r}) is not one that this tunematrix reads "
            f"(up to {known[-1]}); upgrade it"
        )
    return applied
