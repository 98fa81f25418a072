"""Scores of which no items were kept: intervals from the number of items, differences that are not paired."""

import numpy as np
import pytest
from scipy.stats import binomtest, fisher_exact

from harness.analysis import effects
from harness.analysis.outcomes import Outcomes
from harness.analysis.ranking import compare
from harness.analysis.shares import counted, spread_of_difference
from harness.analysis.uncertainty import ONE_SEED, difference_intervals

N_DRAWS = 2000


def share(right: int, n_items: int, seeds: tuple[int, ...] = (1,)) -> Outcomes:
    return Outcomes(seeds, np.array([[right / n_items]]), n_items)


def p_value(first: Outcomes, second: Outcomes) -> float:
    (interval,) = difference_intervals([spread_of_difference([first], [second])])
    assert interval.p_value is not None
    return interval.p_value


class TestAScore:
    @pytest.mark.parametrize(("right", "n_items"), [(631, 1319), (0, 1319), (50, 50), (60, 200)])
    def test_has_wilsons_interval(self, right, n_items):
        found = effects.score([share(right, n_items)])
        wilson = binomtest(right, n_items).proportion_ci(method="wilson")
        assert (found.low, found.high) == pytest.approx((wilson.low, wilson.high), abs=0.3 / n_items)

    def test_has_the_interval_that_its_items_would_give(self):
        items = np.repeat([1.0, 0.0], [630, 370])[None, :]
        known, unknown = effects.score([Outcomes((1,), items)]), effects.score([share(630, 1000)])
        assert (unknown.low, unknown.high) == pytest.approx((known.low, known.high), abs=1e-9)

    def test_of_one_seed_says_so_and_of_a_base_does_not(self):
        assert effects.score([share(5, 10)]).flag == ONE_SEED
        assert effects.score([share(5, 10, seeds=())]).flag is None

    def test_over_two_tasks_is_narrower_than_over_one(self):
        one, two = effects.score([share(50, 100)]), effects.score([share(50, 100), share(50, 100)])
        assert two.high - two.low < one.high - one.low

    def test_of_an_unknown_number_of_items_has_no_interval(self):
        assert effects.score([Outcomes((1,), np.array([[0.5]]))]).low is None

    def test_of_several_seeds_varies_as_the_seeds_do(self):
        seeds = Outcomes((1, 2, 3), np.array([[0.5], [0.5], [0.5]]), 10)
        assert not counted(seeds)


class TestADifference:
    @pytest.mark.parametrize("accuracy", [0.02, 0.5, 0.9])
    def test_that_is_none_is_claimed_in_five_percent_at_most(self, accuracy):
        rng = np.random.default_rng(1)
        draws = rng.binomial(1319, accuracy, size=(N_DRAWS, 2))
        claimed = np.mean([p_value(share(a, 1319), share(b, 1319)) < 0.05 for a, b in draws])
        assert 0.02 < claimed < 0.065

    @pytest.mark.parametrize(("first", "second"), [(0, 6), (0, 12), (600, 660), (1319, 1310)])
    def test_has_nearly_fishers_p_value(self, first, second):
        table = [[first, 1319 - first], [second, 1319 - second]]
        exact = fisher_exact(table).pvalue
        assert p_value(share(first, 1319), share(second, 1319)) == pytest.approx(exact, rel=0.4, abs=0.005)

    def test_takes_more_than_a_paired_one(self):
        rng = np.random.default_rng(2)
        answers = (rng.random(1000) < 0.5).astype(float)
        better = np.maximum(answers, rng.random(1000) < 0.04)
        paired = effects.spread_between([Outcomes((1,), better[None])], [Outcomes((1,), answers[None])])
        shares = effects.spread_between([share(int(better.sum()), 1000)], [share(int(answers.sum()), 1000)])
        assert shares.mean == pytest.approx(paired.mean)
        of_shares, of_pairs = difference_intervals([shares, paired])
        assert of_shares.p_value > of_pairs.p_value

    def test_of_two_certain_models_is_not_certain(self):
        assert p_value(share(0, 5), share(5, 5)) > 1e-6


class TestARanking:
    def test_tells_arms_apart_that_are_far_apart(self):
        table = compare({"good": [share(690, 1319)], "poor": [share(400, 1319)], "near": [share(670, 1319)]})
        differs = {(row["first"], row["second"]): row["differs"] for _, row in table.iterrows()}
        assert differs == {("good", "poor"): True, ("good", "near"): False, ("poor", "near"): True}
