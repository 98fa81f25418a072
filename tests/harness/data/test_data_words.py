"""Texts are compared by their words."""

import pytest

from harness.data.words import opening, texts, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(Hello,  World!)", ["hello", "world"]),
        ("25-7=", ["25-7="]),
        ("\uff21\uff22", ["ab"]),
        ("你好。a", ["你", "好", "a"]),
        ("don't", ["don't"]),
        ("...", []),
    ],
)
def test_words_leave_out_case_width_and_outer_punctuation(text, expected):
    assert words(text) == expected


def test_the_texts_of_a_pair_are_its_prompt_and_both_answers():
    assert texts({"prompt": "a", "chosen": "b", "rejected": "c"}) == ["a", "b", "c"]


def test_a_chat_opens_with_the_first_turn_of_the_user():
    turns = [{"role": "system", "content": "s"}, {"role": "user", "content": "a"}]
    assert opening({"messages": [*turns, {"role": "assistant", "content": "b"}]}) == "a"
    assert opening({"prompt": turns, "chosen": [], "rejected": []}) == "a"
    assert opening({"prompt": "p", "completion": "c"}) == "p"
