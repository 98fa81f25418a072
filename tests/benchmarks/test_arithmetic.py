"""Ratios, targets and scaling: each on numbers worked out by hand."""

import pytest

from benchmarks.arithmetic import (
    ScoringCost,
    Side,
    Target,
    TrainingCost,
    difference,
    largest_difference,
    middle,
)


def test_overhead_is_what_neither_trains_nor_answers() -> None:
    assert Side(wall_seconds=10.0, train_seconds=4.0, score_seconds=3.5).overhead_seconds == 2.5


def test_repeats_give_the_median_of_each_figure() -> None:
    repeats = [Side(9.0, 1.0, 3.0), Side(7.0, 2.0, 1.0), Side(8.0, 3.0, 2.0)]

    assert middle(repeats) == Side(8.0, 2.0, 2.0)


@pytest.mark.parametrize(("value", "met"), [(5.0, True), (4.99, False), (None, None)])
def test_a_ratio_meets_its_target_from_the_target_on(value: float | None, met: bool | None) -> None:
    assert Target("ratio", value, at_least=5.0).met is met


@pytest.mark.parametrize(("value", "met"), [(0.99, True), (1.0, False), (None, None)])
def test_overhead_meets_its_target_under_it(value: float | None, met: bool | None) -> None:
    assert Target("overhead_seconds", value, under=1.0).met is met


def test_a_target_is_written_with_its_bound_and_its_verdict() -> None:
    assert Target("ratio", 4.0, at_least=5.0).as_json() == {"value": 4.0, "at_least": 5.0, "met": False}


def test_accuracies_are_apart_absolutely_and_perplexities_relatively() -> None:
    assert difference(0.5, 0.75) == 0.25
    assert difference(20.0, 25.0) == pytest.approx(0.2)


def test_the_task_that_is_furthest_apart_is_told() -> None:
    assert largest_difference({"a": 0.5, "b": 1.0}, {"a": 0.5, "b": 0.875}) == 0.125


def test_scores_on_other_tasks_are_not_compared() -> None:
    with pytest.raises(KeyError, match="other"):
        largest_difference({"a": 0.5}, {"other": 0.5})


def test_a_script_at_its_own_number_of_steps_takes_what_it_took() -> None:
    cost = TrainingCost.of(wall_seconds=20.0, train_seconds=5.0, steps=100)

    assert cost.seconds(100) == pytest.approx(20.0)


def test_steps_scale_and_start_up_does_not() -> None:
    cost = TrainingCost.of(wall_seconds=20.0, train_seconds=5.0, steps=100)

    assert cost.seconds(300) == pytest.approx(15.0 + 15.0)
    assert cost.at(0.5).seconds(100) == pytest.approx(15.0 + 2.5)


def test_items_scale_and_start_up_does_not() -> None:
    cost = ScoringCost.of(wall_seconds=22.0, score_seconds=2.0, items=1000)

    assert cost.seconds(1000) == pytest.approx(22.0)
    assert cost.seconds(500) == pytest.approx(21.0)
