"""95 % intervals for a mean over questions *and* seeds: how it varies is ``spread``'s, how well that is known
``weighted_t``'s.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import fdtri, ndtri

from harness.analysis.spread import Block, Spread, spread_of
from harness.analysis.weighted_t import WeightedT

LEVEL = 0.05
UPPER_TAIL = 1 - LEVEL / 2
PLAUSIBLE = 0.95  # a pair's variance over seeds beyond this quantile is its own, not the table's
ONE_SEED = "one seed"


@dataclass(frozen=True)
class Interval:
    """A mean with the ends of its 95 % interval: None where nothing tells how much it varies.

    ``p_value`` is two-sided, against a mean of zero, where that was tested. ``flag`` says what the interval
    leaves out: with one seed it speaks of that one trained model, not of the method.
    """

    estimate: float
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    seeds: int = 0
    items: int = 0
    flag: str | None = None


@dataclass(frozen=True)
class SeedVariance:
    """How much one seed's mean varies, as all arms of a table say together, and their degrees of freedom."""

    variance: float
    degrees_of_freedom: float


def proportion_interval(blocks: Sequence[Block]) -> Interval:
    """Interval of a mean of outcomes in [0, 1], each block (seeds, items); always inside [0, 1], never of width 0.

    Raises ValueError for no items, or blocks of different seeds.
    """
    return interval_of_proportion(spread_of(blocks))


def interval_of_proportion(spread: Spread) -> Interval:
    """The same, of a spread.

    Wilson's interval with the effective sample size p (1 - p) / var(p) (Korn and Graubard 1998, Survey Methodology
    24; Dean and Pagano 2015, Journal of Survey Statistics and Methodology 3): near 1 it leans towards the middle, as
    the symmetric one does not. Where every outcome is the same the items alone count.
    """
    p = spread.mean
    if spread.variance > 0 and 0 < p < 1:
        t = float(error_of([spread]).quantile(UPPER_TAIL)[0])
        k = t**2 * spread.variance / (p * (1 - p))
    else:
        k = ndtri(UPPER_TAIL) ** 2 / spread.effective_items
    centre = (p + k / 2) / (1 + k)
    half = np.sqrt(k * p * (1 - p) + k * k / 4) / (1 + k)
    return _interval(spread, max(0.0, centre - half), min(1.0, centre + half))


def difference_interval(blocks: Sequence[Block]) -> Interval:
    """Interval of a mean difference in [-1, 1] of two arms on the same items and seeds, without a p value.

    A t interval, clipped. Where no outcome differs from the mean, the mean is off by at most the share of items that
    do differ, and Wilson's upper bound on 0 of I of those is z2 / (I + z2).
    """
    return interval_of_difference(spread_of(blocks))


def interval_of_difference(spread: Spread) -> Interval:
    """The same, from the spread of the difference."""
    return _t_intervals([spread], 1.0)[0] if spread.variance > 0 else _of_no_variance(spread)


def difference_intervals(
    spreads: Sequence[Spread], pooled: SeedVariance | None = None, level: float = LEVEL
) -> list[Interval]:
    """The same with p values, for many pairs of arms at once, from the spreads of their differences; the intervals
    are ``1 - level`` ones.

    ``pooled`` is what a whole table says of the variance over seeds: the larger of that and the pair's own is used,
    with the table's degrees of freedom as far as the pair's own is plausible under it.
    """
    return _intervals(spreads, 1.0, pooled, level, _of_no_variance)


def pooled_seed_variance(spreads: Sequence[Spread], degrees_of_freedom: float) -> SeedVariance | None:
    """The variance of one seed's mean, averaged over pairs of arms (the spreads of their differences).

    Three seeds say little of one pair, and the correction for a table of ten arms asks for more than two degrees of
    freedom can give: accuracies of .20 and .80 would be a tie. ``degrees_of_freedom`` are those of all the arms' seeds
    together: pairs share arms and hold no more. None for pairs of one seed.
    """
    seeded = [spread for spread in spreads if spread.seeds > 1]
    if not seeded:
        return None
    variance = float(np.mean([spread.seed_variance * spread.seeds for spread in seeded]))
    return SeedVariance(variance, min(degrees_of_freedom, sum(spread.seeds - 1 for spread in seeded)))


