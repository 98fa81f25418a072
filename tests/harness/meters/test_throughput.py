"""Real tokens a second, on sequences whose answer is known."""

import pytest

from harness.meters.throughput import throughput


def test_equal_steps_give_their_own_rate() -> None:
    found = throughput([0.5] * 20, [100] * 20, warmup_steps=0)

    assert found is not None and (found.median, found.p25, found.p75) == (200.0, 200.0, 200.0)


def test_warm_up_is_dropped() -> None:
    slow_start = throughput([9.0] * 5 + [0.5] * 20, [100] * 25, warmup_steps=5)

    assert slow_start == throughput([0.5] * 20, [100] * 20, warmup_steps=0)


def test_warm_up_that_was_kept_would_show() -> None:
    kept = throughput([9.0] * 5 + [0.5] * 5, [100] * 10, warmup_steps=0)

    assert kept is not None and kept.p25 < 20


def test_one_slow_step_moves_one_window_and_not_the_median() -> None:
    found = throughput([0.5] * 29 + [50.0], [100] * 30, warmup_steps=0)

    assert found is not None and found.median == found.p75 == 200.0


def test_a_window_weighs_its_steps_by_their_time() -> None:
    """Twenty steps are ten windows of two: 100 tokens in 1 s and 300 in 1 s are 200 a second, not 100 and 300."""
    found = throughput([1.0] * 20, [100, 300] * 10, warmup_steps=0)

    assert found is not None and (found.p25, found.median, found.p75) == (200.0, 200.0, 200.0)


def test_quartiles_are_over_windows() -> None:
    found = throughput([1.0] * 10, list(range(100, 1100, 100)), warmup_steps=0)

    assert found is not None and (found.p25, found.median, found.p75) == (325.0, 550.0, 775.0)


@pytest.mark.parametrize("steps", [0, 3])
def test_nothing_after_the_warm_up_is_no_throughput(steps: int) -> None:
    assert throughput([1.0] * steps, [1] * steps, warmup_steps=3) is None
