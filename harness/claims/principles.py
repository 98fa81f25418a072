"""What can be said before anything runs: counted from shapes and types, or predicted by ``harness.predict``.

Each function returns one number; ``CALCULATIONS`` says in what unit, and whether it is counted or predicted.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from harness.analysis.outcomes import Outcomes
from harness.analysis.shares import spread_of_shares
from harness.analysis.uncertainty import interval_of_proportion
from harness.errors import UserError
from harness.predict.fit import METHODS, Way, bytes_on_device, largest, ways
from harness.predict.memory import standing
from harness.predict.parameters import adapter_parameters, total
from harness.predict.recipe import Recipe
from harness.predict.shapes import read_shape
from harness.predict.weights import quantisation_bytes, weights_bytes
from harness.units import parse_size

Targets = Literal["all-linear"] | list[str]

# Bytes of each parameter that learns, with Adam: weight, gradient, master copy, two moments. The first is that of
# Rajbhandari et al. 2020 (ZeRO, arXiv 1910.02054, section 3.1); with float32 gradients these are kept beside the
# 16-bit ones where there is a master copy, and instead of them where there is none.
BYTES = {
    "amp": {"weight": 2, "gradient": 2, "master": 4, "moments": 8},
    "amp, float32 gradients": {"weight": 2, "gradient": 2, "float32 gradient": 4, "master": 4, "moments": 8},
    "bfloat16": {"weight": 2, "gradient": 2, "moments": 4},
    "bfloat16, float32 gradients": {"weight": 2, "float32 gradient": 4, "moments": 4},
}
FORWARD = INPUTS = WEIGHTS = 2  # floating point operations a weight and token
SCALE_BITS, BLOCK = 32, 64  # of a 4-bit block: Dettmers et al. 2023 (QLoRA, arXiv 2305.14314), section 3
SMALL_SCALE_BITS, NESTED_BLOCK = 8, 256


def parameters(shape: str) -> int:
    """All parameters of a shape."""
    return total(read_shape(shape))


def trained_parameters(shape: str, rank: int, targets: Targets) -> int:
    """Of LoRA: rank x (inputs + outputs) of every adapted layer (Hu et al. 2021, arXiv 2106.09685, section 4.1)."""
    found = adapter_parameters(read_shape(shape), rank, _targets(targets))
    return sum(parameter.elements * parameter.count for parameter in found)


def adapter_share(shape: str, rank: int, targets: Targets) -> float:
    """Trained parameters of an adapter over those of the base."""
    return trained_parameters(shape, rank, targets) / parameters(shape)


def times_fewer(shape: str, rank: int, targets: Targets) -> float:
    """Parameters of the base over those that an adapter trains."""
    return parameters(shape) / trained_parameters(shape, rank, targets)


def times_fewer_in_squares(base_parameters: float, layers: int, width: int, modules: int, rank: int) -> float:
    """The same of a model without a shape here, whose adapted modules are all ``width`` x ``width``: GPT-3's are."""
    return base_parameters / (layers * modules * rank * 2 * width)


def bytes_a_parameter(recipe: str) -> int:
    """Bytes that stand for each parameter in full fine-tuning with Adam, activations not among them (``BYTES``)."""
    if recipe not in BYTES:
        raise UserError(f"recipe {recipe!r}: there is none such (there are: {'; '.join(BYTES)})")
    return sum(BYTES[recipe].values())


def training_bytes(base_parameters: float, recipe: str) -> float:
    """Those bytes for a model of so many parameters."""
    return base_parameters * bytes_a_parameter(recipe)


def base_bytes(shape: str, method: str) -> int:
    """The weights alone, with the state of 4-bit ones: embeddings, norms and output layer stay in bfloat16."""
    recipe, of = _recipe(method), read_shape(shape)
    return weights_bytes(of, recipe) + quantisation_bytes(of, recipe)


def bits_a_weight(double_quantisation: bool) -> float:
    """Of a 4-bit weight with its share of the scales (Dettmers et al. 2023, section 3): 32 bits for each 64 weights, or
    8 bits and 32 bits for each 256 of those."""
    if not double_quantisation:
        return 4 + SCALE_BITS / BLOCK
    return 4 + SMALL_SCALE_BITS / BLOCK + SCALE_BITS / (BLOCK * NESTED_BLOCK)


def bits_saved() -> float:
    """What double quantisation saves a weight."""
    return bits_a_weight(False) - bits_a_weight(True)


def bits_saved_on(shape: str) -> float:
    """The same counted over the real layers, tables and remainders included."""
    of = read_shape(shape)
    states = [quantisation_bytes(of, replace(_recipe("qlora"), double_quantisation=double)) for double in (False, True)]
    return 8 * (states[0] - states[1]) / (of.layers * sum(linear.elements for linear in of.linears))


