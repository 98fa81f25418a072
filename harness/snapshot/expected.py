"""What a matrix asks for, cell by cell, as a snapshot records it."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict
from sqlite_utils import Database

from harness.errors import UserError
from harness.matrix import Matrix
from harness.plan import Planned, Purpose, State
from harness.session import session_on_stack
from harness.snapshot.privacy import without_paths
from harness.store.known import read_known

_NEWEST_STACK = """
SELECT stacks.stack_id, facts, code_digest FROM runs JOIN cells USING (cell_id) JOIN stacks USING (stack_id)
WHERE suite = ? ORDER BY started_at DESC, run_id DESC LIMIT 1
"""
_RAN = "SELECT DISTINCT arm_id FROM runs JOIN cells USING (cell_id) WHERE stack_id = ? AND status = 'ok'"


class Expected(BaseModel):
    """A cell of the matrix and how it stands. One whose rate is not chosen yet has no id."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cell_id: str | None
    arm: str
    learning_rate: float | None
    seed: int | None
    purpose: Purpose
    state: State
    why: str | None

    @property
    def unfinished(self) -> bool:
        """Is there still something to run? A failure is a result."""
        return self.state in ("left", "deferred")

    @property
    def name(self) -> str:
        """How it is called where people read."""
        rate = f" rate {self.learning_rate:g}, seed {self.seed}" if self.learning_rate is not None else ""
        return f"{self.arm}{rate}"


def expected_cells(db: Database, db_path: Path, matrix: Matrix) -> list[Expected]:
    """Every cell of ``matrix`` and its state on the newest stack that its suite ran on, whatever this machine is.

    Raises UserError where the suite has no runs.
    """
    suite = matrix.header.suite
    row = next(db.query(_NEWEST_STACK, [suite]), None)
    if row is None:
        raise UserError(f"{db_path}: no runs of suite {suite!r}; `tunematrix run {suite}` makes some")
    session = session_on_stack(matrix, db_path, row["facts"], row["code_digest"])
    ran = {arm_id for (arm_id,) in db.execute(_RAN, [row["stack_id"]]).fetchall()}
    for arm in session.arms:
        if arm.arm_id in ran:
            arm.refusal = None  # this machine may be unable to run what that one ran
    return as_expected(session.planner(read_known(db, row["stack_id"])).plan())


def as_expected(plan: Sequence[Planned]) -> list[Expected]:
    """The lines of a plan, sorted by what they are."""
    lines = [
        Expected(
            cell_id=line.cell.cell_id if line.cell else None,
            arm=without_paths(line.arm.name),
            learning_rate=line.cell.learning_rate if line.cell else None,
            seed=line.cell.seed if line.cell else None,
            purpose=line.purpose,
            state=line.state,
            why=None if line.reason is None else without_paths(line.reason),
        )
        for line in plan
    ]
    return sorted(
        lines, key=lambda e: (e.arm, e.purpose != "quality", e.learning_rate or 0, e.seed or 0, e.cell_id or "")
    )
