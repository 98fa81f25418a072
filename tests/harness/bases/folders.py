"""What a small model folder is made of: config, weights, shards, tokenizer."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

Tensors = dict[str, np.ndarray]

VOCABULARY = ("<unk>", "<pad>", "</s>", "a", "b", "c", "d", "e")
CONFIG: dict[str, Any] = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 8,
    "intermediate_size": 12,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "num_hidden_layers": 1,
    "vocab_size": len(VOCABULARY),
    "tie_word_embeddings": True,
    "transformers_version": "5.23.0",
}


def tensors() -> Tensors:
    """The weights of a model of the shape ``CONFIG``, drawn with a fixed seed."""
    random = np.random.default_rng(0)
    layer = "model.layers.0"
    shapes = {
        "model.embed_tokens.weight": (8, 8),
        f"{layer}.self_attn.q_proj.weight": (8, 8),
        f"{layer}.self_attn.k_proj.weight": (4, 8),
        f"{layer}.self_attn.v_proj.weight": (4, 8),
        f"{layer}.self_attn.o_proj.weight": (8, 8),
        f"{layer}.mlp.gate_proj.weight": (12, 8),
        f"{layer}.mlp.up_proj.weight": (12, 8),
        f"{layer}.mlp.down_proj.weight": (8, 12),
        f"{layer}.input_layernorm.weight": (8,),
        f"{layer}.post_attention_layernorm.weight": (8,),
        "model.norm.weight": (8,),
    }
    return {name: random.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


def save_tokenizer(folder: Path, **settings: Any) -> None:
    """A tokenizer of the words ``VOCABULARY``; a setting of None is left out."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace

    tokenizer = Tokenizer(WordLevel({word: index for index, word in enumerate(VOCABULARY)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    named = {"unk_token": "<unk>", "pad_token": "<pad>", "eos_token": "</s>", **settings}
    kept = {key: value for key, value in named.items() if value is not None}
    (folder / "tokenizer_config.json").write_text(json.dumps(kept))


def save_shards(folder: Path, weights: Tensors, count: int = 2) -> None:
    """``weights`` as ``count`` shards with their index, in place of a single file."""
    (folder / "model.safetensors").unlink(missing_ok=True)
    weight_map: dict[str, str] = {}
    for number in range(count):
        shard = f"model-{number + 1:05d}-of-{count:05d}.safetensors"
        part = {name: weights[name] for name in sorted(weights)[number::count]}
        save_file(part, folder / shard)
        weight_map |= dict.fromkeys(part, shard)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))
