"""A snapshot's pages that are no table: README.md, LICENCES.md, stacks.json and recipes.json, all from its rows."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from harness.report.files import escaped
from harness.report.model import Report
from harness.report.terminal import heading, stack_line
from harness.snapshot.expected import Expected, by_visit
from harness.snapshot.manifest import Manifest

README, LICENCES = "README.md", "LICENCES.md"
NOT_STATED = "not stated"

_HOW = """\
## How to check it

```
tunematrix verify .             # the hashes, the rows, and that every number of the report follows from the rows
tunematrix report .             # the tables, computed anew from the rows
tunematrix import . --db my.db  # the runs beside your own
```

## What is in it

| file | what |
|:--|:--|
| `report/` | the comparison tables: Markdown for people, CSV and JSON with every figure in base units |
| `figures/` | the same as pictures |
| `tables/` | the rows that all of it is computed from, as Parquet and as CSV |
| `{matrix}`, `recipes.json`, `stacks.json` | what was asked, what was learned, on which machine |
| `LICENCES.md` | the licences of the base models and of the data |
| `manifest.json` | the cells that the matrix asked for, what was allowed, and the SHA-256 of every file |
"""


def write_pages(db: Database, manifest: Manifest, report: Report, figures: dict[str, str], folder: Path) -> None:
    """Write the pages to ``folder``; ``figures`` are the pictures' file names with their titles."""
    _write_json(folder / "stacks.json", _stacks(db))
    _write_json(folder / "recipes.json", _recipes(db))
    (folder / LICENCES).write_text(_licences(db), encoding="utf-8")
    (folder / README).write_text(_readme(db, manifest, report, figures), encoding="utf-8")


def _stacks(db: Database) -> dict[str, Any]:
    rows = db.query("SELECT * FROM stacks ORDER BY stack_id")
    return {row["stack_id"]: {"facts": json.loads(row["facts"]), "code_digest": row["code_digest"]} for row in rows}


def _recipes(db: Database) -> dict[str, Any]:
    cells = list(db.query("SELECT recipe_id, recipe, execution_id, execution FROM cells ORDER BY recipe_id"))
    return {
        "recipes": {cell["recipe_id"]: json.loads(cell["recipe"]) for cell in cells},
        "executions": {cell["execution_id"]: json.loads(cell["execution"]) for cell in cells},
    }


def _licences(db: Database) -> str:
    found: set[tuple[str, str, str]] = set()
    for base, text in db.execute("SELECT DISTINCT base, licences FROM cells").fetchall():
        licences = json.loads(text)
        found.add(("base", base, licences.get("base") or NOT_STATED))
        found |= {("data", name, licence or NOT_STATED) for name, licence in (licences.get("data") or {}).items()}
    rows = [f"| {kind} | {escaped(name)} | {escaped(str(licence))} |" for kind, name, licence in sorted(found)]
    head = ["# Licences", "", "What the runs were made from, as its own files state it.", ""]
    return "\n".join([*head, "| kind | name | licence |", "|:--|:--|:--|", *rows, ""])


def _readme(db: Database, manifest: Manifest, report: Report, figures: dict[str, str]) -> str:
    first, last = db.execute("SELECT min(started_at), max(started_at) FROM runs").fetchone()
    lines = [f"# {manifest.name}", ""]
    for note in manifest.notes:
        lines += [f"**{escaped(note)}**", ""]
    lines += [
        f"Fine-tuning methods compared on the suite {escaped(manifest.suite)}: a snapshot of tunematrix "
        f"{escaped(manifest.tunematrix)}, of runs made from {first[:10]} to {last[:10]}, at "
        f"{escaped(_commits(manifest))}. The tables are in [report/report.md](report/report.md).",
        "",
    ]
    visits = by_visit(manifest.expected)
    lines += _queue(visits) if len(visits) > 1 else []
    for section in report.sections:
        lines += [f"- {escaped(heading(section))}", f"- {escaped(stack_line(section))}"]
    text = "as they were generated" if manifest.with_text else "as hashes alone"
    lines += [f"- generated answers: {text}", ""]
    for name, title in figures.items():
        lines += [f"![{escaped(title)}]({name})", ""]
    matrix = "matrices/" if any(cell.matrix for cell in manifest.expected) else "matrix.yaml"
    return "\n".join([*lines, _HOW.format(matrix=matrix)])


def _queue(visits: Mapping[str, Sequence[Expected]]) -> list[str]:
    """How many cells each matrix file has under each limit, how they stand, and of which arms some were not run."""
    lines = ["| matrix file | cells | done | failed | refused or blocked | not run |", "|:--|--:|--:|--:|--:|--:|"]
    for title, cells in visits.items():
        states = Counter(cell.state for cell in cells)
        none = states["refused"] + states["blocked"]
        counts = (len(cells), states["done"], states["failed"], none, sum(cell.unfinished for cell in cells))
        lines.append(f"| {escaped(title)} | {' | '.join(map(str, counts))} |")
    lines += ["", "A failure is a result: what does not fit into memory is one.", ""]
    for title, cells in visits.items():
        open_ = dict.fromkeys(cell.arm for cell in cells if cell.unfinished)
        if open_:
            which = "all of it" if all(cell.unfinished for cell in cells) else "; ".join(open_)
            lines += [f"- not run of {escaped(title)}: {escaped(which)}"]
    return [*lines, ""]


def _commits(manifest: Manifest) -> str:
    if not manifest.git_commits:
        return "no recorded commit"
    return f"commit {', '.join(commit[:12] for commit in manifest.git_commits)}"


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
