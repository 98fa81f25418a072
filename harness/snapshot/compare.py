"""What a published file says against what the rows give: the first difference, in words."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.oneline import one_line
from harness.snapshot.picture import same_picture
from harness.snapshot.rounding import same_number

SHOWN = 60
WORDED = ("report.md", "README.md")
NO_TEXT = "is no text"


def difference(published: Path, rebuilt: Path) -> str | None:
    """Where the two files first differ, or None; takes CSV, JSON and SVG as what they are, all else as lines."""
    if published.read_bytes() == rebuilt.read_bytes():
        return None
    texts = _texts(published, rebuilt)
    if texts is None:
        return NO_TEXT
    said, given = texts
    match published.suffix:
        case ".csv":
            return csv_difference(said, given, exact=False)
        case ".json":
            return _json_difference(said, given)
        case ".svg":
            return None if same_picture(said, given) else "shows something else than the rows give"
        case _:
            return _line_difference(said, given)


def older_difference(published: Path, rebuilt: Path) -> str | None:
    """The same for a report of an older version of this program, which may lack columns and keys and have worded and
    drawn things otherwise: what it has of figures must be what the rows give."""
    if published.suffix == ".svg" or published.name in WORDED:
        return None
    texts = _texts(published, rebuilt)
    if texts is None:
        return NO_TEXT
    said, given = texts
    match published.suffix:
        case ".csv":
            return csv_difference(said, _columns_of(said, given), exact=False)
        case ".json" if published.name == "report.json":
            return _json_difference(said, given, _as_far_as)
        case _:
            return difference(published, rebuilt)


def _texts(published: Path, rebuilt: Path) -> tuple[str, str] | None:
    """What both files hold; None where one is no text."""
    try:
        return published.read_text(encoding="utf-8"), rebuilt.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


def csv_difference(said: str, given: str, *, exact: bool) -> str | None:
    """The first row and column of two CSV texts that differ; ``exact`` asks for the same text, not the same number."""
    try:
        rows, others = (list(csv.reader(_lines(text))) for text in (said, given))
    except csv.Error:  # a field too long to be one
        return _line_difference(said, given)
    if rows[:1] != others[:1]:
        return "has other columns than the rows give"
    for number, (row, other) in enumerate(zip(rows[1:], others[1:], strict=False), start=1):
        if len(row) != len(other):
            return f"row {number} is not whole"
        for column, one, two in zip(rows[0], row, other, strict=True):
            if one != two and (exact or not same_number(one, two)):
                return f"row {number}{_named(rows[0], row)}: {column} is {_short(one)}, the rows give {_short(two)}"
    if len(rows) != len(others):
        return f"has {len(rows) - 1} rows, the rows give {len(others) - 1}"
    return "differs in its line ends or quotes" if exact and said != given else None


def _columns_of(said: str, given: str) -> str:
    """``given`` in the columns, and their order, that ``said`` has as well."""
    rows = csv.DictReader(_lines(given))
    try:
        names = [name for name in next(csv.reader(_lines(said)), []) if name in (rows.fieldnames or [])]
    except csv.Error:  # a name too long to be one
        names = []
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, names, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _as_far_as(said: Any, given: Any) -> Any:
    """``given`` with the keys alone that ``said`` has as well; of the version nothing is asked."""
    if isinstance(said, dict) and isinstance(given, dict):
        return {
            key: said[key] if key == "version" else _as_far_as(said[key], given[key]) for key in said if key in given
        }
    if isinstance(said, list) and isinstance(given, list):
        return [_as_far_as(*pair) for pair in zip(said, given, strict=False)] + given[len(said) :]
    return given


def _lines(text: str) -> io.StringIO:
    return io.StringIO(text, newline="")


def _json_difference(said: str, given: str, cut: Callable[[Any, Any], Any] = lambda _, given: given) -> str | None:
    try:
        published = json.loads(said)
        return _value_difference("", published, cut(published, json.loads(given)))
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
    if (said == given and type(said) is type(given)) or same_number(said, given):
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


def _named(header: list[str], row: list[str]) -> str:
    names = [one_line(row[header.index(name)]) for name in ("name", "task") if name in header]
    return f" ({', '.join(names)[:SHOWN]})" if names else ""


def _short(value: Any) -> str:
    shown = one_line("empty" if value in ("", None) else value)
    return shown if len(shown) <= SHOWN else f"{shown[:SHOWN]}..."
