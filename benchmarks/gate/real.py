"""Trials in real runs: each cell under each setting, then every cell judged by itself as a check of its own."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console

import suites
from benchmarks.gate.bounds import lower_bound, upper_bound
from harness.analysis.gate import Rules, Side, judge
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
    """Run every cell of every seed once, as a measure run, two at a time: numbers and bytes do not mind company."""
    flights = _flights(session, db, executor, console)
    waiting = [cell for arm in session.arms for cell in _cells(arm)]
    while waiting or flights.under_way:
        while waiting and len(flights.under_way) < session.jobs:
            flights.start(waiting.pop(0), "measure")
        for event in executor.poll(0.2):
            flights.receive(*event)
    flights.writer.db.close()


def judge_cells(baseline: Path, candidate: Path, variant: Variant) -> Outcome:
    """Each cell's check by itself: how many found something worse."""
    sides = [read_side(open_source(path)) for path in (baseline, candidate)]
    recipes = sorted(set(sides[0].runs["recipe_id"]) & set(sides[1].runs["recipe_id"]))
    found = [judge(*(_alone(side, recipe) for side in sides), Rules(), variant.judged) for recipe in recipes]
    hits = sum(any(one.verdict == "regressed" for one in findings) for findings in found)
    open_ones = [one for findings in found for one in findings if one.verdict not in ("regressed", "pass", "improved")]
    if open_ones:
        raise RuntimeError(f"{variant.name}: not judged: {open_ones[0]}")
    return Outcome(variant.name, "real runs", len(recipes), hits, variant.benign)


def speed_trials(plain: Session, slow: Session, dbs: Sequence[Path], executor: LocalExecutor, count: int, rounds: int,
                 console: Console) -> int:  # fmt: skip
    """How many of ``count`` checks of one arm, ``rounds`` rounds each, find the slower side slower."""
    found = 0
    for number in range(count):
        sides = []
        for session, db in zip((plain, slow), dbs, strict=True):
            flights = _flights(session, db.with_name(f"{number}-{db.name}"), executor, console)
            arm = next(arm for arm in session.arms if arm.label == "lora")
            sides.append(Measured(flights, [arm.cell(arm.rates[0], arm.seeds[number % len(arm.seeds)])]))
        measure_rounds(sides, rounds, dbs[0].parent, Stop(), lambda *_: None)
        for side in sides:
            side.flights.writer.db.close()
        judged = [read_side(open_source(db.with_name(f"{number}-{db.name}"))) for db in dbs]
        verdicts = [one.verdict for one in judge(*judged, Rules(), ("matrix_speed",))]
        found += "regressed" in verdicts
        console.print(f"  speed trial {number + 1} of {count}: {found} found", highlight=False)
    return found


def _flights(session: Session, db: Path, executor: LocalExecutor, console: Console) -> Flights:
    writer = Writer(open_for_writing(db))
    writer.add_stack(session.stack_id, session.facts, session.code_digest)
    writer.add_evals(eval_rows(session))
    return Flights(session, writer, executor, Display(console, lambda plan: 0.0), Known())


def _cells(arm):
    for seed in arm.seeds:
        yield arm.cell(arm.rates[0], seed, arm.parent.rates[0] if arm.parent else None)


def _alone(side: Side, recipe: str) -> Side:
    return replace(side, runs=side.runs[side.runs["recipe_id"] == recipe])
