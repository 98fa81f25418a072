"""What is trained on begins with what is asked at inference, is learned where the model speaks, and ends in eos."""

import pytest

from harness.data.tokenise import encode_preference, encode_sft, lengths, render
from harness.errors import UserError
from tests.harness.data.data_tokenizers import CHATML, LAST_TURN_THINKS, byte_level, sentence_piece_like

CHAT = {
    "messages": [
        {"role": "user", "content": "hello"},
        {"role": "assistant", "content": "there"},
        {"role": "user", "content": "foo"},
        {"role": "assistant", "content": "bar"},
    ]
}

TEXTS = [
    {"prompt": "hello there\n", "completion": "four cats"},
    {"prompt": "hello there ", "completion": "four cats"},
    {"prompt": "hello there", "completion": " four cats"},
    {"prompt": "cats foo", "completion": "bar"},
    {"prompt": "hello\n", "completion": "\nthere"},
    {"prompt": "hello", "completion": "there</s>"},
]

TOKENIZERS = {
    "byte level": byte_level(),
    "with bos": byte_level(adds="<s> $A"),
    "with bos and eos": byte_level(adds="<s> $A </s>"),
    "sentence piece": sentence_piece_like(),
}


def learned(encoded: dict[str, list[int]], tokenizer) -> str:
    """The text of the tokens that carry loss."""
    pairs = zip(encoded["input_ids"], encoded["completion_mask"], strict=True)
    return tokenizer.decode([token for token, bit in pairs if bit])


@pytest.mark.parametrize("example", TEXTS)
@pytest.mark.parametrize("name", TOKENIZERS)
def test_a_text_is_its_prompt_as_asked_then_the_answer_then_one_eos(name, example):
    tokenizer = TOKENIZERS[name]
    encoded = encode_sft(example, tokenizer)
    prompt = render(example, tokenizer)["prompt"]
    start = [tokenizer.bos_token_id] if "bos" in name else []
    asked = start + tokenizer(prompt, add_special_tokens=False)["input_ids"]
    ids, mask = encoded["input_ids"], encoded["completion_mask"]
    assert ids[: len(asked)] == asked
    assert mask == [0] * len(asked) + [1] * (len(ids) - len(asked))
    assert ids[-1] == tokenizer.eos_token_id
    assert ids.count(tokenizer.eos_token_id) == 1
    whole = example["prompt"] + example["completion"].removesuffix("</s>")
    assert tokenizer.decode(ids[len(start) : -1]) == whole


def test_a_word_cut_by_the_seam_is_not_merged_into_the_prompt():
    tokenizer = byte_level()
    assert tokenizer.tokenize("cats foobar")[-1] == "Ġfoobar"
    encoded = encode_sft({"prompt": "cats foo", "completion": "bar"}, tokenizer)
    asked = tokenizer("cats foo")["input_ids"]
    assert encoded["input_ids"][: len(asked)] == asked
    assert learned(encoded, tokenizer) == "bar</s>"


def test_a_bos_that_the_prompt_brings_is_not_doubled():
    tokenizer = byte_level(adds="<s> $A")
    encoded = encode_sft({"prompt": "<s>hello", "completion": "foo"}, tokenizer)
    assert encoded["input_ids"].count(tokenizer.bos_token_id) == 1


def test_the_space_that_a_tokenizer_puts_before_a_text_is_not_put_into_a_word():
    tokenizer = sentence_piece_like()
    assert tokenizer.tokenize("cats foobar")[-1] == "▁foobar"
    ids = encode_sft({"prompt": "cats foo", "completion": "bar"}, tokenizer)["input_ids"]
    assert tokenizer.decode(ids) == "cats foobar</s>"


def test_an_eos_inside_an_answer_does_not_end_it():
    tokenizer = byte_level()
    assert learned(encode_sft({"prompt": "foo", "completion": "the</s> cats"}, tokenizer), tokenizer) == (
        "the</s> cats</s>"
    )


