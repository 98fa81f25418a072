"""How many parameters there are, of each kind, and which of them learn."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from harness.errors import UserError
from harness.predict.shape import Linear, Shape


@dataclass(frozen=True)
class Parameter:
    """``count`` parameter tensors of one size; ``embedding`` marks the table of token embeddings."""

    elements: int
    count: int = 1
    embedding: bool = False


def by_kind(shape: Shape) -> dict[str, int]:
    """Elements of the base by kind of module; a tied output layer is the embedding."""
    layer = {
        kind: sum(_with_bias(x) for x in shape.linears if x.name.startswith(kind)) for kind in ("self_attn", "mlp")
    }
    return {
        "embedding": shape.vocabulary * shape.hidden,
        "attention": shape.layers * layer["self_attn"],
        "mlp": shape.layers * layer["mlp"],
        "norms": (2 * shape.layers + 1) * shape.hidden,
        "lm_head": 0 if shape.tied else shape.vocabulary * shape.hidden,
    }


def total(shape: Shape) -> int:
    """Elements of the base."""
    return sum(by_kind(shape).values())


def base_parameters(shape: Shape) -> Iterator[Parameter]:
    """Every parameter tensor of the base."""
    table = shape.vocabulary * shape.hidden
    yield Parameter(table, embedding=True)
    if not shape.tied:
        yield Parameter(table)
    yield Parameter(shape.hidden, 2 * shape.layers + 1)
    for linear in shape.linears:
        yield Parameter(linear.elements, shape.layers)
        if linear.bias:
            yield Parameter(linear.outputs, shape.layers)


def adapter_parameters(shape: Shape, rank: int, targets: str | tuple[str, ...]) -> Iterator[Parameter]:
    """The two matrices of every adapted linear layer (Hu et al. 2021): rank x inputs and outputs x rank."""
    for adapted, layers in Counter(adapted_by_layer(shape, targets)).items():
        for linear in adapted:
            if rank > min(linear.inputs, linear.outputs):
                raise UserError(f"rank {rank}: {linear.name} is {linear.outputs} x {linear.inputs}")
            yield Parameter(rank * linear.inputs, layers)
            yield Parameter(linear.outputs * rank, layers)


def adapted_by_layer(shape: Shape, targets: str | tuple[str, ...]) -> list[tuple[Linear, ...]]:
    """The linear layers that ``targets`` names, of each decoder layer, as PEFT reads it.

    ``all-linear``, names of modules or ends of their paths, or one regular expression over whole paths.
    """
    if targets == "all-linear":
        return [shape.linears] * shape.layers
    if not isinstance(targets, str):
        _refuse_unknown(shape, targets)
    found = [
        tuple(linear for linear in shape.linears if _is_named(f"model.layers.{layer}.{linear.name}", targets))
        for layer in range(shape.layers)
    ]
    if not any(found):
        raise UserError(f"target_modules {targets!r}: the model has no such linear layer")
    return found


def _is_named(path: str, targets: str | tuple[str, ...]) -> bool:
    if isinstance(targets, str):
        return re.fullmatch(targets, path) is not None
    return any(path == target or path.endswith(f".{target}") for target in targets)


def _refuse_unknown(shape: Shape, targets: tuple[str, ...]) -> None:
    """A name that no layer has, or an adapter on what is no layer's: neither is predicted."""
    names = [linear.name for linear in shape.linears]
    for target in targets:
        if not any(
            _is_named(f"model.layers.{layer}.{name}", (target,)) for layer in range(shape.layers) for name in names
        ):
            known = ", ".join(name.rpartition(".")[2] for name in names)
            raise UserError(f"target_modules: {target!r} is none of a layer's linear modules ({known})")


def _with_bias(linear: Linear) -> int:
    return linear.elements + linear.bias * linear.outputs
