"""Intervals over seeds and items cover what they claim, and are sound where nothing varies."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import ndtri

from harness.analysis.spread import spread_of
from harness.analysis.uncertainty import (
    ONE_SEED,
    difference_interval,
    difference_intervals,
    proportion_interval,
    value_interval,
)

N_ITEMS = 240
N_DRAWS = 1200
N_DIFFERENCES = 2500


def outcomes(rng, n_seeds, accuracies, seed_sd, n_items=N_ITEMS):
    """Right or wrong of several arms (arms, seeds, items), by a latent normal: items, seeds and luck add up.

    Half of the latent variance is the item's, most of it the same for every arm: so alike are two seeds' mistakes.
    Accuracies are the true means over seeds and items.
    """
    shape = (len(accuracies), n_seeds, n_items)
    items = np.sqrt(0.4) * rng.standard_normal((1, 1, n_items))
    items = items + np.sqrt(0.1) * rng.standard_normal((len(accuracies), 1, n_items))
    luck = np.sqrt(0.5) * rng.standard_normal(shape)
    z = ndtri(np.asarray(accuracies))[:, None, None]
    sd = seed_sd / stats.norm.pdf(z)
    seeds = sd * rng.standard_normal((len(accuracies), n_seeds, 1))
    return (z * np.sqrt(1 + sd**2) + items + seeds + luck > 0).astype(float)


@pytest.mark.parametrize("n_seeds", [3, 5, 10])
@pytest.mark.parametrize(("accuracy", "seed_sd"), [(0.6, 0.05), (0.8, 0.04), (0.95, 0.02)])
def test_the_interval_of_a_score_covers_the_truth_in_93_to_97_of_100_draws(n_seeds, accuracy, seed_sd):
    rng = np.random.default_rng([n_seeds, int(100 * accuracy)])
    found = [proportion_interval([outcomes(rng, n_seeds, [accuracy], seed_sd)[0]]) for _ in range(N_DRAWS)]
    covered = np.mean([interval.low <= accuracy <= interval.high for interval in found])
    assert 0.93 <= covered <= 0.97


@pytest.mark.parametrize("n_seeds", [3, 5, 10])
@pytest.mark.parametrize(
    ("accuracies", "seed_sd", "n_items"),
    [
        ((0.65, 0.6), 0.05, 240),
        ((0.85, 0.8), 0.03, 240),
        ((0.95, 0.9), 0.02, 240),
        ((0.8, 0.8), 0.0, 240),  # seeds alike
        ((0.8, 0.7), 0.1, 240),  # seeds that vary far more than items
        ((0.7, 0.6), 0.03, 48),
        ((0.7, 0.65), 0.01, 1000),
    ],
)
def test_the_interval_of_a_difference_covers_the_truth_in_93_to_97_of_100_draws(n_seeds, accuracies, seed_sd, n_items):
    rng = np.random.default_rng([n_seeds, int(100 * accuracies[0]), n_items])
    draws = (outcomes(rng, n_seeds, accuracies, seed_sd, n_items) for _ in range(N_DIFFERENCES))
    found = difference_intervals([spread_of([first - second]) for first, second in draws])
    truth = accuracies[0] - accuracies[1]
    covered = np.mean([interval.low <= truth <= interval.high for interval in found])
    assert 0.93 <= covered <= 0.97  # the standard error of this is 0.4 points


@pytest.mark.parametrize("n_seeds", [3, 10])
def test_the_mean_of_several_tasks_covers_the_truth(n_seeds):
    rng = np.random.default_rng(n_seeds)
    found = []
    for _ in range(N_DRAWS):
        blocks = [outcomes(rng, n_seeds, [p], 0.03, n_items=n)[0] for p, n in ((0.9, 200), (0.7, 100))]
        found.append(proportion_interval(blocks))
    covered = np.mean([interval.low <= 0.8 <= interval.high for interval in found])
    assert 0.93 <= covered <= 0.97


def test_seeds_widen_the_interval_beyond_what_the_items_alone_say():
    rng = np.random.default_rng(0)
    table = outcomes(rng, 3, [0.8], 0.05)[0]
    pooled = stats.binomtest(int(table.sum()), table.size).proportion_ci(method="wilson")
    found = proportion_interval([table])
    assert found.high - found.low > 1.5 * (pooled.high - pooled.low)


def test_one_seed_is_the_wilson_interval_of_its_items_and_says_so():
    table = np.repeat([[1.0, 0.0]], 120, axis=0).reshape(1, -1)
    found = proportion_interval([table])
    wilson = stats.binomtest(120, 240).proportion_ci(method="wilson")
    assert (found.low, found.high) == pytest.approx((wilson.low, wilson.high), abs=1e-3)
    assert found.flag == ONE_SEED


@pytest.mark.parametrize("outcome", [0.0, 1.0])
def test_equal_outcomes_give_the_wilson_interval_of_the_items_not_of_seeds_times_items(outcome):
    found = proportion_interval([np.full((5, 48), outcome)])
    wilson = stats.binomtest(int(48 * outcome), 48).proportion_ci(method="wilson")
    assert (found.low, found.high) == pytest.approx((wilson.low, wilson.high))


def test_arms_that_answer_alike_differ_by_at_most_what_the_items_could_hide():
    (found,) = difference_intervals([spread_of([np.zeros((3, 240))])])
    assert found.low == -found.high < 0
    assert found.high == pytest.approx(0.0158, abs=1e-3)
    assert found.p_value == 1


def test_seeds_whose_errors_cancel_out_do_not_shrink_the_interval_to_nothing():
    found = proportion_interval([np.array([[1.0, 0.0] * 20, [0.0, 1.0] * 20])])
    assert found.high - found.low > 0.2


def test_without_items_the_seeds_alone_give_students_interval():
    scores = np.array([[0.71], [0.78], [0.74]])
    found = value_interval([scores])
    expected = stats.t.interval(0.95, 2, scores.mean(), stats.sem(scores[:, 0]))
    assert (found.low, found.high) == pytest.approx(expected)


def test_seeds_whose_mean_differences_agree_by_luck_still_leave_an_interval():
    found = difference_interval([np.array([[1.0, -1.0] * 20, [-1.0, 1.0] * 20])])
    assert found.low < -0.5 < 0.5 < found.high


def test_one_seed_without_items_has_no_interval():
    found = value_interval([np.array([[0.7]])])
    assert (found.estimate, found.low, found.high) == (0.7, None, None)


def test_the_p_value_is_below_5_percent_where_the_interval_leaves_out_zero():
    rng = np.random.default_rng(1)
    for _ in range(300):
        first, second = outcomes(rng, 3, (0.85, 0.8), 0.02)
        (found,) = difference_intervals([spread_of([first - second])])
        assert (found.p_value < 0.05) == (found.low > 0 or found.high < 0)


def test_many_differences_at_once_have_the_intervals_of_each_alone():
    rng = np.random.default_rng(3)
    blocks = [np.subtract(*outcomes(rng, 3, (0.8, 0.7), 0.03)) for _ in range(5)] + [np.zeros((3, 240))]
    together = difference_intervals([spread_of([block]) for block in blocks])
    alone = [difference_interval([block]) for block in blocks]
    assert [(one.low, one.high) for one in together] == [(one.low, one.high) for one in alone]


def test_noise_is_called_a_difference_in_about_5_of_100_draws():
    rng = np.random.default_rng(2)
    p_values = []
    for _ in range(N_DRAWS):
        first, second = outcomes(rng, 3, (0.8, 0.8), 0.03)
        p_values.append(difference_intervals([spread_of([first - second])])[0].p_value)
    assert 0.03 <= np.mean(np.array(p_values) < 0.05) <= 0.07


def test_blocks_of_different_seeds_are_refused():
    with pytest.raises(ValueError, match="share their seeds"):
        proportion_interval([np.ones((2, 5)), np.ones((3, 5))])
