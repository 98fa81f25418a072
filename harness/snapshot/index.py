"""``results/README.md``: which snapshots there are, from their manifests."""

import json
from pathlib import Path
from typing import Any

from harness.errors import UserError
from harness.report.files import escaped
from harness.snapshot.manifest import MANIFEST, Manifest, read_manifest
from harness.snapshot.pages import README
from harness.stack import limited_to

_OURS = "# Snapshots\n\nPublished sets of runs, each immutable and checkable"
_HEAD = f"""\
{_OURS}: `tunematrix verify results/NAME`. This page is written by
`tunematrix publish`; what is in a snapshot, and what it promises, is in tunematrix's `docs/snapshots.md`.

| name | suite | machine | runs | newest run | |
|:--|:--|:--|--:|:--|:--|
"""


def refuse_foreign_index(results: Path) -> None:
    """Raises UserError where the README of ``results`` is somebody's own."""
    page = results / README
    if page.is_symlink() or (page.exists() and not page.read_bytes().startswith(_OURS.encode())):
        raise UserError(f"{page}: is not a list of snapshots, and would be written over; publish in another --results")


def write_index(results: Path) -> None:
    """List every snapshot in ``results``, newest run first, in its README."""
    found = [(folder, manifest) for folder in sorted(results.iterdir()) if (manifest := _manifest(folder))]
    found.sort(key=lambda pair: pair[1].newest_run, reverse=True)
    rows = [_row(folder, manifest) for folder, manifest in found]
    (results / README).write_text(_HEAD + "".join(f"{row}\n" for row in rows), encoding="utf-8")


def _manifest(folder: Path) -> Manifest | None:
    if folder.name.startswith(".") or not (folder / MANIFEST).is_file():
        return None
    try:
        return read_manifest(folder)
    except UserError:
        return None  # of a newer version, or broken: `verify` says so


def _row(folder: Path, manifest: Manifest) -> str:
    cells = (
        f"[{escaped(folder.name)}]({folder.name}/README.md)",
        escaped(manifest.suite),
        escaped(_machine(folder)),
        str(manifest.rows.get("runs", 0)),
        manifest.newest_run[:10],
        escaped("; ".join(note.partition(":")[0].lower() for note in manifest.notes)),
    )
    return f"| {' | '.join(cells)} |"


def _machine(folder: Path) -> str:
    try:
        stacks = json.loads((folder / "stacks.json").read_text(encoding="utf-8"))
        facts = [stack["facts"] for stack in stacks.values()]
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return "-"
    return "; ".join(dict.fromkeys(map(_named, facts)))


def _named(facts: dict[str, Any]) -> str:
    name = str(facts.get("gpu") or facts.get("processor") or facts.get("device"))
    return ", ".join(filter(None, (name, limited_to(facts))))
