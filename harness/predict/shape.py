"""A model's shape: the sizes that decide what it costs, read from its config."""

from dataclasses import dataclass
from typing import Any

from harness.errors import UserError

FAMILIES = ("llama", "qwen2")
MOST_LAYERS, LARGEST = 10_000, 10**9  # a config that says more is damaged, or made to keep us busy


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
    """A decoder of the Llama kind; ``linears`` are those of one of its layers, in the order in which they run.

    ``positions`` are those that it was made for, if its config says how many.
    """

    hidden: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    intermediate: int
    vocabulary: int
    tied: bool
    linears: tuple[Linear, ...]
    positions: int | None = None


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
    if head_dim % 2:
        raise UserError(f"{where}: head_dim {head_dim} is odd, and rotary embeddings turn its numbers in pairs")
    intermediate = _size(config, "intermediate_size", where)
    qwen = config["model_type"] == "qwen2"
    bias, mlp_bias = _flag(config, "attention_bias", where), _flag(config, "mlp_bias", where) and not qwen
    return Shape(
        hidden=hidden,
        layers=_size(config, "num_hidden_layers", where, most=MOST_LAYERS),
        heads=heads,
        kv_heads=kv_heads,
        head_dim=head_dim,
        intermediate=intermediate,
        vocabulary=_size(config, "vocab_size", where),
        tied=_flag(config, "tie_word_embeddings", where),
        linears=(
            Linear("self_attn.q_proj", heads * head_dim, hidden, qwen or bias),
            Linear("self_attn.k_proj", kv_heads * head_dim, hidden, qwen or bias),
            Linear("self_attn.v_proj", kv_heads * head_dim, hidden, qwen or bias),
            Linear("self_attn.o_proj", hidden, heads * head_dim, bias and not qwen),
            Linear("mlp.gate_proj", intermediate, hidden, mlp_bias),
            Linear("mlp.up_proj", intermediate, hidden, mlp_bias),
            Linear("mlp.down_proj", hidden, intermediate, mlp_bias),
        ),
        positions=_positions(config, where),
    )


def _refuse_unknown(config: dict[str, Any], where: str) -> None:
    family = config.get("model_type")
    if family not in FAMILIES:
        raise UserError(f"{where}: model_type {family!r} is not predicted yet (those that are: {', '.join(FAMILIES)})")
    if config.get("use_sliding_window"):
        raise UserError(f"{where}: use_sliding_window is not predicted yet")
    if config.get("hidden_act", "silu") != "silu":
        raise UserError(f"{where}: hidden_act {config['hidden_act']!r} is not predicted yet (silu is)")


def _positions(config: dict[str, Any], where: str) -> int | None:
    key = "max_position_embeddings"
    return None if config.get(key) is None else _size(config, key, where)


def _size(config: dict[str, Any], key: str, where: str, default: int | None = None, most: int = LARGEST) -> int:
    value = config.get(key)
    value = default if value is None else value
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise UserError(f"{where}: {key}: expected a whole number above zero, got {value!r}")
    if value > most:
        raise UserError(f"{where}: {key}: expected at most {most}, got {value}")
    return value


def _flag(config: dict[str, Any], key: str, where: str) -> bool:
    value = config.get(key)
    if value is not None and not isinstance(value, bool):
        raise UserError(f"{where}: {key}: expected true or false, got {value!r}")
    return bool(value)
