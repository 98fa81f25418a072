"""A matrix brought together with a database and a machine: what `plan`, `run` and `report` start from."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

from harness import identity, stack
from harness.arms import Arm, build_arms, select
from harness.assignment import EvalToScore
from harness.errors import UserError, collected
from harness.estimate import Tasks, estimate_seconds
from harness.events import Moment
from harness.limits import MemoryLimit
from harness.matrix import Matrix
from harness.mixes import MixLibrary
from harness.plan import Known, Planned, Planner
from harness.store.database import open_for_reading
from harness.store.known import read_known
from harness.tasks import Task, check_evals, find_tasks
from harness.workdir import Workdir


@dataclass
class Session:
    """One matrix on one machine."""

    matrix: Matrix
    arms: list[Arm]
    tasks: dict[str, Task]
    tasks_folder: Path | None
    library: MixLibrary
    device: str
    jobs: int
    workdir: Workdir
    facts: dict[str, object]
    code_digest: str
    limit: MemoryLimit | None = None  # imposed on its runs, and one of the facts

    @property
    def stack_id(self) -> str:
        """The stack that runs started now would be on."""
        return identity.stack_id(self.facts, self.code_digest)

    @property
    def tasks_wanted(self) -> list[str]:
        """The names of the tasks to score."""
        return [e.task for e in self.matrix.header.evals]

    @property
    def evals(self) -> list[EvalToScore]:
        """The tasks to score, with their ids."""
        size = self.matrix.header.eval_batch_size
        return [
            EvalToScore(
                eval_id=self.tasks[e.task].eval_id(size),
                task=e.task,
                metric=e.metric,
                higher_is_better=e.higher_is_better,
                prompted=e.prompted,
                merged=e.merged,
            )
            for e in self.matrix.header.evals
        ]

    def tokenizers(self) -> list[tuple[str, str | None]]:
        """Folder and pad token of each base's tokenizer."""
        bases = {arm.base.digest: arm.base for arm in self.arms}.values()
        return [(str(base.tokenizer_folder), base.pad_token) for base in bases if base.tokenizer_folder]

    def planner(self, known: Known) -> Planner:
        """A planner over this session's arms."""
        header = self.matrix.header
        evals = self.evals
        wanted = {moment: frozenset(e.key(moment) for e in evals if e.is_wanted(moment)) for moment in get_args(Moment)}
        return Planner(self.arms, known, header.tuning, header.measure, wanted, measure_last=self.jobs > 1)

    def known(self, db_path: Path) -> Known:
        """What the database knows of this stack; nothing where there is no file yet."""
        if not db_path.exists():
            return Known()
        return read_known(open_for_reading(db_path), self.stack_id)

    def estimate(self, plan: list[Planned], known: Known, factor: float | None = None) -> float | None:
        """Seconds that the plan should take on this machine, or on one ``factor`` times as slow as the reference; None
        where nothing is known of it."""
        tasks = Tasks(len(self.evals), sum(e.merged for e in self.evals))
        return estimate_seconds(plan, known, self.device, self.jobs, tasks, factor)


def open_session(
    matrix: Matrix,
    db: Path,
    *,
    device: str = "auto",
    jobs: int | None = None,
    only: str | None = None,
    limit: MemoryLimit | None = None,
) -> Session:
    """Resolve a matrix on this machine, of which ``limit`` is to be used. Raises UserError for whatever in it cannot
    be."""
    device = stack.pick_device(device)
    facts = stack.stack_facts(device) | (limit.facts() if limit else {})
    session = _session(matrix, db, device, jobs, only, facts, stack.code_digest())
    return replace(session, limit=limit)


def session_on_stack(matrix: Matrix, db: Path, facts: str, code_digest: str) -> Session:
    """The same on a stack of the past (its row's JSON ``facts`` and digest): to ask what ran there, not to run."""
    known = json.loads(facts)
    return _session(matrix, db, str(known.get("device", "cpu")), 1, None, known, code_digest)


def _session(
    matrix: Matrix, db: Path, device: str, jobs: int | None, only: str | None, facts: dict[str, object], digest: str
) -> Session:
    workdir = Workdir.beside(db)
    library = MixLibrary(workdir.data, matrix.folder)
    tasks_folder = matrix.folder / "tasks"
    tasks = find_tasks(tasks_folder) if tasks_folder.is_dir() else {}
    mistakes: list[str] = []
    arms: list[Arm] = []
    with collected(mistakes):
        check_evals(matrix.header.evals, tasks, matrix.source)
    with collected(mistakes):
        arms = select(build_arms(matrix, library, device), only)
    if mistakes:
        raise UserError(*mistakes)
    return Session(
        matrix,
        arms,
        tasks,
        tasks_folder if tasks else None,
        library,
        device,
        jobs or default_jobs(device, arms),
        workdir,
        facts,
        digest,
    )


def default_jobs(device: str, arms: list[Arm]) -> int:
    """Cells at once: one for each GPU; on a CPU as many as its cores hold threads for."""
    if device != "cpu":
        return max(1, stack.gpu_count())
    threads = max(arm.execution["threads"] for arm in arms)
    cores = int(stack.stack_facts("cpu")["cores"] or 1)
    return max(1, cores // threads)
