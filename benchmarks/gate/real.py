"""Trials in real runs: each cell under each setting, then every cell judged by itself as a check of its own."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from rich.console import Console

import suites
from benchmarks.gate.bounds import lower_bound, upper_bound
from harness.analysis.gate import Finding, Rules, Side, judge
from harness.arms import Arm, Cell
from harness.executors.local import LocalExecutor
from harness.flights import Flights
from harness.gate.rounds import Measured, measure_rounds
from harness.interrupts import Stop
from harness.matrix import build_matrix
from harness.plan import Known
from harness.progress import Display
from harness.records import eval_rows
from harness.session import Session, open_session
from harness.store.database import open_for_writing
from harness.store.writer import Writer
from harness.yamlfile import read_yaml

SEEDS = 8  # of four methods: 32 cells, enough for a lower bound of 0.91
MATRIX = Path(__file__).parent / "trials.yaml"
POCKET = Path(next(iter(suites.__path__))) / "pocket"
NUMERICS = ("logits", "gradients", "first_losses")
LOSSES = ("final_loss", "matrix_final_loss")
REAL = "real runs"


@dataclass(frozen=True)
class Variant:
    """A setting of the cells, and the quantities by which it is judged: those that it should move, or if ``benign`` all
    that it should leave alone."""

    name: str
    settings: tuple[str, ...] = ()
    judged: tuple[str, ...] = NUMERICS
    benign: bool = False

    @property
    def slug(self) -> str:
        """What its files are called: by its settings, since variants may share them."""
        return re.sub(r"[^a-z0-9]+", "-", " ".join(self.settings).lower()).strip("-") or "again"


FAULTS = (
    Variant("keeps a copy of the activations", ("kernels.patch=benchmarks.gate.faults:keeps_a_copy",), ("memory",)),
    Variant("rounds a block to bfloat16", ("kernels.patch=benchmarks.gate.faults:rounds_a_layer",)),
    Variant("scales one gradient by 1.01", ("kernels.patch=benchmarks.gate.faults:scales_a_gradient",)),
    Variant("drops each answer's last token", ("kernels.patch=benchmarks.gate.faults:drops_a_token",)),
    Variant("eager attention keeps its weights", ("kernels.attention=eager",), ("memory",)),
)
BENIGN = (
    Variant("the same code again", (), (*NUMERICS, "memory"), benign=True),
    Variant("eager against SDPA", ("kernels.attention=eager",), benign=True),  # of its memory: see the faults
    Variant("two threads against one", ("threads=2",), (*NUMERICS, "memory"), benign=True),
    Variant("a batch of 8 as 4 x 2", ("micro_batch_size=2",), (*NUMERICS, "memory"), benign=True),
    Variant("a batch of 8 as 8 x 1", ("micro_batch_size=1",), (*NUMERICS, "memory"), benign=True),
)


@dataclass(frozen=True)
class Outcome:
    """A row of the bench's table: how often something was found, and the bound that matters."""

    name: str
    kind: str  # how it was tried: in real runs, in drawn checks
    trials: int
    found: int
    benign: bool

    @property
    def bound(self) -> float:
        """The power's lower bound, or of a benign change the false alarms' upper one."""
        return (upper_bound if self.benign else lower_bound)(self.found, self.trials)


def trials_session(db: Path, settings: Sequence[str], device: str, seeds: int = SEEDS) -> Session:
    """A session of the trials' cells with ``settings``."""
    matrix = build_matrix(read_yaml(MATRIX), POCKET, (f"seeds={seeds}", *settings))
    matrix = replace(matrix, folder=POCKET)
    return open_session(matrix, db, device=device, jobs=2)


