"""The sign test."""

import numpy as np
import pytest
from scipy.stats import binomtest

from harness.analysis.sign_test import sign_test


@pytest.mark.parametrize(("above", "below"), [(0, 0), (1, 0), (5, 5), (9, 1), (3, 40), (2600, 2400)])
def test_it_is_the_exact_binomial_test_of_the_signs(above: int, below: int):
    values = [0.3] * above + [-2.0] * below + [0.0] * 7
    expected = binomtest(above, above + below).pvalue if above + below else 1.0
    assert sign_test(np.array(values)) == pytest.approx(expected)
