"""What differs between two nested mappings."""

from harness.analysis.differing import differing


def test_each_key_that_is_not_equal_is_told_with_both_values():
    assert differing({"a": 1, "b": 2}, {"a": 1, "b": 3}) == [("b", 2, 3)]


def test_what_a_side_lacks_is_none():
    assert differing({"a": 1}, {"b": 2}) == [("a", 1, None), ("b", None, 2)]


def test_within_mappings_and_lists_the_way_is_joined_by_dots():
    first = {"stages": [{"optimizer": {"name": "adamw"}}]}
    second = {"stages": [{"optimizer": {"name": "sgd"}}, {"steps": 3}]}
    assert differing(first, second) == [("stages.0.optimizer.name", "adamw", "sgd"), ("stages.1.steps", None, 3)]


def test_the_same_differs_in_nothing():
    assert differing({"a": {"b": [1, 2]}}, {"a": {"b": [1, 2]}}) == []
