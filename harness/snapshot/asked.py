"""What a snapshot is of: a matrix file, or a folder of them that were run one after the other, a queue.

``queue.json`` in such a folder has a line for each visit to a file: ``{"5-limits": ["run --vram 24GB"], ...}``.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.errors import UserError
from harness.matrix_files import matrix_file
from harness.units import parse_size

QUEUE = "queue.json"
VERBS = ("run", "largest-batch")


@dataclass(frozen=True)
class Visit:
    """How a matrix file was gone through: its cells run, or its arms' largest batches searched, under which limit."""

    searched: bool = False
    limit_bytes: int | None = None


@dataclass(frozen=True)
class Asked:
    """A matrix file. ``name`` is None for one alone; ``visits`` is None for its cells under every limit that its suite
    has run under."""

    file: Path
    name: str | None = None
    visits: tuple[Visit, ...] | None = None


def asked_files(name: str) -> list[Asked]:
    """The matrix files that ``name`` means, in the order of their names: those of a folder without a ``matrix.yaml``,
    else one. Raises UserError where there is none, and for a queue that says something else than its folder."""
    folder = Path(name)
    files = {path.stem: path for path in sorted(folder.glob("*.yaml"))} if folder.is_dir() else {}
    if not files or "matrix" in files:
        return [Asked(matrix_file(name))]
    if odd := [stem for stem in files if not re.fullmatch(r"[A-Za-z0-9_.-]+", stem)]:
        raise UserError(f"{files[odd[0]]}: a snapshot's files are named with letters, digits, . _ and - alone")
    if not (folder / QUEUE).is_file():
        return [Asked(path, stem) for stem, path in files.items()]
    queue = _read(folder / QUEUE)
    if differing := queue.keys() ^ files.keys():
        raise UserError(f"{folder / QUEUE}: {min(differing)}: is not both there and a matrix file beside it")
    return [Asked(path, stem, queue[stem]) for stem, path in files.items()]


def published_files(asked: list[Asked]) -> dict[str, str]:
    """The texts of what was asked, by the names that they have in a snapshot."""
    if asked[0].name is None:
        return {"matrix.yaml": _text(asked[0].file)}
    files = [one.file for one in asked] + [path for path in (asked[0].file.parent / QUEUE,) if path.is_file()]
    return {f"matrices/{path.name}": _text(path) for path in files}


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _read(path: Path) -> Mapping[str, tuple[Visit, ...]]:
    try:
        queue = {name: tuple(map(_visit, lines)) for name, lines in json.loads(_text(path)).items()}
        if not all(queue.values()):
            raise ValueError
        return queue
    except (ValueError, TypeError, AttributeError):  # what is no such JSON
        expected = 'expected lists of commands by file, as in {"5-limits": ["run", "run --vram 24GB"]}'
        raise UserError(f"{path}: {expected}") from None


def _visit(line: str) -> Visit:
    match line.split():
        case [verb] if verb in VERBS:
            return Visit(verb != "run")
        case [verb, "--vram", size] if verb in VERBS:
            return Visit(verb != "run", parse_size("--vram", size))
    raise ValueError(line)
