"""Bring the runs of another results file into one, beside what is there: never over it."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlite_utils import Database

from harness.errors import UserError
from harness.store.copies import copy_of
from harness.store.database import open_for_writing
from harness.store.schema import UNFINISHED, migrations
from harness.store.writer import transaction

# Where a run came from and when it was last heard of say nothing of what it found.
_NOT_COMPARED = {"runs": ("source", "heartbeat_at")}
# What a snapshot clears of paths and answers; it leaves out rows as well.
_CLEARED = {"runs": ("reason", "effective"), "items": ("answers",)}
_APART = ("runs", "artifacts", "choices", migrations.migrations_table)  # brought in their own way, or not at all

_KNOWN = f"""
CREATE TEMP TABLE known AS
SELECT run_id, main.runs.source LIKE 'snapshot:%' OR theirs.runs.source LIKE 'snapshot:%' AS from_snapshot
FROM theirs.runs JOIN main.runs USING (run_id) WHERE theirs.runs.status NOT IN {UNFINISHED}
"""
_NEW = f"""
CREATE TEMP TABLE new AS SELECT run_id, cell_id, stack_id FROM theirs.runs
WHERE status NOT IN {UNFINISHED} AND run_id NOT IN (SELECT run_id FROM main.runs)
"""
# An arm's choice goes with its runs: the file that has all of them has seen the most when it chose.
_CHOICES = f"""
INSERT INTO main.choices SELECT * FROM theirs.choices AS choice
WHERE EXISTS (SELECT 1 FROM new JOIN theirs.cells USING (cell_id)
              WHERE arm_id = choice.arm_id AND stack_id = choice.stack_id)
  AND NOT EXISTS (SELECT 1 FROM main.runs JOIN main.cells USING (cell_id)
                  WHERE arm_id = choice.arm_id AND stack_id = choice.stack_id AND status NOT IN {UNFINISHED}
                    AND run_id NOT IN (SELECT run_id FROM theirs.runs))
