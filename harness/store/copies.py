"""A results file from elsewhere, as a copy of this version: the file itself is never written to, nor opened for it."""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlite_utils import Database

from harness.errors import UserError
from harness.store.database import BUSY_SECONDS, refuse_foreign
from harness.store.schema import migrations

MAGIC = b"SQLite format 3\0"
# What SQLite keeps beside a file: a log that holds the newest rows, and an index of it while somebody has it open.
_LOGS = ("-wal", "-journal")
_IN_USE = "-shm"


def is_database(path: Path) -> bool:
    """Whether a file begins as those of SQLite do."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


@contextmanager
def copy_of(path: Path) -> Iterator[Path]:
    """A sound copy of the results file at ``path``, migrated to this version, for as long as the context is open.

    Raises UserError, in one line that names ``path``, for what is no results file, is of a newer version or is damaged.
    """
    if not is_database(path):
        raise UserError(f"{path}: is no results file: it is no SQLite database")
    with tempfile.TemporaryDirectory(prefix="tunematrix-") as folder:
        copy = Path(folder) / "copy.db"
        try:
            _copy(path, copy)
            refuse_foreign(copy, named=str(path))
            db = Database(sqlite3.connect(copy))
            if not migrations.applied(db):
                raise UserError(f"{path}: is no results file: it has no tables")
            migrations.apply(db)
            _refuse_damaged(path, db)
            db.close()
        except sqlite3.Error as error:
            raise UserError(f"{path}: cannot be read: {error}") from None
        yield copy


def _copy(path: Path, copy: Path) -> None:
    """Byte for byte where nobody has the file open: to ask SQLite would leave files beside it, or need to."""
    if not _beside(path, _IN_USE).exists():
        for end in ("", *_LOGS):
            if _beside(path, end).is_file():
                shutil.copyfile(_beside(path, end), _beside(copy, end))
        if not _beside(path, _IN_USE).exists():
            return
        for end in _LOGS:  # of the moment before somebody opened it
            _beside(copy, end).unlink(missing_ok=True)
    original = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=BUSY_SECONDS)
    copied = sqlite3.connect(copy)
    original.backup(copied)
    original.close()
    copied.close()


def _beside(path: Path, end: str) -> Path:
    return path.with_name(path.name + end)


def _refuse_damaged(path: Path, db: Database) -> None:
    found = [str(row[0]) for row in db.execute("PRAGMA quick_check(1)").fetchall()]
    if found != ["ok"]:
        raise UserError(f"{path}: is damaged: {found[0]}")
    for table, _, parent, _ in db.execute("PRAGMA foreign_key_check").fetchall():
        raise UserError(f"{path}: is damaged: rows of {table} refer to {parent} that are not there")
