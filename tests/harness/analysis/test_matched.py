"""Forgetting is read at equal gain: what was planted is found, and nothing is claimed where gains do not meet."""

import numpy as np
import pandas as pd
import pytest

from harness.analysis.matched import forgetting_at_matched_gain, run_points


def curve(gains, forgets, n_seeds=3, rng=None, noise=0.01):
    """Runs of an arm, one rate a gain; forgetting is a function of it, or a list."""
    rows = []
    for n, gain in enumerate(gains):
        lost = forgets[n] if isinstance(forgets, list) else forgets(gain)
        for seed in range(n_seeds):
            a, b = noise * rng.standard_normal(2) if rng else (0.0, 0.0)
            rows.append((10.0 ** (n - 5), seed, gain + 2 * a, lost + 0.5 * a + b))
    return pd.DataFrame(rows, columns=["learning_rate", "seed", "gain", "forgetting"])


def steep(gain):
    return 0.10 * gain + 0.02


def flat(gain):
    return 0.10 * gain


def test_an_arm_that_forgets_less_only_because_it_gains_less_is_no_better():
    less, more = curve([0.2, 0.4], flat), curve([0.3, 0.8], flat)
    assert less["forgetting"].mean() < more["forgetting"].mean()
    assert forgetting_at_matched_gain(less, more).interval.estimate == pytest.approx(0)


def test_what_one_forgets_more_at_the_same_gain_is_found():
    found = forgetting_at_matched_gain(curve([0.2, 0.6], steep), curve([0.3, 0.8], flat))
    assert found.interval.estimate == pytest.approx(0.02)
    assert found.common_gains == pytest.approx((0.3, 0.6))


def test_rates_beyond_the_best_are_left_out():
    wasted = curve([0.2, 0.6, 0.4], [0.02, 0.06, 0.5])
    assert forgetting_at_matched_gain(wasted, curve([0.2, 0.6], flat)).interval.estimate == pytest.approx(0)


def test_an_arm_of_one_rate_is_compared_at_its_gain():
    found = forgetting_at_matched_gain(curve([0.5], steep), curve([0.2, 0.8], flat))
    assert found.interval.estimate == pytest.approx(0.02)


def test_gains_that_do_not_meet_are_not_compared():
    found = forgetting_at_matched_gain(curve([0.7, 0.8], flat), curve([0.1, 0.3], flat))
    assert found.interval is None and found.common_gains is None
    assert found.first_gains == pytest.approx((0.7, 0.8))


def test_one_seed_gives_a_difference_without_an_interval():
    found = forgetting_at_matched_gain(curve([0.2, 0.6], steep, 1), curve([0.2, 0.6], flat, 1)).interval
    assert found.estimate == pytest.approx(0.02)
    assert (found.low, found.p_value) == (None, None)


def test_an_arm_without_runs_is_not_compared():
    assert forgetting_at_matched_gain(curve([], flat), curve([0.2, 0.6], flat)) is None


@pytest.mark.parametrize("n_seeds", [2, 3, 5])
def test_its_interval_covers_the_truth_in_93_to_97_of_100_draws(n_seeds):
    covered = 0
    for seed in range(800):
        rng = np.random.default_rng([n_seeds, seed])
        first, second = (curve([0.2, 0.5, 0.8], forgets, n_seeds, rng) for forgets in (steep, flat))
        found = forgetting_at_matched_gain(first, second).interval
        covered += found.low <= 0.02 <= found.high
    assert 0.93 <= covered / 800 <= 0.97


def scored(run_seed, rate, eval_id, value, base_value=0.5, moment="tuned"):
    return {
        **{"arm_id": "a", "seed": run_seed, "learning_rate": rate, "eval_id": eval_id},
        **{"value": value, "base_value": base_value, "moment": moment},
    }


def test_a_runs_gain_and_forgetting_are_means_over_the_tasks_of_each():
    rows = [scored(1, 1e-3, "t1", 0.7), scored(1, 1e-3, "t2", 0.9), scored(1, 1e-3, "g", 0.4)]
    points = run_points(pd.DataFrame(rows), ["t1", "t2"], ["g"])
    assert points.loc[0, ["gain", "forgetting"]].tolist() == pytest.approx([0.3, 0.1])


def test_a_run_that_was_not_scored_on_all_of_them_is_left_out():
    rows = [scored(1, 1e-3, "t", 0.7), scored(1, 1e-3, "g", 0.4), scored(2, 1e-3, "t", 0.7)]
    assert run_points(pd.DataFrame(rows), ["t"], ["g"])["seed"].tolist() == [1]


def test_only_tuned_models_are_points():
    rows = [scored(1, 1e-3, "t", 0.7, moment="merged"), scored(1, 1e-3, "g", 0.4, moment="merged")]
    assert run_points(pd.DataFrame(rows), ["t"], ["g"]).empty


def test_runs_of_several_arms_are_told_apart_by_their_arm():
    rows = [scored(1, 1e-3, "t", 0.7), scored(1, 1e-3, "g", 0.4)]
    points = run_points(pd.DataFrame([*rows, *({**row, "arm_id": "b", "value": 0.5} for row in rows)]), ["t"], ["g"])
    assert points.set_index("arm_id")["gain"].to_dict() == pytest.approx({"a": 0.2, "b": 0.0})