def value_interval(blocks: Sequence[Block]) -> Interval:
    """Interval of a mean of values of any size, each block (seeds, items), with its p value: a t interval.

    A block of one item (a score of which no items are kept) leaves the seeds alone to vary; one seed and one item
    give no interval.
    """
    return value_intervals([spread_of(blocks)])[0]


def value_intervals(
    spreads: Sequence[Spread], pooled: SeedVariance | None = None, level: float = LEVEL
) -> list[Interval]:
    """The same for many means at once, from their spreads; ``pooled`` and ``level`` as in ``difference_intervals``."""
    return _intervals(spreads, np.inf, pooled, level, _of_the_same_values)


def error_of(spreads: Sequence[Spread], pooled: SeedVariance | None = None) -> WeightedT:
    """The errors of the spreads' means: what the seeds say, what the table says of them, what the items say."""
    own, items, seeds, n_items = np.array(
        [(s.seed_variance, s.item_variance, s.seeds, s.items) for s in spreads], dtype=np.float64
    ).T
    freedom = np.maximum(seeds - 1, 1)
    shared = np.zeros_like(own)
    if pooled:
        from_table = np.where(seeds > 1, pooled.variance / seeds, 0.0)
        plausible = fdtri(freedom, pooled.degrees_of_freedom, PLAUSIBLE)
        over_seeds = np.maximum(own, from_table)
        own = np.maximum(0.0, own - plausible * from_table)
        shared = over_seeds - own
    table_freedom = np.full_like(own, pooled.degrees_of_freedom if pooled else 1.0)
    parts = np.column_stack([own, shared, items])
    return WeightedT(parts, np.column_stack([freedom, table_freedom, np.maximum(n_items - 1, 1)]))


def _intervals(
    spreads: Sequence[Spread],
    bound: float,
    pooled: SeedVariance | None,
    level: float,
    without_variance: Callable[[Spread, float], Interval],
) -> list[Interval]:
    shared = pooled is not None and pooled.variance > 0
    varies = [spread.variance > 0 or (shared and spread.seeds > 1) for spread in spreads]
    able = [spread for spread, does in zip(spreads, varies, strict=True) if does]
    tested = iter(_tested(able, bound, pooled, level))
    return [
        next(tested) if does else without_variance(spread, level) for spread, does in zip(spreads, varies, strict=True)
    ]


def _t_intervals(
    spreads: Sequence[Spread], bound: float, pooled: SeedVariance | None = None, level: float = LEVEL
) -> list[Interval]:
    """t intervals of means in [-bound, bound]."""
    means: NDArray[np.float64] = np.array([spread.mean for spread in spreads])
    error = error_of(spreads, pooled)
    half = error.quantile(1 - level / 2) * error.error
    ends = zip(np.maximum(-bound, means - half), np.minimum(bound, means + half), strict=True)
    return [_interval(spread, *both) for spread, both in zip(spreads, ends, strict=True)]


def _tested(spreads: Sequence[Spread], bound: float, pooled: SeedVariance | None, level: float) -> list[Interval]:
    """t intervals with their p values."""
    if not spreads:
        return []
    p_values = error_of(spreads, pooled).p_values(np.array([spread.mean for spread in spreads]))
    intervals = _t_intervals(spreads, bound, pooled, level)
    return [replace(interval, p_value=float(p)) for interval, p in zip(intervals, p_values, strict=True)]


def _of_the_same_values(spread: Spread, level: float) -> Interval:
    end = spread.mean if spread.seeds > 1 or spread.items > 1 else None
    return _interval(spread, end, end)


def _of_no_variance(spread: Spread, level: float = LEVEL) -> Interval:
    if spread.effective_items <= 1:
        return _interval(spread, None, None)
    z2 = ndtri(1 - level / 2) ** 2
    half = z2 / (spread.effective_items + z2)
    p_value = 1.0 if spread.mean == 0 else 2.0 ** (1 - spread.items)  # the sign test
    return _interval(spread, max(-1.0, spread.mean - half), min(1.0, spread.mean + half), p_value)


def _interval(spread: Spread, low: float | None, high: float | None, p_value: float | None = None) -> Interval:
    ends = [None if end is None else float(end) for end in (low, high)]
    flag = ONE_SEED if spread.seeds == 1 else None
    return Interval(spread.mean, ends[0], ends[1], p_value, spread.seeds, spread.items, flag)
