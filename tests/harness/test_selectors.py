"""An arm is found by its name, its id or its keys, and an unknown one is answered with those there are."""

import pytest

from harness.errors import UserError
from harness.selectors import Named, keyed, select

ARMS = [
    Named("aaaa1111", "lora r=8", "lora", "lora", "small", 8),
    Named("bbbb2222", "lora r=32", "lora", "lora", "small", 32),
    Named("cccc3333", "lora r=8", "lora", "lora", "large", 8),
    Named("dddd4444", "dpo on lora r=8", "dpo", "dpo", "small", 8),
    Named("eeee5555", "full_sft", "full_sft", "full_sft", "small", None),
]


def found(selector):
    return [arm.arm_id[:1] for arm in select(ARMS, selector)]


@pytest.mark.parametrize(
    ("selector", "arms"),
    [
        ("lora r=8", "ac"),
        ("lora r=8 · large", "c"),
        ("lora", "abc"),
        ("lora · small", "ab"),
        ("dpo on lora r=8", "d"),
        ("bbbb22", "b"),
        ("method=lora", "abc"),
        ("method=lora,rank=8", "ac"),
        ("method=lora,rank=8,base=large", "c"),
        ("rank=8|32,base=small", "abd"),
        ("label=dpo|full_sft", "de"),
        ("base=small, method=full_sft", "e"),
    ],
)
def test_arms_are_found_by(selector, arms):
    assert "".join(found(selector)) == arms


@pytest.mark.parametrize("selector", ["loar", "lora r=9", "bbb", "method=loar", "colour=red", "", "method=lora,"])
def test_an_unknown_one_is_answered_with_what_there_is(selector):
    with pytest.raises(UserError) as caught:
        select(ARMS, selector)
    (line,) = caught.value.lines
    assert line.startswith(f"{selector}: no such arm (known: lora r=8 · small; ")


def test_of_many_arms_only_the_first_are_listed():
    many = [Named(str(n), f"arm {n}", "arm", "lora", "small", None) for n in range(40)]
    with pytest.raises(UserError, match="; and 28 more"):
        select(many, "absent")


def test_no_arm_at_all_is_said():
    with pytest.raises(UserError, match="known: none yet"):
        select([], "lora")


def test_keys_may_be_repeated_and_have_alternatives():
    assert keyed("rank=8|16,rank=32,base=a") == {"rank": {"8", "16", "32"}, "base": {"a"}}
    assert keyed("lora r=8") is None
