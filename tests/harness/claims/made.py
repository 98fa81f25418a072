"""Claims made up for a test, and results to hold them against."""

import json
import sqlite3
from pathlib import Path
from typing import Any

from harness.claims.entry import Claim


def claim(**about: Any) -> Claim:
    """A claim with what is given."""
    return Claim.model_validate(
        {"id": "mine", "claim": "it is so", "settled_by": "runs", "depends_on": "luck", **about}
    )


def ruled(quantity: str, claimed: dict[str, float], second: str | None = "method=full_sft", **about: Any) -> Claim:
    """A claim on LoRA's arms, against full SFT's unless ``second`` says otherwise."""
    condition = {"quantity": quantity, "claimed": claimed}
    return claim(rules=[{"first": "method=lora", "second": second, "conditions": [condition]}], **about)


def delete_run(path: Path, run_id: str) -> None:
    """Take a run out of a results file, whose guards are there to prevent it."""
    with sqlite3.connect(path) as db:
        _unguard(db)
        assert db.execute("DELETE FROM runs WHERE run_id = ?", [run_id]).rowcount == 1
    db.close()


def end_by_memory(
    path: Path,
    label: str,
    purpose: str = "measure",
    phase: str | None = "train",
    reason: str = "needs more than 24 GB: OutOfMemoryError: CUDA out of memory.",
    exclusive: bool = True,
) -> list[str]:
    """Let memory have ended all runs of an entry that have this purpose, as a runner would write that down; returns
    their ids."""
    ended = _runs_of(path, label, purpose)
    with sqlite3.connect(path) as db:
        _unguard(db)
        for run_id in ended:
            db.execute(
                "UPDATE runs SET status = 'oom', failed_phase = ?, reason = ?, exclusive = ?, total_parameters = NULL, "
                "trainable_parameters = NULL WHERE run_id = ?",
                [phase, reason, int(exclusive), run_id],
            )
            for table in ("phases", "scores", "items"):
                db.execute(f"DELETE FROM {table} WHERE run_id = ?", [run_id])
    db.close()
    return ended


def delete_runs(path: Path, label: str, purpose: str) -> None:
    """Take all runs of an entry that have this purpose out of a results file."""
    for run_id in _runs_of(path, label, purpose):
        delete_run(path, run_id)


def _runs_of(path: Path, label: str, purpose: str) -> list[str]:
    with sqlite3.connect(path) as db:
        sql = "SELECT run_id FROM runs JOIN cells USING (cell_id) WHERE label = ? AND purpose = ? ORDER BY run_id"
        found = [run_id for (run_id,) in db.execute(sql, [label, purpose]).fetchall()]
    db.close()
    assert found
    return found


def _unguard(db: sqlite3.Connection) -> None:
    for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        db.execute(f'DROP TRIGGER "{name}"')


def change_recipe(path: Path, method: str, /, **own: Any) -> None:
    """Write other settings into the last stage of a method's recipes, in a results file."""
    with sqlite3.connect(path) as db:
        for cell_id, recipe in db.execute("SELECT cell_id, recipe FROM cells WHERE method = ?", [method]).fetchall():
            changed = json.loads(recipe)
            changed["stages"][-1] |= own
            db.execute("UPDATE cells SET recipe = ? WHERE cell_id = ?", [json.dumps(changed), cell_id])
    db.close()
