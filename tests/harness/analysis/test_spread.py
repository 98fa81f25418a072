"""The parts of a mean's variance are those that were planted, for one pair of arms as for all of them at once."""

import itertools

import numpy as np
import pytest

from harness.analysis.spread import spread_of, spreads_of_pairs


def planted(rng, seed_sd, item_sd, luck_sd, shape=(6, 300)):
    seeds, items = rng.standard_normal((shape[0], 1)), rng.standard_normal((1, shape[1]))
    return seed_sd * seeds + item_sd * items + luck_sd * rng.standard_normal(shape)


def test_each_planted_part_is_found_on_average():
    rng = np.random.default_rng(0)
    found = [spread_of([planted(rng, 0.1, 0.5, 0.8)]) for _ in range(600)]
    assert np.mean([one.luck_variance for one in found]) == pytest.approx(0.8**2 / 1800, rel=0.02)
    assert np.mean([one.item_variance for one in found]) == pytest.approx(0.5**2 / 300, rel=0.05)
    assert np.mean([one.seed_variance for one in found]) == pytest.approx(0.1**2 / 6 + 0.8**2 / 1800, rel=0.1)


def test_the_mean_of_two_tasks_has_half_of_each_ones_spread():
    block = planted(np.random.default_rng(1), 0.0, 0.5, 0.5)
    one, two = spread_of([block]), spread_of([block, block])
    assert two.mean == pytest.approx(one.mean)
    assert two.item_variance == pytest.approx(one.item_variance / 2)
    assert two.effective_items == 600


def test_all_pairs_at_once_are_each_pair_alone():
    rng = np.random.default_rng(2)
    tables = [(rng.random((5, 4, n)) < 0.7).astype(float) for n in (60, 30)]
    together = spreads_of_pairs(tables)
    for n, (first, second) in enumerate(itertools.combinations(range(5), 2)):
        alone = spread_of([table[first] - table[second] for table in tables])
        assert vars(together[n]) == pytest.approx(vars(alone))


def test_arms_that_answer_alike_have_no_variance_at_all():
    table = np.repeat((np.random.default_rng(3).random((1, 3, 70)) < 0.6).astype(float), 2, axis=0)
    (found,) = spreads_of_pairs([table])
    assert (found.mean, found.variance) == (0, 0)


def test_blocks_without_items_are_refused():
    with pytest.raises(ValueError, match="hold items"):
        spread_of([np.ones((3, 0))])
