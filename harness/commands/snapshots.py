"""`tunematrix publish`, `verify`, `import` and `push`."""

from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from sqlite_utils import Database

from harness import stack
from harness.errors import UserError
from harness.foreign import FORMATS, import_foreign
from harness.matrix import Matrix, load_matrix
from harness.oneline import one_line
from harness.snapshot import Publication, import_snapshot, publish_snapshot, push_snapshot, verify_snapshot
from harness.snapshot.asked import Asked, asked_files, published_files
from harness.snapshot.expected import Expected, expected_cells
from harness.snapshot.manifest import MANIFEST, Allowance, check_name, hash_file
from harness.snapshot.privacy import without_paths
from harness.store.copies import is_database
from harness.store.database import open_for_reading
from harness.store.merge import merge_file

CHECKOUT = Path(__file__).resolve().parents[2]


def publish_runs(
    name: str,
    matrix: str | None,
    db_path: Path,
    overrides: tuple[str, ...],
    results: Path,
    *,
    with_text: bool,
    allow: tuple[str, ...],
) -> None:
    """`tunematrix publish`."""
    check_name(name)
    allowed = _allowances(allow)
    if not results.resolve().parent.is_dir():
        raise UserError(f"--results {results}: the folder {results.parent} does not exist")
    db, asked = open_for_reading(db_path), asked_files(matrix or "pocket")
    matrices = [load_matrix(one.file, overrides) for one in asked]
    texts = published_files(asked)
    what = Publication(
        name=name,
        suite=_one_suite(matrices),
        matrices=texts,
        expected=[cell for pair in zip(asked, matrices, strict=True) for cell in _cells(db, db_path, *pair)],
        overrides=overrides,
        changed_files=_changed_files(results),
        with_text=with_text,
        allow=allowed,
    )
    manifest = publish_snapshot(db, what, results)
    print(f"published {manifest.rows['runs']} runs in {results / name}")
    print(_cited(results / name))
    for note in manifest.notes:
        print(one_line(note))
    if any(without_paths(line) != line for text in (*texts.values(), *overrides) for line in text.splitlines()):
        print(
            "it names paths of this machine, in a matrix file or in the manifest's overrides: look before you share it"
        )


def _one_suite(matrices: Sequence[Matrix]) -> str:
    first, *others = matrices
    for other in others:
        if other.header.suite != first.header.suite:
            raise UserError(
                f"{other.source}: suite: {other.header.suite}, and of the file before it {first.header.suite}: a "
                "snapshot is of one suite"
            )
    return first.header.suite


def _cells(db: Database, db_path: Path, asked: Asked, matrix: Matrix) -> list[Expected]:
    return expected_cells(db, db_path, matrix, asked.visits, asked.name)


def verify_folder(folder: Path) -> int:
    """`tunematrix verify`: returns the exit code: 0 all well, 1 something is not as it was published."""
    verdict = verify_snapshot(folder)
    for problem in verdict.problems:
        print(one_line(problem))
    if not verdict.problems:
        print(one_line(verdict.summary))
        print(_cited(folder))
    return 1 if verdict.problems else 0


def import_runs(source: Path, db_path: Path, format_: str | None) -> None:
    """`tunematrix import`."""
    match format_ or _format_of(source):
        case "results":
            print(one_line(merge_file(source, db_path).summary))
        case "snapshot":
            print(import_snapshot(source, db_path).summary)
        case foreign:
            print(one_line(import_foreign(foreign, source, db_path)))


def _format_of(source: Path) -> str:
    """What a file or folder holds, by its content; what others made has to be named."""
    if source.is_dir():
        return "snapshot"
    if not source.exists():
        raise UserError(f"{source}: no such results file or snapshot")
    if is_database(source):
        return "results"
    raise UserError(
        f"{source}: is neither results file nor snapshot; if others made it: --format {' or '.join(FORMATS)}"
    )


def push_folder(folder: Path, repo_id: str, *, private: bool) -> None:
    """`tunematrix push`."""
    print(f"pushed to {push_snapshot(folder, repo_id, private=private)}")
    print(_cited(folder))


def _cited(folder: Path) -> str:
    """By what a snapshot is cited: the digest of its manifest, which holds that of every other file."""
    return f"{MANIFEST}: SHA-256 {hash_file(folder / MANIFEST).sha256}"


def _allowances(words: tuple[str, ...]) -> frozenset[Allowance]:
    known = get_args(Allowance)
    for word in words:
        if word not in known:
            raise UserError(f"--allow {word}: expected {', '.join(known[:-1])} or {known[-1]}")
    return frozenset(word for word in known if word in words)


def _changed_files(results: Path) -> tuple[str, ...]:
    """What of this checkout is changed; snapshots themselves are no code."""
    root = results.resolve()
    return tuple(name for name in stack.git_changes(CHECKOUT) if not (CHECKOUT / name).is_relative_to(root))
