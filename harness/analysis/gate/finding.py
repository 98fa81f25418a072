"""A verdict on one quantity, and how verdicts add up to an exit code."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
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
    the ends of its 95 % interval. ``limit`` is what the verdict was held against, ``why`` the reason in words.
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


def exit_code(findings: Iterable[Finding], allowed: Collection[str] = ()) -> int:
    """1 where anything regressed, 3 where something is open that is not allowed by its verdict's or quantity's name,
    or where nothing was compared at all, else 0."""
    findings = list(findings)
    if any(found.verdict == "regressed" for found in findings):
        return 1
    still_open = [f for f in findings if f.verdict in OPEN and not {f.verdict, f.quantity} & set(allowed)]
    compared = any(found.verdict in ("pass", "improved") for found in findings)
    return 3 if still_open or not compared else 0


def verdict_of(worse: Interval, rule: Effect, p_value: float | None) -> tuple[Verdict, str]:
    """The verdict on a change for the worse (positive) and its reason; ``p_value`` is the corrected one.

    A change counts that is beyond chance at the rule's level and no smaller than its minimum. Where none counts it is
    a pass only if the interval is narrow enough to have shown one of the rule's resolution.
    """
    if p_value is not None and p_value <= rule.level and abs(worse.estimate) >= rule.minimum:
        return ("regressed" if worse.estimate > 0 else "improved"), f"beyond chance (p = {p_value:.2g})"
    half = half_width(worse)
    if half is None:
        return "inconclusive", "too few runs for an interval"
    if half > rule.resolution:
        times = (half / rule.resolution) ** 2
        return "inconclusive", f"the interval is too wide; about {times:.1f} times as many runs would do"
    return "pass", "within chance" if p_value is None or p_value > rule.level else "smaller than matters"


def half_width(interval: Interval) -> float | None:
    """Half the width of an interval that has both ends."""
    if interval.low is None or interval.high is None:
        return None
    return (interval.high - interval.low) / 2
