"""A planted order is found, noise is a tie, and the letters say exactly what the tests say."""

import itertools

import numpy as np
import pandas as pd
import pytest

from harness.analysis.outcomes import Outcomes
from harness.analysis.ranking import compact_letters, compare, places


def arm(rng, accuracy, n_seeds=3, n_items=240, seed_sd=0.02):
    chances = accuracy + seed_sd * rng.standard_normal((n_seeds, 1))
    return [Outcomes(tuple(range(n_seeds)), (rng.random((n_seeds, n_items)) < chances).astype(float))]


def letters_of(pairs, arms):
    differing = pairs[pairs["differs"]]
    return compact_letters(arms, zip(differing["first"], differing["second"], strict=True))


def test_a_planted_order_is_found():
    rng = np.random.default_rng(0)
    arms = {"full": arm(rng, 0.95), "lora": arm(rng, 0.80), "base": arm(rng, 0.20)}
    assert places(compare(arms), arms) == {"full": 1, "lora": 2, "base": 3}


def test_pure_noise_is_a_tie_in_about_95_of_100_tables():
    ties = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        ties += not compare({name: arm(rng, 0.8) for name in "abcd"})["differs"].any()
    assert ties >= 184


def test_a_tied_arm_keeps_the_place_of_the_best_that_is_not_supported_as_better():
    rng = np.random.default_rng(3)
    arms = {"a": arm(rng, 0.9), "b": arm(rng, 0.9), "c": arm(rng, 0.5)}
    assert places(compare(arms), arms) == {"a": 1, "b": 1, "c": 3}


def test_an_untrained_model_is_compared_with_every_seed():
    rng = np.random.default_rng(4)
    base = [Outcomes((), (rng.random((1, 240)) < 0.2).astype(float))]
    pairs = compare({"base": base, "lora": arm(rng, 0.8)})
    assert pairs["differs"].all()
    assert pairs["difference"].item() == pytest.approx(-0.6, abs=0.08)


def test_arms_with_one_score_and_no_items_are_not_told_apart():
    pairs = compare({"a": [Outcomes((1,), np.array([[0.9]]))], "b": [Outcomes((1,), np.array([[0.1]]))]})
    assert not pairs["differs"].any()


def some_seeds(outcomes, *seeds):
    return Outcomes(seeds, outcomes.table[[outcomes.seeds.index(seed) for seed in seeds]])


def test_an_eval_that_one_arm_answered_at_fewer_seeds_counts_at_those():
    rng = np.random.default_rng(6)
    (first,), (second,), others = arm(rng, 0.9), arm(rng, 0.9), [arm(rng, 0.5)[0] for _ in range(2)]
    ragged = compare({"a": [first, some_seeds(second, 0, 2)], "b": others})
    at_those = [some_seeds(outcomes, 0, 2) for outcomes in (first, second, *others)]
    expected = compare({"a": at_those[:2], "b": at_those[2:]})
    pd.testing.assert_frame_equal(ragged, expected)


def test_arms_that_no_seed_answered_all_evals_of_are_not_told_apart_from_any():
    rng = np.random.default_rng(7)
    (whole,), (other,) = arm(rng, 0.9), arm(rng, 0.1)
    arms = {
        "a": [whole, whole],
        "b": [some_seeds(other, 0, 1), some_seeds(other, 2)],
        "c": [other, other],
    }
    pairs = compare(arms).set_index(["first", "second"])
    assert pairs["differs"].to_dict() == {("a", "b"): False, ("a", "c"): True, ("b", "c"): False}
    assert pairs["p_value"].notna().to_dict() == {("a", "b"): False, ("a", "c"): True, ("b", "c"): False}
    assert places(compare(arms), arms) == {"a": 1, "b": 1, "c": 2}


def test_one_arm_alone_makes_no_pair():
    assert compare({"a": [Outcomes((1,), np.array([[0.9]]))]}).empty


def test_letters_of_a_chain_overlap():
    assert compact_letters(["a", "b", "c"], [("a", "c")]) == {"a": "a", "b": "ab", "c": "b"}


def test_letters_without_a_difference_are_all_the_same():
    assert compact_letters(["a", "b", "c"], []) == {"a": "a", "b": "a", "c": "a"}


def test_the_best_arm_carries_the_first_letter():
    arms = ["top", "middle", "low"]
    assert compact_letters(arms, itertools.combinations(arms, 2)) == {"top": "a", "middle": "b", "low": "c"}


@pytest.mark.parametrize("seed", range(40))
def test_two_arms_share_a_letter_exactly_if_they_can_not_be_told_apart(seed):
    rng = np.random.default_rng(seed)
    arms = [f"arm {n}" for n in range(8)]
    differing = {pair for pair in itertools.combinations(arms, 2) if rng.random() < 0.4}
    letters = compact_letters(arms, differing)
    for first, second in itertools.combinations(arms, 2):
        assert bool(set(letters[first]) & set(letters[second])) == ((first, second) not in differing)


def test_three_seeds_are_enough_to_tell_plain_differences_in_a_table_of_ten_arms():
    rng = np.random.default_rng(5)
    accuracies = [0.2, 0.5, *[0.9] * 8]
    arms = {f"{n}": arm(rng, accuracy) for n, accuracy in enumerate(accuracies)}
    pairs = compare(arms)
    apart = [accuracies[int(a)] != accuracies[int(b)] for a, b in zip(pairs["first"], pairs["second"], strict=True)]
    assert (pairs["differs"] == apart).all()


def test_noise_is_a_tie_when_some_arms_vary_far_more_than_others():
    ties = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        arms = {f"{n}": arm(rng, 0.7, seed_sd=sd) for n, sd in enumerate([0.005] * 4 + [0.1] * 4)}
        ties += not compare(arms)["differs"].any()
    assert ties >= 90
