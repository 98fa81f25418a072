"""Trials in real runs: each cell under each setting, then every cell judged by itself as a check of its own."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from rich.console import Console

import suites
from benchmarks.gate.bounds import lower_bound, upper_bound
from harness.analysis.gate import Rules, Side, judge
from harness.arms import Arm, Cell
from harness.executors.local import LocalExecutor
from harness.flights import Flights
from harness.gate.read import read_side
from harness.gate.rounds import Measured, measure_rounds
from harness.interrupts import Stop
from harness.matrix import build_matrix
from harness.plan import Known
from harness.progress import Display
from harness.records import eval_rows
from harness.session import Session, open_session
from harness.sources import open_source
from harness.store.database import open_for_writing
from harness.store.writer import Writer
from harness.yamlfile import read_yaml

SEEDS = 8  # of four methods: 32 cells, enough for a lower bound of 0.91
MATRIX = Path(__file__).parent / "trials.yaml"
POCKET = Path(next(iter(suites.__path__))) / "pocket"
NUMERICS = ("logits", "gradients", "first_losses")


@dataclass(frozen=True)
class Variant:
    """A setting of the cells, and which quantities it should move: none for a benign one."""

    name: str
    settings: tuple[str, ...] = ()
    judged: tuple[str, ...] = NUMERICS
    benign: bool = False


FAULTS = (
    Variant("keeps a copy of the activations", ("kernels.patch=benchmarks.gate.faults:keeps_a_copy",), ("memory",)),
    Variant("rounds a block to bfloat16", ("kernels.patch=benchmarks.gate.faults:rounds_a_layer",)),
    Variant("scales one gradient by 1.01", ("kernels.patch=benchmarks.gate.faults:scales_a_gradient",)),
    Variant("drops each answer's last token", ("kernels.patch=benchmarks.gate.faults:drops_a_token",)),
)
BENIGN = (
    Variant("the same code again", (), (*NUMERICS, "memory"), benign=True),
    Variant("eager against SDPA", ("kernels.attention=eager",), benign=True),
    Variant("two threads against one", ("threads=2",), benign=True),
    Variant("a batch of 8 as 4 x 2", ("micro_batch_size=2",), benign=True),
    Variant("a batch of 8 as 8 x 1", ("micro_batch_size=1",), benign=True),
)


@dataclass(frozen=True)
class Outcome:
    """A row of the bench's table: how often something was found, and the bound that matters."""

    name: str
    kind: str  # "real run" or "Monte Carlo"
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
    """Run every cell of every seed once, as a measure run, two at a time: numbers and bytes do not mind company.

    What a bench that was stopped has finished is not run again.
    """
    finished = db.with_suffix(".done")
    if finished.exists():
        return
    db.unlink(missing_ok=True)
    flights = _flights(session, db, executor, console)
    waiting = [cell for arm in session.arms for cell in _cells(arm)]
    while waiting or flights.under_way:
        while waiting and len(flights.under_way) < session.jobs:
            flights.start(waiting.pop(0), "measure")
        for event in executor.poll(0.2):
            flights.receive(*event)
    flights.writer.db.close()
    finished.touch()


def judge_cells(baseline: Path, candidate: Path, variant: Variant) -> Outcome:
    """Each cell's check by itself: how many found something worse."""
    sides = [read_side(open_source(path)) for path in (baseline, candidate)]
    recipes = sorted(set(sides[0].runs["recipe_id"]) & set(sides[1].runs["recipe_id"]))
    found = [judge(_alone(sides[0], recipe), _alone(sides[1], recipe), Rules(), variant.judged) for recipe in recipes]
    hits = sum(any(one.verdict == "regressed" for one in findings) for findings in found)
    open_ones = [one for findings in found for one in findings if one.verdict not in ("regressed", "pass", "improved")]
    if open_ones:
        raise RuntimeError(f"{variant.name}: not judged: {open_ones[0]}")
    return Outcome(variant.name, "real runs", len(recipes), hits, variant.benign)


def speed_sides(plain: Session, slow: Session, dbs: Sequence[Path], executor: LocalExecutor, rounds: int,
                console: Console) -> tuple[Side, Side]:  # fmt: skip
    """One LoRA cell measured in ``rounds`` rounds, with and without what slows it."""
    sides = []
    for session, db in zip((plain, slow), dbs, strict=True):
        arm = next(arm for arm in session.arms if arm.label == "lora")
        cell = arm.cell(arm.rates[0], arm.seeds[0])
        sides.append(Measured(_flights(session, db, executor, console), [cell]))
    measure_rounds(sides, rounds, dbs[0].parent, Stop(), lambda *_: None)
    for side in sides:
        side.flights.writer.db.close()
    fast, slower = (read_side(open_source(db)) for db in dbs)
    return fast, slower


def speed_trials(fast: Side, slower: Side, rounds: int, count: int) -> int:
    """How many of ``count`` checks find the slower side slower, each of ``rounds`` of the real rounds."""
    rng, found = np.random.default_rng(1), 0
    numbered = [side.runs.sort_values("started_at").reset_index(drop=True) for side in (fast, slower)]
    for _ in range(count):
        kept = rng.choice(min(map(len, numbered)), rounds, replace=False)
        sides = [replace(s, runs=n.iloc[kept]) for s, n in zip((fast, slower), numbered, strict=True)]
        verdicts = [one.verdict for one in judge(sides[0], sides[1], Rules(), ("matrix_speed",))]
        found += "regressed" in verdicts
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
