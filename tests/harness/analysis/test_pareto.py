"""An arm leaves the Pareto set only where the data support that another beats it."""

import numpy as np
import pandas as pd
import pytest

from harness.analysis.outcomes import Outcomes
from harness.analysis.pareto import pareto_set
from harness.analysis.ranking import compare


def pair(difference, low, high, p_value):
    columns = ["first", "second", "difference", "low", "high", "p_value"]
    return pd.DataFrame([("a", "b", difference, low, high, p_value)], columns=columns)


CLEAR = pair(0.10, 0.08, 0.12, 1e-6)
CLOSE = pair(0.005, -0.01, 0.02, 0.4)  # within a point or two, for certain
VAGUE = pair(0.05, -0.05, 0.15, 0.3)


def kept(scores, costs):
    found = pareto_set(["a", "b"], dict(enumerate(scores)), dict(enumerate(costs)))
    return found.index[found["in_set"]].tolist()


def test_better_in_the_score_and_equal_in_cost_dominates():
    assert kept([CLEAR], [{"a": 10.0, "b": 10.0}]) == ["a"]


def test_better_in_the_score_alone_and_dearer_does_not():
    assert kept([CLEAR], [{"a": 20.0, "b": 10.0}]) == ["a", "b"]


def test_an_order_that_the_data_do_not_support_dominates_nothing():
    assert kept([VAGUE], [{"a": 10.0, "b": 10.0}]) == ["a", "b"]


def test_a_score_that_may_be_far_worse_is_not_at_least_as_good_however_cheap_the_arm():
    assert kept([VAGUE], [{"a": 1.0, "b": 10.0}]) == ["a", "b"]


def test_the_same_score_for_certain_at_a_lower_cost_dominates():
    assert kept([CLOSE], [{"a": 1.0, "b": 10.0}]) == ["a"]


def test_the_lower_estimate_is_never_at_least_as_good():
    assert kept([CLOSE], [{"a": 10.0, "b": 1.0}]) == ["a", "b"]


@pytest.mark.parametrize(("cost", "left"), [(1.01, ["a", "b"]), (1.03, ["a"])])
def test_costs_within_two_percent_are_the_same(cost, left):
    assert kept([CLOSE], [{"a": 1.0, "b": cost}]) == left


def test_what_was_not_measured_supports_nothing():
    assert kept([CLEAR], [{"a": 10.0, "b": None}]) == ["a", "b"]
    assert kept([CLEAR], [{"a": None, "b": 10.0}]) == ["a", "b"]


def test_tests_are_corrected_over_all_scores():
    nearly = pair(0.10, 0.03, 0.17, 0.03)
    assert kept([nearly], []) == ["a"]
    assert kept([nearly, pair(0.0, -0.01, 0.01, 1.0)], []) == ["a", "b"]


def test_noise_alone_leaves_every_arm_in_the_set_in_about_95_of_100_tables():
    whole = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        arms = {name: [Outcomes((0, 1, 2), (rng.random((3, 240)) < 0.8).astype(float))] for name in "abcd"}
        whole += pareto_set(list(arms), {"target": compare(arms)}, {})["in_set"].all()
    assert whole >= 90


def test_who_dominates_is_named():
    found = pareto_set(["a", "b"], {"target": CLEAR}, {})
    assert found.loc["b", "dominated_by"] == ["a"]
