"""Many small changes as one: over the whole matrix, by mean and by sign."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from harness.analysis.gate.finding import MATRIX, Finding, Unit, verdict_of
from harness.analysis.gate.rules import Effect
from harness.analysis.spread import Block
from harness.analysis.uncertainty import Interval, value_interval


def matrix_finding(quantity: str, worse: NDArray[np.float64], rule: Effect, unit: Unit, sign: int) -> Iterator[Finding]:
    """The verdict on (runs,) changes, positive for the worse; ``sign`` as in ``effect_finding``.

    Student's t of the mean and the sign test look at the same question, so the smaller p value counts twice.
    """
    if not worse.size:
        yield Finding(quantity, MATRIX, "not measured", unit=unit, why="no run of both sides")
        return
    mean, moved = interval_over_runs(worse[:, None]), worse[worse != 0]
    by_sign = float(binomtest(int((moved > 0).sum()), moved.size).pvalue) if moved.size else 1.0
    p = None if mean.p_value is None else min(1.0, 2 * min(mean.p_value, by_sign))
    detail = f"{worse.size} runs, {int((worse > 0).sum())} worse, {int((worse < 0).sum())} better"
    yield effect_finding(quantity, MATRIX, detail, mean, rule, p, unit, sign)


def effect_finding(
    quantity: str, where: str, detail: str, worse: Interval, rule: Effect, p: float | None, unit: Unit, sign: int
) -> Finding:
    """The verdict on a change for the worse, told in the quantity's own direction: ``sign`` -1 where a fall is worse,
    as of a score, 1 where a rise is, as of a loss."""
    verdict, why = verdict_of(worse, rule, p)
    ends = [worse.low, worse.high] if sign > 0 else [worse.high, worse.low]
    low, high = (None if end is None else sign * end + 0.0 for end in ends)
    return Finding(quantity, where, verdict, detail, unit, sign * worse.estimate + 0.0, low, high, rule.minimum, why)


def interval_over_runs(block: Block) -> Interval:
    """The interval of the mean of a value a run, (runs, 1); the sign test's p where all are the same."""
    found = value_interval([block])
    if found.p_value is not None or block.size < 2:
        return found
    p = 1.0 if found.estimate == 0 else 2.0 ** (1 - block.size)
    return Interval(found.estimate, found.low, found.high, p, found.seeds, found.items, found.flag)
