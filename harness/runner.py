"""Plan, hand cells to the executor, write down what they say. The only writer of the database while it runs."""

import math
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from harness.arms import Cell
from harness.executors.executor import Executor
from harness.flights import Flights, cell_name
from harness.interrupts import interruptible
from harness.plan import Outcome, Planned, Purpose, stage_execution
from harness.progress import Display
from harness.records import cell_rows, eval_rows
from harness.session import Session
from harness.store.known import read_known
from harness.store.writer import Writer


@dataclass(frozen=True)
class Summary:
    """How a session ended."""

    finished: int
    failed: list[tuple[str, str, str]]  # name, status, reason
    interrupted: bool
    out_of_time: bool = False


class Runner:
    """Runs what a session's plan has left."""

    def __init__(self, session: Session, writer: Writer, executor: Executor, display: Display) -> None:
        self.session, self.writer, self.executor, self.display = session, writer, executor, display
        self.known = read_known(writer.db, session.stack_id)
        self.planner = session.planner(self.known)
        self.flights = Flights(session, writer, executor, display, self.known)
        self.attempted: set[tuple[str, str]] = set()

    def run(self, retry_failed: bool = False, seconds: float = math.inf) -> Summary:
        """Run until nothing is left, until interrupted, or for so many seconds: a cell that should take longer than
        what is left of them is not begun, and one that does is ended, to run again."""
        if retry_failed:
            self.known.forget_failures()
        self.writer.close_abandoned()
        self.session.workdir.clear_scratch()
        self.writer.add_stack(self.session.stack_id, self.session.facts, self.session.code_digest)
        self.writer.add_evals(eval_rows(self.session))
        flights, ends = self.flights, time.monotonic() + seconds
        with interruptible() as stop:
            planned, plan = -1, []
            while not stop.requested and time.monotonic() < ends:
                if planned != flights.finished:
                    planned, plan = flights.finished, self.planner.plan()
                if time.monotonic() + flights.longest_seconds < ends:
                    self._submit(plan)
                self.display.show(plan, flights.under_way)
                if not flights.under_way:
                    break
                for run_id, event in self.executor.poll(0.2):
                    flights.receive(run_id, event)
                flights.beat()
            cut_short, failed = bool(flights.under_way), list(flights.failed)
            if cut_short:
                flights.abandon()
            self._write_choices()
        plan = self.planner.plan()
        out_of_time = not stop.requested and (cut_short or any(self._is_open(line) for line in plan))
        if stop.requested or out_of_time:
            return Summary(flights.finished, failed if out_of_time else flights.failed, stop.requested, out_of_time)
        self._write_unrunnable(plan)
        return Summary(flights.finished, list(dict.fromkeys([*flights.failed, *self._not_well(plan)])), False)

    def _is_open(self, line: Planned) -> bool:
        """Would another turn of the loop have begun it?"""
        begun = line.cell is not None and (line.cell.cell_id, line.purpose) in self.attempted
        return line.state == "deferred" or (line.state == "left" and not begun)

    # --- handing out --------------------------------------------------------------------------------------------

    def _submit(self, plan: list[Planned]) -> None:
        for line in plan:
            if len(self.flights.under_way) >= self.session.jobs:
                return
            if line.state != "left" or line.cell is None or (line.cell.cell_id, line.purpose) in self.attempted:
                continue
            if line.purpose == "measure":
                if not self.flights.under_way and not self._anything_shared_left(plan):
                    self._start(line.cell, "measure")
                return
            if any(f.purpose == "measure" for f in self.flights.under_way.values()) or self._stage_in_flight(line.cell):
                continue
            self._start(line.cell, "quality")

    def _start(self, cell: Cell, purpose: Purpose) -> None:
        self.attempted.add((cell.cell_id, purpose))
        self.flights.start(cell, purpose)

    def _anything_shared_left(self, plan: list[Planned]) -> bool:
        """Measure runs wait until nothing else can be run beside another."""
        return self.session.jobs > 1 and any(
            line.state == "left" and line.purpose == "quality" and (line.cell.cell_id, "quality") not in self.attempted
            for line in plan
            if line.cell is not None
        )

    def _stage_in_flight(self, cell: Cell) -> bool:
        """One producer for each stage: a cell waits while another trains a stage that it shares."""
        busy = {stage for flight in self.flights.under_way.values() for stage in self._to_train(flight.cell)}
        return bool(busy & set(self._to_train(cell)))

    def _to_train(self, cell: Cell) -> list[str]:
        execution = stage_execution(cell)
        return [stage for stage in cell.stage_ids if (stage, execution) not in self.known.artifacts]

    def _write_choices(self) -> None:
        """Which rates stand: what later arms start from, and what a report is to show."""
        choices = {arm.arm_id: self.planner.choice(arm) for arm in self.session.arms if arm.trains}
        rates = {arm: choice.rate for arm, choice in choices.items() if choice.rate is not None}
        self.writer.choose(self.session.stack_id, rates)

    def _write_unrunnable(self, plan: list[Planned]) -> None:
        """Refused and blocked cells are rows too: one a cell that has an id, one an arm that has none."""
        seen: set[str] = set()
        for line in plan:
            if line.state not in ("refused", "blocked") or line.purpose == "measure":
                continue
            cell = line.cell or line.arm.cell(line.arm.rates[0] if line.arm.rates else None, line.arm.seeds[0])
            if cell.cell_id in seen or (cell.cell_id, "quality") in self.known.outcomes:
                continue
            seen.add(cell.cell_id)
            row, stages = cell_rows(cell)
            self.writer.add_cell(row, stages)
            run_id = uuid.uuid4().hex
            shared = {"run_id": run_id, "cell_id": cell.cell_id, "stack_id": self.session.stack_id}
            self.writer.start({**shared, "purpose": "quality", "exclusive": 0})
            self.writer.finish(run_id, line.state, line.reason, None, 0.0)
            self.known.outcomes[cell.cell_id, "quality"] = Outcome(run_id, line.state, line.reason, 0.0)

    def _not_well(self, plan: list[Planned]) -> Iterator[tuple[str, str, str]]:
        """What of the whole plan did not end well, in an earlier session too."""
        for line in plan:
            if line.state in ("failed", "blocked", "refused"):
                outcome = self.known.outcome(line.cell, line.purpose) if line.cell else None
                name = cell_name(line.cell) if line.cell else line.arm.name
                yield name, outcome.status if outcome else line.state, line.reason or ""
