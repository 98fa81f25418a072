"""The signed-rank interval is the textbook's, keeps its promise in simulations, and shrugs at outliers."""

import numpy as np
import pytest
from scipy.stats import wilcoxon

from harness.analysis.signed_rank import EXACT, hodges_lehmann, signed_rank_p, values_needed


def coverage(n: int, level: float, draw, trials: int = 2000) -> float:
    rng = np.random.default_rng(n)
    found = [hodges_lehmann(draw(rng, n) + 0.3, level) for _ in range(trials)]
    return float(np.mean([one.low <= 0.3 <= one.high for one in found]))


def test_the_p_value_is_scipys():
    x = np.random.default_rng(0).normal(0.4, 1, 17)
    assert signed_rank_p(x) == pytest.approx(wilcoxon(x).pvalue, rel=1e-9)


def test_a_known_example():
    # Darwin's maize, the differences of 15 pairs: Hollander and Wolfe give 3.125 and an interval of [0.5, 5.2] inches.
    eighths = np.array([49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48])
    found = hodges_lehmann(eighths / 8)
    assert found.estimate == pytest.approx(3.125)
    assert (found.low, found.high) == (pytest.approx(0.5), pytest.approx(5.1875))


@pytest.mark.parametrize(("level", "fewest"), [(0.05, 6), (0.01, 8), (0.005, 9)])
def test_too_few_values_give_no_interval(level, fewest):
    x = np.arange(1.0, 20)
    assert values_needed(level) == fewest
    assert hodges_lehmann(x[: fewest - 1], level).low is None
    assert hodges_lehmann(x[:fewest], level).low == 1.0


@pytest.mark.parametrize("n", [8, 20, EXACT, EXACT + 1, 100])
@pytest.mark.parametrize("draw", [lambda rng, n: rng.normal(size=n), lambda rng, n: rng.standard_t(2, n)])
def test_intervals_cover_what_they_say_or_a_little_more(n, draw):
    assert 0.94 <= coverage(n, 0.05, draw) <= 0.975


def test_the_interval_excludes_zero_exactly_where_the_p_value_is_below_the_level():
    rng = np.random.default_rng(1)
    for _ in range(300):
        x = rng.normal(0.6, 1, 12)
        found = hodges_lehmann(x, 0.05)
        assert (found.low > 0 or found.high < 0) == (found.p_value <= 0.05)


def test_an_outlier_moves_the_middle_little():
    calm = np.array([0.01, 0.02, 0.00, 0.01, 0.03, 0.02, 0.01, 0.02, 0.01, 0.00])
    wild = calm.copy()
    wild[0] = 5.0
    assert hodges_lehmann(wild).estimate == pytest.approx(hodges_lehmann(calm).estimate, abs=0.01)


def test_all_zero_is_no_difference():
    found = hodges_lehmann(np.zeros(10))
    assert (found.estimate, found.low, found.high, found.p_value) == (0.0, 0.0, 0.0, 1.0)


def test_no_values_are_an_error():
    with pytest.raises(ValueError, match="no values"):
        hodges_lehmann([])
