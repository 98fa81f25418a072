"""How long a plan should take: from the runs of this stack where there are some, else on a CPU from a rough model.

The model is one of overhead: a small model's step costs a fixed time a layer, a large one's its arithmetic. Its
constants were read off one machine (two cores of an AMD EPYC with AVX2, torch 2.13, one thread a cell, two cells at
once, pocket bases); a short loop and a small matrix product scale them to the machine at hand.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from statistics import median

from harness.arms import Arm
from harness.plan import Known, Planned
from methods import registry

START_SECONDS = 11.0  # importing the libraries, once
SECONDS_A_STEP_AND_LAYER = {"full_sft": 0.0100, "lora": 0.0125, "qlora": 0.0190, "dpo": 0.0420}
SECONDS_OTHER_METHOD = 0.02
REFERENCE_GFLOPS = 40.0  # one core of that machine, float32
REFERENCE_LOOP_SECONDS = 0.0055  # the loop of `_machine_factor` there
REFERENCE_PRODUCT_SECONDS = 38e-6  # and its matrix product
SECONDS_A_TASK = 0.33  # scored at one moment
CELL_SECONDS = 0.8  # load, save, report


@dataclass(frozen=True)
class Tasks:
    """How many tasks a trained cell is scored on: as it was tuned, and at each merged moment."""

    tuned: int
    merged: int


def estimate_seconds(
    plan: Sequence[Planned], known: Known, device: str, jobs: int, tasks: Tasks, factor: float | None = None
) -> float | None:
    """Wall seconds for the cells that are not done; measure runs run alone, the others ``jobs`` at a time.

    None on a GPU, of which the model knows nothing, until a run like each of them has ended. ``factor`` is how much
    slower the machine is than the one that the constants are of (1.0 is that one); the machine at hand is timed if it
    is not given.
    """
    open_ = [line for line in plan if line.state in ("left", "deferred")]
    if not open_:
        return 0.0
    if device != "cpu":
        times = _seen_alone(plan, known, open_)
    else:
        model = _Model(plan, known, tasks, _machine_factor() if factor is None else factor)
        times = [model.seconds(line) for line in open_]
    if times is None:
        return None
    alone = sum(time for time, line in zip(times, open_, strict=True) if line.purpose == "measure")
    return START_SECONDS + (sum(times) - alone) / max(1, jobs) + alone


def _seen_alone(plan: Sequence[Planned], known: Known, open_: Sequence[Planned]) -> list[float] | None:
    """As runs like each of ``open_`` took. A measure run is taken for as long as its arm's others, until one has
    ended: these come last of all."""
    seen = _seen_seconds(plan, known)
    times = [seen.get(_key(line), seen.get(_key(line, "quality"))) for line in open_]
    found = [time for time in times if time is not None]
    return found if len(found) == len(times) else None


class _Model:
    """What a cell should take: as others like it took, else as its steps and tasks say."""

    def __init__(self, plan: Sequence[Planned], known: Known, tasks: Tasks, factor: float) -> None:
        self.tasks, self.factor = tasks, factor
        self.seen = _seen_seconds(plan, known)
        self.moments = _seen_moments(plan, known)

    def seconds(self, line: Planned) -> float:
        key = _key(line)
        if key in self.seen:
            return self.seen[key]
        scoring = 0.0 if line.purpose == "measure" else self._scoring(line.arm)
        return self.factor * _training_seconds(line) + scoring

    def _scoring(self, arm: Arm) -> float:
        once = self.moments.get(arm.base.name, self.factor * (CELL_SECONDS + self.tasks.tuned * SECONDS_A_TASK))
        merged = self.tasks.merged / max(1, self.tasks.tuned)
        return once * (1 + merged * _merged_moments(arm))


def _training_seconds(line: Planned) -> float:
    """On the machine that the constants are of."""
    arm = line.arm
    layers = int(arm.base.config.get("num_hidden_layers", 4))
    size = float(arm.base.parameters or 1_000_000)
    steps = 35 if line.purpose == "measure" else int(arm.stage.get("steps", 0))
    tokens = int(arm.stage.get("batch_size", 0)) * 0.3 * int(arm.stage.get("sequence_length", 0))
    fixed = SECONDS_A_STEP_AND_LAYER.get(arm.variant.method, SECONDS_OTHER_METHOD) * layers
    arithmetic = 6 * size * tokens / (REFERENCE_GFLOPS * 1e9)
    return steps * (fixed + arithmetic)


def _merged_moments(arm: Arm) -> int:
    """An adapter is scored merged as well; over a 4-bit base merged and in 4 bit again."""
    first = arm.parent.variant if arm.parent else arm.variant
    quantised = registry.get(first.method).quantised(first.parameters)
    return (arm.variant.rank is not None) * (2 if quantised else 1)


def _seen_seconds(plan: Sequence[Planned], known: Known) -> dict[tuple[str, ...], float]:
    """Median seconds of the finished runs that resemble a line: same entry, base and purpose."""
    times: dict[tuple[str, ...], list[float]] = defaultdict(list)
    for line in plan:
        outcome = known.outcome(line.cell, line.purpose) if line.cell else None
        if outcome is not None and outcome.ok:
            times[_key(line)].append(outcome.seconds)
    return {key: median(values) for key, values in times.items()}


def _seen_moments(plan: Sequence[Planned], known: Known) -> dict[str, float]:
    """Seconds of the quickest untrained run of each base: loaded and scored once, and nothing else."""
    times: dict[str, float] = {}
    for line in plan:
        outcome = known.outcome(line.cell, line.purpose) if line.cell and not line.arm.trains else None
        if outcome is not None and outcome.ok and not line.arm.stage["parameters"].get("shots"):
            name = line.arm.base.name
            times[name] = min(outcome.seconds, times.get(name, outcome.seconds))
    return times


def _key(line: Planned, purpose: str | None = None) -> tuple[str, ...]:
    start = line.arm.parent.label if line.arm.parent else ""
    return (line.arm.label, line.arm.base.name, purpose or line.purpose, start, str(line.arm.stage.get("steps")))


@cache
def _machine_factor() -> float:
    """How much slower this core is than the reference core: small models are bound by Python and by products alike."""
    import numpy as np

    square = np.ones((64, 64), dtype=np.float32)  # so small that no second thread joins in
    loop = _shortest_seconds(lambda: sum(i * i for i in range(50_000)))
    product = _shortest_seconds(lambda: [square @ square for _ in range(200)]) / 200
    return min(10.0, max(0.2, (loop / REFERENCE_LOOP_SECONDS + product / REFERENCE_PRODUCT_SECONDS) / 2))


def _shortest_seconds(work: Callable[[], object]) -> float:
    times = []
    for _ in range(5):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times)
