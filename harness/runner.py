"""Plan, hand cells to the executor, write down what they say. The only writer of the database while it runs."""

import json
import shutil
import signal
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import artifacts, identity, stack
from harness.arms import Cell
from harness.assignment import Assignment, BaseToLoad, SourceToRead, StageToRun, score_key
from harness.errors import UserError
from harness.events import NO_SPACE, Artifact, Done, Event, Failed, Phase, Progress, Score, Trained
from harness.executors.local import LocalExecutor
from harness.plan import Outcome, Planned, Purpose, stage_execution
from harness.progress import Display
from harness.records import cell_rows, eval_rows
from harness.session import Session
from harness.store.known import read_known
from harness.store.writer import Writer

HEARTBEAT_SECONDS = 5.0
ARTIFACT_CAP_BYTES = 20 * 2**30


@dataclass
class Flight:
    """A run under way."""

    run_id: str
    cell: Cell
    purpose: Purpose
    began: float
    device: str
    validation: dict[str, float]
    evals: set[str]


@dataclass(frozen=True)
class Summary:
    """How a session ended."""

    finished: int
    failed: list[tuple[str, str, str]]  # name, status, reason
    interrupted: bool


class Runner:
    """Runs what a session's plan has left."""

    def __init__(self, session: Session, writer: Writer, executor: LocalExecutor, display: Display) -> None:
        self.session, self.writer, self.executor, self.display = session, writer, executor, display
        self.known = read_known(writer.db, session.stack_id)
        self.planner = session.planner(self.known)
        self.flights: dict[str, Flight] = {}
        self.attempted: set[tuple[str, str]] = set()
        self.tasks_by_eval = {e.eval_id: e for e in session.evals}
        self.splits = {e.task: e.split for e in session.matrix.header.evals}
        self.commit, self.dirty = stack.git_state(Path(__file__).resolve().parent.parent)
        self.failed: list[tuple[str, str, str]] = []
        self.finished = 0
        self._last_heartbeat = 0.0
        self._plan: list[Planned] | None = None

    def run(self, retry_failed: bool = False) -> Summary:
        """Run until nothing is left, or until interrupted."""
        if retry_failed:
            self.known.forget_failures()
        self.writer.close_abandoned()
        self.session.workdir.clear_scratch()
        self.writer.add_stack(self.session.stack_id, self.session.facts, self.session.code_digest)
        self.writer.add_evals(eval_rows(self.session))
        interrupted = False
        with _interruptible() as stop:
            while not stop.requested:
                if self._plan is None:  # something ended since
                    self._plan = self.planner.plan()
                self._submit(self._plan)
                self.display.show(self._plan, self.flights)
                if not self.flights:
                    break
                for run_id, event in self.executor.poll(0.2):
                    self._receive(run_id, event)
                self._beat()
            interrupted = stop.requested
            if interrupted:
                self._abandon()
            self._write_choices()
        if interrupted:
            return Summary(self.finished, self.failed, interrupted)
        plan = self.planner.plan()
        self._write_unrunnable(plan)
        return Summary(self.finished, list(dict.fromkeys([*self.failed, *self._not_well(plan)])), interrupted)

    # --- handing out --------------------------------------------------------------------------------------------

    def _submit(self, plan: list[Planned]) -> None:
        for line in plan:
            if len(self.flights) >= self.session.jobs:
                return
            if line.state != "left" or line.cell is None or (line.cell.cell_id, line.purpose) in self.attempted:
                continue
            if line.purpose == "measure":
                if not self.flights and not self._anything_shared_left(plan):
                    self._start(line.cell, "measure")
                return
            if any(f.purpose == "measure" for f in self.flights.values()) or self._stage_in_flight(line.cell):
                continue
            self._start(line.cell, "quality")

    def _anything_shared_left(self, plan: list[Planned]) -> bool:
        """Measure runs wait until nothing else can be run beside another."""
        return any(
            line.state == "left" and line.purpose == "quality" and (line.cell.cell_id, "quality") not in self.attempted
            for line in plan
            if line.cell is not None
        )

    def _stage_in_flight(self, cell: Cell) -> bool:
        """One producer for each stage: a cell waits while another trains a stage that it shares."""
        busy = {stage for flight in self.flights.values() for stage in self._to_train(flight.cell)}
        return bool(busy & set(self._to_train(cell)))

    def _to_train(self, cell: Cell) -> list[str]:
        execution = stage_execution(cell)
        return [stage for stage in cell.stage_ids if (stage, execution) not in self.known.artifacts]

    def _start(self, cell: Cell, purpose: Purpose) -> None:
        run_id = uuid.uuid4().hex
        exclusive = purpose == "measure" or self.session.jobs == 1
        row, stages = cell_rows(cell)
        self.writer.add_cell(row, stages)
        self.writer.start(
            {
                "run_id": run_id,
                "cell_id": cell.cell_id,
                "stack_id": self.session.stack_id,
                "purpose": purpose,
                "exclusive": int(exclusive),
                "git_commit": self.commit,
                "git_dirty": None if self.dirty is None else int(self.dirty),
            }
        )
        self.attempted.add((cell.cell_id, purpose))
        device = self._free_device()
        self.flights[run_id] = Flight(run_id, cell, purpose, time.monotonic(), device, {}, set())
        limit = self.session.matrix.header.timeout_seconds
        assignment = self._assignment(run_id, cell, purpose, device)
        self.executor.start(assignment, timeout_seconds=limit, exclusive=purpose == "measure")

    def _free_device(self) -> str:
        """The CPU, or the GPU with the fewest runs on it."""
        if self.session.device == "cpu":
            return "cpu"
        taken = [flight.device for flight in self.flights.values()]
        return min((f"cuda:{index}" for index in range(max(1, stack.gpu_count()))), key=taken.count)

    def _assignment(self, run_id: str, cell: Cell, purpose: Purpose, device: str) -> Assignment:
        session, arm = self.session, cell.arm
        mixes = arm.mixes()
        stages = tuple(
            StageToRun(
                stage_id=stage_id,
                stage=stage,
                sources=tuple(SourceToRead(file=file, share=share) for file, share in mix.files) if mix else (),
                artifact=self._artifact(stage_id, cell),
                artifact_out=str(self._artifact_folder(stage_id, cell)) if mix else None,
            )
            for stage_id, stage, mix in zip(cell.stage_ids, cell.recipe["stages"], mixes, strict=True)
        )
        header = session.matrix.header
        return Assignment(
            run_id=run_id,
            purpose=purpose,
            device=device,
            folder=str(session.workdir.scratch / run_id),
            base=_base_to_load(arm.base, session),
            stages=stages,
            execution=arm.execution,
            tasks_folder=str(session.tasks_folder) if session.tasks_folder else None,
            evals=tuple(session.evals) if session.tasks_folder else (),
            eval_batch_size=header.eval_batch_size,
            measure_warmup_steps=header.measure.warmup_steps,
            measure_steps=header.measure.steps,
            patch_folders=session.matrix.patch_folders,
        )

    def _artifact_folder(self, stage_id: str, cell: Cell) -> Path:
        key = identity.digest("artifact", [stage_id, stage_execution(cell), self.session.stack_id])
        return self.session.workdir.artifacts / key[:40]

    def _artifact(self, stage_id: str, cell: Cell) -> str | None:
        """A kept result, if it is there and unharmed; a damaged one is forgotten."""
        row = self.known.artifacts.get((stage_id, stage_execution(cell)))
        if row is None:
            return None
        folder = self._artifact_folder(stage_id, cell)
        if artifacts.is_sound(folder, row["sha256"]):
            return str(folder)
        del self.known.artifacts[stage_id, stage_execution(cell)]
        self.writer.forget_artifact(stage_id, stage_execution(cell), self.session.stack_id)
        return None

    # --- writing down -------------------------------------------------------------------------------------------

    def _receive(self, run_id: str, event: Event) -> None:
        flight = self.flights.get(run_id)
        if flight is None:
            return
        match event:
            case Progress():
                self.display.progress(run_id, event)
            case Phase():
                self.writer.phase(run_id, event)
            case Trained():
                self._trained(flight, event)
            case Artifact():
                self._keep_artifact(flight, event)
            case Score():
                self._score(flight, event)
            case Done():
                self._finish(flight, "ok", None, None)
            case Failed():
                self._finish(flight, event.status, event.reason, event.phase)
                self._stop_where_full(event)

    def _trained(self, flight: Flight, event: Trained) -> None:
        if event.reused:
            execution = stage_execution(flight.cell)
            self.writer.reused(flight.run_id, execution, self.session.stack_id, event.stage_id)
        else:
            self.writer.trained(flight.run_id, event)

    def _stop_where_full(self, event: Failed) -> None:
        """A full disk fails every cell that follows; those in flight are to run again."""
        if event.status == "killed" and NO_SPACE in event.reason:
            self._abandon()
            raise UserError(f"{event.reason}; free some and run again: it goes on")

    def _keep_artifact(self, flight: Flight, event: Artifact) -> None:
        execution = stage_execution(flight.cell)
        self.writer.artifact(flight.run_id, execution, self.session.stack_id, event)
        self.known.artifacts[event.stage_id, execution] = event.model_dump(include={"path", "sha256", "size_bytes"})

    def _score(self, flight: Flight, event: Score) -> None:
        self.writer.score(flight.run_id, event)
        eval_ = self.tasks_by_eval[event.eval_id]
        if event.moment in ("base", "prompted", "tuned"):
            flight.evals.add(score_key(event.eval_id, event.metric))
            if self.splits[eval_.task] == "validation" and event.value is not None:
                flight.validation[eval_.task] = event.value if event.higher_is_better else -event.value

    def _finish(self, flight: Flight, status: str, reason: str | None, phase: str | None) -> None:
        seconds = time.monotonic() - flight.began
        self.writer.finish(flight.run_id, status, reason, phase, seconds)
        del self.flights[flight.run_id]
        self._plan = None
        shutil.rmtree(self.session.workdir.scratch / flight.run_id, ignore_errors=True)
        outcome = Outcome(flight.run_id, status, reason, seconds, frozenset(flight.evals), dict(flight.validation))
        self.known.outcomes[flight.cell.cell_id, flight.purpose] = outcome
        self.finished += 1
        if status != "ok":
            self.failed.append((_name(flight.cell), status, reason or ""))
        self.display.finished(flight, outcome)
        self._evict()

    def _evict(self) -> None:
        root = self.session.workdir.artifacts
        kept = {str(self._artifact_folder(s, f.cell)) for f in self.flights.values() for s in f.cell.stage_ids}
        found = root.iterdir() if root.is_dir() else ()
        folders = [f for f in found if str(f) not in kept and not f.name.startswith(".")]  # a dot: still being written
        artifacts.evict(folders, ARTIFACT_CAP_BYTES)

    def _beat(self) -> None:
        if time.monotonic() - self._last_heartbeat > HEARTBEAT_SECONDS:
            self._last_heartbeat = time.monotonic()
            self.writer.heartbeat(list(self.flights))

    def _abandon(self) -> None:
        self.executor.kill_all("interrupted")
        for flight in list(self.flights.values()):
            self._finish(flight, "killed", "interrupted", None)

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
                name = _name(line.cell) if line.cell else line.arm.name
                yield name, outcome.status if outcome else line.state, line.reason or ""


def _name(cell: Cell) -> str:
    rate = f" rate {cell.learning_rate:g}, seed {cell.seed}" if cell.learning_rate is not None else ""
    return f"{cell.arm.name}{rate}"


def _base_to_load(base: Any, session: Session) -> BaseToLoad:
    folder = base.folder
    if folder is None:
        folder = session.workdir.data / f"config-{base.digest[:16]}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.json").write_text(json.dumps(base.config))
    return BaseToLoad(
        folder=str(folder),
        tokenizer_folder=str(base.tokenizer_folder or folder),
        pad_token=base.pad_token,
        init_seed=base.init_seed,
    )


class _Stop:
    requested = False


@contextmanager
def _interruptible() -> Iterator[_Stop]:
    """Ctrl-C and a polite kill end the loop after this turn; a second Ctrl-C ends it at once."""
    stop = _Stop()

    def request(number: int, frame: Any) -> None:
        if stop.requested:
            raise KeyboardInterrupt
        stop.requested = True

    before = {number: signal.signal(number, request) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