def run_cells(session: Session, db: Path, executor: LocalExecutor, console: Console) -> None:
    """Run every cell of every seed once, as a measure run, two at a time: numbers and bytes do not mind company."""
    forget(db)
    flights = _flights(session, db, executor, console)
    waiting = [cell for arm in session.arms for cell in _cells(arm)]
    while waiting or flights.under_way:
        while waiting and len(flights.under_way) < session.jobs:
            flights.start(waiting.pop(0), "measure")
        for event in executor.poll(0.2):
            flights.receive(*event)
    flights.writer.db.close()


def forget(*dbs: Path) -> None:
    """Remove results files, with what SQLite keeps beside them."""
    for db in dbs:
        for path in (db, *(db.with_name(db.name + end) for end in ("-wal", "-shm"))):
            path.unlink(missing_ok=True)


def judge_cells(baseline: Side, candidate: Side, variant: Variant) -> Outcome:
    """Each cell's check by itself, and of a benign change one more of all cells' losses together: how many found
    something worse. Raises RuntimeError where a cell was not judged."""
    recipes = sorted(set(baseline.runs["recipe_id"]) & set(candidate.runs["recipe_id"]))
    checks = [judge(_alone(baseline, one), _alone(candidate, one), Rules(), variant.judged) for one in recipes]
    if variant.benign:
        checks.append(judge(_as_quality(baseline), _as_quality(candidate), Rules(), LOSSES))
    open_ones = [one for findings in checks for one in findings if one.verdict not in ("regressed", "pass", "improved")]
    if open_ones:
        raise RuntimeError(f"{variant.name}: not judged: {open_ones[0]}")
    return Outcome(variant.name, REAL, len(checks), sum(map(calls_worse, checks)), variant.benign)


def calls_worse(findings: Sequence[Finding]) -> bool:
    """Did a check find anything worse?"""
    return any(one.verdict == "regressed" for one in findings)


def run_speed(sides: Sequence[Session], dbs: Sequence[Path], executor: LocalExecutor, rounds: int,
              console: Console) -> None:  # fmt: skip
    """One LoRA cell measured in ``rounds`` rounds, each side as its session says."""
    forget(*dbs)
    measured = []
    for session, db in zip(sides, dbs, strict=True):
        arm = next(arm for arm in session.arms if arm.label == "lora")
        cell = arm.cell(arm.rates[0], arm.seeds[0])
        measured.append(Measured(_flights(session, db, executor, console), [cell]))
    measure_rounds(measured, rounds, dbs[0].parent, Stop(), lambda *_: None)
    for side in measured:
        side.flights.writer.db.close()


def speed_trials(fast: Side, slow: Side, rounds: int, count: int) -> int:
    """How many of ``count`` checks find the slower side slower, each of ``rounds`` of the real rounds."""
    rng, found = np.random.default_rng(1), 0
    good = [set(side.runs.loc[side.runs["status"] == "ok", "source"]) for side in (fast, slow)]
    for _ in range(count):
        kept = rng.choice(sorted(good[0] & good[1]), rounds, replace=False)
        sides = [replace(side, runs=side.runs[side.runs["source"].isin(kept)]) for side in (fast, slow)]
        found += calls_worse(judge(sides[0], sides[1], Rules(), ("speed", "matrix_speed")))
    return found


def _flights(session: Session, db: Path, executor: LocalExecutor, console: Console) -> Flights:
    writer = Writer(open_for_writing(db))
    writer.add_stack(session.stack_id, session.facts, session.code_digest)
    writer.add_evals(eval_rows(session))
    return Flights(session, writer, executor, Display(console, lambda plan: 0.0), Known())


def _cells(arm: Arm) -> Iterator[Cell]:
    for seed in arm.seeds:
        yield arm.cell(arm.rates[0], seed, arm.parent.rates[0] if arm.parent else None)


def _alone(side: Side, recipe: str) -> Side:
    return replace(side, runs=side.runs[side.runs["recipe_id"] == recipe])


def _as_quality(side: Side) -> Side:
    """The trials' cells are measured; their losses are judged as those of any run."""
    return replace(side, runs=side.runs.assign(purpose="quality"))
