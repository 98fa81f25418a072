"""95 % intervals for a mean over questions *and* seeds.

Every seed of an arm answers the same questions, so outcomes form a crossed table of seeds by items, and the mean
varies with both: other seeds would train another model, other items would ask something else. In the words of
generalizability theory (Brennan 2001, chapter 3), by two-way analysis of variance without replication,

    var(mean) = s2_seed / S + s2_item / I + s2_residual / (S I).

The first and last terms together are the variance of the seeds' means over S, known with S - 1 degrees of freedom; the
middle one is known with about I - 1. Satterthwaite's (1946) approximation pools the two into one number of degrees of
freedom and, with three seeds, covers 91 to 95 % of the time: where the seeds agree by chance it trusts them.
Weighting the two t quantiles by the two variances instead (Cochran and Cox 1950, *Experimental Designs*, section
4.14) covers 94 to 97 %; see the tests.

Several tasks are several blocks with the same seeds, each weighing the same. Items as a sample: Miller 2024,
"Adding Error Bars to Evals", arXiv 2411.00640.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import fdtri, ndtri, stdtrit

Block = NDArray[np.float64]

UPPER_TAIL = 0.975
PLAUSIBLE = 0.95  # a pair's variance over seeds beyond this quantile is its own, not the table's
ONE_SEED = "one seed"


@dataclass(frozen=True)
class Interval:
    """A mean with the ends of its 95 % interval: None where nothing tells how much it varies.

    ``p_value`` is two-sided, against a mean of zero, and belongs to differences alone. ``flag`` says what the interval
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


@dataclass(frozen=True)
class _Spread:
    """The mean of some blocks and its variance, in a part that more seeds and one that more items would shrink."""

    mean: float
    seed_variance: float
    item_variance: float
    seeds: int
    items: int
    effective_items: float  # items that a single block would need for the same variance
    pooled: SeedVariance | None = None

    @property
    def variance(self) -> float:
        return self._over_seeds + self.item_variance

    def quantile(self, probability: float) -> float:
        """Cochran and Cox's weighted t quantile."""
        pooled = self.pooled or SeedVariance(0.0, 1)
        plausible = fdtri(self.seeds - 1, pooled.degrees_of_freedom, PLAUSIBLE) if self.pooled else 0.0
        own = max(0.0, self.seed_variance - plausible * pooled.variance / self.seeds)
        parts = [
            (own, self.seeds - 1),
            (self._over_seeds - own, pooled.degrees_of_freedom),
            (self.item_variance, self.items - 1),
        ]
        return float(sum(part * stdtrit(freedom, probability) for part, freedom in parts if part > 0) / self.variance)

    @property
    def _over_seeds(self) -> float:
        return max(self.seed_variance, self.pooled.variance / self.seeds if self.pooled else 0.0)


def proportion_interval(blocks: Sequence[Block]) -> Interval:
    """Interval of a mean of outcomes in [0, 1], each block (seeds, items); always inside [0, 1], never of width 0.

    Wilson's interval with the effective sample size p (1 - p) / var(p) (Korn and Graubard 1998, Survey Methodology
    24; Dean and Pagano 2015, Journal of Survey Statistics and Methodology 3): near 1 it leans towards the middle, as
    the symmetric one does not. Where every outcome is the same the items alone count. Raises ValueError for no
    items, or blocks of different seeds.
    """
    spread = _spread(blocks)
    p = spread.mean
    if spread.variance > 0 and 0 < p < 1:
        k = spread.quantile(UPPER_TAIL) ** 2 * spread.variance / (p * (1 - p))
    else:
        k = ndtri(UPPER_TAIL) ** 2 / spread.effective_items
    centre = (p + k / 2) / (1 + k)
    half = np.sqrt(k * p * (1 - p) + k * k / 4) / (1 + k)
    return _interval(spread, max(0.0, centre - half), min(1.0, centre + half))


def difference_interval(blocks: Sequence[Block], pooled: SeedVariance | None = None) -> Interval:
    """Interval of a mean difference in [-1, 1] of two arms on the same items and seeds, with its p value.

    A t interval, clipped. ``pooled`` is what a whole table says of the variance over seeds: the larger of that and
    the pair's own is used, with the table's degrees of freedom as far as the pair's own is plausible under it. Where
    no outcome differs from the mean, the mean is off by at most the share of items that do differ, and Wilson's upper
    bound on 0 of I of those is z2 / (I + z2).
    """
    spread = replace(_spread(blocks), pooled=pooled if len(blocks[0]) > 1 else None)
    if spread.variance > 0:
        return _t_interval(spread, -1.0, 1.0)
    if spread.effective_items <= 1:
        return _interval(spread, None, None)
    z2 = ndtri(UPPER_TAIL) ** 2
    half = z2 / (spread.effective_items + z2)
    p_value = 1.0 if spread.mean == 0 else 2.0 ** (1 - spread.items)  # the sign test
    return _interval(spread, max(-1.0, spread.mean - half), min(1.0, spread.mean + half), p_value)


