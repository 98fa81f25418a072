"""A matrix that looks as if it had run: each cell that is left gets a run and scores, and nothing is trained."""

from itertools import count, product
from pathlib import Path

from harness.events import Score
from harness.plan import Planned
from harness.records import cell_rows, eval_rows
from harness.session import Session
from harness.store.database import open_for_writing
from harness.store.known import read_known
from harness.store.writer import Writer


def pretend_to_run(session: Session, db_path: Path, at_most: int = 1000) -> None:
    """Write a good run for every cell of the session's plan, or for the first ``at_most`` of them."""
    writer = Writer(open_for_writing(db_path))
    numbers = count(writer.db["runs"].count)
    writer.add_stack(session.stack_id, session.facts, session.code_digest)
    writer.add_evals(eval_rows(session))
    while left := [line for line in _plan(session, writer) if line.state == "left"]:
        for line in left:
            number = next(numbers)
            if number >= at_most:
                return
            _run(session, writer, line, number)


def _plan(session: Session, writer: Writer) -> list[Planned]:
    return session.planner(read_known(writer.db, session.stack_id)).plan()


def _run(session: Session, writer: Writer, line: Planned, number: int) -> None:
    assert line.cell is not None
    run_id, row = f"run-{number:03d}", cell_rows(line.cell)
    writer.add_cell(*row)
    ids = {"run_id": run_id, "cell_id": line.cell.cell_id, "stack_id": session.stack_id}
    writer.start({**ids, "purpose": line.purpose, "exclusive": 1, "started_at": f"2026-01-01T00:00:{number:02d}+00:00"})
    if line.purpose == "quality":
        for moment, one in product(line.arm.moments, session.evals):
            score = Score(
                moment=moment,
                eval_id=one.eval_id,
                metric=one.metric,
                value=0.5 + 0.01 * number,
                n_items=10,
                higher_is_better=one.higher_is_better,
            )
            if one.is_wanted(moment):
                writer.score(run_id, score)
    writer.finish(run_id, "ok", None, None, 1.0)
