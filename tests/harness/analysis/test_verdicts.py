"""Verdicts say no more than the data: a supported order, or that there is not enough, and what it would take."""

import numpy as np
import pytest

from harness.analysis.power import Noise
from harness.analysis.quantities import HIGHER, LOWER, NEITHER
from harness.analysis.spread import spread_of
from harness.analysis.uncertainty import Interval
from harness.analysis.verdicts import A_BETTER, ALIKE, B_BETTER, HOPELESS, NOT_ENOUGH, SAME, Verdict, judge

SPREAD = Noise(0.001, 0.02, 0.2).spread(3, 240)


def test_a_supported_difference_says_which_is_better():
    assert judge(Interval(0.1, 0.05, 0.15), "points", HIGHER, 0.01, SPREAD, 0.05).words == A_BETTER
    assert judge(Interval(-0.1, -0.15, -0.05), "points", HIGHER, 0.01, SPREAD, 0.05).words == B_BETTER


def test_of_forgetting_less_is_better():
    assert judge(Interval(0.1, 0.05, 0.15), "points", LOWER, 0.01, SPREAD, 0.05).words == B_BETTER


def test_a_ratio_is_read_against_one():
    assert judge(Interval(0.9, 0.85, 0.95, 0.001), "ratio", LOWER, 0.01, None, 0.05).words == A_BETTER


def test_the_corrected_p_value_decides_not_the_interval():
    assert judge(Interval(0.1, 0.05, 0.15, 0.01), "points", HIGHER, 0.2, SPREAD, 0.05).words == NOT_ENOUGH


def test_not_enough_says_how_many_more_seeds_would_do():
    found = judge(Interval(0.05, -0.02, 0.12, 0.1), "points", HIGHER, 0.1, SPREAD, 0.05)
    assert (found.words, found.more_seeds) == (NOT_ENOUGH, 7)


def test_a_smaller_difference_that_matters_takes_more_seeds():
    interval = Interval(0.05, -0.02, 0.12, 0.1)
    asked = judge(interval, "points", HIGHER, 0.1, SPREAD, 0.05, difference=0.04)
    assert asked.more_seeds > judge(interval, "points", HIGHER, 0.1, SPREAD, 0.05).more_seeds


def test_where_items_vary_too_much_no_number_of_seeds_is_promised():
    spread = Noise(0.001, 0.5, 0.2).spread(3, 100)
    assert judge(Interval(0.02, -0.1, 0.14, 0.7), "points", HIGHER, 0.7, spread, 0.05) == Verdict(
        NOT_ENOUGH, note=HOPELESS
    )


def test_seeds_enough_for_the_difference_asked_for_are_said_to_be():
    found = judge(Interval(0.01, -0.02, 0.04, 0.5), "points", HIGHER, 0.5, SPREAD, 0.05, difference=0.5)
    assert found.note == "a difference of 50.0 points would have shown"


def test_one_seed_promises_nothing():
    spread = spread_of([np.random.default_rng(0).integers(-1, 2, (1, 100)).astype(float)])
    assert judge(Interval(0.02, -0.1, 0.14, 0.7, 1), "points", HIGHER, 0.7, spread, 0.05) == Verdict(NOT_ENOUGH)


@pytest.mark.parametrize(("ratio", "said"), [(0.5, A_BETTER), (1.5, B_BETTER), (1.01, ALIKE), (0.99, ALIKE)])
def test_a_cost_without_an_interval_counts_from_two_percent_on(ratio, said):
    assert judge(Interval(ratio), "ratio", LOWER, None, None, 0.05).words == said


def test_a_quantity_that_is_neither_good_nor_bad_has_no_verdict():
    assert judge(Interval(2.0), "ratio", NEITHER, None, None, 0.05) == Verdict()


def test_answers_that_are_all_the_same_are_said_to_be():
    spread = spread_of([np.zeros((3, 240))])
    assert judge(Interval(0.0, -0.01, 0.01, 1.0), "points", HIGHER, 1.0, spread, 0.05).words == SAME
