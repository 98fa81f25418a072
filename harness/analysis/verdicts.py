"""What can be said of a difference between two arms, in words."""

from dataclasses import dataclass
from math import log

from harness.analysis.corrections import LEVEL
from harness.analysis.power import noise_of, seeds_needed
from harness.analysis.spread import Spread
from harness.analysis.uncertainty import Interval

A_BETTER, B_BETTER = "A better", "B better"
NOT_ENOUGH = "not enough to tell"
ALIKE = "alike"
SAME = "same answers"
MINIMUM_RATIO = 1.02  # of costs without an interval: a smaller one counts as no difference
HOPELESS = "more seeds alone would not tell: the items vary too much"


@dataclass(frozen=True)
class Verdict:
    """The verdict, how many more seeds would change it where that is the answer, and what else there is to say."""

    words: str | None = None
    more_seeds: int | None = None
    note: str | None = None


def judge(
    interval: Interval | None,
    unit: str,
    better: int,
    p_corrected: float | None,
    spread: Spread | None,
    level: float,
    difference: float | None = None,
) -> Verdict:
    """The verdict on a difference (``unit`` points) or ratio of A to B, where ``better`` is 1 if higher is better, -1
    if lower is, 0 if neither.

    A tested difference is supported where ``p_corrected`` is below ``LEVEL``. One without a p value is a cost, and
    counts from ``MINIMUM_RATIO`` on. ``level`` is what a single test has to reach: with it, and with how the difference
    varies (``spread``), goes how many more seeds would tell ``difference``, by default the one seen.
    """
    if interval is None or not better:
        return Verdict()
    ahead = better * (log(interval.estimate) if unit == "ratio" else interval.estimate)
    side = A_BETTER if ahead > 0 else B_BETTER
    if p_corrected is not None and p_corrected < LEVEL:
        return Verdict(side)
    if spread is not None and spread.mean == spread.variance == 0:
        return Verdict(SAME)
    if p_corrected is None and unit == "ratio" and interval.low is None:
        return Verdict(side if abs(ahead) > log(MINIMUM_RATIO) else ALIKE)
    return _undecided(spread, abs(ahead) if difference is None else difference, level)


def _undecided(spread: Spread | None, difference: float, level: float) -> Verdict:
    if spread is None or not difference or noise_of(spread) is None:
        return Verdict(NOT_ENOUGH)
    needed = seeds_needed(spread, difference, level=level)
    if needed is None:
        return Verdict(NOT_ENOUGH, note=HOPELESS)
    if needed <= spread.seeds:
        return Verdict(NOT_ENOUGH, note=f"a difference of {100 * difference:.1f} points would have shown")
    return Verdict(NOT_ENOUGH, needed - spread.seeds)
