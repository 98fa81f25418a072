"""What matrices ask for, cell by cell, as a snapshot records it."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlite_utils import Database

from harness.errors import UserError
from harness.matrix import Matrix
from harness.plan import Known, Planned, Purpose, State
from harness.session import Session, session_on_stack
from harness.snapshot.asked import Visit
from harness.snapshot.machine import Stack, newest_machine, under
from harness.snapshot.privacy import without_paths
from harness.snapshot.searched import searched_lines
from harness.store.known import read_known
from harness.units import plain_size

_REFUSED = """
SELECT arm_id, max(reason) FROM runs JOIN cells USING (cell_id) WHERE stack_id = ?
GROUP BY arm_id HAVING max(status = 'refused') AND NOT max(status = 'ok')
"""


class Expected(BaseModel):
    """A cell of a matrix and how it stands. One whose rate is not chosen yet has no id.

    ``matrix`` is the file's name where there are several, ``stack_id`` the stack that the cell stands so on: None where
    nothing has run under that limit, and in snapshots of an earlier format.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    cell_id: str | None
    arm: str
    learning_rate: float | None
    seed: int | None
    purpose: Purpose
    state: State
    why: str | None
    matrix: str | None = None
    stack_id: str | None = None
    memory_limit_bytes: int | None = None

    @property
    def unfinished(self) -> bool:
        """Is there still something to run? A failure is a result."""
        return self.state in ("left", "deferred")

    @property
    def name(self) -> str:
        """How it is called where people read."""
        rate = f" rate {self.learning_rate:g}, seed {self.seed}" if self.learning_rate is not None else ""
        return f"{self.arm}{rate}"

    @property
    def visit(self) -> str:
        """How the matrix file and the limit that it belongs to are called where people read."""
        limit = f", limited to {plain_size(self.memory_limit_bytes)}" if self.memory_limit_bytes else ""
        return f"{self.matrix or 'matrix'}{limit}"


def by_visit(expected: Sequence[Expected]) -> dict[str, list[Expected]]:
    """The cells of each file and limit, in order."""
    found: dict[str, list[Expected]] = {}
    for cell in expected:
        found.setdefault(cell.visit, []).append(cell)
    return found


def expected_cells(
    db: Database, db_path: Path, matrix: Matrix, visits: Sequence[Visit] | None = None, name: str | None = None
) -> list[Expected]:
    """Every cell of ``matrix`` and its state on the machine that its suite ran on last, whatever this one is: under the
    limits of ``visits``, or of all stacks of that machine. ``name`` is the file's among several.

    Raises UserError where the suite has no runs.
    """
    suite = matrix.header.suite
    stacks = newest_machine(db, suite)
    if not stacks:
        raise UserError(f"{db_path}: no runs of suite {suite!r}; `tunematrix run {suite}` makes some")
    wanted = [(visit, under(visit.limit_bytes, stacks)) for visit in visits or ()] or [(Visit(), one) for one in stacks]
    found = []
    for visit, stack in wanted:
        about = {"matrix": name, "stack_id": stack.stack_id, "memory_limit_bytes": stack.limit_bytes}
        lines = _lines(db, db_path, matrix, stack, searched=visit.searched)
        found += sorted((Expected.model_validate({**line, **about}) for line in lines), key=_order)
    return found


def _lines(db: Database, db_path: Path, matrix: Matrix, stack: Stack, *, searched: bool) -> Iterator[dict[str, Any]]:
    session = session_on_stack(matrix, db_path, json.dumps(stack.facts), stack.code_digest)
    known = read_known(db, stack.stack_id) if stack.stack_id else Known()
    _refuse_as_there(session, db, stack)
    lines = searched_lines(session, known, db) if searched else _planned(session.planner(known).plan())
    for line in lines:
        why = None if line["why"] is None else without_paths(line["why"])
        yield {**line, "arm": without_paths(line["arm"]), "why": why}


def _refuse_as_there(session: Session, db: Database, stack: Stack) -> None:
    """Refuse what that machine refused, and nothing that only this one cannot run."""
    refused = dict(db.execute(_REFUSED, [stack.stack_id]).fetchall())
    for arm in session.arms:
        arm.refusal = refused.get(arm.arm_id) if stack.has_room else "the device has less memory than that"


def _planned(plan: Sequence[Planned]) -> list[dict[str, Any]]:
    return [
        {
            "cell_id": line.cell.cell_id if line.cell else None,
            "arm": line.arm.name,
            "learning_rate": line.cell.learning_rate if line.cell else None,
            "seed": line.cell.seed if line.cell else None,
            "purpose": line.purpose,
            "state": line.state,
            "why": line.reason,
        }
        for line in plan
    ]


def _order(cell: Expected) -> tuple[Any, ...]:
    return cell.arm, cell.purpose != "quality", cell.learning_rate or 0, cell.seed or 0, cell.cell_id or ""
