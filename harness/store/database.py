"""Open a results file: made and migrated for a writer, untouched and read-only for a reader."""

import sqlite3
import time
from pathlib import Path

from sqlite_utils import Database

from harness.errors import UserError
from harness.store.schema import migrations

BUSY_SECONDS = 30.0
MIGRATION_TRIES = 100


def open_for_writing(path: Path) -> Database:
    """The database at ``path``, made where there is none, migrated to this version, in WAL mode.

    Raises UserError for a file that is no database, belongs to another program, or is of a newer version.
    """
    if path.is_dir():
        raise UserError(f"--db {path}: is a folder; name a file, as in --db tunematrix.db")
    if not path.parent.is_dir():
        raise UserError(f"--db {path}: the folder {path.parent} does not exist")
    try:
        _refuse_foreign(path)
        db = Database(sqlite3.connect(path, timeout=BUSY_SECONDS))
        db.conn.execute("PRAGMA foreign_keys = ON")
        db.enable_wal()
        migrations.apply(db)
    except sqlite3.DatabaseError as error:
        raise UserError(f"--db {path}: {error}") from None
    return db


def open_for_reading(path: Path) -> Database:
    """The database at ``path``, which no statement through it can change; raises UserError as above."""
    if not path.is_file():
        raise UserError(f"--db {path}: no such file; `tunematrix run` makes one")
    _refuse_foreign(path)
    db = Database(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=BUSY_SECONDS))
    if migrations.pending(db):
        db.conn.close()
        _migrate(path)
        return open_for_reading(path)
    return db


def _migrate(path: Path) -> None:
    """Bring an older file up to date; where a runner is just making it, wait until it has."""
    for _ in range(MIGRATION_TRIES):
        try:
            open_for_writing(path).conn.close()
            return
        except UserError as error:
            if "locked" not in str(error):
                raise
            time.sleep(0.1)
    raise UserError(f"--db {path}: another program holds it locked; try again when it is done")


def _refuse_foreign(path: Path) -> None:
    if not path.exists() or path.stat().st_size == 0:
        return
    try:
        db = Database(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=BUSY_SECONDS))
        known = {migration.name for migration in migrations._migrations}
        applied = {migration.name for migration in migrations.applied(db)}
        tables = [name for name in db.table_names() if name != migrations.migrations_table]
        db.conn.close()
    except sqlite3.DatabaseError:
        raise UserError(f"--db {path}: is no SQLite database") from None
    if newer := applied - known:
        raise UserError(f"--db {path}: written by a newer tunematrix ({max(newer)}); upgrade this one to read it")
    if tables and not applied:
        raise UserError(f"--db {path}: is another program's database (tables {', '.join(tables[:3])}, ...)")
