"""What is done already, what is left, in which order, and how long it should take.

A plan is a pure function of the arms and of what the store knows of this stack. An arm goes through three gates:
every rate at the first seeds; the best rates at all seeds; a measure run at the chosen rate. An arm of preference
pairs waits for its SFT arm's choice.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any, Literal

from harness import identity
from harness.arms import Arm, Cell
from harness.events import OWN_MOMENTS, Moment
from harness.settings import Measure, Tuning

State = Literal["done", "failed", "left", "deferred", "blocked", "refused"]
Purpose = Literal["quality", "measure"]


@dataclass(frozen=True)
class Outcome:
    """How the newest finished run of a cell ended on this stack; a good one has a ``reason`` where it lacks scores."""

    run_id: str
    status: str
    reason: str | None
    seconds: float
    evals: frozenset[str] = frozenset()
    validation: dict[str, float] = field(default_factory=dict)  # task -> score, higher is better

    @property
    def ok(self) -> bool:
        """Did it come to its end?"""
        return self.status == "ok"


@dataclass
class Known:
    """What the store knows of one stack: outcomes by (cell, purpose), and artifacts that are there."""

    outcomes: dict[tuple[str, str], Outcome] = field(default_factory=dict)
    artifacts: dict[tuple[str, str], Any] = field(default_factory=dict)  # (stage, execution) -> row

    def outcome(self, cell: Cell, purpose: Purpose) -> Outcome | None:
        """The outcome that stands; None where the cell is still to run.

        Whether a cell is refused or blocked is worked out anew each time: a package may be there by now.
        """
        found = self.outcomes.get((cell.cell_id, purpose))
        return None if found is None or found.status in ("killed", "refused", "blocked") else found

    def forget_failures(self) -> None:
        """Let every cell that failed, or that memory kept from being scored once merged, run once more."""
        kept = {key: outcome for key, outcome in self.outcomes.items() if outcome.ok and outcome.reason is None}
        self.outcomes = kept


@dataclass(frozen=True)
class Planned:
    """One line of a plan. A deferred cell has no id yet: it depends on a rate that is not chosen."""

    arm: Arm
    purpose: Purpose
    state: State
    cell: Cell | None = None
    reason: str | None = None
    rescore: bool = False


@dataclass(frozen=True)
class Choice:
    """An arm's learning rate: chosen, still open, or impossible."""

    state: Literal["chosen", "open", "impossible"]
    rate: float | None = None