ON CONFLICT DO UPDATE SET learning_rate = excluded.learning_rate
"""
# An eval is written down before anything is scored in it, and its items are counted then.
_COUNT_ITEMS = """
UPDATE main.evals SET n_items = theirs.evals.n_items FROM theirs.evals
WHERE main.evals.eval_id = theirs.evals.eval_id AND main.evals.n_items = 0
"""


@dataclass(frozen=True)
class Merged:
    """How many runs came in, were there already, and had not ended; how many weights stay where they are."""

    source: Path
    target: Path
    new: int
    known: int
    unfinished: int
    artifacts: int

    @property
    def summary(self) -> str:
        """One line."""
        if self.new:
            parts = [f"{self.new} runs of {self.source} imported into {self.target}, {self.known} were there already"]
        else:
            parts = [f"nothing new: {self.target} holds all {self.known} runs of {self.source} that have ended"]
        if self.unfinished:
            parts.append(f"{self.unfinished} unfinished left out")
        if self.artifacts:
            parts.append(f"the weights that it names ({self.artifacts}) are not imported and stay where they are")
        return "; ".join(parts)


def merge_file(source: Path, target: Path) -> Merged:
    """Merge the results file ``source`` into ``target`` (made where there is none), all of it or nothing.

    A second time changes nothing. What hangs on a run is read from the schema: every table that refers to runs, or has
    a ``run_id``. Raises UserError, with nothing written, for a source that is none, is damaged or of a newer version,
    and for a run that ``target`` holds with other content.
    """
    with copy_of(source) as copy:
        db = open_for_writing(target)
        db.conn.execute("ATTACH ? AS theirs", [str(copy)])
        try:
            with transaction(db):
                _refuse_other_columns(db, source)
                for statement in (_KNOWN, _NEW):
                    db.conn.execute(statement)
                _refuse_other_content(db, source)
                _bring(db, source)
                found = _counted(db, source, target)
        except sqlite3.Error as error:
            raise UserError(_explained(error, source, target)) from None
        finally:
            db.conn.close()
    return found


def _refuse_other_content(db: Database, source: Path) -> None:
    for table, key in (("runs", "run_id"), *_tables_of_runs(db)):
        skipped = _NOT_COMPARED.get(table, ())
        whole = _differing(db, table, key, skipped, "from_snapshot = 0")
        part = _differing(db, table, key, (*skipped, *_CLEARED.get(table, ())), "from_snapshot = 1")
        for run_id in sorted(whole[0] | whole[1] | (part[0] & part[1])):  # a snapshot has some of a run's rows
            raise UserError(
                f"{source}: run {run_id} is there already with other {table}; nothing was imported: use another --db"
            )


def _differing(db: Database, table: str, key: str, skipped: Sequence[str], which: str) -> tuple[set[str], set[str]]:
    """The known runs with a row here that is not there, and with one there that is not here."""
    columns = _quoted(name for name in _columns(db, table) if name not in skipped)
    rows = f'SELECT {columns} FROM {{}}."{table}" WHERE "{key}" IN (SELECT run_id FROM known WHERE {which})'
    sides = (("main", "theirs"), ("theirs", "main"))
    found = (f'SELECT DISTINCT "{key}" FROM ({rows.format(a)} EXCEPT {rows.format(b)})' for a, b in sides)
    here, there = ({str(row[0]) for row in db.conn.execute(sql)} for sql in found)
    return here, there


def _bring(db: Database, source: Path) -> None:
    db.conn.execute("PRAGMA defer_foreign_keys = ON")
    of_runs = dict(_tables_of_runs(db))
    for table in (name for name in db.table_names() if name not in (*_APART, *of_runs)):
        db.conn.execute(f"{_insert(db, table)} WHERE TRUE ON CONFLICT DO NOTHING")
    for table, key in (("runs", "run_id"), *of_runs.items()):
        db.conn.execute(f'{_insert(db, table, source.name)} WHERE "{key}" IN (SELECT run_id FROM new)')
    db.conn.execute(_CHOICES)
    db.conn.execute(_COUNT_ITEMS)


def _insert(db: Database, table: str, origin: str | None = None) -> str:
    """A statement that copies a table's rows. Runs that were local there are ``origin``'s here."""
    columns, values = _columns(db, table), {}
    if table == "runs" and origin is not None:
        values["source"] = f"CASE source WHEN 'local' THEN {db.quote(f'file:{origin}')} ELSE source END"
    selected = ", ".join(values.get(name, f'"{name}"') for name in columns)
    return f'INSERT INTO main."{table}" ({_quoted(columns)}) SELECT {selected} FROM theirs."{table}"'


def _tables_of_runs(db: Database) -> Iterator[tuple[str, str]]:
    """Tables whose rows hang on a run, with the column that names it."""
    for table in (name for name in db.table_names() if name not in _APART):
        keys = [str(key.column) for key in db.table(table).foreign_keys if key.other_table == "runs"]
        keys += [name for name in _columns(db, table) if name == "run_id"]
        if keys:
            yield table, keys[0]


def _refuse_other_columns(db: Database, source: Path) -> None:
    for table in db.table_names():
        if set(_columns(db, table)) != set(_columns(db, table, "theirs")):
            raise UserError(f"{source}: is damaged: its table {table} has other columns than those of its version")


def _columns(db: Database, table: str, schema: str = "main") -> list[str]:
    return [str(row[0]) for row in db.execute("SELECT name FROM pragma_table_info(?, ?)", [table, schema]).fetchall()]


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _counted(db: Database, source: Path, target: Path) -> Merged:
    def count(rows: str) -> int:
        return int(db.execute(f"SELECT count(*) FROM {rows}").fetchone()[0])

    unfinished = count(f"theirs.runs WHERE status IN {UNFINISHED}")
    return Merged(source, target, count("new"), count("known"), unfinished, count("theirs.artifacts"))


def _explained(error: sqlite3.Error, source: Path, target: Path) -> str:
    text = str(error)
    if "locked" in text:
        return f"--db {target}: is locked by another program; try again when that has ended"
    return f"{source}: its rows are none that runs leave behind, and nothing was imported: {text}"
