"""The results at hand: results files and snapshots, opened without touching them, listed by suite and stack."""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any, Literal

import pandas as pd
from sqlite_utils import Database

from harness.errors import UserError
from harness.history import Past, past_of
from harness.sections import Contents, Part
from harness.selectors import Named
from harness.sources import Source, open_source
from harness.stack import hardware
from harness.store import reader, step_reader
from harness.store.database import LOOK_SECONDS, is_in_memory, open_for_reading

SHOWN_ID = 6

Kind = Literal["file", "snapshot"]
Version = tuple[int, ...]


@dataclass(frozen=True)
class SectionKey:
    """One suite on one stack in one source, as far as it had come when it was listed.

    Everything that is worked out of a section is kept by its key: while runs go on, only what ends makes a new one.
    ``hardware`` and ``stack`` are how people are told of the machine and of the software; ``scored``: has it any score,
    or are its runs of costs alone?
    """

    path: Path
    source: str
    suite: str
    stack_id: str
    ended: int
    last_ended_at: str | None
    last_started_at: str
    file: int
    hardware: str = field(compare=False)
    stack: str = field(compare=False)
    scored: bool = field(compare=False)

    @property
    def where(self) -> str:
        """The machine, the software and the source, on a line."""
        return f"{self.hardware} · {self.stack} · {self.source}"


_ANY_SCORE = """
SELECT 1 FROM scores JOIN runs USING (run_id) JOIN cells USING (cell_id)
WHERE cells.suite = ? AND runs.stack_id = ? LIMIT 1
"""


@dataclass(frozen=True)
class Listing:
    """A source's sections, newest first; ``problem`` says in a sentence why there are none, where it can't be read."""

    path: Path
    name: str
    kind: Kind
    sections: tuple[SectionKey, ...] = ()
    notes: tuple[str, ...] = ()
    problem: str | None = None


def in_order(found: Iterable[Listing]) -> list[SectionKey]:
    """The sections of all sources: first one's own results, then published ones that have scores, each newest first."""
    told = [(one.kind == "snapshot", key) for one in found for key in one.sections]
    told.sort(key=lambda pair: pair[1].last_started_at, reverse=True)
    return [key for _, key in sorted(told, key=lambda pair: (pair[0], pair[0] and not pair[1].scored))]


def version(path: Path) -> Version:
    """What changes whenever something is written to a source; empty where it is not there."""
    files = [path / "manifest.json"] if path.is_dir() else [path, path.with_name(f"{path.name}-wal")]
    found: list[int] = []
    for file in files:
        with suppress(FileNotFoundError):  # the log goes when its writer does
            stat = file.stat()
            if stat.st_size:  # an empty log comes and goes with those who only read
                found += (stat.st_ino, stat.st_mtime_ns, stat.st_size)
    return tuple(found)


def told_apart(sections: Iterable[SectionKey]) -> dict[str, SectionKey]:
    """Each section by ``where``, with the path of its source behind it where two would be called the same."""
    several = list(sections)
    alike = Counter(key.where for key in several)
    return {f"{key.where} ({key.path})" if alike[key.where] > 1 else key.where: key for key in several}


def list_source(path: Path) -> Listing:
    """What a source holds; a source that can't be read is listed with its problem."""
    kind: Kind = "snapshot" if path.is_dir() else "file"
    try:
        with opened(path) as source:
            return Listing(path, source.name, kind, _sections(path, source), source.notes)
    except UserError as error:
        return Listing(path, path.name, kind, problem=str(error))
    except OSError as error:
        return Listing(path, path.name, kind, problem=f"{path}: can't be read now: {error}")
    except (ValueError, KeyError, TypeError):
        return Listing(path, path.name, kind, problem=f"{path}: holds rows that no run of tunematrix wrote")


def read_part(key: SectionKey) -> Part:
    """Everything that the pages derive their figures from, of one section."""
    with opened(key.path) as source:
        return Contents(source.db, only=(key.suite, key.stack_id)).part(key.suite, key.stack_id)


def read_named(key: SectionKey) -> list[Named]:
    """What the arms of one section can be found by, without their figures."""
    with opened(key.path) as source:
        return Contents(source.db, only=(key.suite, key.stack_id)).named(key.suite, key.stack_id)


