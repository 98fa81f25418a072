"""How sure a count of trials makes one of a rate."""

from scipy.stats import beta

CONFIDENCE = 0.95


def lower_bound(found: int, trials: int) -> float:
    """The one-sided 95 % lower bound of a rate (Clopper and Pearson 1934, Biometrika 26)."""
    return float(beta.ppf(1 - CONFIDENCE, found, trials - found + 1)) if found else 0.0


def upper_bound(found: int, trials: int) -> float:
    """The one-sided 95 % upper bound of a rate."""
    return float(beta.ppf(CONFIDENCE, found + 1, trials - found)) if found < trials else 1.0
