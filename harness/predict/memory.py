"""Memory by component, at the moment of a training step when it is highest."""

from dataclasses import asdict, dataclass, replace
from functools import lru_cache

from harness.predict.forward import training_step
from harness.predict.layers import held_by_checkpoints
from harness.predict.optimizer import learned_parameters, optimizer_bytes
from harness.predict.recipe import Batch, Recipe
from harness.predict.shape import Shape
from harness.predict.tape import counted_peak, device_peak, kept_by_part
from harness.predict.weights import adapter_bytes, quantisation_bytes, weights_bytes


@dataclass(frozen=True)
class Memory:
    """Bytes by component, under the ledger's names; ``temporary`` is what the ledger does not see.

    That is gradients of activations, the loss's tile, a layer computed again and what that takes: an estimate.
    """

    weights: int
    quantisation: int
    adapter: int
    optimizer: int
    gradient: int = 0
    activation: int = 0
    temporary: int = 0

    @property
    def counted(self) -> int:
        """What the ledger sees."""
        return self.total - self.temporary

    @property
    def total(self) -> int:
        """Of tensors on the device: without the allocator's rounding and the device's own context."""
        return sum(asdict(self).values())


def memory(shape: Shape, recipe: Recipe, batch: Batch) -> Memory:
    """Memory of a training step over ``batch``, once the optimizer has its state."""
    still, blocks, earlier = (
        standing(shape, recipe),
        training_step(shape, recipe, batch),
        _earlier(shape, recipe, batch),
    )
    counted, device = counted_peak(blocks, earlier), device_peak(blocks, earlier)
    return replace(
        still,
        gradient=counted.gradient,
        activation=counted.activation,
        temporary=max(0, device.total + held_by_checkpoints(shape, recipe, batch) - counted.counted),
    )


def total_bytes(shape: Shape, recipe: Recipe, batch: Batch) -> int:
    """``memory(...).total``, with less work."""
    peak = device_peak(training_step(shape, recipe, batch), _earlier(shape, recipe, batch))
    return standing(shape, recipe).total + peak.total + held_by_checkpoints(shape, recipe, batch)


@lru_cache(maxsize=256)
def standing(shape: Shape, recipe: Recipe) -> Memory:
    """What stands from step to step, whatever the batch."""
    return Memory(
        weights=weights_bytes(shape, recipe),
        quantisation=quantisation_bytes(shape, recipe),
        adapter=adapter_bytes(shape, recipe),
        optimizer=optimizer_bytes(shape, recipe),
    )


def _earlier(shape: Shape, recipe: Recipe, batch: Batch) -> int | None:
    return gradient_bytes(shape, recipe) if batch.accumulated else None


def activation_parts(shape: Shape, recipe: Recipe, batch: Batch) -> dict[str, int]:
    """Bytes of activations at the end of the forward pass, by part of the model."""
    return kept_by_part(training_step(shape, recipe, batch))


def gradient_bytes(shape: Shape, recipe: Recipe) -> int:
    """Of all gradients together."""
    return sum(p.elements * p.count for p in learned_parameters(shape, recipe)) * recipe.learned_size
