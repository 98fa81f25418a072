"""What fits into so much memory: for each way of training a shape, the largest batch at each sequence length."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from harness.predict.memory import total_bytes
from harness.predict.optimizer import paged_bytes
from harness.predict.parameters import total
from harness.predict.recipe import Adapter, Batch, Recipe
from harness.predict.shape import Shape
from harness.predict.weights import adapter_elements

MOST = 1024  # rows; a larger batch is not looked for

_BFLOAT16 = Recipe(weights="bfloat16", compute="bfloat16", adapter_dtype="float32")
METHODS = {
    "full_sft": _BFLOAT16,
    "full_sft amp": Recipe(weights="float32", compute="bfloat16"),
    "lora": replace(_BFLOAT16, adapter=Adapter(8)),
    "qlora": replace(_BFLOAT16, adapter=Adapter(8), quantised=True),
    "dpo on full_sft": replace(_BFLOAT16, reference="precomputed"),
    "dpo on lora": replace(_BFLOAT16, adapter=Adapter(8), reference="frozen_copy"),
    "dpo on qlora": replace(_BFLOAT16, adapter=Adapter(8), quantised=True, reference="frozen_copy"),
}


@dataclass(frozen=True)
class Way:
    """One way of training: a method, with its rank where it has one."""

    method: str
    recipe: Recipe

    @property
    def rank(self) -> int | None:
        """Of the adapter, if there is one."""
        return None if self.recipe.adapter is None else self.recipe.adapter.rank

    def trainable(self, shape: Shape) -> int:
        """Parameters that learn."""
        return total(shape) if self.recipe.adapter is None else adapter_elements(shape, self.recipe)

    def batch(self, examples: int, length: int) -> Batch:
        """``examples`` of full length: a preference pair is two rows."""
        return Batch(examples * (1 if self.recipe.reference is None else 2), length)


@dataclass(frozen=True)
class Fit:
    """The largest batch of a way at a sequence length, 0 where not even one example fits."""

    way: Way
    length: int
    batch: int

    @property
    def counted_batch(self) -> int:
        """The batch whose memory is told: the largest, or one example."""
        return max(1, self.batch)


def ways(
    methods: Sequence[str], ranks: Sequence[int], optimizer: str, targets: str | tuple[str, ...], kernels: str = "cuda"
) -> list[Way]:
    """Each method at each rank, without and with gradient checkpointing, by a GPU's kernels or a ``cpu``'s."""
    found = []
    for method in methods:
        recipe = replace(METHODS[method], optimizer=optimizer, device=kernels)
        ranked = [replace(recipe, adapter=Adapter(rank, targets)) for rank in ranks] if recipe.adapter else [recipe]
        found += [Way(method, replace(one, checkpointing=on)) for one in ranked for on in (False, True)]
    return found


def fits(shape: Shape, ways: Sequence[Way], lengths: Sequence[int], limit: int) -> Iterator[Fit]:
    """For each way and sequence length the largest batch whose tensors take at most ``limit`` bytes of the device."""
    for way in ways:
        for length in lengths:
            yield Fit(way, length, largest(partial(bytes_on_device, shape, way, length), limit))


def bytes_on_device(shape: Shape, way: Way, length: int, examples: int) -> int:
    """Bytes of tensors on the device: what a paged optimizer may move away is not counted."""
    return total_bytes(shape, way.recipe, way.batch(examples, length)) - paged_bytes(shape, way.recipe)


def largest(needed: Callable[[int], int], limit: int, most: int = MOST) -> int:
    """The largest number up to ``most`` that needs at most ``limit``, 0 if 1 needs more; more never needs less.

    What is needed grows almost evenly: the next guess goes by what the last one more took, and halfway where a guess
    was too large.
    """
    low, high, guess = 0, most + 1, 1
    needs = {0: 0}
    while high - low > 1:
        needs[guess] = needed(guess)
        if needs[guess] > limit:
            high, guess = guess, (low + guess) // 2
            continue
        each = max(1, (needs[guess] - needs[low]) // (guess - low)) if low else needs[guess]
        ahead = (limit - needs[guess]) // each if low else 1
        low, guess = guess, min(guess + max(1, ahead), high - 1)
    return low
