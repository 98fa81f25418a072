"""The power that is promised is the power that simulation finds, and what can't be reached is not promised."""

import numpy as np
import pytest

from harness.analysis.power import (
    Noise,
    items_needed,
    noise_of,
    power,
    repeats_needed,
    seeds_needed,
    smallest_difference,
)
from harness.analysis.repeats import ratio_interval
from harness.analysis.spread import spread_of
from harness.analysis.uncertainty import difference_intervals

N_DRAWS = 1500


def draws(rng, noise, seeds, items, difference=0.0, n=N_DRAWS):
    """Blocks of differences with planted noise, (seeds, items) each."""
    for _ in range(n):
        block = difference + noise.seed**0.5 * rng.standard_normal((seeds, 1))
        block = block + noise.item**0.5 * rng.standard_normal((1, items))
        yield block + noise.residual**0.5 * rng.standard_normal((seeds, items))


def seen(rng, noise, seeds, items, difference):
    found = difference_intervals([spread_of([block]) for block in draws(rng, noise, seeds, items, difference)])
    return np.mean([one.p_value < 0.05 for one in found])


NOISES = [Noise(0.0004, 0.02, 0.2), Noise(0.001, 0.0, 0.1), Noise(0.0001, 0.05, 0.3)]


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("wanted", [0.8, 0.9])
def test_the_seeds_that_are_asked_for_see_the_difference_as_often_as_promised(noise, wanted):
    spread = noise.spread(3, 240)
    needed = seeds_needed(spread, 0.06, wanted)
    found = seen(np.random.default_rng(needed), noise, needed, 240, 0.06)
    assert found == pytest.approx(power(noise.spread(needed, 240), 0.06), abs=0.05)
    assert found >= wanted - 0.04


def test_the_items_that_are_asked_for_see_the_difference_as_often_as_promised():
    noise = Noise(0.0001, 0.05, 0.2)
    needed = items_needed(noise.spread(5, 240), 0.04)
    assert seen(np.random.default_rng(1), noise, 5, needed, 0.04) == pytest.approx(0.8, abs=0.06)


def test_one_seed_fewer_would_not_do():
    spread = NOISES[0].spread(3, 240)
    needed = seeds_needed(spread, 0.05)
    assert power(NOISES[0].spread(needed, 240), 0.05) >= 0.8 > power(NOISES[0].spread(needed - 1, 240), 0.05)


def test_no_number_of_seeds_helps_where_the_items_vary_too_much():
    assert seeds_needed(Noise(0.0001, 0.5, 0.1).spread(3, 100), 0.02) is None


def test_no_number_of_items_helps_where_the_seeds_vary_too_much():
    assert items_needed(Noise(0.01, 0.1, 0.1).spread(3, 100), 0.02) is None


def test_one_seed_says_nothing_of_the_noise_between_seeds():
    spread = spread_of([np.random.default_rng(0).standard_normal((1, 100))])
    assert noise_of(spread) is None
    assert (seeds_needed(spread, 0.1), items_needed(spread, 0.1), smallest_difference(spread)) == (None, None, None)


def test_the_noise_that_was_planted_is_found_on_average():
    planted = Noise(0.0025, 0.09, 0.25)
    found = [noise_of(spread_of([block])) for block in draws(np.random.default_rng(2), planted, 5, 200, n=300)]
    means = [np.mean([getattr(one, part) for one in found]) for part in ("seed", "item", "residual")]
    assert means == pytest.approx([0.0025, 0.09, 0.25], rel=0.15)


def test_the_smallest_difference_is_seen_with_the_chance_asked_for():
    spread = NOISES[0].spread(5, 240)
    assert power(spread, smallest_difference(spread, 0.9)) == pytest.approx(0.9, abs=0.005)


def test_a_stricter_level_takes_more_seeds():
    spread = NOISES[0].spread(3, 240)
    assert seeds_needed(spread, 0.05, level=0.05 / 20) > seeds_needed(spread, 0.05)


def test_a_difference_of_zero_needs_no_seeds():
    assert seeds_needed(NOISES[0].spread(3, 240), 0.0) is None


@pytest.mark.parametrize("difference", [0.5, 1.0])
def test_far_out_in_a_tail_a_difference_is_certain(difference):
    assert power(Noise(1e-6, 0.0, 0.1).spread(50, 1000), difference) == pytest.approx(1.0)


class TestRepeats:
    def measured(self, rng, mean, sd, runs):
        return (mean * np.exp(sd * rng.standard_normal(runs))).tolist()

    def noisy(self, sd):
        """Three measurements that vary by just so much."""
        return np.exp(sd * np.array([-1.0, 0.0, 1.0])).tolist()

    def test_as_many_as_are_asked_for_see_the_ratio_as_often_as_promised(self):
        needed = repeats_needed(self.noisy(0.02), self.noisy(0.01), 1.03)
        rng = np.random.default_rng(3)
        pairs = [(self.measured(rng, 1.03, 0.02, needed), self.measured(rng, 1.0, 0.01, needed)) for _ in range(1000)]
        seen = np.mean([ratio_interval(*pair).p_value < 0.05 for pair in pairs])
        assert seen == pytest.approx(0.8, abs=0.1)
        assert seen >= 0.76

    def test_a_larger_ratio_takes_fewer_either_way_round(self):
        noise = self.noisy(0.02), self.noisy(0.02)
        assert repeats_needed(*noise, 1.1) < repeats_needed(*noise, 1.02)
        assert repeats_needed(*noise, 1 / 1.02) == repeats_needed(*noise, 1.02)

    def test_bytes_that_are_the_same_every_time_take_two(self):
        assert repeats_needed([5.0, 5.0], [7.0, 7.0], 1.02) == 2

    def test_a_single_run_shows_no_noise(self):
        assert repeats_needed([5.0], [7.0, 7.1], 1.02) is None

    def test_noise_beyond_all_measure_takes_more_than_anybody_makes(self):
        assert repeats_needed([1.0, 9.0], [1.0, 9.0], 1.001) is None
