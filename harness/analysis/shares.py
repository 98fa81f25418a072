"""Scores of one model of which no items were kept: the share of right answers and how many there were.

The answers are counted but not told apart, so two models that were asked the same questions cannot be paired: they are
compared like two independent samples, which takes more of a difference to see than pairs would, as what is easy for
one is mostly easy for the other. A mean of outcomes in [0, 1] that are not right or wrong varies no more than a share.
"""

from collections.abc import Sequence

from harness.analysis.outcomes import Outcomes
from harness.analysis.spread import Spread


def counted(*evals: Outcomes) -> bool:
    """Is each one model's share of a known number of answers, and nothing more?"""
    return bool(evals) and all(outcomes.table.shape == (1, 1) and outcomes.n_items > 1 for outcomes in evals)


def spread_of_shares(evals: Sequence[Outcomes]) -> Spread:
    """The spread of the mean share over evals: p (1 - p) / (n - 1) each, as of n items that are right or wrong."""
    shares = [(float(outcomes.table[0, 0]), outcomes.n_items) for outcomes in evals]
    return _spread([p for p, _ in shares], [p * (1 - p) / (n - 1) for p, n in shares], [n for _, n in shares])


def spread_of_difference(first: Sequence[Outcomes], second: Sequence[Outcomes]) -> Spread:
    """The spread of the first's mean share minus the second's over the same evals in the same order.

    The variances are those of Agresti and Caffo (2000, The American Statistician 54), with a right and a wrong answer
    added to each sample, so that shares of 0 and 1 are not taken to be certain.
    """
    differences, variances, counts = [], [], []
    for one, other in zip(first, second, strict=True):
        differences.append(float(one.table[0, 0] - other.table[0, 0]))
        variances.append(_with_two_more(one) + _with_two_more(other))
        counts.append(min(one.n_items, other.n_items))
    return _spread(differences, variances, counts)


def _with_two_more(outcomes: Outcomes) -> float:
    n = outcomes.n_items + 2
    p = (float(outcomes.table[0, 0]) * outcomes.n_items + 1) / n
    return p * (1 - p) / n


def _spread(means: Sequence[float], variances: Sequence[float], counts: Sequence[int]) -> Spread:
    weight = 1 / len(means)
    return Spread(
        mean=weight * sum(means),
        seed_variance=0.0,
        item_variance=weight**2 * sum(variances),
        luck_variance=0.0,
        seeds=1,
        items=sum(counts),
        effective_items=1 / sum(weight**2 / n for n in counts),
    )
