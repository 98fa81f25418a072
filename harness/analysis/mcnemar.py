"""Two models on the same questions, where there is one of each."""

from numpy.typing import ArrayLike

from harness.analysis.sign_test import sign_test


def mcnemar(differences: ArrayLike) -> float:
    """Exact two-sided p value of McNemar's test (1947, Psychometrika 12) that two models are right equally often.

    ``differences`` (items,) are 1 where only the first model is right, -1 where only the second is, else 0. Of the
    items on which they differ, half should go either way: a binomial test (Dietterich 1998, Neural Computation 10,
    recommends it where a model can be trained only once). It speaks of these two models, not of their methods.
    """
    return sign_test(differences)
