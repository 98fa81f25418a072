"""P values corrected for how many tests were made. An unknown p value (NaN) stays unknown and counts as no test."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

Correction = Callable[[ArrayLike], NDArray[np.float64]]

LEVEL = 0.05


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """Holm's (1979, Scandinavian Journal of Statistics 6) step-down correction of (n,) p values, in their order.

    The chance of one false claim or more among all is then at most the level, whatever depends on what.
    """
    p, order, corrected = _ascending(p_values)
    steps = p[order] * np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(1.0, np.maximum.accumulate(steps))
    return corrected


def benjamini_hochberg(p_values: ArrayLike) -> NDArray[np.float64]:
    """Benjamini and Hochberg's (1995, Journal of the Royal Statistical Society B 57) step-up correction of (n,) p
    values, in their order.

    Of the claims made, a share of at most the level is then false on average, for independent or positively dependent
    tests: for screening many arms, where a few false claims among the true ones do no harm.
    """
    p, order, corrected = _ascending(p_values)
    steps = p[order] * len(order) / np.arange(1, len(order) + 1)
    corrected[order] = np.minimum(1.0, np.minimum.accumulate(steps[::-1])[::-1])
    return corrected


def _ascending(p_values: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.intp], NDArray[np.float64]]:
    """The p values, the order of the known ones from the smallest up, and as many NaN to be filled in."""
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p)[: int((~np.isnan(p)).sum())]  # NaN sorts last
    return p, order, np.full(p.shape, np.nan)
