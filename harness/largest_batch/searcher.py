"""Search arms for the largest batch that fits, by running probes: what is in the results file is not run again."""

import time
from dataclasses import dataclass, field
from typing import Literal

from harness.arms import Arm
from harness.executors.executor import Executor
from harness.largest_batch.policy import bounds, next_batch, precision
from harness.largest_batch.probes import outcome_of, predicted_largest, probe, probing, unsearchable
from harness.limits import MemoryLimit
from harness.plan import Known, Outcome
from harness.progress import Display
from harness.runner import Runner, Summary
from harness.session import Session
from harness.store.writer import Writer

Ending = Literal["done", "interrupted", "out of time"]


@dataclass
class Search:
    """One arm's search: the batches that were tried, in order, each with the arm that it made and how that ended.

    ``predicted`` is the largest that should fit, None where that is not predicted; ``ended`` says why it goes no
    further although the largest is not known.
    """

    arm: Arm
    most: int
    predicted: int | None = None
    tried: dict[int, tuple[Arm, Outcome]] = field(default_factory=dict)
    ended: str | None = None

    @classmethod
    def of(cls, arm: Arm, device: str, limit: MemoryLimit, most: int) -> "Search":
        """A search that has not begun; one that cannot be has ended. ``limit`` is what a prediction is to fit into."""
        if reason := unsearchable(arm):
            return cls(arm, most, ended=reason)
        return cls(arm, most, predicted_largest(arm, device, limit, most))

    @property
    def own_batch(self) -> int:
        """The matrix's own."""
        return int(self.arm.stage["batch_size"])

    @property
    def fits(self) -> dict[int, bool]:
        """What became of each batch that was tried."""
        return {batch: outcome.ok for batch, (_, outcome) in self.tried.items()}

    @property
    def next(self) -> int | None:
        """The batch to try now: the matrix's own first, for the comparison at equal batch. None at the end."""
        if self.ended:
            return None
        if self.own_batch not in self.tried:
            return self.own_batch
        guess = self.own_batch if self.predicted is None else max(1, self.predicted)
        start = min(guess, self.most)
        return next_batch(self.fits, start, start if self.predicted is None else precision(start), self.most)

    @property
    def largest(self) -> int:
        """The largest that fits of those tried, 0 if none does."""
        return bounds(self.fits)[0]

    @property
    def too_large(self) -> int | None:
        """The smallest that does not fit, None if there is none above the largest."""
        return bounds({batch: ok for batch, ok in self.fits.items() if ok or self._is_oom(batch)})[1]

    @property
    def is_found(self) -> bool:
        """Is the largest known, or that it is no less than the most that is looked for?"""
        return self.ended is None and bool(self.tried) and self.next is None

    @property
    def off_by(self) -> int | None:
        """Examples that were predicted too many; 0 within what the search tells apart, None where either is missing."""
        if self.predicted is None or not self.is_found:
            return None
        within = self.largest <= self.predicted and (self.too_large is None or self.predicted < self.too_large)
        return 0 if within else self.predicted - self.largest

    def take(self, batch: int, arm: Arm, outcome: Outcome) -> None:
        """What became of ``batch``; any other failure than memory's says nothing of larger ones, and ends it."""
        self.tried[batch] = arm, outcome
        if not outcome.ok and not self._is_oom(batch):
            self.ended = f"batch {batch} ended as {outcome.status}: {outcome.reason}"

    def _is_oom(self, batch: int) -> bool:
        return self.tried[batch][1].status == "oom"


class Searcher:
    """Runs what searches ask for, a probe at a time, each by an ordinary runner."""

    def __init__(
        self, session: Session, known: Known, writer: Writer, executor: Executor, display: Display, retry_failed: bool
    ) -> None:
        self.session, self.known, self.retry_failed = session, known, retry_failed
        self.writer, self.executor, self.display = writer, executor, display
        self.finished, self._longest_seconds = 0, 0.0

    def run(self, searches: list[Search], seconds: float) -> Ending:
        """Go through ``searches`` for so long; a probe that should take longer than what is left is not begun."""
        ends = time.monotonic() + seconds
        for search in searches:
            while (batch := search.next) is not None:
                ending = self._try(search, batch, ends)
                if ending != "done":
                    return ending
        return "done"

    def _try(self, search: Search, batch: int, ends: float) -> Ending:
        arm = probe(search.arm, batch, self.session.planner(self.known), self.session.library)
        session = probing(self.session, arm)
        outcome = outcome_of(session, arm, self.known)
        if outcome is None or (self.retry_failed and outcome.status not in ("ok", "oom")):
            summary = self._run(session, ends, again=outcome is not None)
            if summary is None or summary.out_of_time:
                return "out of time"
            if summary.interrupted:
                return "interrupted"
            outcome = outcome_of(session, arm, self.known)
        if outcome is None:  # killed by somebody else: it says nothing, and is to run again
            search.ended = f"batch {batch} was killed; the same command goes on from here"
        else:
            search.take(batch, arm, outcome)
        return "done"

    def _run(self, session: Session, ends: float, *, again: bool) -> Summary | None:
        """None where there is not time enough."""
        began = time.monotonic()
        if ends - began < self._longest_seconds or ends <= began:
            return None
        runner = Runner(session, self.writer, self.executor, self.display)
        summary = runner.run(again, ends - began)
        self.known = runner.known
        self.finished += summary.finished
        self._longest_seconds = max(self._longest_seconds, time.monotonic() - began)
        return summary
