"""Run the reference cells now, on one side or on two: scored once, then measured in rounds."""

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from harness.arms import Cell
from harness.errors import UserError
from harness.executors.executor import Executor
from harness.executors.interpreter import InterpreterExecutor, stack_of
from harness.executors.local import LocalExecutor
from harness.gate.reference import Reference
from harness.gate.rounds import Measured, Tell, measure_rounds
from harness.gate.setting import Setting
from harness.gpu import refuse_unfit
from harness.interrupts import interruptible
from harness.matrix import Matrix, load_matrix
from harness.matrix_files import matrix_file
from harness.progress import Display, clock
from harness.runner import Runner
from harness.session import Session, open_session
from harness.stack import pick_device
from harness.store.database import open_for_writing
from harness.store.writer import Writer


@dataclass(frozen=True)
class Contender:
    """A side that is about to run, and the results file that it writes."""

    setting: Setting
    db: Path
    session: Session


def contenders(reference: Reference, settings: Sequence[Setting], folder: Path) -> list[Contender]:
    """Open a session for each setting; their results will lie in ``folder``. Raises UserError before anything runs."""
    assert reference.matrix is not None
    path, found = matrix_file(reference.matrix), []
    if pick_device(reference.device) == "cuda":
        refuse_unfit()
    load_matrix(path, reference.overrides)  # what is wrong from here on is wrong in a setting
    for letter, setting in zip("ab", settings, strict=False):
        matrix = _load_as(setting, path, (*reference.overrides, *setting.overrides, "measure.enabled=false"))
        db = folder / f"{letter}.db"
        session = open_session(matrix, db, device=reference.device, jobs=reference.jobs, only=reference.only)
        if setting.python:
            session.facts, session.code_digest = stack_of(setting.python, session.device)
        found.append(Contender(setting, db, session))
    _refuse_different_work(found)
    return found


def _load_as(setting: Setting, path: Path, overrides: tuple[str, ...]) -> Matrix:
    try:
        return load_matrix(path, overrides)
    except UserError as error:
        said = (line.removeprefix("--set").lstrip(" :") for line in error.lines)
        raise UserError(*(f'--ab "{setting.text}": {line}' for line in said)) from None


def run_trial(sides: Sequence[Contender], rounds: int, console: Console) -> bool:
    """Run every side's cells, then ``rounds`` rounds of measure runs; whether it came to its end (not interrupted).

    Raises UserError where a side's patch does not apply.
    """
    with ExitStack() as stack:
        executors, runners = stack.enter_context(_executors(sides)), []
        for side, executor in zip(sides, executors, strict=True):
            console.print(f"{side.setting.name}: training and scoring", highlight=False, markup=False)
            db = open_for_writing(side.db)
            stack.callback(db.close)
            runner = _scored(side, Writer(db), executor, console)
            if runner is None:
                return False
            runners.append(runner)
        measured = [Measured(runner.flights, _cells(runner, runners[0])) for runner in runners]
        with interruptible() as stop:
            tell = _teller(console, rounds, len(measured[0].cells))
            measure_rounds(measured, rounds, sides[0].session.workdir.scratch, stop, tell)
        return not stop.requested


def _scored(side: Contender, writer: Writer, executor: Executor, console: Console) -> Runner | None:
    """The side's runner when all its cells are scored; None where it was interrupted."""
    with Display(console, lambda plan: side.session.estimate(plan, runner.known)) as display:
        runner = Runner(side.session, writer, executor, display)
        summary = runner.run()
    for name, _, reason in summary.failed:
        if "kernels.patch: " in reason:
            raise UserError(f"{side.setting.name}: {name}: {reason.partition('kernels.patch: ')[2]}")
    return None if summary.interrupted else runner


def _cells(runner: Runner, first: Runner) -> list[Cell]:
    """The trained arms' cells at the first side's chosen rates and the first seed."""
    cells = []
    for arm, lead in zip(runner.session.arms, first.session.arms, strict=True):
        choice = first.planner.choice(lead)
        if arm.trains and choice.rate is not None:
            parent = first.planner.choice(lead.parent).rate if lead.parent else None
            cells.append(arm.cell(choice.rate, arm.seeds[0], parent))
    return cells


def _refuse_different_work(sides: Sequence[Contender]) -> None:
    """Sides differ in execution and stack; in what is learned they would compare nothing."""
    works = [[arm.stage for arm in side.session.arms] for side in sides]
    if any(work != works[0] for work in works):
        names = ", ".join(f'"{side.setting.text}"' for side in sides)
        raise UserError(
            f"--ab {names}: they differ in what is learned, not only in how it is computed; give settings of kernels, "
            "threads, micro_batch_size or python (recipes are compared by `tunematrix compare`)"
        )


@contextmanager
def _executors(sides: Sequence[Contender]) -> Iterator[list[Executor]]:
    """One executor for each interpreter, its libraries imported ahead."""
    with ExitStack() as stack:
        by_python: dict[str | None, Executor] = {}
        for side in sides:
            session, python = side.session, side.setting.python
            stack.enter_context(session.workdir.lock())
            if python not in by_python:
                executor = by_python[python] = _executor(session, python)
                stack.enter_context(executor)
                executor.warm(session.tasks_folder, session.tasks_wanted, session.tokenizers())
        yield [by_python[side.setting.python] for side in sides]


def _executor(session: Session, python: str | None) -> LocalExecutor | InterpreterExecutor:
    if python is None:
        return LocalExecutor(session.device, session.workdir.logs)
    return InterpreterExecutor(python, session.device, session.workdir.logs)


def _teller(console: Console, rounds: int, arms: int) -> Tell:
    """Says every ten seconds which round it is and how long the rest should take."""
    began, said, done = time.monotonic(), [-math.inf], [0]

    def tell(number: int, arm: str) -> None:
        elapsed = time.monotonic() - began
        if elapsed - said[0] > 10:
            said[0] = elapsed
            left = elapsed / done[0] * (rounds * arms - done[0]) if done[0] else None
            about = f", about {clock(left)} left" if left is not None else ""
            console.print(f"round {number + 1} of {rounds}: {arm}{about}", highlight=False, markup=False)
        done[0] += 1

    return tell
