"""Bytes of the optimizer's state: two moments of every parameter that learns."""

from collections.abc import Iterable

from harness.predict.parameters import Parameter, adapter_parameters, base_parameters
from harness.predict.recipe import Recipe
from harness.predict.shape import Shape

SMALLEST_IN_8_BIT = 4096  # elements; bitsandbytes keeps what is smaller in float32
BLOCK_IN_8_BIT = 256  # elements that share a scale
TABLES_IN_8_BIT = 2 * 256 * 4  # one for signed and one for unsigned values, shared by all
SMALLEST_PAGED = 100_000  # elements; what is smaller stays on the device


def learned_parameters(shape: Shape, recipe: Recipe) -> list[Parameter]:
    """The parameter tensors that learn."""
    if recipe.adapter is None:
        return list(base_parameters(shape))
    return list(adapter_parameters(shape, recipe.adapter.rank, recipe.adapter.targets))


def optimizer_bytes(shape: Shape, recipe: Recipe) -> int:
    """The state after the first step, wherever it lies.

    AdamW keeps its moments in the parameter's type and a float32 step counter (torch's fused AdamW); in 8 bit they
    take a byte each and a float32 scale for 256 (Dettmers et al. 2022), except those of small tensors and of token
    embeddings, which stay in float32.
    """
    parameters = learned_parameters(shape, recipe)
    if recipe.optimizer == "adamw":
        return sum(p.count * (2 * p.elements * recipe.learned_size + 4) for p in parameters)
    tables = TABLES_IN_8_BIT if any(_in_8_bit(p) for p in parameters) else 0
    return tables + sum(p.count * _moments_8_bit(p) for p in parameters)


def paged_bytes(shape: Shape, recipe: Recipe) -> int:
    """The part of the state that a paged optimizer may move to the host's memory when a GPU's is short."""
    if not recipe.optimizer.startswith("paged"):
        return 0
    paged: Iterable[Parameter] = (p for p in learned_parameters(shape, recipe) if p.elements >= SMALLEST_PAGED)
    return sum(p.count * 2 * p.elements * (1 if _in_8_bit(p) else 4) for p in paged)


def _in_8_bit(parameter: Parameter) -> bool:
    return parameter.elements >= SMALLEST_IN_8_BIT and not parameter.embedding


def _moments_8_bit(parameter: Parameter) -> int:
    if not _in_8_bit(parameter):
        return 2 * 4 * parameter.elements
    return 2 * (parameter.elements + 4 * -(-parameter.elements // BLOCK_IN_8_BIT))