def pooled_seed_variance(pairs: Sequence[Sequence[Block]], degrees_of_freedom: float) -> SeedVariance | None:
    """The variance of one seed's mean, averaged over pairs of arms (blocks of differences, (seeds, items) each).

    Three seeds say little of one pair, and the correction for a table of ten arms asks for more than two degrees of
    freedom can give: accuracies of .20 and .80 would be a tie. ``degrees_of_freedom`` are those of all the arms' seeds
    together: pairs share arms and hold no more. None for pairs of one seed.
    """
    seeded = [pair for pair in pairs if len(pair[0]) > 1]
    if not seeded:
        return None
    variance = float(np.mean([_spread(pair).seed_variance * len(pair[0]) for pair in seeded]))
    return SeedVariance(variance, min(degrees_of_freedom, sum(len(pair[0]) - 1 for pair in seeded)))


def value_interval(blocks: Sequence[Block]) -> Interval:
    """Interval of a mean of values of any size, each block (seeds, items), with its p value: a t interval.

    A block of one item (a score of which no items are kept) leaves the seeds alone to vary; one seed and one item
    give no interval.
    """
    spread = _spread(blocks)
    if spread.variance > 0:
        return _t_interval(spread, -np.inf, np.inf)
    known = spread.seeds > 1 or spread.items > 1
    return _interval(spread, spread.mean if known else None, spread.mean if known else None)


def _t_interval(spread: _Spread, lowest: float, highest: float) -> Interval:
    error = np.sqrt(spread.variance)
    half = spread.quantile(UPPER_TAIL) * error
    low, high = max(lowest, spread.mean - half), min(highest, spread.mean + half)
    return _interval(spread, low, high, _p_value(spread, abs(spread.mean) / error))


def _p_value(spread: _Spread, statistic: float) -> float:
    """The p at which the quantile of 1 - p / 2 is the statistic: the interval's own, so the two never disagree."""
    smallest = 1e-12
    if statistic >= -spread.quantile(smallest / 2):
        return smallest
    return float(brentq(lambda p: -spread.quantile(p / 2) - statistic, smallest, 1.0, xtol=1e-14, rtol=1e-8))


def _interval(spread: _Spread, low: float | None, high: float | None, p_value: float | None = None) -> Interval:
    ends = [None if end is None else float(end) for end in (low, high)]
    flag = ONE_SEED if spread.seeds == 1 else None
    return Interval(spread.mean, ends[0], ends[1], p_value, spread.seeds, spread.items, flag)


def _spread(blocks: Sequence[Block]) -> _Spread:
    seeds = {block.shape[0] for block in blocks}
    if len(seeds) != 1 or 0 in seeds or not all(block.shape[1] for block in blocks):
        raise ValueError(f"blocks of (seeds, items) must share their seeds and hold items: {[b.shape for b in blocks]}")
    n_seeds, weight = seeds.pop(), 1 / len(blocks)
    of_seeds = np.mean([block.mean(axis=1) for block in blocks], axis=0)
    by_items, by_luck = (weight**2 * np.array([_item_parts(block) for block in blocks])).sum(axis=0)
    by_seeds = of_seeds.var(ddof=1) / n_seeds if n_seeds > 1 else 0.0
    if by_seeds + by_items < 1e-12:  # means that agree to the last item agree by luck
        by_seeds = by_luck
    return _Spread(
        mean=float(of_seeds.mean()),
        seed_variance=float(by_seeds),
        item_variance=float(by_items),
        seeds=n_seeds,
        items=sum(block.shape[1] for block in blocks),
        effective_items=1 / float(sum(weight**2 / block.shape[1] for block in blocks)),
    )


def _item_parts(block: Block) -> tuple[float, float]:
    """A block's s2_item / I, cut off at zero, and s2_residual / (S I), from the mean squares of its two-way table."""
    n_seeds, n_items = block.shape
    if n_items == 1:
        return 0.0, 0.0
    of_items = block.mean(axis=0)
    between_items = float(n_seeds * of_items.var(ddof=1))
    if n_seeds == 1:
        return between_items / n_items, 0.0
    residuals = block - of_items - block.mean(axis=1, keepdims=True) + block.mean()
    residual = float((residuals**2).sum()) / ((n_seeds - 1) * (n_items - 1))
    return max(0.0, between_items - residual) / block.size, residual / block.size
