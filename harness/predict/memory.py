"""Memory by component, at the moment of a training step when it is highest."""

from dataclasses import asdict, dataclass

from harness.predict.forward import training_step
from harness.predict.optimizer import learned_parameters, optimizer_bytes
from harness.predict.recipe import Batch, Recipe
from harness.predict.shape import Shape
from harness.predict.tape import counted_peak, device_peak, kept_by_part
from harness.predict.weights import adapter_bytes, quantisation_bytes, weights_bytes


@dataclass(frozen=True)
class Memory:
    """Bytes by component, under the ledger's names; ``temporary`` is what the ledger does not see.

    That is gradients of activations, the loss's tile, a layer computed again: an estimate.
    """

    weights: int
    quantisation: int
    adapter: int
    gradient: int
    optimizer: int
    activation: int
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
    blocks = training_step(shape, recipe, batch)
    standing = gradient_bytes(shape, recipe) if batch.accumulated else None
    counted, device = counted_peak(blocks, standing), device_peak(blocks, standing)
    return Memory(
        weights=weights_bytes(shape, recipe),
        quantisation=quantisation_bytes(shape, recipe),
        adapter=adapter_bytes(shape, recipe),
        gradient=counted.gradient,
        optimizer=optimizer_bytes(shape, recipe),
        activation=counted.activation,
        temporary=max(0, device.total - counted.counted),
    )


def activation_parts(shape: Shape, recipe: Recipe, batch: Batch) -> dict[str, int]:
    """Bytes of activations at the end of the forward pass, by part of the model."""
    return kept_by_part(training_step(shape, recipe, batch))


def gradient_bytes(shape: Shape, recipe: Recipe) -> int:
    """Of all gradients together."""
    return sum(p.elements * p.count for p in learned_parameters(shape, recipe)) * recipe.learned_size
