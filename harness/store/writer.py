"""The one writer of a results file: what the runner decides and what cells report, as rows."""

import base64
import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from sqlite_utils import Database

from harness.errors import UserError
from harness.events import Artifact, Ceilings, Measured, Phase, Score, Trained
from harness.foretold import Foretold


def utc_now() -> str:
    """Now, in UTC, to the microsecond: sorts as text."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


class Writer:
    """Writes runs. Each method is one transaction; a full disk is a UserError and leaves the file sound."""

    def __init__(self, db: Database) -> None:
        self.db = db

    def add_stack(self, stack_id: str, facts: Mapping[str, Any], code_digest: str) -> None:
        """Remember a stack; the same one twice is one row."""
        row = {"stack_id": stack_id, "facts": json.dumps(dict(facts), sort_keys=True), "code_digest": code_digest}
        self._insert("stacks", [row], ignore=True)

    def add_evals(self, rows: list[dict[str, Any]]) -> None:
        """Remember evals by their id."""
        self._insert("evals", rows, ignore=True)

    def add_cell(self, cell: dict[str, Any], stages: list[dict[str, Any]]) -> None:
        """Remember a cell and its stages, first to last."""
        with self._transaction():
            self.db.table("cells").insert(cell, ignore=True)
            self.db.table("stages").insert_all(stages, ignore=True)
            self.db.table("cell_stages").insert_all(
                [
                    {"cell_id": cell["cell_id"], "position": position, "stage_id": stage["stage_id"]}
                    for position, stage in enumerate(stages)
                ],
                ignore=True,
            )

    def choose(self, stack_id: str, rates: Mapping[str, float]) -> None:
        """The learning rate that each arm (by its id) has chosen on a stack."""
        rows = [{"arm_id": arm, "stack_id": stack_id, "learning_rate": rate} for arm, rate in rates.items()]
        with self._transaction():
            self.db.table("choices").insert_all(rows, replace=True)

    def start(self, run: dict[str, Any]) -> None:
        """A run that begins now: ``run_id, cell_id, stack_id, purpose, exclusive`` and its provenance."""
        now = utc_now()
        self._insert("runs", [{"status": "running", "started_at": now, "heartbeat_at": now, **run}])

    def heartbeat(self, run_ids: list[str]) -> None:
        """The runs that are alive at this moment."""
        with self._transaction():
            for run_id in run_ids:
                self.db.table("runs").update(run_id, {"heartbeat_at": utc_now()})

    def phase(self, run_id: str, event: Phase) -> None:
        """A phase of a run; figures that are no column of the table raise."""
        row = {"run_id": run_id, "stage_id": event.stage_id, "phase": event.phase, "wall_seconds": event.wall_seconds}
        self._insert("phases", [{**row, **event.figures}])

    def predict(self, run_id: str, foretold: Foretold, model_version: str) -> None:
        """What training should need and take, before it begins; ``model_version`` names the predictor."""
        key = {"run_id": run_id, "model_version": model_version}
        rows: list[dict[str, Any]] = [
            {**key, "phase": "train", "component": name, "predicted_bytes": size, "predicted_seconds": None}
            for name, size in foretold.component_bytes.items()
        ]
        rows += [
            {**key, "phase": "step", "component": name, "predicted_bytes": None, "predicted_seconds": seconds}
            for name, seconds in foretold.part_seconds.items()
        ]
        with self._transaction():
            self.db.table("predictions").insert_all(rows)
            if foretold.work is not None:
                self.db.table("step_work").insert({**key, **asdict(foretold.work)})

    def ceilings(self, run_id: str, event: Ceilings) -> None:
        """What the device of a run can do at most."""
        self._insert("ceilings", [{"run_id": run_id, **event.model_dump(exclude={"version", "type"})}])

    def measured(self, run_id: str, event: Measured) -> None:
        """The parts of a run's steps, and what stood in memory in one of them."""
        key = {"run_id": run_id, "stage_id": event.stage_id}
        with self._transaction():
            self.db.table("step_parts").insert_all([{**key, **part.model_dump()} for part in event.parts])
            if event.timeline:
                self.db.table("timelines").insert({**key, "columns": json.dumps(event.timeline)})

    def trained(self, run_id: str, event: Trained) -> None:
        """A stage's curve and fingerprints; the run's own figures are its last stage's."""
        key = {"run_id": run_id, "stage_id": event.stage_id}
        figures = event.model_dump(
            include={"order_digest", "real_tokens", "loss_tokens", "trainable_parameters", "total_parameters"}
        )
        with self._transaction():
            self.db.table("runs").update(run_id, {**figures, "effective": json.dumps(event.effective, sort_keys=True)})
            self.db.table("steps").insert_all([{**key, **step.model_dump()} for step in event.steps])
            self.db.table("fingerprints").insert_all(
                [{**key, "module": module, "gradient_norm": norm} for module, norm in event.fingerprint.items()]
            )
            self.db.table("logits").insert_all(
                [{**key, "projection": n, "value": value} for n, value in enumerate(event.logits)]
            )

    def reused(self, run_id: str, execution_id: str, stack_id: str, stage_id: str) -> None:
        """A stage's kept result took the place of training. Where it is what the run was to learn, what was said of
        that training holds for this run too: its curve, fingerprint, settings, order and token counts."""
        keys = {"run_id": run_id, "execution_id": execution_id, "stack_id": stack_id, "stage_id": stage_id}
        with self._transaction():
            for statement in _REUSED:
                self.db.execute(statement, keys)

    def artifact(self, run_id: str, execution_id: str, stack_id: str, event: Artifact) -> None:
        """Where a stage's result lies; a newer one takes its place."""
        row = event.model_dump(include={"stage_id", "path", "sha256", "size_bytes"})
        row |= {"execution_id": execution_id, "stack_id": stack_id, "run_id": run_id}
        with self._transaction():
            self.db.table("artifacts").insert(row, replace=True)

    def forget_artifact(self, stage_id: str, execution_id: str, stack_id: str) -> None:
        """An artifact that was evicted or found damaged."""
        with self._transaction():
            self.db.table("artifacts").delete((stage_id, execution_id, stack_id))

    def score(self, run_id: str, event: Score) -> None:
        """A task's score and its items."""
        key = {"run_id": run_id, "moment": event.moment, "eval_id": event.eval_id}
        value = event.model_dump(include={"metric", "value", "n_items", "higher_is_better"})
        blobs = {name: _blob(getattr(event, name)) for name in ("correct", "values", "answers")}
        with self._transaction():
            self.db.table("scores").insert({**key, **value})
            self.db.table("items").insert({**key, **blobs}, replace=True)
            self.db.execute(_COUNT_ITEMS, {"eval_id": event.eval_id, "n_items": event.n_items})

    def finish(self, run_id: str, status: str, reason: str | None, phase: str | None, wall_seconds: float) -> None:
        """The run's end. After it the row never changes."""
        base = next(self.db.query(_BASE_RUN, {"run_id": run_id}), {"run_id": None})["run_id"]
        end = {"status": status, "reason": reason, "failed_phase": phase, "wall_seconds": wall_seconds}
        with self._transaction():
            self.db.table("runs").update(run_id, {**end, "ended_at": utc_now(), "base_run_id": base})

    def bring(self, rows: Mapping[str, list[dict[str, Any]]]) -> None:
        """Rows of ended runs from elsewhere, table by table, all or none; a row that is there already stays."""
        with self._transaction():
            self.db.execute("PRAGMA defer_foreign_keys = ON")
            for table, of_table in rows.items():
                self.db.table(table).insert_all(of_table, ignore=True)

    def close_abandoned(self) -> int:
        """End the runs that a dead runner left running; returns how many there were."""
        rows = list(self.db.query(_UNFINISHED))
        for row in rows:
            begun, last = (datetime.fromisoformat(row[key]) for key in ("started_at", "heartbeat_at"))
            seconds = (last - begun).total_seconds()
            self.finish(row["run_id"], "killed", "the runner died while this run was in flight", None, seconds)
        return len(rows)

    def _insert(self, table: str, rows: list[dict[str, Any]], ignore: bool = False) -> None:
        with self._transaction():
            self.db.table(table).insert_all(rows, ignore=ignore)

    def _transaction(self) -> AbstractContextManager[None]:
        return transaction(self.db)


