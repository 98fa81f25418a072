"""What must hold between a snapshot's rows, its ids and its manifest: a line for each thing that does not."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from fnmatch import fnmatch
from typing import Any

from sqlite_utils import Database

from harness import identity
from harness.snapshot.face import faults
from harness.snapshot.manifest import Manifest
from harness.store.schema import FAILED

_CHAINS = "SELECT cell_id, stage_id FROM cell_stages ORDER BY cell_id, position"
_MADE = "SELECT cell_id, purpose, stack_id, status FROM runs WHERE purpose != 'reference'"
_FACTS = {
    "stacks": "SELECT stack_id FROM stacks ORDER BY 1",
    "git_commits": "SELECT DISTINCT git_commit FROM runs WHERE git_commit != '' ORDER BY 1",
    "seeds": "SELECT DISTINCT seed FROM cells WHERE learning_rate NOT NULL AND seed NOT NULL ORDER BY 1",
    "newest_run": "SELECT max(started_at) FROM runs",
    "suite": "SELECT DISTINCT suite FROM cells",
}
_FOREIGN_STAGES = """
SELECT DISTINCT {table}.run_id FROM {table} JOIN runs USING (run_id)
WHERE NOT EXISTS (SELECT 1 FROM cell_stages
                  WHERE cell_stages.cell_id = runs.cell_id AND cell_stages.stage_id = {table}.stage_id)
"""


def identity_problems(db: Database) -> list[str]:
    """Ids that are not those of what they name, as ``harness.identity`` computes them."""
    stages = dict(db.execute("SELECT stage_id, recipe FROM stages").fetchall())
    chains: dict[str, list[str]] = {}
    for cell_id, stage_id in db.execute(_CHAINS).fetchall():
        chains.setdefault(cell_id, []).append(stage_id)
    found = [
        *_wrong(db, "cells", lambda row: _cell_fault(row, chains.get(row["cell_id"], []), stages)),
        *_wrong(db, "stacks", _stack_fault),
        *_wrong(db, "evals", _eval_fault),
    ]
    for table in ("phases", "steps", "fingerprints"):
        runs = [run for (run,) in db.execute(_FOREIGN_STAGES.format(table=table)).fetchall()]
        found += [f"tables/{table}.parquet: run {run} has a stage that is not its cell's" for run in runs[:1]]
    return found


def cell_problems(db: Database, manifest: Manifest) -> list[str]:
    """Cells that the manifest says have a result and that have none among the runs."""
    made: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for cell_id, purpose, stack_id, status in db.execute(_MADE).fetchall():
        made.setdefault((cell_id, purpose), set()).add((stack_id, status))
    problems = _matrix_problems(manifest)
    for cell in manifest.expected:
        wanted = {"done": {"ok"}, "failed": set(FAILED)}.get(cell.state)
        found = {
            status
            for stack_id, status in made.get((cell.cell_id or "", cell.purpose), ())
            if cell.stack_id in (None, stack_id)
        }
        if wanted and not found & wanted:
            problems.append(f"{cell.name}: no {cell.purpose} run that is {cell.state}, as the manifest says there is")
    return problems


def _matrix_problems(manifest: Manifest) -> list[str]:
    """Matrix files of which the manifest has no cells, and cells of files that are not there."""
    asked = {f"matrices/{cell.matrix}.yaml" if cell.matrix else "matrix.yaml" for cell in manifest.expected}
    there = {name for name in manifest.files if fnmatch(name, "matrices/*.yaml") or name == "matrix.yaml"}
    return [
        f"{name}: {'its cells are not in the manifest' if name in there else 'missing: the manifest has cells of it'}"
        for name in sorted(asked ^ there)
    ]


def face_problems(db: Database, manifest: Manifest) -> list[str]:
    """What the snapshot should say on its face and does not, and facts of the manifest that are not the rows'."""
    found = faults(db, manifest.expected, manifest.git_changed_files)
    problems = []
    if manifest.notes != [fault.note for fault in found]:
        given = "; ".join(fault.note for fault in found) or "none"
        problems.append(f"manifest.json: its notes should be: {given}")
    for name, sql in _FACTS.items():
        said = getattr(manifest, name)
        if (said if isinstance(said, list) else [said]) != [row[0] for row in db.execute(sql).fetchall()]:
            problems.append(f"manifest.json: {name} is not what the rows give")
    return problems


def _wrong(db: Database, table: str, fault: Callable[[dict[str, Any]], str | None]) -> Iterator[str]:
    """A line for each kind of fault, with the first row that has it and how many more do."""
    key = db.table(table).pks[0]
    first: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for row in db.query(f'SELECT * FROM "{table}" ORDER BY {key}'):
        try:
            what = fault(row)
        except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
            what = "holds something that cannot be read"
        if what:
            first.setdefault(what, str(row[key])[:12])
            counts[what] += 1
    for what, name in first.items():
        more = f" (and {counts[what] - 1} more)" if counts[what] > 1 else ""
        yield f"tables/{table}.parquet: {name}{more}: {what}"


def _cell_fault(row: dict[str, Any], chain: list[str], stages: dict[str, str]) -> str | None:
    if row["identity_version"] != identity.IDENTITY_VERSION:
        return f"is of identity version {row['identity_version']}, not {identity.IDENTITY_VERSION}"
    recipe, execution = json.loads(row["recipe"]), json.loads(row["execution"])
    last = recipe["stages"][-1]
    told = {
        "recipe_id": identity.recipe_id(recipe),
        "execution_id": identity.execution_id(execution),
        "cell_id": identity.cell_id(recipe, execution),
        "arm_id": identity.arm_id(recipe, execution),
        "base_digest": recipe["base_digest"],
        "learning_rate": last.get("learning_rate"),
        "method": last["method"],
        **({"seed": last["seed"]} if "seed" in last else {}),
        **({"data_digest": last["data_digest"]} if "data_digest" in last else {}),
    }
    wrong = next((name for name, value in told.items() if row[name] != value), None)
    if wrong:
        return f"its {wrong} is not that of its recipe"
    ids = identity.stage_ids(recipe)
    if chain != ids:
        return "its stages are not those of its recipe"
    kept = [json.loads(stages[stage]) for stage in ids]
    return None if kept == recipe["stages"] else "a stage's recipe is not the cell's"


def _stack_fault(row: dict[str, Any]) -> str | None:
    told = identity.stack_id(json.loads(row["facts"]), row["code_digest"])
    return None if told == row["stack_id"] else "its id is not that of its facts"


def _eval_fault(row: dict[str, Any]) -> str | None:
    told = identity.eval_id(row["task"], row["task_version"], row["item_digest"], json.loads(row["decoding"]))
    return None if told == row["eval_id"] else "its id is not that of its task, items and decoding"
