"""Rows as files: Parquet with the store's own column types, CSV for people. The same rows give the same bytes."""

import base64
import csv
import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from sqlite_utils import Database

from harness.oneline import one_line
from harness.snapshot.rows import TABLES, Row, Rows
from harness.store.packing import unpack_bits, unpack_texts

MAX_BYTES = 2 * 2**30  # of all tables of a snapshot
MAX_ROWS = 2_000_000  # of one of them
VALUE_BYTES = 64  # that any value takes as an object, however small its file
BATCH_ROWS = 4096

_TOO_LARGE = f"unpacks, with the tables before it, to more than {MAX_BYTES // 2**30} GiB"

_TYPES = {"TEXT": pa.string(), "INTEGER": pa.int64(), "REAL": pa.float64(), "BLOB": pa.binary()}


class BadTable(Exception):
    """A table's file does not hold what it should, in one line without the file's name."""


class Room:
    """How much memory the tables of a snapshot may still take."""

    def __init__(self) -> None:
        self.left = MAX_BYTES

    def take(self, size: int) -> None:
        """Raises BadTable where there is less left than ``size`` bytes."""
        self.left -= size
        if self.left < 0:
            raise BadTable(_TOO_LARGE)


def table_names(db: Database) -> list[str]:
    """The published tables that this version of the schema has, in the order in which they can be written."""
    there = set(db.table_names())
    return [name for name in TABLES if name in there]


def table_schema(db: Database, table: str) -> pa.Schema:
    """The Arrow schema of a table of the store."""
    columns = db.execute(f'PRAGMA table_info("{table}")').fetchall()
    return pa.schema([(name, _TYPES[kind]) for _, name, kind, *_ in columns])


def write_tables(db: Database, rows: Rows, folder: Path) -> None:
    """``<table>.parquet`` and ``<table>.csv`` of every table in ``folder``."""
    for table, found in rows.items():
        schema = table_schema(db, table)
        pq.write_table(
            pa.Table.from_pylist(found, schema=schema),
            folder / f"{table}.parquet",
            compression="zstd",
            compression_level=9,
            store_schema=False,
            write_statistics=False,
        )
        (folder / f"{table}.csv").write_text(csv_text(table, schema.names, found), encoding="utf-8", newline="")


def read_table(db: Database, table: str, file: Path, room: Room) -> list[Row]:
    """The rows of a Parquet file; raises BadTable for what is none, has other columns, or takes more than ``room``."""
    expected = table_schema(db, table)
    try:
        parquet = pq.ParquetFile(file)
        if difference := _schema_difference(parquet.schema_arrow, expected):
            raise BadTable(difference)
        _refuse_bomb(parquet.metadata, room)
        batches: list[Row] = []
        texts = [name for name in expected.names if expected.field(name).type in (pa.string(), pa.binary())]
        for batch in pq.ParquetFile(file, read_dictionary=texts).iter_batches(batch_size=BATCH_ROWS):
            room.take(_unpacked_bytes(batch))
            batches += batch.to_pylist()
    except (pa.ArrowException, OSError, ValueError) as error:
        raise BadTable(f"no readable Parquet: {one_line(error)[:120]}") from None
    return batches


def csv_text(table: str, columns: list[str], rows: list[Row]) -> str:
    """The CSV of a table. What was not measured is empty; of ``items``, ``correct`` is a digit an item (1 right,
    0 wrong, ? unknown), ``answers`` a JSON list, ``values`` base64 of what ``harness.store.packing`` packed."""
    show = _SHOWN.get(table, {})
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([show.get(name, _plain)(row[name]) for name in columns] for row in rows)
    return text.getvalue()


def _plain(value: Any) -> Any:
    return "" if value is None else value


def _bits(blob: bytes | None) -> str:
    return "" if blob is None else "".join("?" if flag is None else str(int(flag)) for flag in unpack_bits(blob))


def _texts(blob: bytes | None) -> str:
    return "" if blob is None else json.dumps(unpack_texts(blob), ensure_ascii=False)


def _packed(blob: bytes | None) -> str:
    return "" if blob is None else base64.b64encode(blob).decode()


_SHOWN: dict[str, dict[str, Any]] = {"items": {"correct": _bits, "values": _packed, "answers": _texts}}


def _schema_difference(found: pa.Schema, expected: pa.Schema) -> str | None:
    names = set(found.names)
    if missing := [name for name in expected.names if name not in names]:
        return f"column {missing[0]} is missing"
    if extra := [name for name in found.names if name not in expected.names]:
        return f"unknown column {extra[0]!r}"
    if found.names != expected.names:
        return "its columns are not in the order of the schema"
    for name in expected.names:
        if found.field(name).type != expected.field(name).type:
            return f"column {name} is {found.field(name).type}, not {expected.field(name).type}"
    return None


def _refuse_bomb(about: pq.FileMetaData, room: Room) -> None:
    """By what the file says of itself, before anything is unpacked."""
    if about.num_rows > MAX_ROWS:
        raise BadTable(f"holds {about.num_rows} rows, more than {MAX_ROWS}")
    if sum(about.row_group(n).total_byte_size for n in range(about.num_row_groups)) > room.left:
        raise BadTable(_TOO_LARGE)


def _unpacked_bytes(batch: pa.RecordBatch) -> int:
    """How large a batch is as plain values: one that stands there once may be meant in every row."""
    texts = [column for column in batch.columns if pa.types.is_dictionary(column.type)]
    lengths = (pc.sum(pc.binary_length(column.dictionary).take(column.indices)).as_py() for column in texts)
    return VALUE_BYTES * batch.num_rows * batch.num_columns + sum(length or 0 for length in lengths)
