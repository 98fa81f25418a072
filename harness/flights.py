"""Runs under way: each handed to an executor, listened to, and written down as it goes."""

import json
import shutil
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import artifacts, identity, stack
from harness.arms import Cell
from harness.assignment import Assignment, BaseToLoad, SourceToRead, StageToRun, Turns, score_key
from harness.errors import UserError
from harness.events import (
    MERGED_PHASES,
    NO_SPACE,
    OWN_MOMENTS,
    Artifact,
    Batches,
    Ceilings,
    Done,
    Event,
    Failed,
    Measured,
    Phase,
    PhaseStarted,
    Progress,
    Score,
    Trained,
)
from harness.executors.executor import Executor
from harness.foretold import foretell
from harness.plan import Known, Outcome, Purpose, stage_execution
from harness.predict.version import model_version
from harness.progress import Display
from harness.records import cell_rows
from harness.session import Session
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
    phase: str | None = None
    ceilings: Ceilings | None = None


class Flights:
    """The runs of a session that are under way; ``known`` learns what comes of each."""

    def __init__(self, session: Session, writer: Writer, executor: Executor, display: Display, known: Known) -> None:
        self.session, self.writer, self.executor, self.display, self.known = session, writer, executor, display, known
        self.under_way: dict[str, Flight] = {}
        self.tasks_by_eval = {e.eval_id: e for e in session.evals}
        self.splits = {e.task: e.split for e in session.matrix.header.evals}
        self.commit, self.dirty = stack.git_state(Path(__file__).resolve().parent.parent)
        self.failed: list[tuple[str, str, str]] = []
        self.finished, self.longest_seconds = 0, 0.0
        self._last_heartbeat = 0.0

    def start(self, cell: Cell, purpose: Purpose, turns: Turns | None = None, source: str = "local") -> str:
        """Hand a cell to the executor; returns the run's id. ``source`` says where the run came from."""
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
                "source": source,
                "git_commit": self.commit,
                "git_dirty": None if self.dirty is None else int(self.dirty),
            }
        )
        device = self._free_device()
        self.under_way[run_id] = Flight(run_id, cell, purpose, time.monotonic(), device, {}, set())
        limit = self.session.matrix.header.timeout_seconds
        assignment = self._assignment(run_id, cell, purpose, device, turns)
        self.executor.start(assignment, timeout_seconds=limit, exclusive=purpose == "measure")
        return run_id

    def _free_device(self) -> str:
        """The CPU, or the GPU with the fewest runs on it."""
        if self.session.device == "cpu":
            return "cpu"
        taken = [flight.device for flight in self.under_way.values()]
        return min((f"cuda:{index}" for index in range(max(1, stack.gpu_count()))), key=taken.count)

    def _assignment(self, run_id: str, cell: Cell, purpose: Purpose, device: str, turns: Turns | None) -> Assignment:
        session, arm = self.session, cell.arm
        mixes = arm.mixes()
        for mix in filter(None, mixes):
            session.library.keep(mix)

        def kept(stage_id: str) -> bool:
            return session.matrix.header.keep_weights or stage_id != cell.stage_ids[-1]

        stages = tuple(
            StageToRun(
                stage_id=stage_id,
                stage=stage,
                sources=tuple(SourceToRead(file=file, share=share) for file, share in mix.files) if mix else (),
                artifact=self._artifact(stage_id, cell),
                artifact_out=str(self._artifact_folder(stage_id, cell)) if mix and kept(stage_id) else None,
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
            turns=turns,
            memory_limit=session.limit,
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

    def receive(self, run_id: str, event: Event) -> None:
        """Write down what a run says; one that is not under way here is somebody else's."""
        flight = self.under_way.get(run_id)
        if flight is None:
            return
        match event:
            case Progress():
                self.display.progress(run_id, event)
            case PhaseStarted():
                flight.phase = event.phase
            case Ceilings():
                self._ceilings(flight, event)
            case Batches():
                self._predict(flight, event)
            case Measured():
                self.writer.measured(run_id, event)
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
            case Failed(status="oom") if flight.phase in MERGED_PHASES:  # by then it is scored as it was tuned
                self._finish(flight, "ok", f"not scored once merged: {event.reason}", flight.phase)
            case Failed():
                self._finish(flight, event.status, event.reason, event.phase)
                self._stop_where_full(event)

    def _predict(self, flight: Flight, event: Batches) -> None:
        """What training should need and take is written down before it begins; what is not predicted has no row."""
        foretold = foretell(flight.cell.arm, flight.device, event, flight.ceilings)
        self.writer.predict(flight.run_id, foretold, model_version())

    def _ceilings(self, flight: Flight, event: Ceilings) -> None:
        flight.ceilings = event
        self.writer.ceilings(flight.run_id, event)

    def _trained(self, flight: Flight, event: Trained) -> None:
        if event.reused:
            execution = stage_execution(flight.cell)
            self.writer.reused(flight.run_id, execution, self.session.stack_id, event.stage_id)
        else:
            self.writer.trained(flight.run_id, event)

    def _stop_where_full(self, event: Failed) -> None:
        """A full disk fails every cell that follows; those in flight are to run again."""
        if event.status == "killed" and NO_SPACE in event.reason:
            self.abandon()
            raise UserError(f"{event.reason}; free some and run again: it goes on")

    def _keep_artifact(self, flight: Flight, event: Artifact) -> None:
        execution = stage_execution(flight.cell)
        self.writer.artifact(flight.run_id, execution, self.session.stack_id, event)
        self.known.artifacts[event.stage_id, execution] = event.model_dump(include={"path", "sha256", "size_bytes"})

    def _score(self, flight: Flight, event: Score) -> None:
        self.writer.score(flight.run_id, event)
        flight.evals.add(score_key(event.eval_id, event.metric, event.moment))
        task = self.tasks_by_eval[event.eval_id].task
        if event.moment in OWN_MOMENTS and self.splits[task] == "validation" and event.value is not None:
            flight.validation[task] = event.value if event.higher_is_better else -event.value

    def _finish(self, flight: Flight, status: str, reason: str | None, phase: str | None) -> None:
        seconds = time.monotonic() - flight.began
        self.writer.finish(flight.run_id, status, reason, phase, seconds)
        del self.under_way[flight.run_id]
        shutil.rmtree(self.session.workdir.scratch / flight.run_id, ignore_errors=True)
        outcome = Outcome(flight.run_id, status, reason, seconds, frozenset(flight.evals), dict(flight.validation))
        self.known.outcomes[flight.cell.cell_id, flight.purpose] = outcome
        self.finished, self.longest_seconds = self.finished + 1, max(self.longest_seconds, seconds)
        if status != "ok":
            self.failed.append((cell_name(flight.cell), status, reason or ""))
        self.display.finished(flight, outcome)
        self._evict()

    def _evict(self) -> None:
        root = self.session.workdir.artifacts
        kept = {str(self._artifact_folder(s, f.cell)) for f in self.under_way.values() for s in f.cell.stage_ids}
        found = root.iterdir() if root.is_dir() else ()
        folders = [f for f in found if str(f) not in kept and not f.name.startswith(".")]  # a dot: still being written
        artifacts.evict(folders, ARTIFACT_CAP_BYTES)

    def beat(self) -> None:
        """Say now and then that the runs are alive."""
        if time.monotonic() - self._last_heartbeat > HEARTBEAT_SECONDS:
            self._last_heartbeat = time.monotonic()
            self.writer.heartbeat(list(self.under_way))

    def abandon(self) -> None:
        """End every run now."""
        self.executor.kill_all("interrupted")
        for flight in list(self.under_way.values()):
            self._finish(flight, "killed", "interrupted", None)


def cell_name(cell: Cell) -> str:
    """An arm's name, with the rate and seed of what trains."""
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
