"""The training order gives each source its share, every example in turn, and follows from the seed alone."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.data.order import order
from harness.errors import UserError

sources = st.lists(st.tuples(st.integers(1, 12), st.floats(0.01, 10)), min_size=1, max_size=4)


@given(sources, st.integers(1, 80), st.integers(0, 3))
def test_each_source_gets_its_share_and_uses_its_examples_evenly(drawn, total, seed):
    sizes, shares = [size for size, _ in drawn], [share for _, share in drawn]
    pairs = order(sizes, shares, total, seed)
    assert len(pairs) == total
    for source, (size, share) in enumerate(drawn):
        stream = [example for owner, example in pairs if owner == source]
        assert abs(len(stream) - total * share / sum(shares)) < 1 + 1e-6
        for start in range(0, len(stream) - size + 1, size):
            assert sorted(stream[start : start + size]) == list(range(size))
        uses = [Counter(stream)[example] for example in range(size)]
        assert max(uses) - min(uses) <= 1


@given(sources, st.integers(1, 80), st.integers(0, 3))
def test_the_same_seed_gives_the_same_order(drawn, total, seed):
    arguments = [size for size, _ in drawn], [share for _, share in drawn], total, seed
    assert order(*arguments) == order(*arguments)


def test_the_order_of_a_seed_is_the_same_for_ever():
    assert order([3, 2], [0.5, 0.5], 6, seed=0) == [(0, 1), (1, 0), (1, 1), (0, 0), (0, 2), (1, 1)]


def test_another_seed_gives_another_order():
    assert order([50], [1], 50, seed=0) != order([50], [1], 50, seed=1)


def test_each_epoch_has_its_own_order():
    pairs = order([50], [1], 100, seed=0)
    assert pairs[:50] != pairs[50:]


def test_two_sources_of_one_size_are_shuffled_apart():
    pairs = order([50, 50], [1, 1], 100, seed=0)
    first, second = ([example for owner, example in pairs if owner == source] for source in (0, 1))
    assert first != second


def test_sources_are_mixed_from_beginning_to_end():
    owners = [owner for owner, _ in order([100, 100], [1, 1], 200, seed=0)]
    assert 30 < sum(owners[:100]) < 70


def test_largest_remainders_get_what_is_left_and_ties_go_to_the_earlier():
    counts = Counter(owner for owner, _ in order([9, 9, 9], [0.25, 0.25, 0.5], 10, seed=0))
    assert counts == {0: 3, 1: 2, 2: 5}


def test_a_share_of_zero_leaves_a_source_out_even_an_empty_one():
    assert {owner for owner, _ in order([0, 5], [0, 1], 20, seed=0)} == {1}


@pytest.mark.parametrize(
    ("sizes", "shares", "total", "told"),
    [
        ([], [], 5, "0 sources"),
        ([1, 2], [1], 5, "2 sources with 1 shares"),
        ([1], [1], 0, "must be 1 or more"),
        ([1], [0], 5, "not all 0"),
        ([1, 1], [1, -1], 5, "0 or more"),
        ([1], [float("nan")], 5, "0 or more"),
        ([1], [float("inf")], 5, "0 or more"),
        ([1, 0], [1, 1], 5, "source 1 has no examples"),
    ],
)
def test_wrong_input_is_told(sizes, shares, total, told):
    with pytest.raises(UserError, match=told):
        order(sizes, shares, total, seed=0)
