"""Whether values fall to one side of zero more often than chance lets them."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import bdtr


def sign_test(values: ArrayLike) -> float:
    """Exact two-sided p value that a value is as likely above zero as below it; zeros say nothing.

    A binomial test of the signs (Dixon and Mood 1946, JASA 41), without ``scipy.stats``, which takes a second to
    import.
    """
    signed = np.asarray(values)
    above, below = int((signed > 0).sum()), int((signed < 0).sum())
    return float(min(1.0, 2 * bdtr(min(above, below), above + below, 0.5)))
