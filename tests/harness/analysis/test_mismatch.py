"""Why two arms share no task is said by name: version, items or decoding."""

from harness.analysis.mismatch import mismatches


def fact(task, version="1", items="abcdef0123456789", decoding="{}"):
    return {"task": task, "task_version": version, "item_digest": items, "decoding": decoding}


def test_what_both_were_scored_on_is_no_mismatch():
    assert mismatches(["a"], ["a"], {"a": fact("facts")}) == []


def test_another_version_is_named():
    evals = {"a": fact("facts"), "b": fact("facts", version="2")}
    assert mismatches(["a"], ["b"], evals) == ["facts: version 1 against 2"]


def test_other_items_are_named_by_the_starts_of_their_digests():
    evals = {"a": fact("facts"), "b": fact("facts", items="9876543210fedcba")}
    assert mismatches(["a"], ["b"], evals) == ["facts: other items (abcdef01 against 98765432)"]


def test_another_template_is_named():
    evals = {"a": fact("facts"), "b": fact("facts", decoding='{"batch": 8}')}
    assert mismatches(["a"], ["b"], evals) == ["facts: another template or decoding"]


def test_a_task_that_only_one_was_scored_on_says_which():
    evals = {"a": fact("facts"), "b": fact("sums")}
    assert mismatches(["a"], ["b"], evals) == ["facts: only A was scored on it", "sums: only B was scored on it"]
