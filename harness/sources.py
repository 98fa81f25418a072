"""Where results are read from: a results file, or a published snapshot, which is read like one."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlite_utils import Database

from harness.errors import UserError
from harness.store.database import open_for_reading

LOCAL = Path("tunematrix.db")
PUBLISHED = Path("results")


@dataclass(frozen=True, eq=False)
class Source:
    """Results: ``name`` is the file's or the snapshot's own, ``notes`` what a snapshot says on its face."""

    name: str
    path: Path
    db: Database
    notes: tuple[str, ...] = ()


def open_source(path: Path) -> Source:
    """The results at ``path``: a snapshot's folder, which must verify, or a database. Raises UserError else."""
    if path.is_dir():
        from harness.snapshot import load_snapshot
        from harness.snapshot.manifest import read_manifest

        return Source(path.name, path, load_snapshot(path), tuple(read_manifest(path).notes))
    if not path.exists():
        raise UserError(f"{path}: no such results file or snapshot")
    return Source(path.stem, path, open_for_reading(path))


def at_hand(given: Sequence[Path], folder: Path = Path()) -> tuple[Path, ...]:
    """What was asked for; else the local results file, where there is one, and the snapshots under ``results``."""
    if given:
        return tuple(given)
    local = [LOCAL] if (folder / LOCAL).is_file() else []
    published = sorted(path.parent for path in (folder / PUBLISHED).glob("*/manifest.json"))
    return (*(folder / path for path in local), *published)
