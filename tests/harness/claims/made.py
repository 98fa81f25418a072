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
        for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            db.execute(f'DROP TRIGGER "{name}"')
        assert db.execute("DELETE FROM runs WHERE run_id = ?", [run_id]).rowcount == 1
    db.close()


def change_recipe(path: Path, method: str, /, **own: Any) -> None:
    """Write other settings into the last stage of a method's recipes, in a results file."""
    with sqlite3.connect(path) as db:
        for cell_id, recipe in db.execute("SELECT cell_id, recipe FROM cells WHERE method = ?", [method]).fetchall():
            changed = json.loads(recipe)
            changed["stages"][-1] |= own
            db.execute("UPDATE cells SET recipe = ? WHERE cell_id = ?", [json.dumps(changed), cell_id])
    db.close()
