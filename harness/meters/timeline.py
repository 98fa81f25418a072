"""What stands in memory from moment to moment of a training step, and the highest of each of its parts."""

import time
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from harness.meters.ledger import Account
from harness.meters.parts import Part

MOST_POINTS = 120  # of a step of thousands of moments the highest in each of so many stretches: peaks stay
Point = tuple[float, Part, Account, int | None]  # seconds since the step began, and the allocator's bytes where it is


class Timeline:
    """Takes the ledger's accounts of watched steps; keeps the step with the highest total.

    A watched step is slower than others, so that its seconds say in which order things stand, not how long they take.
    """

    def __init__(self, device: str) -> None:
        self.on_cuda = device.startswith("cuda")
        self.peaks: dict[Part, int] = {}
        self.part: Part = "data"
        self._began = time.perf_counter()
        self._points: list[Point] = []
        self._kept: list[Point] = []

    def begin_step(self) -> None:
        """Another step is watched."""
        self._keep()
        self._began, self._points = time.perf_counter(), []

    def note(self, account: Account) -> None:
        """What stands now, in the part that is on."""
        self.peaks[self.part] = max(self.peaks.get(self.part, 0), account.total)
        self._points.append((time.perf_counter() - self._began, self.part, account, self._allocated()))

    def columns(self) -> dict[str, list[Any]]:
        """The kept step: ``seconds``, ``part``, the ledger's components and ``allocated`` (bytes; none on a CPU), a
        list each. A component that is the same throughout has one value."""
        self._keep()
        points = thinned(self._kept)
        if not points:
            return {}
        columns: dict[str, list[Any]] = {"seconds": [round(p[0], 6) for p in points], "part": [p[1] for p in points]}
        accounts = [vars(point[2]) for point in points]
        columns |= {name: _once([account[name] for account in accounts]) for name in accounts[0]}
        return columns | ({"allocated": [p[3] for p in points]} if self.on_cuda else {})

    def _keep(self) -> None:
        if _highest(self._points) > _highest(self._kept):
            self._kept = self._points

    def _allocated(self) -> int | None:
        if not self.on_cuda:
            return None
        import torch

        return int(torch.cuda.memory_allocated())


def thinned(points: list[Point], most: int = MOST_POINTS) -> list[Point]:
    """The highest point of each of ``most`` stretches, in order; all of them where there are no more."""
    if len(points) <= most:
        return points
    cuts = [len(points) * n // most for n in range(most + 1)]
    stretches = (points[start:end] for start, end in pairwise(cuts))
    return [max(stretch, key=lambda point: point[2].total) for stretch in stretches]


def _highest(points: Iterable[Point]) -> int:
    return max((point[2].total for point in points), default=-1)


def _once(values: list[int]) -> list[int]:
    return values[:1] if len(set(values)) == 1 else values
