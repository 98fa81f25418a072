"""Arms, cells and evals as rows of the store."""

import json
from typing import Any

from harness import identity
from harness.arms import Cell
from harness.session import Session


def cell_rows(cell: Cell) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The row of a cell, and those of its stages, first to last."""
    arm = cell.arm
    row = {
        "cell_id": cell.cell_id,
        "recipe_id": cell.stage_ids[-1],
        "execution_id": identity.execution_id(arm.execution),
        "arm_id": arm.arm_id,
        "suite": arm.suite,
        "label": arm.label,
        "method": arm.variant.method,
        "base": arm.base.name,
        "rank": arm.variant.rank,
        "learning_rate": cell.learning_rate,
        "seed": cell.seed,
        "base_digest": arm.base.digest,
        "data_digest": arm.mix.data_digest if arm.mix else None,
        "licences": json.dumps(arm.licences, sort_keys=True),
        "sources": json.dumps(arm.sources, sort_keys=True),
        "recipe": identity.canonical_json(cell.recipe),
        "execution": identity.canonical_json(arm.execution),
        "parent_arm_id": arm.parent.arm_id if arm.parent else None,
        "selection_task": arm.selection_task,
        "identity_version": identity.IDENTITY_VERSION,
    }
    stages = [
        {
            "stage_id": stage_id,
            "parent_stage_id": cell.stage_ids[position - 1] if position else None,
            "kind": stage["kind"],
            "recipe": identity.canonical_json(stage),
        }
        for position, (stage_id, stage) in enumerate(zip(cell.stage_ids, cell.recipe["stages"], strict=True))
    ]
    return row, stages


def eval_rows(session: Session) -> list[dict[str, Any]]:
    """The evals of a session."""
    size = session.matrix.header.eval_batch_size
    rows = []
    for eval_ in session.matrix.header.evals:
        task = session.tasks[eval_.task]
        rows.append(
            {
                "eval_id": task.eval_id(size),
                "task": task.name,
                "role": eval_.role,
                "split": eval_.split,
                "task_version": task.version,
                "item_digest": task.item_digest,
                "decoding": json.dumps(task.decoding(size), sort_keys=True),
                "n_items": 0,
                "chance": eval_.chance,
            }
        )
    return rows
