"""The facts of a recipe that decide its memory, and the batch that it sees."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import methods.registry
from harness.errors import UserError
from methods.parameters import LoraParameters

SIZES = {"float32": 4, "bfloat16": 2, "float16": 2}

Reference = Literal["precomputed", "model", "frozen_copy", "adapter_off"]
Loss = Literal["chunked", "whole", "liger"]


@dataclass(frozen=True)
class Adapter:
    """Low-rank matrices beside the linear layers that ``targets`` names."""

    rank: int
    targets: str | tuple[str, ...] = "all-linear"
    dropout: float = 0.0


@dataclass(frozen=True)
class Recipe:
    """What is trained and how: every weight, or an ``adapter``; of SFT, or of pairs with their ``reference``."""

    adapter: Adapter | None = None
    quantised: bool = False
    double_quantisation: bool = True
    weights: str = "float32"
    compute: str = "float32"
    adapter_dtype: str = "float32"
    optimizer: str = "adamw"
    attention: str = "sdpa"
    checkpointing: bool = False
    loss: Loss = "chunked"  # over the vocabulary
    reference: Reference | None = None
    device: str = "cuda"  # which kernels run: "cpu" or "cuda"

    @property
    def autocast(self) -> bool:
        """Is the type of each product chosen by autocast, since weights or adapters are of another type?"""
        adapter_differs = self.adapter is not None and self.adapter_dtype != self.compute
        return self.compute != "float32" and (self.lowers_weights or adapter_differs)

    @property
    def lowers_weights(self) -> bool:
        """Are the base's weights lowered for each product?"""
        return self.compute != self.weights

    @property
    def lowers_adapter(self) -> bool:
        """And the adapter's?"""
        return self.autocast and self.adapter_dtype != self.compute

    @property
    def weight_size(self) -> int:
        """Bytes of one weight that is not quantised."""
        return SIZES[self.weights]

    @property
    def compute_size(self) -> int:
        """Bytes of one element of a product."""
        return SIZES[self.compute]

    @property
    def adapter_size(self) -> int:
        """Bytes of one element of an adapter."""
        return SIZES[self.adapter_dtype]

    @property
    def learned_size(self) -> int:
        """Bytes of one element of what is trained."""
        return self.weight_size if self.adapter is None else self.adapter_size

    def masks(self, batch: "Batch") -> bool:
        """Does attention compute what is masked? FlashAttention 2 takes the bounds of examples, and no padding."""
        return batch.masked and self.attention != "flash_attention_2"


@dataclass(frozen=True)
class Batch:
    """One forward pass: ``rows`` sequences (two of a preference pair) of ``length`` tokens, padding included.

    ``padded`` if any row is shorter than the others; ``accumulated`` if gradients of earlier ones of the step stand;
    ``packed`` holds the lengths of examples that share a row, each to attend to itself alone.
    """

    rows: int
    length: int
    padded: bool = False
    accumulated: bool = False
    packed: tuple[int, ...] = ()

    @property
    def tokens(self) -> int:
        """Of all rows, padding included."""
        return self.rows * self.length

    @property
    def masked(self) -> bool:
        """Must attention leave out more than what lies ahead?"""
        return self.padded or bool(self.packed)

    @property
    def pairs(self) -> int:
        """Pairs of tokens of one example, or of one row where no row holds several."""
        return sum(length**2 for length in self.packed) or self.rows * self.length**2


def batch_of(lengths: Sequence[int], *, packing: bool = False, accumulated: bool = False) -> Batch:
    """The forward pass over sequences of these lengths: a row each, padded to the longest, or all in one."""
    if packing:
        return Batch(1, sum(lengths), accumulated=accumulated, packed=tuple(lengths) if len(lengths) > 1 else ())
    return Batch(len(lengths), max(lengths), min(lengths) < max(lengths), accumulated)


def recipe_of(stages: Sequence[Mapping[str, Any]], execution: Mapping[str, Any], device: str) -> Recipe:
    """The facts of the last of ``stages``, as a cell's recipe holds them; raises UserError for what isn't predicted."""
    first, last = stages[0], stages[-1]
    _refuse_third_parties(stages)
    _refuse_kernels(execution)
    parameters = first["parameters"]
    method = methods.registry.get(first["method"])
    made = method.Parameters.model_validate(
        {k: v for k, v in parameters.items() if k in method.Parameters.model_fields}
    )
    precision = last["precision"]
    return Recipe(
        adapter=_adapter(made) if method.result == "adapter" else None,
        quantised=method.quantised(made),
        double_quantisation=bool(parameters.get("double_quantisation", True)),
        weights=precision["weights"],
        compute=precision["compute"],
        adapter_dtype=precision.get("adapter", "float32"),
        optimizer=last["optimizer"]["name"],
        attention=execution["attention"],
        checkpointing=execution["gradient_checkpointing"],
        loss=execution.get("loss", "chunked"),
        reference=_reference(last["parameters"]) if last["kind"] == "preference" else None,
        device="cpu" if device == "cpu" else "cuda",
    )


def _adapter(made: Any) -> Adapter:
    if not isinstance(made, LoraParameters):
        raise UserError(f"an adapter of {type(made).__name__} is not predicted")
    if made.use_dora or made.bias != "none":
        raise UserError("use_dora and bias are not predicted yet")
    return Adapter(made.rank, made.target_modules, made.dropout)


def _reference(parameters: Mapping[str, Any]) -> Reference:
    if "adapter" not in parameters:
        return "model" if parameters["reference"] == "model" else "precomputed"
    return "adapter_off" if parameters["adapter"] == "fresh" else "frozen_copy"


def _refuse_third_parties(stages: Sequence[Mapping[str, Any]]) -> None:
    for stage in stages:
        if "source" in stage:
            raise UserError(f"{stage['method']}: a method of a third party is not predicted")


def _refuse_kernels(execution: Mapping[str, Any]) -> None:
    wanted = [name for name in ("compile", "liger", "patch") if execution.get(name)]
    if execution["attention"] not in ("eager", "sdpa", "flash_attention_2"):
        wanted.append(execution["attention"])
    if wanted:
        raise UserError(f"{', '.join(wanted)}: not predicted yet")
