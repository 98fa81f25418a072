"""The search finds the largest batch whatever it is and wherever it begins, in few tries."""

from math import ceil, log2

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness.largest_batch.policy import bounds, next_batch, precision

MOST = 1024


def searched(largest: int, start: int, step: int, most: int = MOST, known: dict[int, bool] | None = None) -> list[int]:
    """What is tried, in order, where ``largest`` is the largest that fits."""
    fits, tried = dict(known or {}), []
    while (batch := next_batch(fits, start, step, most)) is not None:
        assert batch not in fits and 1 <= batch <= most
        fits[batch] = batch <= largest
        tried.append(batch)
    low, high = bounds(fits)
    assert low == most or (high is not None and low <= largest < high and high - low <= precision(low))
    return tried


BATCHES = st.integers(1, MOST)


@given(st.integers(0, MOST), BATCHES)
@example(0, 1)
@example(MOST, MOST)
def test_from_any_guess_it_finds_any_largest_batch(largest: int, start: int) -> None:
    for step in (precision(start), start):
        assert len(searched(largest, start, step)) <= 2 * log2(MOST) + 2


@given(st.integers(1, MOST - 1))
def test_a_guess_that_is_right_takes_two_tries(largest: int) -> None:
    assert len(searched(largest, largest, precision(largest))) <= 2


@given(st.integers(2, MOST), st.integers(-3, 3))
def test_a_guess_that_is_off_by_little_takes_few_more(largest: int, off: int) -> None:
    """Steps that double pass it after 1 + log2(1 + off) tries, and what lies between is halved as often."""
    start = min(MOST, max(1, largest + off))
    doubled = ceil(log2(1 + abs(off)))

    assert len(searched(largest, start, precision(start))) <= 2 + 2 * doubled


@given(st.integers(0, MOST), BATCHES, BATCHES)
def test_what_is_known_already_is_not_tried_again(largest: int, start: int, known: int) -> None:
    searched(largest, start, start, known={known: known <= largest})


@pytest.mark.parametrize(
    ("largest", "tried"),
    [
        (0, [2, 1]),
        (2, [2, 4, 3]),
        (13, [2, 4, 8, 16, 12, 14, 13]),
        (40, [2, 4, 8, 16, 32, 64, 48, 40, 44]),
    ],
)
def test_without_a_prediction_it_doubles_and_halves(largest: int, tried: list[int]) -> None:
    assert searched(largest, 2, 2) == tried


@pytest.mark.parametrize(
    ("largest", "tried"), [(11, [11, 12]), (12, [11, 12, 14, 13]), (9, [11, 10, 8, 9]), (0, [11, 10, 8, 4, 2, 1])]
)
def test_from_a_prediction_it_goes_by_ones_at_first(largest: int, tried: list[int]) -> None:
    assert searched(largest, 11, precision(11)) == tried


def test_where_everything_fits_it_ends_at_the_most_that_is_looked_for() -> None:
    assert searched(50, 16, 16, most=50) == [16, 32, 50]


def test_it_looks_for_no_more_than_that_where_something_larger_was_tried_before() -> None:
    assert searched(12, 8, 8, most=8, known={16: False}) == [8]


def test_above_sixteen_an_eighth_is_near_enough() -> None:
    assert searched(43, 40, precision(40)) == [40, 45]


def test_one_that_did_not_fit_below_one_that_did_is_no_bound() -> None:
    assert bounds({4: False, 8: True, 12: False}) == (8, 12)
