"""Small snapshots for tests: a results file of the factory, published with the cells that it has."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from sqlite_utils import Database

from harness.snapshot import Publication, publish_snapshot
from harness.snapshot.expected import Expected
from harness.store.database import open_for_reading
from tests.factory import ARMS, make_database

MATRIX = "suite: pocket\n"
SMALL = {name: ARMS[name] for name in ("base", "full_sft", "lora")}


def small_database(path: Path, **options: Any) -> Path:
    """A results file of three arms on one base."""
    return make_database(path, **{"arms": SMALL, "bases": ["pocket-1m"], **options})


def expected_of(db: Database, suite: str = "pocket") -> list[Expected]:
    """What a matrix would ask for that made just these runs."""
    rows = db.query(
        "SELECT DISTINCT cell_id, label, learning_rate, seed, purpose, status FROM runs JOIN cells USING (cell_id) "
        "WHERE suite = ? ORDER BY cell_id, purpose",
        [suite],
    )
    return [
        Expected(
            cell_id=row["cell_id"],
            arm=row["label"],
            learning_rate=row["learning_rate"],
            seed=row["seed"],
            purpose=row["purpose"],
            state="done" if row["status"] == "ok" else "failed",
            why=None,
        )
        for row in rows
    ]


def publish(db_path: Path, results: Path, name: str = "one", matrix: str = MATRIX, **options: Any) -> Path:
    """Publish the file's suite ``pocket`` as ``results/name``; returns that folder."""
    db = open_for_reading(db_path)
    about: dict[str, Any] = {
        "suite": "pocket",
        "matrices": {"matrix.yaml": matrix},
        "expected": expected_of(db),
        **options,
    }
    publish_snapshot(db, Publication(name=name, **about), results)
    return results / name


def copied(snapshot: Path, to: Path) -> Path:
    """A copy to tamper with."""
    shutil.copytree(snapshot, to)
    return to


def rehash(snapshot: Path) -> None:
    """What somebody does who edits a file and knows of the manifest."""
    manifest = json.loads((snapshot / "manifest.json").read_text())
    for path in snapshot.rglob("*"):
        name = path.relative_to(snapshot).as_posix()
        if path.is_file() and name != "manifest.json":
            content = path.read_bytes()
            manifest["files"][name] = {"sha256": hashlib.sha256(content).hexdigest(), "size_bytes": len(content)}
    for name in list(manifest["files"]):
        if not (snapshot / name).is_file():
            del manifest["files"][name]
    (snapshot / "manifest.json").write_text(json.dumps(manifest))


def edit_manifest(snapshot: Path, **values: Any) -> None:
    """Other values of the manifest's keys."""
    manifest = json.loads((snapshot / "manifest.json").read_text())
    (snapshot / "manifest.json").write_text(json.dumps({**manifest, **values}))


def edit_rows(snapshot: Path, table: str, edit: Any) -> None:
    """Replace the rows of a Parquet table by ``edit(rows)``, then rehash."""
    file = snapshot / "tables" / f"{table}.parquet"
    found = pq.read_table(file)
    pq.write_table(pa.Table.from_pylist(edit(found.to_pylist()), schema=found.schema), file)
    rehash(snapshot)
