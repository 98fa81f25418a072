"""The weighted t is Student's where one part alone varies, and its p values are its quantiles'."""

import numpy as np
import pytest
from scipy import stats

from harness.analysis.weighted_t import SMALLEST_P, WeightedT


def one(parts, freedom):
    return WeightedT(np.array([parts], dtype=float), np.array([freedom], dtype=float))


def test_one_part_alone_is_students_t():
    found = one([0.04, 0.0], [2, 100])
    assert found.quantile(0.975) == pytest.approx(stats.t.ppf(0.975, 2))
    assert found.p_values(np.array([0.5])) == pytest.approx(2 * stats.t.sf(0.5 / 0.2, 2))


def test_a_quantile_lies_between_those_of_the_parts_in_proportion_to_them():
    found = one([0.03, 0.01], [2, 100]).quantile(0.975)
    assert found == pytest.approx(0.75 * stats.t.ppf(0.975, 2) + 0.25 * stats.t.ppf(0.975, 100))


@pytest.mark.parametrize("seed", range(20))
def test_at_its_p_value_the_quantile_is_the_statistic(seed):
    rng = np.random.default_rng(seed)
    errors = WeightedT(rng.random((50, 3)) + 1e-3, rng.integers(1, 300, (50, 3)).astype(float))
    means = 3 * errors.error * rng.standard_normal(50)
    p_values = errors.p_values(means)
    above = p_values > 2 * SMALLEST_P
    statistics = np.abs(means) / errors.error
    assert -errors.quantile(p_values / 2)[above] == pytest.approx(statistics[above], rel=1e-3)


def test_a_mean_of_zero_has_a_p_value_of_1():
    assert one([0.03, 0.01], [2, 100]).p_values(np.array([0.0])) == pytest.approx(1)


def test_no_p_value_is_below_the_smallest():
    assert one([1e-9, 1e-9], [50, 900]).p_values(np.array([1.0])) == pytest.approx(SMALLEST_P)
