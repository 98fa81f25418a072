"""Repeated measurements of memory and speed give a ratio its interval; single ones do not."""

import numpy as np
import pytest
from scipy import stats

from harness.analysis.repeats import ratio_interval


def test_a_single_run_says_nothing_of_how_much_it_varies():
    assert ratio_interval([100.0], [90.0, 91.0]) is None
    assert ratio_interval([], [90.0, 91.0]) is None


def test_the_ratio_is_that_of_geometric_means():
    assert ratio_interval([100.0, 400.0], [50.0, 50.0]).estimate == pytest.approx(4.0)


def test_equal_spread_on_both_sides_is_students_t_of_their_logarithms():
    first, second = np.array([100.0, 110.0, 120.0]), np.array([90.0, 99.0, 108.0])
    found = ratio_interval(first, second)
    logs = np.log(first), np.log(second)
    half = stats.t.ppf(0.975, 2) * np.sqrt(sum(x.var(ddof=1) / 3 for x in logs))
    assert np.log(found.high / found.estimate) == pytest.approx(half)


def test_bytes_that_are_the_same_every_time_differ_for_certain():
    found = ratio_interval([120.0, 120.0], [100.0, 100.0])
    assert (found.low, found.high) == pytest.approx((1.2, 1.2))
    assert found.p_value == 0


@pytest.mark.parametrize("n", [3, 5])
def test_it_covers_the_true_ratio_in_93_to_99_of_100_draws(n):
    rng = np.random.default_rng(n)
    found = [
        ratio_interval(np.exp(0.03 * rng.standard_normal(n)), 1.1 * np.exp(0.05 * rng.standard_normal(n)))
        for _ in range(2000)
    ]
    assert 0.93 <= np.mean([one.low <= 1 / 1.1 <= one.high for one in found]) <= 0.99
