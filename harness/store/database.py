"""Open a results file: made and migrated for a writer, untouched and read-only for a reader."""

import fcntl
import hashlib
import os
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlite_utils import Database

from harness.errors import UserError
from harness.store.schema import migrations

BUSY_SECONDS = 30.0
LOOK_SECONDS = 2.0  # somebody who only looks is rather told that a file is locked
CACHE_KIB = 64 * 1024


def open_for_writing(path: Path) -> Database:
    """The database at ``path``, made where there is none, migrated to this version, in WAL mode.

    Raises UserError for a file that is no database, belongs to another program, or is of a newer version.
    """
    refuse_place(path)
    try:
        db = Database(sqlite3.connect(path, timeout=BUSY_SECONDS))
        db.conn.execute("PRAGMA foreign_keys = ON")
        with _alone(path):
            db.enable_wal()
            # The disk is waited for now and then, not at every event of a run: should the power fail, the last ones are
            # lost and run again, and the file stays whole. A process that dies loses nothing.
            db.execute("PRAGMA synchronous = NORMAL")
            migrations.apply(db)
    except sqlite3.DatabaseError as error:
        raise UserError(f"--db {path}: {error}") from None
    return db


def open_for_reading(path: Path, patience: float = BUSY_SECONDS) -> Database:
    """The database at ``path``, whose file no statement through it can change: one of an earlier version is brought up
    to date in a copy in memory. Waits for ``patience`` seconds where another program has locked it.

    Raises UserError as above.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such results file; `tunematrix run` makes one")
    refuse_foreign(path, patience, str(path))
    db = Database(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=patience))
    if migrations.pending(db):
        copy = Database(sqlite3.connect(":memory:", check_same_thread=False))
        db.conn.backup(copy.conn)
        db.conn.close()
        migrations.apply(copy)
        return copy
    db.execute(f"PRAGMA cache_size = -{CACHE_KIB}")  # several queries read the same pages
    return db


def is_in_memory(db: Database) -> bool:
    """Whether a database is in no file."""
    return not next(iter(db.query("PRAGMA database_list")))["file"]


def open_in_memory(schema: Sequence[str] | None = None) -> Database:
    """An empty database that is in no file: what a snapshot is read into. Several threads may use it, in turn.

    It is of this version, or of an earlier one, whose migrations ``schema`` names.
    """
    db = Database(sqlite3.connect(":memory:", check_same_thread=False))
    db.conn.execute("PRAGMA foreign_keys = ON")
    later = [m.name for m in migrations.pending(db) if schema is not None and m.name not in schema]
    migrations.apply(db, stop_before=later)
    return db


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Two processes never make or migrate one file at the same time.

    The lock is a file of its own: to open and close the database's own file would drop SQLite's locks on it.
    """
    name = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:16]
    with (Path(tempfile.gettempdir()) / f"tunematrix-{os.getuid()}-{name}.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def refuse_place(path: Path) -> None:
    """Raise UserError where no results file can be, or another file is."""
    if path.is_dir():
        raise UserError(f"--db {path}: is a folder; name a file, as in --db tunematrix.db")
    if not path.parent.is_dir():
        raise UserError(f"--db {path}: the folder {path.parent} does not exist")
    refuse_foreign(path)


def refuse_foreign(path: Path, patience: float = BUSY_SECONDS, named: str | None = None) -> None:
    """Raise UserError, which calls the file ``named``, for what no results file of this or an earlier version is."""
    named = named or f"--db {path}"
    if not path.exists() or path.stat().st_size == 0:
        return
    try:
        db = Database(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=patience))
        known = {migration.name for migration in migrations._migrations}
        applied = {migration.name for migration in migrations.applied(db)}
        tables = [name for name in db.table_names() if name != migrations.migrations_table]
        db.conn.close()
    except sqlite3.DatabaseError as error:
        locked = getattr(error, "sqlite_errorname", "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))
        what = "is locked by another program; try again when that has ended" if locked else "is no SQLite database"
        raise UserError(f"{named}: {what}") from None
    if newer := applied - known:
        raise UserError(f"{named}: written by a newer tunematrix ({max(newer)}); upgrade this one to read it")
    if tables and not applied:
        raise UserError(f"{named}: is another program's database (tables {', '.join(tables[:3])}, ...)")
