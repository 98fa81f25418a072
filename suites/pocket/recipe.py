"""The shape of a base, and how it is pretrained."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import LlamaConfig

MAX_POSITIONS = 256


@dataclass(frozen=True)
class BaseRecipe:
    """A Llama with tied embeddings, its batches and its learning rate."""

    name: str
    hidden_size: int
    steps: int
    learning_rate: float
    seed: int = 1
    layers: int = 4
    heads: int = 4
    rows_per_step: int = 32  # of one document each
    packed_every: int = 16  # of so many steps,
    packed_of: int = 1  # so many train on packed rows, for positions beyond one question
    packed_rows: int = 6
    warmup_steps: int = 100
    constant_until: float = 0.6  # share of the steps before the rate falls linearly to zero
    weight_decay: float = 0.05
    max_gradient_norm: float = 1.0
    checkpoint_every: int = 500
    compute: str = "float32"  # of products; weights and their optimizer are float32
    least: Mapping[str, float] = field(default_factory=dict)  # what it must score: see `knowledge.py`

    def rate_at(self, step: int) -> float:
        """The learning rate of a step: warm-up, constant, then linear to zero."""
        warm = min(1.0, (step + 1) / self.warmup_steps)
        left = (self.steps - step) / (self.steps * (1 - self.constant_until))
        return self.learning_rate * min(warm, left)

    def is_packed(self, step: int) -> bool:
        """Whether a step trains on packed rows."""
        return step % self.packed_every < self.packed_of

    def config(self, vocabulary: int, eos_token_id: int, pad_token_id: int) -> "LlamaConfig":
        """The shape, for so many tokens."""
        from transformers import LlamaConfig

        return LlamaConfig(
            vocab_size=vocabulary,
            hidden_size=self.hidden_size,
            intermediate_size=3 * self.hidden_size,
            num_hidden_layers=self.layers,
            num_attention_heads=self.heads,
            max_position_embeddings=MAX_POSITIONS,
            tie_word_embeddings=True,
            bos_token_id=None,
            eos_token_id=eos_token_id,
            pad_token_id=pad_token_id,
        )
