"""Examples as text: through the tokenizer's template, or the stated default."""

import pytest

from harness.data.render import DEFAULT_CHAT_TEMPLATE, render
from harness.errors import UserError
from tests.harness.data.data_tokenizers import CHATML, LAST_TURN_THINKS, byte_level

CHAT = {
    "messages": [
        {"role": "user", "content": "hello"},
        {"role": "assistant", "content": "there"},
        {"role": "user", "content": "foo"},
        {"role": "assistant", "content": " bar "},
    ]
}
PAIR = {
    "prompt": [{"role": "user", "content": "hello"}],
    "chosen": [{"role": "assistant", "content": "foo"}],
    "rejected": [{"role": "assistant", "content": "bar"}],
}


def test_text_is_shown_as_it_is():
    assert render({"prompt": "a\n", "completion": "b"}, byte_level()) == {"prompt": "a\n", "completion": "b"}


def test_blanks_at_the_end_of_a_prompt_go_to_the_answer():
    assert render({"prompt": "A: ", "completion": "b"}, byte_level()) == {"prompt": "A:", "completion": " b"}


def test_a_chat_without_a_template_of_its_own_goes_through_the_default():
    assert render(CHAT, byte_level()) == {
        "prompt": "### User:\nhello\n\n### Assistant:\nthere</s>\n\n### User:\nfoo\n\n### Assistant:\n",
        "completion": "bar",
    }


def test_a_chat_goes_through_the_template_that_the_tokenizer_has():
    assert render(CHAT, byte_level(template=CHATML)) == {
        "prompt": "<|im_start|>user\nhello<|im_end|>\n<|im_start|>assistant\nthere<|im_end|>\n"
        "<|im_start|>user\nfoo<|im_end|>\n<|im_start|>assistant\n",
        "completion": " bar",
    }


def test_what_a_template_writes_before_the_answer_is_part_of_it():
    assert render(CHAT, byte_level(template=LAST_TURN_THINKS))["completion"] == "<think></think> bar"


def test_a_pair_is_shown_with_both_answers():
    assert render(PAIR, byte_level()) == {
        "prompt": "### User:\nhello\n\n### Assistant:\n",
        "chosen": "foo",
        "rejected": "bar",
    }


def test_the_default_template_is_plain_text_but_for_the_eos_token():
    assert "<|" not in DEFAULT_CHAT_TEMPLATE


def test_a_date_in_a_template_does_not_move():
    template = "{{ strftime_now('%Y-%m-%d, %d %b') if strftime_now is defined }}" + CHATML
    assert render(CHAT, byte_level(template=template))["prompt"].startswith("2024-07-26, 26 Jul<|im_start|>")


def test_turns_that_a_template_refuses_are_told():
    template = "{{ raise_exception('system turns not supported') }}"
    with pytest.raises(UserError, match="can't write the turns user, assistant, user: system turns not supported"):
        render(CHAT, byte_level(template=template))


def test_a_template_that_drops_the_text_of_a_turn_is_told():
    template = CHATML.replace("m['content']", "('' if m['content'] is string else 'parts')")
    with pytest.raises(UserError, match="the last turn's text is missing"):
        render(CHAT, byte_level(template=template))
