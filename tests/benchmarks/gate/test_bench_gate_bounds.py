"""Clopper and Pearson's bounds, on values worked out by hand."""

import pytest

from benchmarks.gate.bounds import lower_bound, upper_bound


def test_none_found_bounds_the_rate_from_above_alone():
    assert upper_bound(0, 100) == pytest.approx(1 - 0.05 ** (1 / 100))
    assert lower_bound(0, 100) == 0.0


def test_all_found_bounds_it_from_below_alone():
    assert lower_bound(32, 32) == pytest.approx(0.05 ** (1 / 32))
    assert upper_bound(32, 32) == 1.0


def test_a_bound_lies_on_its_side_of_the_share_and_closes_in():
    assert lower_bound(95, 100) < lower_bound(950, 1000) < 0.95 < upper_bound(950, 1000) < upper_bound(95, 100)
