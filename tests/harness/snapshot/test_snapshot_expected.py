"""The cells that a matrix asks for are judged on the stack that it ran on, whatever this machine is."""

import json
from pathlib import Path

import pytest

from harness.arms import Arm
from harness.errors import UserError
from harness.matrix import load_matrix
from harness.records import cell_rows
from harness.session import Session, session_on_stack
from harness.snapshot.expected import expected_cells
from harness.store.database import open_for_reading, open_for_writing
from harness.store.writer import Writer
from tests.harness.snapshot.pretended import pretend_to_run
from tests.small_suite import small_suite

GPU = json.dumps({"device": "cuda", "gpu": "Some GPU"})


@pytest.fixture
def matrix(tmp_path) -> Path:
    return small_suite(tmp_path / "suite")


def states(matrix: Path, db: Path, *overrides: str) -> dict[str, int]:
    cells = expected_cells(open_for_reading(db), db, load_matrix(matrix, overrides))
    return {state: sum(cell.state == state for cell in cells) for state in {cell.state for cell in cells}}


def test_all_are_done_after_a_whole_run_on_a_machine_that_this_is_not(matrix, tmp_path):
    db = tmp_path / "r.db"
    pretend_to_run(session_on_stack(load_matrix(matrix), db, GPU, "code"), db)
    assert set(states(matrix, db)) == {"done"}


def test_what_has_not_run_is_left_or_deferred(matrix, tmp_path):
    db = tmp_path / "r.db"
    pretend_to_run(session_on_stack(load_matrix(matrix), db, GPU, "code"), db, at_most=2)
    found = states(matrix, db)
    assert found["done"] == 2
    assert found["left"] + found["deferred"] > 5


def test_another_override_is_another_matrix(matrix, tmp_path):
    db = tmp_path / "r.db"
    pretend_to_run(session_on_stack(load_matrix(matrix), db, GPU, "code"), db)
    assert states(matrix, db, "seeds=5")["left"] > 0


def test_what_this_machine_could_not_run_is_done_where_another_ran_it(matrix, tmp_path):
    matrix.write_text(matrix.read_text() + "kernels: {attention: flash_attention_2}\n")
    db = tmp_path / "r.db"
    session = session_on_stack(load_matrix(matrix), db, GPU, "code")
    for arm in session.arms:
        arm.refusal = None
    pretend_to_run(session, db)
    assert set(states(matrix, db)) == {"done"}


def test_refused_is_what_that_machine_refused_and_nothing_that_only_this_one_cannot_run(matrix, tmp_path):
    matrix.write_text(matrix.read_text() + "kernels: {attention: flash_attention_2}\n")
    db = tmp_path / "r.db"
    session = session_on_stack(load_matrix(matrix), db, GPU, "code")
    base, full_sft, dpo = session.arms
    assert base.refusal and full_sft.refusal and dpo.refusal
    refuse(session, full_sft, db)
    cells = expected_cells(open_for_reading(db), db, load_matrix(matrix))
    found = {(cell.arm, cell.state, cell.why) for cell in cells}
    assert found == {
        (base.name, "left", None),
        (full_sft.name, "refused", "no such package"),
        (dpo.name, "blocked", f"{full_sft.name} has no run to start from"),
    }


def refuse(session: Session, arm: Arm, db: Path) -> None:
    """A row that says so, as a runner leaves it."""
    writer, cell = Writer(open_for_writing(db)), arm.cell(arm.rates[0], arm.seeds[0])
    writer.add_stack(session.stack_id, session.facts, session.code_digest)
    writer.add_cell(*cell_rows(cell))
    ids = {"run_id": "refused", "cell_id": cell.cell_id, "stack_id": session.stack_id}
    writer.start({**ids, "purpose": "quality", "exclusive": 0})
    writer.finish("refused", "refused", "no such package", None, 0.0)


def test_a_suite_without_runs_is_one_clear_line(matrix, tmp_path):
    open_for_writing(tmp_path / "r.db")
    with pytest.raises(UserError, match="no runs of suite 'small'; `tunematrix run small` makes some"):
        states(matrix, tmp_path / "r.db")