def read_predictions(key: SectionKey) -> pd.DataFrame:
    """See ``step_reader.predictions``."""
    with opened(key.path) as source:
        return step_reader.predictions(source.db, key.suite, key.stack_id)


def read_past(key: SectionKey, arms: Sequence[str]) -> Past:
    """What one section says of a few arms (ids): see ``history.past_of``. Quicker by far than to read all of it."""
    with opened(key.path) as source:
        contents = Contents(source.db, every_rate=False, only=(key.suite, key.stack_id), arms_only=arms)
        return past_of(key.source, contents.part(key.suite, key.stack_id))


def read_curves(key: SectionKey) -> pd.DataFrame:
    """See ``reader.curves``."""
    with opened(key.path) as source:
        reader.excerpt(source.db, key.suite, key.stack_id)
        return reader.curves(source.db)


def read_asked(key: SectionKey, run_ids: Sequence[str]) -> pd.DataFrame:
    """See ``reader.asked``."""
    with opened(key.path) as source:
        return reader.asked(source.db, run_ids)


def read_recipes(key: SectionKey, arms: Sequence[str]) -> "pd.Series[Any]":
    """See ``reader.recipes_of``."""
    with opened(key.path) as source:
        return reader.recipes_of(source.db, arms)


def read_steps(key: SectionKey, run_ids: Sequence[str]) -> pd.DataFrame:
    """See ``reader.steps``."""
    with opened(key.path) as source:
        return reader.steps(source.db, run_ids)


def read_items(key: SectionKey, run_ids: Sequence[str]) -> pd.DataFrame:
    """See ``reader.items``; without the answers' texts."""
    with opened(key.path) as source:
        return reader.items(source.db, run_ids)


def under_way(path: Path) -> pd.DataFrame:
    """See ``reader.under_way``; empty where the source can't be read."""
    try:
        with opened(path) as source:
            return reader.under_way(source.db)
    except (UserError, OSError):
        return pd.DataFrame()


@contextmanager
def opened(path: Path) -> Iterator[Source]:
    """A source, for this thread to read: a file is opened anew; a snapshot, or a file of an earlier version, was read
    into memory once and is used in turn.

    Raises UserError where it is none, or can't be read to its end.
    """
    try:
        if held := _in_memory(path, version(path)):
            source, lock = held
            with lock:
                try:
                    yield source
                finally:
                    reader.unsettle(source.db)
            return
        db = open_for_reading(path, LOOK_SECONDS)
        try:
            yield Source(path.stem, path, db)
        finally:
            db.conn.close()
    except (sqlite3.Error, pd.errors.DatabaseError) as error:
        raise UserError(f"{path}: can't be read now: {error}") from None


@lru_cache(maxsize=16)
def _in_memory(path: Path, _: Version) -> tuple[Source, Lock] | None:
    """A source that is read from memory; None for a file that is read where it is."""
    if path.is_dir():
        return open_source(path), Lock()
    db = open_for_reading(path, LOOK_SECONDS)
    if is_in_memory(db):
        return Source(path.stem, path, db), Lock()
    db.conn.close()
    return None


def _sections(path: Path, source: Source) -> tuple[SectionKey, ...]:
    facts = _facts(source.db)
    rows = reader.sections(source.db).astype(object)
    rows = rows.where(rows.notna(), None)
    file = path.stat().st_ino
    return tuple(
        SectionKey(
            path=path,
            source=source.name,
            suite=str(row["suite"]),
            stack_id=str(row["stack_id"]),
            ended=int(row["runs"] - row["unfinished"]),
            last_ended_at=row["last_ended_at"],
            last_started_at=str(row["last_started_at"]),
            file=file,
            hardware=hardware(facts[row["stack_id"]]),
            stack=_software(facts[row["stack_id"]], str(row["stack_id"])),
            scored=bool(list(source.db.query(_ANY_SCORE, [row["suite"], row["stack_id"]]))),
        )
        for row in rows.to_dict("records")
        if row["runs"] > row["unfinished"]
    )


def _facts(db: Database) -> dict[str, dict[str, Any]]:
    return {str(key): dict(facts) for key, facts in reader.stacks(db).set_index("stack_id")["facts"].items()}


def _software(facts: Mapping[str, Any], stack_id: str) -> str:
    torch = facts.get("torch")
    return f"torch {torch}, stack {stack_id[:SHOWN_ID]}" if torch else f"stack {stack_id[:SHOWN_ID]}"
