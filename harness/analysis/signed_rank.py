"""The middle of paired differences and how far it can be trusted, whatever their distribution, outliers and all.

Hodges and Lehmann 1963, "Estimates of location based on rank tests" (Annals of Mathematical Statistics 34): the median
of all pairwise means (Walsh averages), with the interval that inverts Wilcoxon's signed-rank test. Assumed is symmetry
about the middle, which the logarithm of a ratio of two like things has.
"""

from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

from harness.analysis.uncertainty import Interval

EXACT = 60  # values up to which the statistic's distribution is counted out


def hodges_lehmann(values: ArrayLike, level: float = 0.05) -> Interval:
    """Estimate, ``1 - level`` interval and two-sided p value against 0 for the middle of (n,) ``values``.

    The ends are None where n is too small for the level (6 values for 0.05, 9 for 0.005). Raises ValueError for none.
    """
    x = np.asarray(values, dtype=np.float64)
    if not x.size:
        raise ValueError("no values")
    walsh = _walsh_averages(x)
    estimate = float(np.median(walsh))
    cut = _cut(x.size, level)
    low, high = (float(walsh[cut]), float(walsh[-1 - cut])) if cut is not None else (None, None)
    return Interval(estimate, low, high, signed_rank_p(x), seeds=x.size)


def signed_rank_p(values: ArrayLike) -> float:
    """Two-sided p value of Wilcoxon's (1945) signed-rank test that (n,) ``values`` lie about 0.

    Walsh averages of 0 count half to either side.
    """
    x = np.asarray(values, dtype=np.float64)
    walsh = _walsh_averages(x)
    positive = float((walsh > 0).sum() + 0.5 * (walsh == 0).sum())  # the statistic W+, by Walsh averages
    smaller = min(positive, walsh.size - positive)
    return min(1.0, 2 * _at_most(int(np.floor(smaller + 0.5)), x.size))


def values_needed(level: float) -> int:
    """The fewest values that give an interval at ``level``."""
    return next(n for n in range(1, 64) if _cut(n, level) is not None)


def _walsh_averages(x: NDArray[np.float64]) -> NDArray[np.float64]:
    first, second = np.triu_indices(x.size)
    return np.sort((x[first] + x[second]) / 2)


def _cut(n: int, level: float) -> int | None:
    """How many of the smallest Walsh averages lie below the interval: the largest c with P(W+ <= c) <= level / 2."""
    if n <= EXACT:
        able = np.flatnonzero(np.cumsum(_probabilities(n)) <= level / 2 * (1 + 1e-12))
        return int(able[-1]) if able.size else None
    mean, deviation = n * (n + 1) / 4, np.sqrt(n * (n + 1) * (2 * n + 1) / 24)
    return int(max(0, np.floor(mean - 0.5 + ndtri(level / 2) * deviation)))


def _at_most(statistic: int, n: int) -> float:
    """P(W+ <= statistic) where the middle is 0."""
    if n <= EXACT:
        return float(_probabilities(n)[: statistic + 1].sum())
    mean, deviation = n * (n + 1) / 4, np.sqrt(n * (n + 1) * (2 * n + 1) / 24)
    return float(ndtr((statistic + 0.5 - mean) / deviation))


@cache
def _probabilities(n: int) -> NDArray[np.float64]:
    """P(W+ = w) for w = 0 ... n (n + 1) / 2: each rank is in the sum or not, with equal chances."""
    chances = np.ones(1)
    for rank in range(1, n + 1):
        shifted = np.concatenate([np.zeros(rank), chances])
        chances = (np.concatenate([chances, np.zeros(rank)]) + shifted) / 2
    return chances
