"""Bytes of weights, of the state that 4-bit weights need, and of adapters."""

from harness.predict.parameters import adapter_parameters, total
from harness.predict.recipe import Recipe
from harness.predict.shape import Linear, Shape

BLOCK = 64  # weights that share a scale
NESTED_BLOCK = 256  # scales that share one of their own
FLOAT32 = 4


def weights_bytes(shape: Shape, recipe: Recipe) -> int:
    """The base with its buffers: what is quantised at half a byte a weight, a reference model beside it counted."""
    rotary = 2 * (shape.head_dim // 2) * FLOAT32  # the frequencies, and the original ones beside them
    packed = sum(-(-linear.elements // 2) for linear in shape.linears) * shape.layers if recipe.quantised else 0
    rest = total(shape) - (_linear_elements(shape) if recipe.quantised else 0)
    models = 2 if recipe.reference == "model" else 1
    return models * (packed + rest * recipe.weight_size + rotary)


def quantisation_bytes(shape: Shape, recipe: Recipe) -> int:
    """Scales and code tables of every 4-bit layer. Embeddings, norms, biases and the output layer are not quantised."""
    if not recipe.quantised:
        return 0
    state = _nested_state if recipe.double_quantisation else _plain_state
    return shape.layers * sum(state(linear) for linear in shape.linears)


def adapter_bytes(shape: Shape, recipe: Recipe) -> int:
    """The adapter; with DPO's frozen copy of it, where it is continued."""
    copies = 2 if recipe.reference == "frozen_copy" else 1
    return copies * adapter_elements(shape, recipe) * recipe.adapter_size


def adapter_elements(shape: Shape, recipe: Recipe) -> int:
    """Parameters of the adapter that learns."""
    if recipe.adapter is None:
        return 0
    found = adapter_parameters(shape, recipe.adapter.rank, recipe.adapter.targets)
    return sum(parameter.elements * parameter.count for parameter in found)


def _linear_elements(shape: Shape) -> int:
    return shape.layers * sum(linear.elements for linear in shape.linears)


def _plain_state(linear: Linear) -> int:
    """A float32 scale a block, and the table of 16 values (Dettmers et al. 2023, section 3)."""
    return FLOAT32 * -(-linear.elements // BLOCK) + 16 * FLOAT32


def _nested_state(linear: Linear) -> int:
    """Double quantisation: a byte a scale, a float32 for 256 of them, their mean, and tables of 16 and 256 values."""
    scales = -(-linear.elements // BLOCK)
    return scales + FLOAT32 * -(-scales // NESTED_BLOCK) + FLOAT32 + (16 + 256) * FLOAT32