def flops_ratio(recomputation: bool) -> float:
    """Floating point operations of full fine-tuning over LoRA's, a weight and token: the most that LoRA can gain where
    arithmetic takes the time.

    Two for the forward pass, two for the gradients of inputs, two for those of weights, which LoRA skips (Kaplan et al.
    2020, arXiv 2001.08361, section 2.1: forward 2, backward 4); with recomputation the forward pass twice. Attention
    scores and the adapter's own work are left out; both bring the ratio closer to 1.
    """
    shared = FORWARD * (2 if recomputation else 1) + INPUTS
    return (shared + WEIGHTS) / shared


def dollars(shape: str, tokens: float, full: bool, flops_a_second: float, dollars_an_hour: float) -> float:
    """Price of the arithmetic alone: parameters x tokens x operations / throughput x price, all as stated."""
    operations = FORWARD + INPUTS + (WEIGHTS if full else 0)
    return parameters(shape) * tokens * operations / flops_a_second / 3600 * dollars_an_hour


def score_interval(share: float, items: int) -> float:
    """Half of the 95 % interval of a score over so many items: Wilson's (1927), from sampling of items alone."""
    spread = spread_of_shares([Outcomes((), np.array([[share]]), items)])
    found = interval_of_proportion(spread)
    assert found.low is not None and found.high is not None
    return (found.high - found.low) / 2


def ratio(first: float, second: float) -> float:
    """Of two published figures."""
    return first / second


def memory_ratio_at_most(shape: str, full: str, method: str, rank: int) -> float:
    """The most by which a method's memory can be below full fine-tuning's: what stands for every parameter of the one
    (``BYTES``) over weights, adapter and optimizer state of the other.

    Activations come on top of both, with an adapter no fewer, and only bring the ratio closer to 1.
    """
    return training_bytes(parameters(shape), full) / standing(read_shape(shape), _way(method, rank).recipe).total


def needed_bytes(shape: str, method: str, rank: int, length: int, batch: int, checkpointing: bool) -> int:
    """Bytes of tensors on the device at the peak of a training step, without the device's own context."""
    return bytes_on_device(read_shape(shape), _way(method, rank, checkpointing), length, batch)


def memory_ratio(shape: str, full: str, method: str, rank: int, length: int, batch: int, checkpointing: bool) -> float:
    """Peak of full fine-tuning over a method's, at the same batch, length and checkpointing."""
    first, second = (needed_bytes(shape, name, rank, length, batch, checkpointing) for name in (full, method))
    return first / second


def largest_batch(
    shape: str, method: str, rank: int, length: int, vram: str, checkpointing: bool, overhead: str = "1GB"
) -> int:
    """The largest batch under a limit, 0 where not even one row fits; ``overhead`` is left for the device's context."""
    of, way = read_shape(shape), _way(method, rank, checkpointing)
    limit = parse_size("vram", vram) - parse_size("overhead", overhead)
    return largest(lambda examples: bytes_on_device(of, way, length, examples), limit)


@dataclass(frozen=True)
class Calculation:
    """A function that a claim may name: the unit of what it returns, and what that rests on."""

    function: Callable[..., float]
    unit: str
    basis: Literal["counted", "predicted"] = "counted"


CALCULATIONS = {
    calculation.function.__name__: calculation
    for calculation in (
        Calculation(parameters, "parameters"),
        Calculation(trained_parameters, "parameters"),
        Calculation(adapter_share, "share"),
        Calculation(times_fewer, "times"),
        Calculation(times_fewer_in_squares, "times"),
        Calculation(bytes_a_parameter, "bytes a parameter"),
        Calculation(training_bytes, "bytes"),
        Calculation(base_bytes, "bytes"),
        Calculation(bits_a_weight, "bits"),
        Calculation(bits_saved, "bits"),
        Calculation(bits_saved_on, "bits"),
        Calculation(flops_ratio, "times"),
        Calculation(dollars, "dollars"),
        Calculation(score_interval, "points"),
        Calculation(ratio, "share"),
        Calculation(memory_ratio_at_most, "times"),
        Calculation(needed_bytes, "bytes", "predicted"),
        Calculation(memory_ratio, "times", "predicted"),
        Calculation(largest_batch, "batch", "predicted"),
    )
}


def _targets(targets: Targets) -> str | tuple[str, ...]:
    return targets if isinstance(targets, str) else tuple(targets)


def _recipe(method: str) -> Recipe:
    if method not in METHODS:
        raise UserError(f"method {method!r}: there is none such (there are: {', '.join(METHODS)})")
    return METHODS[method]


def _way(method: str, rank: int, checkpointing: bool = False) -> Way:
    _recipe(method)
    found = ways([method], [rank], "adamw", "all-linear")
    return next(way for way in found if way.recipe.checkpointing is checkpointing)
