"""McNemar's exact test: the binomial test of the items on which two models differ."""

import numpy as np
import pytest
from scipy.stats import binomtest

from harness.analysis.mcnemar import mcnemar


@pytest.mark.parametrize(("first", "second"), [(0, 5), (3, 9), (7, 7), (30, 12), (1, 0)])
def test_it_is_the_binomial_test_of_the_items_that_differ(first, second):
    differences = [1.0] * first + [-1.0] * second + [0.0] * 100
    assert mcnemar(differences) == pytest.approx(binomtest(first, first + second, 0.5).pvalue)


def test_items_that_both_get_right_or_wrong_say_nothing():
    assert mcnemar(np.zeros(240)) == 1.0
