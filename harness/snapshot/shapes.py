"""What a column must hold beyond its type: JSON objects where the schema says only text, numbers that are finite."""

from collections.abc import Iterator

from sqlite_utils import Database

OBJECTS = {
    "cells": ("recipe", "execution", "licences", "sources"),
    "stages": ("recipe",),
    "stacks": ("facts",),
    "evals": ("decoding",),
    "runs": ("effective",),
}
_NO_OBJECT = '"{column}" NOT NULL AND (NOT json_valid("{column}") OR json_type("{column}") != \'object\')'
_NOT_FINITE = '"{column}" IN (9e999, -9e999)'


def shape_problems(db: Database, tables: list[str]) -> Iterator[str]:
    """A line for each column with such a value, with the first row's key and how many more there are."""
    for table in tables:
        for column in OBJECTS.get(table, ()):
            yield from _found(db, table, column, _NO_OBJECT, "no JSON object")
        for _, column, kind, *_ in db.execute(f'PRAGMA table_info("{table}")').fetchall():
            if kind == "REAL":
                yield from _found(db, table, column, _NOT_FINITE, "no finite number")


def _found(db: Database, table: str, column: str, where: str, what: str) -> Iterator[str]:
    sql = f'SELECT "{db.table(table).pks[0]}" FROM "{table}" WHERE {where.format(column=column)} ORDER BY 1'
    keys = [str(key) for (key,) in db.execute(sql).fetchall()]
    if keys:
        more = f" (and {len(keys) - 1} more)" if len(keys) > 1 else ""
        yield f"tables/{table}.parquet: {keys[0][:12]}{more}: {column} is {what}"
