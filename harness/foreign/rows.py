"""Foreign results as rows of the store: gathered first, written in one transaction, never over what is there."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from harness import identity
from harness.store.database import open_for_writing
from harness.store.writer import Writer

Row = dict[str, Any]

# Each table after those that it refers to.
TABLES = ("stacks", "evals", "cells", "stages", "cell_stages", "runs", "phases", "steps", "scores", "items")


@dataclass(frozen=True)
class Rows:
    """The rows of each table that some results come to."""

    tables: dict[str, list[Row]] = field(default_factory=lambda: {table: [] for table in TABLES})

    def add(self, table: str, *rows: Row) -> None:
        """Add rows to one of ``TABLES``; a column that is left out stays NULL."""
        self.tables[table] += rows

    def add_stack(self, facts: Mapping[str, Any], code_digest: str) -> str:
        """Add a stack; returns its id. Facts that are None are left out."""
        known = {key: value for key, value in facts.items() if value is not None}
        stack_id = identity.stack_id(known, code_digest)
        self.add(
            "stacks", {"stack_id": stack_id, "facts": json.dumps(known, sort_keys=True), "code_digest": code_digest}
        )
        return stack_id

    def add_cell(self, recipe: Mapping[str, Any], execution: Mapping[str, Any], about: Row) -> tuple[str, str]:
        """Add a cell of one stage; returns the ids of the cell and the stage.

        ``about`` holds the columns that no digest gives: suite, label, method, base, and what else is known.
        """
        (stage_id,) = identity.stage_ids(recipe)
        cell_id, (stage,) = identity.cell_id(recipe, execution), recipe["stages"]
        cell = {
            "cell_id": cell_id,
            "recipe_id": stage_id,
            "execution_id": identity.execution_id(execution),
            "arm_id": identity.arm_id(recipe, execution),
            "learning_rate": stage.get("learning_rate"),
            "seed": stage.get("seed"),
            "base_digest": recipe["base_digest"],
            "data_digest": stage.get("data_digest"),
            "licences": "{}",
            "sources": "{}",
            "recipe": identity.canonical_json(recipe),
            "execution": identity.canonical_json(execution),
            "identity_version": identity.IDENTITY_VERSION,
        }
        self.add("cells", {**cell, **about})
        self.add("stages", {"stage_id": stage_id, "kind": stage["kind"], "recipe": identity.canonical_json(stage)})
        self.add("cell_stages", {"cell_id": cell_id, "position": 0, "stage_id": stage_id})
        return cell_id, stage_id

    def add_eval(
        self,
        task: str,
        role: str,
        split: str,
        *,
        version: str,
        item_digest: str,
        decoding: Mapping[str, Any],
        n_items: int,
        chance: float | None = None,
    ) -> str:
        """Add an eval; returns its id."""
        eval_id = identity.eval_id(task, version, item_digest, decoding)
        row = {
            "eval_id": eval_id,
            "task": task,
            "role": role,
            "split": split,
            "task_version": version,
            "item_digest": item_digest,
            "decoding": json.dumps(dict(decoding), sort_keys=True),
            "n_items": n_items,
            "chance": chance,
        }
        self.add("evals", row)
        return eval_id


def write(db_path: Path, rows: Rows) -> int:
    """Write all rows or none; returns how many runs were new. What the file holds already stays as it is."""
    db = open_for_writing(db_path)
    before = _runs(db)
    Writer(db).bring({table: _complete(of_table) for table, of_table in rows.tables.items()})
    new = _runs(db) - before
    db.close()
    return new


def times(started: datetime, seconds: float | None) -> Row:
    """``started_at``, ``ended_at`` and ``wall_seconds`` of a run, as the store writes them, from a time with a zone."""
    ended = None if seconds is None else _utc(started + timedelta(seconds=seconds))
    return {"started_at": _utc(started), "ended_at": ended, "wall_seconds": seconds}


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _runs(db: Database) -> int:
    return int(db.execute("SELECT count(*) FROM runs").fetchone()[0])


def _complete(rows: list[Row]) -> list[Row]:
    """Every row with every row's columns, as a statement for many rows needs them."""
    columns = {column: None for row in rows for column in row}
    return [{**columns, **row} for row in rows]
