"""Raw records from a file: JSON, JSON lines (gzipped or not), CSV or Parquet, each a plain dict of fields."""

import csv
import gzip
import json
import zlib
from pathlib import Path
from typing import Any

from harness.errors import UserError

Record = dict[str, Any]

EXTENSIONS = (".json", ".jsonl", ".jsonl.gz", ".csv", ".parquet")


def read_records(path: Path) -> list[Record]:
    """All records of a data file, in the file's order; never empty.

    A ``.json`` file holds a list of objects (or, as many do, JSON lines under that name); Parquet columns keep
    their nesting. Raises UserError for a file that is missing, unreadable, empty or of another kind.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such data file")
    try:
        records = _reader(path)(path)
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"{path}: can't be read: {error}") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: is not UTF-8 text (byte {error.start}); save it as UTF-8") from error
    if not records:
        raise UserError(f"{path}: holds no records")
    return records


def _reader(path: Path) -> Any:
    name = path.name.lower()
    if name.endswith((".jsonl", ".jsonl.gz")):
        return _read_json_lines
    if name.endswith(".json"):
        return _read_json
    if name.endswith(".csv"):
        return _read_csv
    if name.endswith(".parquet"):
        return _read_parquet
    raise UserError(f"{path}: unknown kind of data file; use one of {', '.join(EXTENSIONS)}")


def _text(path: Path) -> str:
    content = path.read_bytes()
    if path.name.lower().endswith(".gz"):
        content = gzip.decompress(content)
    return content.decode("utf-8-sig")


def _read_json_lines(path: Path) -> list[Record]:
    records = []
    # Only "\n" ends a line here: str.splitlines would also cut at U+2028, which JSON strings may hold.
    for number, line in enumerate(_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (json.JSONDecodeError, RecursionError) as error:
            raise UserError(f"{path}, line {number}: is not JSON: {_short(error)}") from error
        if not isinstance(record, dict):
            raise UserError(f"{path}, line {number}: is not an object with fields, but {_kind(record)}")
        records.append(record)
    return records


def _read_json(path: Path) -> list[Record]:
    text = _text(path)
    if not text.strip():
        return []
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        if error.msg == "Extra data":
            return _read_json_lines(path)
        raise UserError(f"{path}, line {error.lineno}: is not JSON: {_short(error)}") from error
    except RecursionError as error:
        raise UserError(f"{path}: is not JSON that can be read: nested too deeply") from error
    if not isinstance(content, list):
        raise UserError(f"{path}: must hold a list of objects, or one object on each line; it is {_kind(content)}")
    for number, record in enumerate(content, start=1):
        if not isinstance(record, dict):
            raise UserError(f"{path}, record {number}: is not an object with fields, but {_kind(record)}")
    return content


def _read_csv(path: Path) -> list[Record]:
    csv.field_size_limit(2**31 - 1)  # the default of 128 KiB refuses long answers
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file, restkey="", strict=True))
    except csv.Error as error:
        raise UserError(f"{path}: is not CSV: {error}") from error
    for number, row in enumerate(rows, start=1):
        if "" in row and isinstance(row[""], list):
            raise UserError(f"{path}, record {number}: has more values than the header has columns; quote commas")
    return rows


def _read_parquet(path: Path) -> list[Record]:
    from pyarrow import ArrowException
    from pyarrow.parquet import ParquetFile

    try:
        # ParquetFile and not read_table, which would take "key=value" folders in the path for columns.
        return ParquetFile(path).read().to_pylist()
    except ArrowException as error:
        raise UserError(f"{path}: is not Parquet that can be read: {_short(error)}") from error


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "a string", bool: "a true or false", type(None): "null"}
    return names.get(type(value), "a number")


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
