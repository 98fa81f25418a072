"""A split is fixed by its seed, loses nothing, and never parts what has the same prompt."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.data.digest import examples_digest
from harness.data.split import split
from harness.data.words import opening, words
from harness.errors import UserError

NAMES = ("train", "validation", "test")


def numbered(prompts: list[str]) -> list[dict[str, str]]:
    return [{"prompt": prompt, "completion": str(place)} for place, prompt in enumerate(prompts)]


HUNDRED = numbered([f"prompt {place}" for place in range(100)])

prompts = st.lists(st.sampled_from("abcdefghijkl"), min_size=1, max_size=60)
shares = st.floats(0.05, 0.4)


@given(prompts, st.integers(0, 5), shares, shares)
def test_a_split_keeps_every_example_once_and_each_prompt_on_one_side(drawn, seed, validation, test):
    examples = numbered(drawn)
    try:
        parts = split(examples, seed, validation, test)
    except UserError:
        return
    places = [int(example["completion"]) for name in NAMES for example in parts[name]]
    assert sorted(places) == list(range(len(examples)))
    seen = [{example["prompt"] for example in parts[name]} for name in NAMES]
    assert not (seen[0] & seen[1] or seen[0] & seen[2] or seen[1] & seen[2])
    assert len(parts["validation"]) <= max(1, round(validation * len(examples)))
    assert len(parts["test"]) <= max(1, round(test * len(examples)))
    assert all(parts[name] for name in NAMES)


def test_shares_are_met_where_prompts_differ():
    parts = split(HUNDRED, seed=0, validation=0.1, test=0.2)
    assert [len(parts[name]) for name in NAMES] == [70, 10, 20]


def test_the_seed_alone_decides():
    assert split(HUNDRED, seed=3) == split(HUNDRED, seed=3)
    assert split(HUNDRED, seed=3)["test"] != split(HUNDRED, seed=4)["test"]


def test_the_split_of_a_seed_is_the_same_for_ever():
    assert examples_digest(split(HUNDRED, seed=0)["test"])[:16] == "5507e0ff8c465640"


def test_examples_keep_their_order_within_a_split():
    train = [int(example["completion"]) for example in split(HUNDRED, seed=0)["train"]]
    assert train == sorted(train)


def test_case_and_spacing_make_no_new_prompt():
    examples = numbered(["Say hello!", "say  hello"] * 5 + [f"other {place}" for place in range(90)])
    parts = split(examples, seed=0, validation=0.2, test=0.2)
    sides = [name for name in NAMES if any(words(opening(e)) == ["say", "hello"] for e in parts[name])]
    assert len(sides) == 1


def test_prompts_of_signs_alone_are_told_apart():
    assert len(split(numbered([place * "?" for place in range(1, 31)]), seed=0)["test"]) == 3


def test_a_conversation_does_not_go_on_in_the_test_from_training():
    chats = [
        {"messages": [{"role": "user", "content": f"topic {place // 2}"}, {"role": "assistant", "content": str(place)}]}
        for place in range(60)
    ]
    parts = split(chats, seed=0)
    sides = [{chat["messages"][0]["content"] for chat in parts[name]} for name in NAMES]
    assert not (sides[0] & sides[2] or sides[0] & sides[1])


def test_a_share_of_zero_asks_for_no_such_split():
    assert split(HUNDRED, seed=0, validation=0)["validation"] == []


def test_three_examples_are_enough_for_three_splits():
    assert [len(split(numbered(["a", "b", "c"]), seed=0)[name]) for name in NAMES] == [1, 1, 1]


@pytest.mark.parametrize("drawn", [["a"], ["a", "b"], ["a"] * 30])
def test_a_split_that_would_be_empty_is_told(drawn):
    with pytest.raises(UserError, match="no example for"):
        split(numbered(drawn), seed=0)


@pytest.mark.parametrize(("validation", "test"), [(0.5, 0.5), (-0.1, 0.1), (0.1, 1.5), (float("nan"), 0.1)])
def test_shares_that_leave_nothing_to_train_on_are_told(validation, test):
    with pytest.raises(UserError, match="shares"):
        split(HUNDRED, 0, validation, test)
