"""What a published file says against what the rows give: the first difference, in words.

Numbers agree to nine digits: another machine's arithmetic may round the last ones otherwise.
"""

import csv
import io
import json
from math import isclose
from pathlib import Path
from typing import Any

from harness.oneline import one_line
from harness.snapshot.figures import shown_values

DIGITS = 1e-9
SHOWN = 60


def difference(published: Path, rebuilt: Path) -> str | None:
    """Where the two files first differ, or None; takes CSV, JSON and SVG as what they are, all else as lines."""
    if published.read_bytes() == rebuilt.read_bytes():
        return None
    try:
        said, given = (path.read_text(encoding="utf-8") for path in (published, rebuilt))
    except UnicodeDecodeError:
        return "is no text"
    match published.suffix:
        case ".csv":
            return csv_difference(said, given, exact=False)
        case ".json":
            return _json_difference(said, given)
        case ".svg":
            return None if _same_picture(said, given) else "shows something else than the rows give"
        case _:
            return _line_difference(said, given)


def csv_difference(said: str, given: str, *, exact: bool) -> str | None:
    """The first row and column of two CSV texts that differ; ``exact`` asks for the same text, not the same number."""
    rows, others = (list(csv.reader(_lines(text))) for text in (said, given))
    if rows[:1] != others[:1]:
        return "has other columns than the rows give"
    for number, (row, other) in enumerate(zip(rows[1:], others[1:], strict=False), start=1):
        if len(row) != len(other):
            return f"row {number} is not whole"
        for column, one, two in zip(rows[0], row, other, strict=True):
            if one != two and (exact or not _same_number(one, two)):
                return f"row {number}{_named(rows[0], row)}: {column} is {_short(one)}, the rows give {_short(two)}"
    if len(rows) != len(others):
        return f"has {len(rows) - 1} rows, the rows give {len(others) - 1}"
    return "differs in its line ends or quotes" if exact and said != given else None


def shared_difference(published: Path, rebuilt: Path) -> str | None:
    """The same of two CSV files, in the columns that both have."""
    tables = [list(csv.DictReader(_lines(path.read_text(encoding="utf-8")))) for path in (published, rebuilt)]
    shared = [name for name in (tables[0] or [{}])[0] if name in (tables[1] or [{}])[0]]
    said, given = (_csv_of([shared, *([row[name] or "" for name in shared] for row in table)]) for table in tables)
    return csv_difference(said, given, exact=False)


def _csv_of(rows: list[list[str]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue()


def _lines(text: str) -> io.StringIO:
    return io.StringIO(text, newline="")


def _json_difference(said: str, given: str) -> str | None:
    try:
        return _value_difference("", json.loads(said), json.loads(given))
    except (ValueError, RecursionError):
        return "is no JSON"


def _value_difference(path: str, said: Any, given: Any) -> str | None:
    if isinstance(said, dict) and isinstance(given, dict):
        if said.keys() != given.keys():
            return f"{path or 'the whole'} has other keys than the rows give"
        return next(filter(None, (_value_difference(f"{path}.{k}", said[k], given[k]) for k in said)), None)
    if isinstance(said, list) and isinstance(given, list):
        if len(said) != len(given):
            return f"{path} has {len(said)} entries, the rows give {len(given)}"
        pairs = enumerate(zip(said, given, strict=True))
        return next(filter(None, (_value_difference(f"{path}[{n}]", a, b) for n, (a, b) in pairs)), None)
    if (said == given and type(said) is type(given)) or _same_number(said, given):
        return None
    return f"{path.removeprefix('.')} is {_short(said)}, the rows give {_short(given)}"


def _line_difference(said: str, given: str) -> str | None:
    lines, others = said.splitlines(), given.splitlines()
    for number, (line, other) in enumerate(zip(lines, others, strict=False), start=1):
        if line != other:
            return f"line {number} does not follow from the rows"
    return (
        f"has {len(lines)} lines, the rows give {len(others)}"
        if len(lines) != len(others)
        else "differs in its line ends"
    )


def _same_picture(said: str, given: str) -> bool:
    """Do the marks say the same? Their places may differ by the fonts of a machine, which set the margins."""
    labels, others = shown_values(said), shown_values(given)
    return len(labels) == len(others) and all(map(_same_label, labels, others))


def _same_label(said: str, given: str) -> bool:
    words, others = said.replace(";", " ").split(), given.replace(";", " ").split()
    return len(words) == len(others) and all(a == b or _same_number(a, b) for a, b in zip(words, others, strict=True))


def _same_number(said: Any, given: Any) -> bool:
    if isinstance(said, bool) or isinstance(given, bool):
        return False
    try:
        return isclose(float(said), float(given), rel_tol=DIGITS, abs_tol=1e-12)
    except (TypeError, ValueError):
        return False


def _named(header: list[str], row: list[str]) -> str:
    names = [one_line(row[header.index(name)]) for name in ("name", "task") if name in header]
    return f" ({', '.join(names)[:SHOWN]})" if names else ""


def _short(value: Any) -> str:
    shown = one_line("empty" if value in ("", None) else value)
    return shown if len(shown) <= SHOWN else f"{shown[:SHOWN]}..."
