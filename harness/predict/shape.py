"""A model's shape: the sizes that decide what it costs, read from its config."""

from dataclasses import dataclass
from typing import Any

from harness.errors import UserError

FAMILIES = ("llama", "qwen2")


@dataclass(frozen=True)
class Linear:
    """A linear layer of a decoder layer, by its module's name."""

    name: str
    outputs: int
    inputs: int
    bias: bool = False

    @property
    def elements(self) -> int:
        """Of its weight."""
        return self.outputs * self.inputs


@dataclass(frozen=True)
class Shape:
    """A decoder of the Llama kind; ``linears`` are those of one of its layers, in the order in which they run."""

    hidden: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    intermediate: int
    vocabulary: int
    tied: bool
    linears: tuple[Linear, ...]


def shape_of(config: dict[str, Any], where: str) -> Shape:
    """The shape that a ``config.json`` describes; raises UserError, beginning with ``where``, for one that it can't."""
    _refuse_unknown(config, where)
    hidden, heads = _size(config, "hidden_size", where), _size(config, "num_attention_heads", where)
    kv_heads = _size(config, "num_key_value_heads", where, heads)
    if heads % kv_heads:
        raise UserError(f"{where}: num_attention_heads {heads} is no multiple of num_key_value_heads {kv_heads}")
    if config.get("head_dim") is None and hidden % heads:
        raise UserError(f"{where}: hidden_size {hidden} is no multiple of num_attention_heads {heads}")
    head_dim = _size(config, "head_dim", where, hidden // heads)
    intermediate = _size(config, "intermediate_size", where)
    qwen = config["model_type"] == "qwen2"
    bias, mlp_bias = bool(config.get("attention_bias")), bool(config.get("mlp_bias")) and not qwen
    return Shape(
        hidden=hidden,
        layers=_size(config, "num_hidden_layers", where),
        heads=heads,
        kv_heads=kv_heads,
        head_dim=head_dim,
        intermediate=intermediate,
        vocabulary=_size(config, "vocab_size", where),
        tied=bool(config.get("tie_word_embeddings")),
        linears=(
            Linear("self_attn.q_proj", heads * head_dim, hidden, qwen or bias),
            Linear("self_attn.k_proj", kv_heads * head_dim, hidden, qwen or bias),
            Linear("self_attn.v_proj", kv_heads * head_dim, hidden, qwen or bias),
            Linear("self_attn.o_proj", hidden, heads * head_dim, bias and not qwen),
            Linear("mlp.gate_proj", intermediate, hidden, mlp_bias),
            Linear("mlp.up_proj", intermediate, hidden, mlp_bias),
            Linear("mlp.down_proj", hidden, intermediate, mlp_bias),
        ),
    )


def _refuse_unknown(config: dict[str, Any], where: str) -> None:
    family = config.get("model_type")
    if family not in FAMILIES:
        raise UserError(f"{where}: model_type {family!r} is not predicted yet (those that are: {', '.join(FAMILIES)})")
    if config.get("use_sliding_window"):
        raise UserError(f"{where}: use_sliding_window is not predicted yet")
    if config.get("hidden_act", "silu") != "silu":
        raise UserError(f"{where}: hidden_act {config['hidden_act']!r} is not predicted yet (silu is)")


def _size(config: dict[str, Any], key: str, where: str, default: int | None = None) -> int:
    value = config.get(key)
    value = default if value is None else value
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise UserError(f"{where}: {key}: expected a whole number above zero, got {value!r}")
    return value
