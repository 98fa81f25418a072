"""A shape from a config: its defaults, and what is refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from harness.errors import UserError
from harness.predict.shape import shape_of
from harness.predict.shapes import read_shape, shape_files

PLAIN = {
    "model_type": "llama", "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
    "intermediate_size": 128, "vocab_size": 100,
}  # fmt: skip


def test_what_a_config_leaves_out_has_transformers_defaults() -> None:
    shape = shape_of(PLAIN, "here")

    assert (shape.kv_heads, shape.head_dim, shape.tied, shape.positions) == (4, 16, False, None)
    assert not any(linear.bias for linear in shape.linears)


def test_qwen2_has_biases_where_llama_has_none() -> None:
    shape = shape_of(PLAIN | {"model_type": "qwen2"}, "here")

    assert [linear.bias for linear in shape.linears] == [True, True, True, False, False, False, False]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"model_type": "gpt2"}, "here: model_type 'gpt2' is not predicted yet (those that are: llama, qwen2)"),
        ({"num_key_value_heads": 3}, "here: num_attention_heads 4 is no multiple of num_key_value_heads 3"),
        ({"num_attention_heads": 5}, "here: hidden_size 64 is no multiple of num_attention_heads 5"),
        ({"hidden_size": None}, "here: hidden_size: expected a whole number above zero, got None"),
        ({"vocab_size": "many"}, "here: vocab_size: expected a whole number above zero, got 'many'"),
        ({"num_hidden_layers": 0}, "here: num_hidden_layers: expected a whole number above zero, got 0"),
        ({"num_hidden_layers": 10**12}, "here: num_hidden_layers: expected at most 10000, got 1000000000000"),
        ({"vocab_size": 10**400}, f"here: vocab_size: expected at most 1000000000, got {10**400}"),
        ({"head_dim": 127}, "here: head_dim 127 is odd, and rotary embeddings turn its numbers in pairs"),
        ({"hidden_size": 60}, "here: head_dim 15 is odd, and rotary embeddings turn its numbers in pairs"),
        ({"tie_word_embeddings": "false"}, "here: tie_word_embeddings: expected true or false, got 'false'"),
        ({"attention_bias": 1}, "here: attention_bias: expected true or false, got 1"),
        ({"hidden_act": "gelu"}, "here: hidden_act 'gelu' is not predicted yet (silu is)"),
        ({"use_sliding_window": True}, "here: use_sliding_window is not predicted yet"),
    ],
)
def test_a_shape_that_is_none_is_refused(change: dict[str, Any], says: str) -> None:
    with pytest.raises(UserError) as refused:
        shape_of(PLAIN | change, "here")

    assert refused.value.lines == (says,)


def test_a_shape_is_found_by_name_by_file_and_by_folder(tmp_path: Path) -> None:
    file = shape_files()["small-qwen2"]
    (tmp_path / "config.json").write_text(file.read_text())

    assert read_shape("small-qwen2") == read_shape(str(file)) == read_shape(str(tmp_path))


def test_an_unknown_name_is_told_those_that_there_are() -> None:
    with pytest.raises(UserError, match=r"llama-2-8b: no such shape, file or folder \(shapes: llama-2-7b, llama-3.1"):
        read_shape("llama-2-8b")


def test_a_config_of_no_causal_model_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text(json.dumps(PLAIN | {"architectures": ["LlamaForSequenceClassification"]}))

    with pytest.raises(UserError, match="LlamaForSequenceClassification is not a causal language model"):
        read_shape(str(file))
