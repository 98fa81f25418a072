"""The manifest: what a snapshot is, what was allowed in it, and the SHA-256 of each of its files."""

import hashlib
import json
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.errors import UserError
from harness.problems import key_path, say
from harness.snapshot.expected import Expected

MANIFEST = "manifest.json"
FORMAT = 2  # 1 had one matrix on one stack
MAX_MANIFEST_BYTES = 64 * 2**20
MAX_FILE_BYTES = 2 * 2**30
NAME_RULE = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"

Allowance = Literal["unfinished", "dirty", "mixed-stacks"]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FileFact(_Part):
    """A file's content, by its digest and size."""

    sha256: Sha256
    size_bytes: Annotated[int, Field(ge=0)]


class Manifest(_Part):
    """See ``docs/snapshots.md``. ``rows`` counts each table's rows; ``notes`` say what was allowed, in words."""

    format: int
    schema_applied: list[str]
    tunematrix: str
    report: Annotated[int, Field(ge=1)]
    name: Annotated[str, Field(pattern=NAME_RULE)]
    suite: str
    overrides: list[str]
    seeds: list[int]
    stacks: list[str]
    newest_run: str
    git_commits: list[str]
    git_changed_files: list[str]
    with_text: bool
    allowed: list[Allowance]
    notes: list[str]
    expected: list[Expected]
    rows: dict[str, int]
    files: dict[str, FileFact] = {}


def check_name(name: str) -> str:
    """``name`` if it is a plain folder name; raises UserError for one that climbs, hides or needs quoting."""
    if not re.fullmatch(NAME_RULE, name):
        raise UserError(f"{name!r}: no name for a snapshot: use letters, digits, . _ and -, as in pocket-2026")
    return name


def write_manifest(manifest: Manifest, folder: Path) -> Manifest:
    """Hash every file under ``folder``, write ``manifest.json`` beside them, return what was written."""
    files = {name: hash_file(folder / name) for name in sorted(walk(folder))}
    whole = manifest.model_copy(update={"files": files})
    text = json.dumps(whole.model_dump(mode="json"), indent=1, ensure_ascii=False, allow_nan=False)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")
    return whole


def read_manifest(folder: Path) -> Manifest:
    """The manifest of the snapshot in ``folder``; raises UserError where it is none that this version reads."""
    path = folder / MANIFEST
    if not folder.is_dir() or not path.is_file() or path.is_symlink():
        raise UserError(f"{folder}: is no snapshot: it has no {MANIFEST}")
    if path.stat().st_size > MAX_MANIFEST_BYTES:
        raise UserError(f"{path}: larger than {MAX_MANIFEST_BYTES // 2**20} MiB")
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        raise UserError(f"{path}: is no JSON") from None
    _check_format(raw, path)
    try:
        manifest = Manifest.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        raise UserError(f"{path}: {'.'.join(map(str, key_path(first['loc'])))}: {say(first)}") from None
    for name in manifest.files:
        if not _stays_inside(name):
            raise UserError(f"{path}: files: {name!r} leads out of the snapshot")
    return manifest


def hash_file(path: Path) -> FileFact:
    """The digest and size of a file."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return FileFact(sha256=digest, size_bytes=path.stat().st_size)


def walk(folder: Path) -> Iterator[str]:
    """Every file under ``folder`` but the manifest, links and odd things included, as names with slashes."""
    left = [""]
    while left:
        inside = left.pop()
        with os.scandir(folder / inside) as entries:
            for entry in entries:
                name = f"{inside}{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    left.append(f"{name}/")
                elif name != MANIFEST:
                    yield name


def file_problems(folder: Path, manifest: Manifest) -> list[str]:
    """A line for each file that is missing, not listed, no plain file, too large, or not what was published."""
    there = set(walk(folder))
    missing = [f"{name}: missing" for name in sorted(set(manifest.files) - there)]
    extra = [f"{name}: not in the manifest" for name in sorted(there - set(manifest.files))]
    found = (_problem(folder, name, fact) for name, fact in sorted(manifest.files.items()) if name in there)
    return [*missing, *extra, *(problem for problem in found if problem)]


def _problem(folder: Path, name: str, fact: FileFact) -> str | None:
    about = (folder / name).lstat()
    if not stat.S_ISREG(about.st_mode):
        return f"{name}: is a link or no plain file"
    if about.st_size > MAX_FILE_BYTES:
        return f"{name}: larger than {MAX_FILE_BYTES // 2**30} GiB"
    if about.st_size != fact.size_bytes:
        return f"{name}: changed: {about.st_size} bytes, published with {fact.size_bytes}"
    return None if hash_file(folder / name) == fact else f"{name}: changed: its SHA-256 is not the published one"


def _check_format(raw: Any, path: Path) -> None:
    found = raw.get("format") if isinstance(raw, dict) else None
    if not isinstance(found, int):
        raise UserError(f"{path}: is no snapshot's manifest: `format` is missing")
    if found > FORMAT:
        raise UserError(f"{path}: format {found} is newer than this tunematrix reads ({FORMAT}); upgrade it")


def _stays_inside(name: str) -> bool:
    plain = re.fullmatch(r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*", name) and name != MANIFEST
    return bool(plain) and not {".", ".."} & set(name.split("/"))
