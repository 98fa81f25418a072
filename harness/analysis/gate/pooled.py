"""Changes with chance in them, held against a rule: one by one, and many small ones as one over the whole matrix."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pandas as pd

from harness.analysis.corrections import holm
from harness.analysis.gate.finding import MATRIX, Finding, Unit, Worse, verdict_of
from harness.analysis.gate.rules import Effect
from harness.analysis.sign_test import sign_test
from harness.analysis.spread import Block, spread_of
from harness.analysis.uncertainty import LEVEL, Interval, pooled_seed_variance, value_intervals

ROUNDING = 1e-6  # values that agree to this are the same: their variance counts as none (``harness.analysis.spread``)

Intervals = Callable[[float], Sequence[Interval]]  # at a level


def corrected(intervals: Intervals, level: float) -> list[Worse]:
    """Changes of one quantity, each tested as one of so many: Holm's p values, intervals by Bonferroni."""
    found = intervals(LEVEL)
    p_values = holm([np.nan if one.p_value is None else one.p_value for one in found])
    tests = max(1, int((~np.isnan(p_values)).sum()))
    return [
        Worse(one, reach.high, None if np.isnan(p) else float(p))
        for one, reach, p in zip(found, intervals(level / tests), p_values, strict=True)
    ]


def matrix_finding(quantity: str, worse: pd.Series, rule: Effect, unit: Unit, sign: int) -> Iterator[Finding]:
    """The verdict on the runs' changes, positive for the worse, by the ``chain`` that the index names; ``sign`` as in
    ``effect_finding``.

    Runs that start from the same trained stage share its luck, so each chain is one value, its runs' mean. Student's t
    of the mean and the sign test look at the same question, so the smaller p value counts twice.
    """
    if worse.empty:
        return
    chains = worse.groupby(level="chain").mean().to_numpy()
    (mean,), (reach,) = (intervals_over_runs([chains[:, None]], level) for level in (LEVEL, rule.level / 2))
    p = None if mean.p_value is None else min(1.0, 2 * min(mean.p_value, sign_test(chains)))
    detail = (
        f"{worse.size} runs in {chains.size} chains, {int((chains > 0).sum())} worse, {int((chains < 0).sum())} better"
    )
    yield effect_finding(quantity, MATRIX, detail, Worse(mean, reach.high, p), rule, unit, sign)


def effect_finding(
    quantity: str, where: str, detail: str, worse: Worse, rule: Effect, unit: Unit, sign: int
) -> Finding:
    """The verdict on a change for the worse, told in the quantity's own direction: ``sign`` -1 where a fall is worse,
    as of a score, 1 where a rise is, as of a loss."""
    verdict, why = verdict_of(worse, rule)
    ends = [worse.interval.low, worse.interval.high]
    low, high = (None if end is None else sign * end + 0.0 for end in ends[::sign])
    return Finding(quantity, where, verdict, detail, unit, sign * worse.estimate + 0.0, low, high, rule.minimum, why)


def intervals_over_runs(blocks: Sequence[Block], level: float = LEVEL) -> list[Interval]:
    """The intervals of means of a value a run, each block (runs, 1), how much runs vary judged from all of them.

    Where all values of a block are the same the sign test says whether so few can be told from none: such an interval
    has no width, and is believed only where they are zero or many.
    """
    spreads = [spread_of([block]) for block in blocks]
    pooled = pooled_seed_variance(spreads, sum(block.size - 1 for block in blocks))
    found = value_intervals(spreads, pooled, level)
    return [
        one if one.p_value is not None else _of_equal_values(one.estimate, block.size, level)
        for one, block in zip(found, blocks, strict=True)
    ]


def interval_of_one(worse: float) -> Interval:
    """Of a value of one run: none, but where nothing changed but rounding. A loss that is the same in its first digits
    is so by no accident."""
    return Interval(worse) if abs(worse) > ROUNDING else Interval(worse, worse, worse, 1.0, 1)


def _of_equal_values(worse: float, size: int, level: float) -> Interval:
    if size == 1 or abs(worse) <= ROUNDING:
        return interval_of_one(worse)
    p = 2.0 ** (1 - size)
    end = worse if p <= level else None
    return Interval(worse, end, end, p, size)