@pytest.mark.parametrize("adds", ["", "<s> $A", "<s> $A </s>"])
def test_every_assistant_turn_is_learned_with_its_end_and_nothing_else(adds):
    tokenizer = byte_level(adds=adds)
    encoded = encode_sft(CHAT, tokenizer)
    assert learned(encoded, tokenizer) == "there</s>bar</s>"
    assert encoded["input_ids"].count(tokenizer.bos_token_id) == bool(adds)


def test_a_template_of_the_tokenizer_brings_its_own_special_tokens():
    tokenizer = byte_level(adds="<s> $A", eos="<|im_end|>", template=CHATML)
    encoded = encode_sft(CHAT, tokenizer)
    assert learned(encoded, tokenizer) == "there<|im_end|>bar<|im_end|>"
    assert tokenizer.bos_token_id not in encoded["input_ids"]
    assert encoded["input_ids"][-1] == tokenizer.eos_token_id


def test_an_eos_follows_a_template_whose_end_marker_is_another_token():
    tokenizer = byte_level(eos="</s>", template=CHATML)
    assert learned(encode_sft(CHAT, tokenizer), tokenizer) == "there<|im_end|>\nbar<|im_end|>\n</s>"


def test_where_later_turns_change_earlier_ones_the_last_turn_alone_is_learned():
    tokenizer = byte_level(eos="<|im_end|>", template=LAST_TURN_THINKS)
    assert learned(encode_sft(CHAT, tokenizer), tokenizer) == "<think></think>bar<|im_end|>"


def test_where_a_turn_is_opened_otherwise_than_rendered_the_answer_follows_the_opening():
    opens_with_thought = CHATML.replace("assistant\\n' if", "assistant\\n<think>' if")
    tokenizer = byte_level(eos="<|im_end|>", template=opens_with_thought)
    encoded = encode_sft(CHAT, tokenizer)
    assert learned(encoded, tokenizer) == "bar<|im_end|>"
    assert tokenizer.decode(encoded["input_ids"]).endswith("<think>bar<|im_end|>")


@pytest.mark.parametrize("name", TOKENIZERS)
def test_both_answers_of_a_pair_follow_one_prompt_and_end_in_eos(name):
    tokenizer = TOKENIZERS[name]
    pair = {"prompt": "hello ", "chosen": "four cats", "rejected": "the mat"}
    encoded = encode_preference(pair, tokenizer)
    for answer in ("chosen", "rejected"):
        sft = encode_sft({"prompt": pair["prompt"], "completion": pair[answer]}, tokenizer)
        assert encoded["prompt_ids"] + encoded[f"{answer}_ids"] == sft["input_ids"]
        assert len(encoded["prompt_ids"]) == sft["completion_mask"].count(0)


def test_a_chat_pair_is_encoded_as_the_chats_that_it_stands_for():
    tokenizer = byte_level(eos="<|im_end|>", template=CHATML)
    *prompt, chosen = CHAT["messages"]
    rejected = {"role": "assistant", "content": "cats"}
    encoded = encode_preference({"prompt": prompt, "chosen": [chosen], "rejected": [rejected]}, tokenizer)
    assert encoded["prompt_ids"] + encoded["chosen_ids"] == encode_sft(CHAT, tokenizer)["input_ids"]
    assert tokenizer.decode(encoded["chosen_ids"]) == "bar<|im_end|>"
    assert tokenizer.decode(encoded["rejected_ids"]) == "cats<|im_end|>"


def test_lengths_count_the_prompt_with_the_longer_answer():
    encoded = [
        {"input_ids": [1, 2, 3], "completion_mask": [0, 1, 1]},
        {"prompt_ids": [1], "chosen_ids": [2], "rejected_ids": [3, 4]},
    ]
    assert lengths(encoded) == [3, 3]


def test_a_tokenizer_without_an_eos_token_is_told():
    pair = {"prompt": "a", "chosen": "b", "rejected": "c"}
    for encode, example in ((encode_sft, TEXTS[0]), (encode_preference, pair)):
        with pytest.raises(UserError, match="no eos token"):
            encode(example, byte_level(eos=None))
