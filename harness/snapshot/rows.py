"""Which rows of a results file belong to a suite, and how they are published."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sqlite_utils import Database

from harness.snapshot.privacy import hashed_blob, json_without_paths, without_paths
from harness.store.schema import UNFINISHED

Row = dict[str, Any]
Rows = dict[str, list[Row]]

# In the order in which they can be written: what is referred to comes first. Artifacts are never published.
OF_A_RUN = (
    *("phases", "steps", "fingerprints", "logits", "scores", "items", "predictions"),
    *("step_parts", "ceilings", "step_work", "timelines"),
)
TABLES = ("stacks", "stages", "cells", "cell_stages", "choices", "evals", "runs", *OF_A_RUN)

_ENDED = f"runs.status NOT IN ({', '.join(repr(status) for status in UNFINISHED)})"

# The suite's own cells, and the untrained rows of its bases, whichever suite ran those first: see harness.sections.
_CELLS = """
SELECT cell_id, suite FROM cells WHERE suite = :suite
UNION SELECT cell_id, suite FROM cells WHERE method = 'base'
  AND base_digest IN (SELECT base_digest FROM cells WHERE suite = :suite)
"""
_RUNS = f"""
SELECT runs.run_id, runs.stack_id, runs.base_run_id, suite = :suite AS own, (
           SELECT json_group_array(DISTINCT eval_id) FROM scores WHERE scores.run_id = runs.run_id) AS evals
FROM runs JOIN ({_CELLS}) USING (cell_id) WHERE {_ENDED}
"""
_TUNED_EVALS = """
SELECT DISTINCT eval_id FROM scores JOIN runs USING (run_id) JOIN cells USING (cell_id)
WHERE suite = :suite AND moment = 'tuned'
"""
_ALL_EVALS = f"SELECT DISTINCT eval_id FROM scores JOIN runs USING (run_id) JOIN ({_CELLS}) USING (cell_id)"

_IN = "IN (SELECT value FROM json_each(:{}))"
_OF_RUNS = f"SELECT DISTINCT {{}} FROM runs WHERE run_id {_IN.format('runs')}"
_OF_CELLS = f"cell_id IN ({_OF_RUNS.format('cell_id')})"
_WHERE = {
    "stacks": f"stack_id IN ({_OF_RUNS.format('stack_id')})",
    "stages": f"stage_id IN (SELECT stage_id FROM cell_stages WHERE {_OF_CELLS})",
    "cells": _OF_CELLS,
    "cell_stages": _OF_CELLS,
    "choices": f"arm_id IN (SELECT arm_id FROM cells WHERE {_OF_CELLS}) AND "
    f"stack_id IN ({_OF_RUNS.format('stack_id')})",
    "evals": f"eval_id {_IN.format('evals')}",
    "scores": f"run_id {_IN.format('runs')} AND eval_id {_IN.format('evals')}",
    "items": f"run_id {_IN.format('runs')} AND eval_id {_IN.format('evals')}",
}


@dataclass(frozen=True)
class Selection:
    """The runs and evals of a suite."""

    suite: str
    run_ids: tuple[str, ...]
    eval_ids: tuple[str, ...]


def select_suite(db: Database, suite: str) -> Selection:
    """The ended runs of ``suite`` and of its bases, and the evals that its trained arms were scored on."""
    found = {row["run_id"]: row for row in db.query(_RUNS, {"suite": suite})}
    stacks = {row["stack_id"] for row in found.values() if row["own"]}
    evals = _column(db, _TUNED_EVALS, suite) or _column(db, _ALL_EVALS, suite)
    kept = {
        run_id
        for run_id, row in found.items()
        if row["own"] or (row["stack_id"] in stacks and set(json.loads(row["evals"])) & set(evals))
    }
    while more := {found[run_id]["base_run_id"] for run_id in kept} - kept - {None}:  # what a gain is measured from
        kept |= more
    return Selection(suite, tuple(sorted(kept)), tuple(sorted(evals)))


def selected_rows(db: Database, selection: Selection, *, with_text: bool) -> Rows:
    """Every table's rows as they are published, sorted by their keys."""
    rows: Rows = {}
    for table in (name for name in TABLES if name in db.table_names()):
        where = _WHERE.get(table, f"run_id {_IN.format('runs')}")
        keys = ", ".join(db.table(table).pks)
        given = {"runs": json.dumps(selection.run_ids), "evals": json.dumps(selection.eval_ids)}
        found = db.query(f'SELECT * FROM "{table}" WHERE {where} ORDER BY {keys}', given)
        rows[table] = published(table, found, with_text=with_text)
    for cell in rows["cells"]:
        cell["suite"] = selection.suite  # a base is one cell, whichever suite ran it first
    return rows


def published(table: str, rows: Iterable[Row], *, with_text: bool) -> list[Row]:
    """``rows`` without the paths of this machine and, unless ``with_text``, with answers as hashes.

    What is hashed into an id (recipes, executions, facts) stays as it is: it names no path to begin with.
    """
    cleaners = {**_CLEANERS.get(table, {}), **({"answers": hashed_blob} if table == "items" and not with_text else {})}
    return [
        {key: cleaners[key](value) if key in cleaners and value is not None else value for key, value in row.items()}
        for row in rows
    ]


_CLEANERS: dict[str, dict[str, Callable[[Any], Any]]] = {
    "cells": {"base": without_paths, "sources": json_without_paths, "licences": json_without_paths},
    "runs": {"reason": without_paths, "effective": json_without_paths},
}


def _column(db: Database, sql: str, suite: str) -> list[str]:
    return [row[0] for row in db.execute(sql, {"suite": suite}).fetchall()]
