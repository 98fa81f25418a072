"""Steps: a planted one is found where it is, and noise alone has none."""

import numpy as np
import pytest

from harness.analysis.steps import find_steps, penalty

N_SERIES = 1000


def noise(rng, n, n_series=N_SERIES):
    return rng.standard_normal((n_series, n))


def found_in(series) -> float:
    """The share of series in which a step is found."""
    return float(np.mean([bool(find_steps(values)) for values in series]))


class TestNoiseAlone:
    @pytest.mark.parametrize("n", [4, 5, 7, 8, 12, 20])
    def test_has_a_step_in_five_percent_of_series_at_most(self, n):
        assert found_in(noise(np.random.default_rng(n), n)) < 0.05 + 3 * np.sqrt(0.05 * 0.95 / N_SERIES)

    @pytest.mark.parametrize("n", [6, 12])
    def test_has_none_whatever_its_unit(self, n):
        series = noise(np.random.default_rng(n), n, 300)
        for scaled in (1e9 * series + 5e9, 1e-9 * series - 1.0):
            assert [bool(find_steps(s)) for s in scaled] == [bool(find_steps(s)) for s in series]

    @pytest.mark.parametrize("n", [8, 20])
    def test_of_few_distinct_values_has_few_steps(self, n):
        items = np.random.default_rng(n).binomial(50, 0.5, size=(500, n)) / 50
        assert found_in(items) < 0.08

    def test_with_one_outlier_has_no_step(self):
        series = noise(np.random.default_rng(3), 12, 200)
        series[:, 5] += 30
        assert found_in(series) < 0.1


class TestAPlantedStep:
    def test_is_found_where_it_is_with_its_levels(self):
        values = [9000.0, 9010, 8995, 9005, 8700, 8710, 8690, 8705]
        (step,) = find_steps(values)
        assert (step.index, step.before, step.after) == (4, 9002.5, 8702.5)

    def test_of_six_standard_deviations_is_nearly_always_found(self):
        series = noise(np.random.default_rng(4), 8, 500)
        series[:, 4:] += 6
        hits = [[step.index for step in find_steps(values)] for values in series]
        assert np.mean([4 in hit for hit in hits]) > 0.9

    def test_of_three_standard_deviations_about_half_of_the_time(self):
        series = noise(np.random.default_rng(5), 8, 500)
        series[:, 4:] += 3
        assert 0.3 < found_in(series) < 0.75

    def test_among_the_last_two_values_is_found(self):
        (step,) = find_steps([1.0, 1.01, 0.99, 1.02, 0.98, 1.0, 2.0, 2.01])
        assert step.index == 6

    def test_two_of_them_are_two(self):
        rng = np.random.default_rng(6)
        values = np.repeat([0.0, 20.0, 5.0], 6) + rng.standard_normal(18)
        assert [step.index for step in find_steps(values)] == [6, 12]


class TestExactValues:
    """Bytes are the same from run to run: nothing of a change in them is noise."""

    @pytest.mark.parametrize("n", [4, 6, 10])
    def test_a_step_between_equal_values_is_found(self, n):
        (step,) = find_steps([20.0] * (n // 2) + [20.4] * (n // 2))
        assert (step.index, step.before, step.after) == (n // 2, 20.0, pytest.approx(20.4))

    @pytest.mark.parametrize("value", [0.0, 0.1, 1e12 + 1 / 3])
    def test_equal_values_have_none(self, value):
        assert find_steps([value] * 10) == []

    def test_one_that_differs_is_no_step(self):
        assert find_steps([5.0, 5.0, 5.0, 6.0, 5.0, 5.0, 5.0]) == []

    def test_a_change_there_and_back_is_no_step(self):
        assert find_steps([5.0, 5.0, 6.0, 6.0, 5.0, 5.0]) == []


class TestShortSeries:
    @pytest.mark.parametrize("values", [[], [1.0], [1.0, 9.0], [1.0, 1.0, 9.0]])
    def test_of_fewer_than_four_values_has_none(self, values):
        assert find_steps(values) == []

    def test_the_last_value_alone_is_none(self):
        assert find_steps([1.0, 1.01, 0.99, 1.0, 1.02, 9.0]) == []


def test_an_unknown_value_raises():
    with pytest.raises(ValueError, match="unknown"):
        find_steps([1.0, float("nan"), 1.0, 1.0])


def test_the_penalty_grows_with_the_noise():
    values = np.array([0.0, 1.0, 0.5, 2.0, 1.5, 0.0])
    assert penalty(3 * values) == pytest.approx(3 * penalty(values))
