"""A verdict on one quantity, and how verdicts add up to an exit code."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from math import isfinite
from typing import Literal

from harness.analysis.gate.rules import Effect
from harness.analysis.uncertainty import Interval

Verdict = Literal["pass", "regressed", "improved", "inconclusive", "not measured", "missing", "new"]
Unit = Literal["share", "points", "bytes", "deviation"]

MATRIX = "the whole matrix"
OPEN: tuple[Verdict, ...] = ("inconclusive", "not measured", "missing")


@dataclass(frozen=True)
class Finding:
    """What became of ``quantity`` in ``where`` (an arm, or the whole matrix; ``detail`` says a task, phase or module).

    ``change`` is the candidate's minus the baseline's in the quantity's own direction, as ``unit`` says: a share of the
    baseline's, points of a score in [0, 1], or for ``deviation`` a size without a direction. ``low`` and ``high`` are
    the ends of its 95 % interval. ``limit`` is what the verdict was held against, ``why`` the reason in words. A number
    that is not finite is none.
    """

    quantity: str
    where: str
    verdict: Verdict
    detail: str = ""
    unit: Unit = "share"
    change: float | None = None
    low: float | None = None
    high: float | None = None
    limit: float | None = None
    why: str = ""

    def __post_init__(self) -> None:
        for name in ("change", "low", "high", "limit"):
            value = getattr(self, name)
            if value is not None and not isfinite(value):
                object.__setattr__(self, name, None)


def exit_code(findings: Iterable[Finding], allowed: Collection[str] = ()) -> int:
    """1 where anything regressed, 3 where something is open that is not allowed by its verdict's or quantity's name,
    or where nothing was compared at all, else 0."""
    findings = list(findings)
    if any(found.verdict == "regressed" for found in findings):
        return 1
    still_open = [f for f in findings if f.verdict in OPEN and not {f.verdict, f.quantity} & set(allowed)]
    compared = any(found.verdict in ("pass", "improved") for found in findings)
    return 3 if still_open or not compared else 0


@dataclass(frozen=True)
class Worse:
    """A change for the worse (positive) as a test sees it: its 95 % ``interval``, its ``p_value`` corrected for the
    quantity's other tests, and ``worst``, the worse end of its interval at the level used, corrected in the same way.

    None for what so few runs can't give.
    """

    interval: Interval
    worst: float | None
    p_value: float | None

    @property
    def estimate(self) -> float:
        """The change, as the interval has it."""
        return self.interval.estimate


def verdict_of(worse: Worse, rule: Effect) -> tuple[Verdict, str]:
    """The verdict on a change and its reason.

    A change counts that is beyond chance at the rule's level and no smaller than its minimum. Where none counts it is
    a pass only if one of the rule's resolution is ruled out at the same level.
    """
    p = worse.p_value
    if p is not None and p <= rule.level and abs(worse.estimate) >= rule.minimum:
        return ("regressed" if worse.estimate > 0 else "improved"), f"beyond chance (p = {p:.2g})"
    if worse.worst is None:
        return "inconclusive", "too few runs for an interval"
    if worse.worst >= rule.seen:
        return "inconclusive", f"not ruled out; about {times_as_many(worse, rule):.1f} times as many runs would do"
    return "pass", "within chance" if p is None or p > rule.level else "smaller than matters"


def times_as_many(worse: Worse, rule: Effect) -> float:
    """How many times as many runs would decide, were the change what it seems: their interval would end below what has
    to be ruled out, or above no change. Where runs are many, the level costs less than twice a 95 % interval."""
    assert worse.worst is not None
    estimate, halves = worse.estimate, [worse.worst - worse.estimate]
    if worse.interval.high is not None:
        halves.append(2 * (worse.interval.high - estimate))
    enough = max(rule.seen - estimate, estimate if estimate >= rule.minimum else 0.0)
    return max(1.0, (min(halves) / enough) ** 2)
