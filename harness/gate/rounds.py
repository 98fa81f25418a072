"""Measure runs in rounds: one side alone, or two that take turns at every step, so that the machine's drift cancels."""

import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.analysis.gate.match import TURNS
from harness.arms import Cell
from harness.assignment import Turns
from harness.events import Event
from harness.executors.executor import Executor
from harness.flights import Flights
from harness.interrupts import Stop
from harness.turns import make_pipes

Tell = Callable[[int, str], None]  # a round (from 0), and the arm that is measured in it


@dataclass(frozen=True)
class Measured:
    """One side: where its runs are written down, and the cells to measure, in the same order as the other's."""

    flights: Flights
    cells: Sequence[Cell]


def measure_rounds(sides: Sequence[Measured], rounds: int, folder: Path, stop: Stop, tell: Tell) -> None:
    """Measure every cell ``rounds`` times on each side; two sides step in turn, and who begins changes every round.

    ``folder`` is for the pipes of their turns. A run that fails is written down like any other, and its partner ends.
    The source of two sides' runs names this trial and the round, by which they are found to be a pair.
    """
    trial = uuid.uuid4().hex[:16]
    for number in range(rounds):
        for cells in zip(*(side.cells for side in sides), strict=True):
            if stop.requested:
                return
            tell(number, cells[0].arm.name)
            _round(sides, cells, f"{TURNS}{trial}:{number}", _turns(sides, folder, number), stop)


def _round(
    sides: Sequence[Measured], cells: Sequence[Cell], source: str, turns: Sequence[Turns | None], stop: Stop
) -> None:
    started = {
        side.flights.start(cell, "measure", turn, source if turn else "local"): (side, cell)
        for side, cell, turn in zip(sides, cells, turns, strict=True)
    }
    executors = list(dict.fromkeys(side.flights.executor for side in sides))
    while any(side.flights.under_way for side in sides):
        for event in _events(executors):
            for side in sides:
                side.flights.receive(*event)
        for side in sides:
            side.flights.beat()
        if stop.requested:
            for side in sides:
                side.flights.abandon()
        _end_partners(started)


def _turns(sides: Sequence[Measured], folder: Path, number: int) -> list[Turns | None]:
    if len(sides) == 1:
        return [None]
    a, b = map(str, make_pipes(folder))
    a_first = number % 2 == 0
    return [Turns(mine=a, theirs=b, first=a_first), Turns(mine=b, theirs=a, first=not a_first)]


def _events(executors: Sequence[Executor]) -> Iterator[tuple[str, Event]]:
    for executor in executors:
        yield from executor.poll(0.2 / len(executors))


def _end_partners(started: dict[str, tuple[Measured, Cell]]) -> None:
    """Where one side's run has failed, the other would wait for its turn for ever."""
    failed = any(
        (outcome := side.flights.known.outcomes.get((cell.cell_id, "measure"))) is not None
        and outcome.run_id == run_id
        and not outcome.ok
        for run_id, (side, cell) in started.items()
    )
    if failed:
        for run_id, (side, _) in started.items():
            side.flights.executor.kill(run_id, "the other side's run failed")
