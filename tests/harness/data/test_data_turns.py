"""Turns of a chat: roles under any of their names, transcripts, order, and what two conversations share."""

import pytest

from harness.data.turns import BadRecord, check_turns, common_prompt, messages_of, parse_transcript, text_of


def turns(*contents: str) -> list[dict[str, str]]:
    return [{"role": ("user", "assistant")[place % 2], "content": content} for place, content in enumerate(contents)]


def test_sharegpt_turns_become_messages():
    conversation = [
        {"from": "system", "value": "s"},
        {"from": "human", "value": "a"},
        {"from": "gpt", "value": "b"},
    ]
    assert messages_of(conversation, "x") == [{"role": "system", "content": "s"}, *turns("a", "b")]


def test_messages_may_be_json_text_as_in_a_csv_cell():
    assert messages_of('[{"role": "user", "content": "a"}]', "x") == turns("a")


def test_a_content_of_text_parts_is_joined():
    assert messages_of({"role": "user", "content": [{"type": "text", "text": "a"}]}, "x") == turns("a")


def test_a_role_that_is_not_trained_on_is_refused():
    with pytest.raises(BadRecord, match="role 'tool'"):
        messages_of([{"role": "tool", "content": "a"}], "x")


@pytest.mark.parametrize(("value", "text"), [("a", "a"), (7, "7"), (None, ""), (float("nan"), "")])
def test_numbers_are_text_and_missing_values_are_empty(value, text):
    assert text_of(value, "answer") == text


@pytest.mark.parametrize("value", [True, ["a"], {"a": 1}, "\ud800"])
def test_what_is_not_text_is_refused(value):
    with pytest.raises(BadRecord, match="with answer that is not"):
        text_of(value, "answer")


def test_a_transcript_is_cut_at_its_turns():
    text = "\n\nHuman: a\nb\n\nAssistant: c\nHuman: said in passing\n\nHuman: d\n\nAssistant: e"
    assert parse_transcript(text) == turns("a\nb", "c\nHuman: said in passing", "d", "e")


def test_a_transcript_of_single_lines_is_cut_at_them():
    assert parse_transcript("Human: a\nAssistant: b") == turns("a", "b")


def test_an_open_turn_at_the_end_of_a_transcript_is_no_turn():
    assert parse_transcript("\n\nHuman: a\n\nAssistant:") == turns("a")


def test_a_conversation_may_open_with_a_system_turn_and_have_many_rounds():
    check_turns([{"role": "system", "content": "s"}, *turns("a", "b", "c", "d")])


@pytest.mark.parametrize(
    ("messages", "told"),
    [
        ([], "without a prompt"),
        (turns("a", "b")[1:], "without a prompt"),
        (turns("a"), "without an answer"),
        (turns("a", " "), "without an answer"),
        (turns("a", "", "c", "d"), "with an empty turn"),
        (turns("a", "b") + turns("c", "d")[1:], "not taking turns"),
        ([*turns("a", "b"), {"role": "system", "content": "s"}, *turns("", "d")[1:]], "not taking turns"),
    ],
)
def test_turns_out_of_order_are_refused(messages, told):
    with pytest.raises(BadRecord, match=told):
        check_turns(messages)


def test_what_two_conversations_share_ends_with_a_turn_of_the_user():
    assert common_prompt(turns("a", "b", "c", "d"), turns("a", "b", "c", "e")) == 3
    assert common_prompt(turns("a", "b", "c", "d"), turns("a", "b", "x", "e")) == 1
    assert common_prompt(turns("a", "b"), turns("x", "b")) == 0
