"""The ratio of two arms' memory or speed where each was measured more than once."""

from collections.abc import Sequence

import numpy as np

from harness.analysis.uncertainty import UPPER_TAIL, Interval
from harness.analysis.weighted_t import WeightedT


def ratio_interval(first: Sequence[float], second: Sequence[float]) -> Interval | None:
    """The geometric mean of the first's measurements over the second's, both above 0, with its 95 % interval and p.

    Two independent samples of logarithms with variances of their own, the t quantiles weighted by them (see
    ``weighted_t``). None where either was measured once or never: a single run says nothing of how much it varies.
    """
    if min(len(first), len(second)) < 2:
        return None
    logs = [np.log(np.asarray(values, dtype=np.float64)) for values in (first, second)]
    mean = float(logs[0].mean() - logs[1].mean())
    parts = [float(values.var(ddof=1)) / len(values) for values in logs]
    if sum(parts) <= 0:  # a count of bytes may be the same every time
        return Interval(float(np.exp(mean)), float(np.exp(mean)), float(np.exp(mean)), 1.0 if mean == 0 else 0.0)
    errors = WeightedT(np.array([parts]), np.array([[len(values) - 1.0 for values in logs]]))
    half = float(errors.quantile(UPPER_TAIL)[0] * errors.error[0])
    low, middle, high = (float(np.exp(end)) for end in (mean - half, mean, mean + half))
    return Interval(middle, low, high, float(errors.p_values(np.array([mean]))[0]))
