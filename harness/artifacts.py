"""Stage results by content address: written to a temporary name, synced, renamed, and checked by hash when read."""

import hashlib
import os
import shutil
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path


def folder_digest(folder: Path) -> tuple[str, int]:
    """SHA-256 over the names and contents of the files in ``folder``, and their size in bytes."""
    total, digest = 0, hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = path.relative_to(folder).as_posix().encode()
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        digest.update(len(name).to_bytes(8, "big") + name + content.encode())
        total += path.stat().st_size
    return digest.hexdigest(), total


def keep(target: Path, write: Callable[[Path], None]) -> tuple[str, int]:
    """Let ``write`` fill a fresh folder, then put it at ``target`` in one step; returns its digest and size."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.parent / f".{target.name}.{uuid.uuid4().hex[:8]}"
    temporary.mkdir()
    try:
        write(temporary)
        digest, size = folder_digest(temporary)
        for path in temporary.rglob("*"):
            _sync(path)
        if target.exists():
            shutil.rmtree(target)
        temporary.rename(target)
        _sync(target.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return digest, size


def is_sound(folder: Path, sha256: str) -> bool:
    """Is ``folder`` still what was kept? Marks it as used just now, if so."""
    if not folder.is_dir() or folder_digest(folder)[0] != sha256:
        return False
    os.utime(folder)
    return True


def evict(folders: Iterable[Path], cap_bytes: int) -> list[Path]:
    """Remove the least recently used of ``folders`` until the rest fit ``cap_bytes``; returns what was removed."""
    sizes = {f: sum(path.stat().st_size for path in f.rglob("*") if path.is_file()) for f in folders if f.is_dir()}
    removed, total = [], sum(sizes.values())
    for folder in sorted(sizes, key=lambda f: f.stat().st_mtime):
        if total <= cap_bytes:
            break
        shutil.rmtree(folder, ignore_errors=True)
        removed.append(folder)
        total -= sizes[folder]
    return removed


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