class Planner:
    """Plans ``arms``; a finished cell has been scored, at each of its arm's moments, on the ``evals`` of that moment
    (keys of ``EvalToScore``). With ``measure_last`` nothing waits for a run that must be alone; without it an arm is
    measured as soon as its rate is chosen."""

    def __init__(
        self,
        arms: list[Arm],
        known: Known,
        tuning: Tuning,
        measure: Measure,
        evals: Mapping[Moment, frozenset[str]],
        measure_last: bool = True,
    ) -> None:
        self.arms, self.known, self.tuning, self.measure, self.evals = arms, known, tuning, measure, evals
        self.measure_last = measure_last
        self._parents = {arm.parent for arm in arms if arm.parent is not None}
        self._choices: dict[Arm, Choice] = {}  # while one plan is made

    def plan(self) -> list[Planned]:
        """Every cell of every arm, in the order in which they should run."""
        self._choices.clear()
        lines = [line for arm in self.arms for line in self._arm(arm)]
        return sorted(lines, key=self._urgency)

    def choice(self, arm: Arm) -> Choice:
        """The rate at which ``arm`` does best on its validation task, most seeds first, the lower one in a tie."""
        if arm not in self._choices:
            self._choices[arm] = self._choose(arm)
        return self._choices[arm]

    def _choose(self, arm: Arm) -> Choice:
        if arm.refusal:
            return Choice("impossible")
        start = self._parent_choice(arm)
        if start.state != "chosen":
            return start
        tried = self._rates_at_all_seeds(arm, start.rate)
        if tried is None:
            return Choice("open")
        cells = {rate: [arm.cell(rate, seed, start.rate) for seed in arm.seeds] for rate in tried}
        if any(self._open(cell) for group in cells.values() for cell in group):
            return Choice("open")
        scored = {rate: self._validation(arm, group) for rate, group in cells.items()}
        able = {rate: values for rate, values in scored.items() if values}
        if not able:
            return Choice("impossible")
        return Choice("chosen", min(able, key=lambda rate: (-len(able[rate]), -fmean(able[rate]), rate)))

    # --- one arm ------------------------------------------------------------------------------------------------

    def _arm(self, arm: Arm) -> Iterator[Planned]:
        if arm.refusal:
            yield from self._placeholders(arm, "refused", arm.refusal)
            return
        start = self._parent_choice(arm)
        if start.state == "open":
            assert arm.parent is not None
            yield from self._placeholders(arm, "deferred", f"until {arm.parent.name} has chosen its rate")
            return
        if start.state == "impossible":
            assert arm.parent is not None
            yield from self._placeholders(arm, "blocked", f"{arm.parent.name} has no run to start from")
            return
        yield from self._quality(arm, start.rate)
        yield from self._measure(arm, start.rate)

    def _quality(self, arm: Arm, parent_rate: float | None) -> Iterator[Planned]:
        screened = self._screening(arm)
        for rate, seed in screened:
            yield self._line(arm, arm.cell(rate, seed, parent_rate))
        rest = arm.seeds[self.tuning.screen_seeds :] if len(arm.rates) > self.tuning.keep else ()
        kept = self._rates_at_all_seeds(arm, parent_rate)
        if kept is None:
            for _ in range(min(self.tuning.keep, len(arm.rates)) * len(rest)):
                yield Planned(arm, "quality", "deferred", reason="until the best rates are known")
            return
        for seed in rest:
            for rate in kept:
                yield self._line(arm, arm.cell(rate, seed, parent_rate))

    def _measure(self, arm: Arm, parent_rate: float | None) -> Iterator[Planned]:
        if not arm.trains or not self.measure.enabled:
            return
        choice = self.choice(arm)
        if choice.state == "chosen":
            yield self._line(arm, arm.cell(choice.rate, arm.seeds[0], parent_rate), "measure")
        elif choice.state == "open":
            yield Planned(arm, "measure", "deferred", reason="until the rate is chosen")
        else:
            yield Planned(arm, "measure", "blocked", reason="no rate could be chosen")

    def _line(self, arm: Arm, cell: Cell, purpose: Purpose = "quality") -> Planned:
        outcome = self.known.outcome(cell, purpose)
        if outcome is None:
            failed_parent = self._failed_parent(cell)
            if failed_parent:
                return Planned(arm, purpose, "blocked", cell, failed_parent)
            return Planned(arm, purpose, "left", cell)
        if not outcome.ok:
            return Planned(arm, purpose, "failed", cell, outcome.reason)
        if purpose == "quality" and self._wanted(arm, outcome) - outcome.evals:
            return Planned(arm, purpose, "left", cell, "to be scored on new tasks or moments", rescore=True)
        return Planned(arm, purpose, "done", cell, outcome.reason)

    def _wanted(self, arm: Arm, outcome: Outcome) -> frozenset[str]:
        """What the run is to have been scored on; at no merged moment where it lacked the memory for that."""
        moments = [moment for moment in arm.moments if outcome.reason is None or moment in OWN_MOMENTS]
        return frozenset().union(*(self.evals.get(moment, frozenset()) for moment in moments))

    def _failed_parent(self, cell: Cell) -> str | None:
        parent = cell.arm.parent
        if parent is None:
            return None
        rate = cell.recipe["stages"][-2]["learning_rate"]
        outcome = self.known.outcome(parent.cell(rate, cell.seed), "quality")
        return None if outcome is None or outcome.ok else f"its SFT stage ended as {outcome.status}: {outcome.reason}"

    def _placeholders(self, arm: Arm, state: State, reason: str) -> Iterator[Planned]:
        """As many lines as the arm will have cells, without ids."""
        screened = len(self._screening(arm))
        rest = len(arm.seeds[self.tuning.screen_seeds :]) if len(arm.rates) > self.tuning.keep else 0
        for _ in range(screened + rest * min(self.tuning.keep, len(arm.rates))):
            yield Planned(arm, "quality", state, reason=reason)
        if arm.trains and self.measure.enabled:
            yield Planned(arm, "measure", state, reason=reason)

    # --- rates --------------------------------------------------------------------------------------------------

    def _screening(self, arm: Arm) -> list[tuple[float | None, int]]:
        if not arm.trains:
            return [(None, arm.seeds[0])]
        seeds = arm.seeds[: self.tuning.screen_seeds] if len(arm.rates) > self.tuning.keep else arm.seeds
        return [(rate, seed) for seed in seeds for rate in arm.rates]

    def _rates_at_all_seeds(self, arm: Arm, parent_rate: float | None) -> list[float | None] | None:
        """The rates that go on to every seed; None while the screening is open."""
        if not arm.trains:
            return [None]
        if len(arm.rates) <= self.tuning.keep:
            return list(arm.rates)
        seeds = arm.seeds[: self.tuning.screen_seeds]
        cells = {rate: [arm.cell(rate, seed, parent_rate) for seed in seeds] for rate in arm.rates}
        if any(self._open(cell) for group in cells.values() for cell in group):
            return None
        scored: dict[float | None, list[float]] = {r: self._validation(arm, group) for r, group in cells.items()}
        able: list[float | None] = [rate for rate in arm.rates if scored[rate]]
        return sorted(able, key=lambda rate: (-fmean(scored[rate]), rate))[: self.tuning.keep]

    def _parent_choice(self, arm: Arm) -> Choice:
        return self.choice(arm.parent) if arm.parent is not None else Choice("chosen")

    def _open(self, cell: Cell) -> bool:
        return self.known.outcome(cell, "quality") is None and self._failed_parent(cell) is None

    def _validation(self, arm: Arm, cells: list[Cell]) -> list[float]:
        outcomes = [self.known.outcome(cell, "quality") for cell in cells]
        good = [outcome for outcome in outcomes if outcome is not None and outcome.ok]
        if arm.selection_task is None or len(arm.rates) == 1:  # nothing is to be chosen
            return [0.0 for _ in good]
        return [o.validation[arm.selection_task] for o in good if arm.selection_task in o.validation]

    def _urgency(self, line: Planned) -> tuple[int, int]:
        """Bases first, then SFT, then preference pairs, each arm's longest chain first."""
        kind = 0 if not line.arm.trains else 2 if line.arm.parent else 1
        return (9 if line.purpose == "measure" and self.measure_last else kind, 0 if line.arm in self._parents else 1)


def stage_execution(cell: Cell) -> str:
    """The execution's id: all stages of a cell are computed the same way."""
    return identity.execution_id(cell.arm.execution)
