"""Bring a snapshot's runs into a results file, beside what is there: never over it."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from harness.errors import UserError
from harness.oneline import one_line
from harness.snapshot.privacy import hashed_answers
from harness.snapshot.rows import OF_A_RUN, TABLES, Row, Rows, published
from harness.snapshot.verify import verify_snapshot
from harness.store.database import open_for_writing
from harness.store.packing import unpack_texts
from harness.store.writer import Writer

# Where a run came from and when it was last heard of say nothing of what it found.
_NOT_COMPARED = ("source", "heartbeat_at")


@dataclass(frozen=True)
class Brought:
    """How many runs came in, and how many were there already."""

    name: str
    new: int
    known: int

    @property
    def summary(self) -> str:
        """One line."""
        return f"{self.new} runs of snapshot {self.name} imported, {self.known} were there already"


def import_snapshot(folder: Path, db_path: Path) -> Brought:
    """Import the snapshot in ``folder``, all of it or nothing; a second time changes nothing.

    Raises UserError, before anything is written, for a snapshot that does not verify and for a run that ``db_path``
    holds with other results under the same id.
    """
    verdict = verify_snapshot(folder)
    if verdict.problems:
        raise UserError(f"{folder}: does not verify, and is not imported: {one_line(verdict.problems[0])}")
    assert verdict.db is not None
    rows, name = _rows_of(verdict.db), verdict.manifest.name
    db = open_for_writing(db_path)
    known = _known_runs(db, rows)
    new = {table: _new_rows(table, of_table, known) for table, of_table in rows.items()}
    for run in new["runs"]:
        run["source"] = f"snapshot:{name}"
    Writer(db).bring(new)
    return Brought(name, len(new["runs"]), len(known))


def _rows_of(db: Database) -> Rows:
    return {table: list(db.query(f'SELECT * FROM "{table}"')) for table in TABLES}


def _new_rows(table: str, rows: list[Row], known: set[str]) -> list[Row]:
    return [row for row in rows if row["run_id"] not in known] if table in ("runs", *OF_A_RUN) else rows


def _known_runs(db: Database, rows: Rows) -> set[str]:
    """The snapshot's runs that ``db`` has too; raises UserError where they are not the same there."""
    ids = json.dumps([run["run_id"] for run in rows["runs"]])
    known: set[str] = set()
    for table in ("runs", *OF_A_RUN):
        sql = f'SELECT * FROM "{table}" WHERE run_id IN (SELECT value FROM json_each(?))'
        here = published(table, db.query(sql, [ids]), with_text=True)
        if table == "runs":
            known = {row["run_id"] for row in here}
        theirs = [row for row in rows[table] if row["run_id"] in known]
        if other := _first_not_in(here, theirs):
            raise UserError(
                f"run {one_line(other['run_id'])}: is there already with other {table}; nothing was imported: "
                "use another --db for this snapshot"
            )
    return known


def _first_not_in(here: Sequence[Row], theirs: Sequence[Row]) -> Row | None:
    """The first of their rows that is not here: a results file may hold scores that a snapshot leaves out."""
    there = Counter(_comparable(row) for row in here)
    return next((row for row in theirs if _comparable(row) not in there), None)


def _comparable(row: Row) -> tuple[Any, ...]:
    return tuple(
        tuple(hashed_answers(unpack_texts(value))) if name == "answers" and value is not None else value
        for name, value in row.items()
        if name not in _NOT_COMPARED
    )
