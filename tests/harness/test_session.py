"""A matrix file that asks for more than has run: what is missing is scored, and nothing that is there trains again."""

from pathlib import Path

import pytest

from harness.matrix import load_matrix
from harness.session import session_on_stack
from harness.store.database import open_for_reading
from harness.store.known import read_known
from tests.harness.snapshot.pretended import pretend_to_run
from tests.small_suite import SMALL, small_suite

FACTS = '{"device": "cpu", "processor": "Test CPU"}'
METHODS = """\
  base: {}
  prompted: {method: base, shots: 4}
  full_sft: {learning_rate: 1e-3}
  lora: {learning_rate: 1e-3}
  dpo: {starts_from: lora, learning_rate: 1e-4}
"""


class World:
    """A suite in which everything has run that its matrix file asked for at first."""

    def __init__(self, folder: Path) -> None:
        self.db, self.matrix = folder / "r.db", small_suite(folder / "suite")
        head, _, _ = SMALL.partition("  base: {}")
        self.head = head + METHODS
        self.write("role: general, merged: false")
        pretend_to_run(self.session(), self.db)

    def write(self, about_facts: str) -> None:
        validation = "{task: pocket_target_validation, role: target, split: validation, merged: false}"
        self.matrix.write_text(f"{self.head}evals:\n  - {validation}\n  - {{task: pocket_facts, {about_facts}}}\n")

    def session(self):
        return session_on_stack(load_matrix(self.matrix), self.db, FACTS, "code")

    def left(self) -> set[str]:
        """The labels of what is left, which must be to be scored alone."""
        session = self.session()
        lines = session.planner(read_known(open_for_reading(self.db), session.stack_id)).plan()
        left = [line for line in lines if line.state != "done"]
        assert all(line.state == "left" and line.rescore for line in left)
        return {line.arm.label for line in left}


@pytest.fixture
def world(tmp_path) -> World:
    return World(tmp_path)


def test_what_was_asked_for_is_done(world):
    assert world.left() == set()


def test_a_task_that_is_to_be_asked_of_merged_adapters_too_is_asked_of_those(world):
    world.write("role: general")
    assert world.left() == {"lora", "dpo"}


def test_a_task_that_is_to_be_asked_with_examples_in_the_prompt_too_is_asked_of_that_arm(world):
    world.write("role: general, merged: false, prompted: true")
    assert world.left() == {"prompted"}


def test_once_it_has_been_nothing_is_left(world):
    world.write("role: general, prompted: true")
    pretend_to_run(world.session(), world.db)
    assert world.left() == set()


def test_a_moment_less_leaves_nothing_to_do(world):
    world.write("role: general, prompted: true")
    pretend_to_run(world.session(), world.db)
    world.write("role: general, merged: false")
    assert world.left() == set()