_COUNT_ITEMS = "UPDATE evals SET n_items = :n_items WHERE eval_id = :eval_id AND n_items = 0"
_MAKER = """
    SELECT made.run_id FROM artifacts JOIN runs AS made ON made.run_id = artifacts.run_id
    JOIN cells AS maker ON maker.cell_id = made.cell_id AND maker.recipe_id = artifacts.stage_id
    JOIN runs AS mine ON mine.run_id = :run_id
    JOIN cells AS own ON own.cell_id = mine.cell_id AND own.recipe_id = artifacts.stage_id
    WHERE artifacts.stage_id = :stage_id AND artifacts.execution_id = :execution_id AND artifacts.stack_id = :stack_id
      AND made.run_id != :run_id
"""
_TOLD = "order_digest, real_tokens, loss_tokens, trainable_parameters, total_parameters, effective"
_REUSED = (
    f"""UPDATE runs SET ({_TOLD}) = (SELECT {_TOLD} FROM runs WHERE run_id = ({_MAKER}))
        WHERE run_id = :run_id AND EXISTS ({_MAKER})""",
    f"""INSERT INTO steps SELECT :run_id, stage_id, step, loss, gradient_norm, tokens_seen, seconds FROM steps
        WHERE stage_id = :stage_id AND run_id = ({_MAKER})""",
    f"""INSERT INTO fingerprints SELECT :run_id, stage_id, module, gradient_norm FROM fingerprints
        WHERE stage_id = :stage_id AND run_id = ({_MAKER})""",
    f"""INSERT INTO logits SELECT :run_id, stage_id, projection, value FROM logits
        WHERE stage_id = :stage_id AND run_id = ({_MAKER})""",
)
_UNFINISHED = "SELECT run_id, started_at, heartbeat_at FROM runs WHERE status IN ('queued', 'running')"
_BASE_RUN = """
SELECT base.run_id FROM runs
JOIN cells USING (cell_id)
JOIN cells AS base_cells ON base_cells.base_digest = cells.base_digest AND base_cells.method = 'base'
JOIN runs AS base ON base.cell_id = base_cells.cell_id AND base.stack_id = runs.stack_id
WHERE runs.run_id = :run_id AND base.status = 'ok' AND base.run_id != runs.run_id
  AND json_extract(base_cells.recipe, '$.stages[0].parameters.quantisation') = 'none'
  AND json_extract(base_cells.recipe, '$.stages[0].parameters.shots') = 0
ORDER BY base.started_at DESC LIMIT 1
"""


@contextmanager
def transaction(db: Database) -> Iterator[None]:
    """All or nothing, with SQLite's own complaint of a full disk as one clear line.

    It waits for other writers before it begins: one that read first, and found when it came to write that another had
    written since, would fail at once.
    """
    try:
        if db.conn.in_transaction:
            with db.atomic():
                yield
            return
        db.conn.execute("BEGIN IMMEDIATE")
        try:
            yield
            db.conn.commit()
        except BaseException:
            db.conn.rollback()
            raise
    except sqlite3.OperationalError as error:
        _explain(error)


def _explain(error: sqlite3.OperationalError) -> None:
    text = str(error)
    if "full" in text or "disk I/O" in text:
        raise UserError(f"no space left for the database ({text}); free some and run again: it goes on") from None
    raise error


def _blob(text: str | None) -> bytes | None:
    return base64.b64decode(text) if text is not None else None
