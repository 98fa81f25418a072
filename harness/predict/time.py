"""Seconds of a training step, by a roofline: each part takes as long as its arithmetic or its traffic, whichever is
longer (Williams et al. 2009), and parts follow each other.

Nothing here has been held against a GPU. What a device reaches is its profile's (``devices.py``); what is assumed of
kernels stands below.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from harness.predict.devices import Profile
from harness.predict.flops import Flops, Product, products, step_flops
from harness.predict.recipe import Batch, Recipe
from harness.predict.shape import Shape
from harness.predict.traffic import accumulation_traffic, optimizer_traffic, pass_traffic

# A causal kernel leaves out the blocks of scores above the diagonal: almost half of them. Where a mask is given, for
# padding or for examples in one row, every block is computed. A GPU's blocks are small; the CPU's kernel takes so many
# keys at a time (PyTorch, aten/src/ATen/native/cpu/FlashAttentionKernel.cpp).
CAUSAL_SHARE = 0.5
CPU_BLOCK = 512


@dataclass(frozen=True)
class StepTime:
    """Seconds by what they are spent on. A GPU waits for launches where the host takes longer than all else; a CPU
    issues its own kernels, and does nothing else meanwhile."""

    arithmetic: float
    memory_traffic: float
    optimizer: float
    launches: float
    flops: Flops

    @property
    def parts(self) -> dict[str, float]:
        """Seconds by part."""
        return {
            "arithmetic": self.arithmetic,
            "memory traffic": self.memory_traffic,
            "optimizer": self.optimizer,
            "launches": self.launches,
        }

    @property
    def seconds(self) -> float:
        """Of the whole step."""
        return sum(self.parts.values())

    @property
    def dominant(self) -> str:
        """The part that takes longest."""
        return max(self.parts, key=lambda part: self.parts[part])

    @property
    def reason(self) -> str:
        """What the step spends most of its time on, in words."""
        share = self.parts[self.dominant] / self.seconds
        return f"{share:.0%} {_IN_WORDS[self.dominant]}"


_IN_WORDS = {
    "arithmetic": "arithmetic of matrix products",
    "memory traffic": "memory traffic between products",
    "optimizer": "the optimizer's reading and writing of its state",
    "launches": "issuing kernels one by one",
}


@dataclass(frozen=True)
class Work:
    """What a training step asks of a device: operations, bytes read and written, kernels. Without the last three where
    the kernels are not those that are predicted: what the method itself asks for is the same with all of them."""

    model_flops: float
    hardware_flops: float | None = None
    moved_bytes: float | None = None
    kernels: float | None = None


def step_seconds(shape: Shape, recipe: Recipe, batch: Batch, profile: Profile, *, micro_batches: int = 1) -> StepTime:
    """How long one optimizer step takes over ``micro_batches`` of ``batch``, by ``profile``; predicted."""
    return mean_step_seconds(shape, recipe, {batch: micro_batches}, 1, profile)


def mean_step_seconds(
    shape: Shape, recipe: Recipe, passes: Mapping[Batch, int], steps: int, profile: Profile
) -> StepTime:
    """The same of the mean of ``steps`` that ``passes`` are divided among."""
    arithmetic = traffic = kernels = 0.0
    flops: dict[str, float] = dict.fromkeys(vars(Flops()), 0.0)
    for batch, count in passes.items():
        done = list(products(shape, recipe, batch))
        moved = pass_traffic(shape, recipe, batch)
        calculating, feeding = _seconds_of_products(done, recipe, batch, profile)
        arithmetic += count * calculating
        traffic += count * (feeding + profile.moving_seconds(moved.bytes, moved.fresh))
        kernels += count * pass_kernels(shape, recipe, batch)
        for name, value in vars(step_flops(shape, recipe, batch)).items():
            flops[name] += count * value / steps
    added = accumulation_traffic(shape, recipe) * (sum(passes.values()) - steps)
    update = optimizer_traffic(shape, recipe)
    arithmetic, traffic = arithmetic / steps, (traffic + added.bytes / profile.bandwidth) / steps
    optimizer = update.bytes / profile.bandwidth
    issuing = ((kernels + added.kernels) / steps + update.kernels) * profile.launch_seconds
    return StepTime(
        arithmetic=arithmetic,
        memory_traffic=traffic,
        optimizer=optimizer,
        launches=issuing if recipe.device == "cpu" else max(0.0, issuing - arithmetic - traffic - optimizer),
        flops=Flops(**flops),
    )


def mean_step_work(shape: Shape, recipe: Recipe, passes: Mapping[Batch, int], steps: int) -> Work:
    """What the mean of ``steps`` that ``passes`` are divided among asks for."""
    model = hardware = moved = kernels = 0.0
    for batch, count in passes.items():
        flops, between = step_flops(shape, recipe, batch), pass_traffic(shape, recipe, batch)
        done = list(products(shape, recipe, batch))
        model, hardware = model + count * flops.model, hardware + count * flops.hardware
        moved += count * (between.bytes + sum(product.bytes * product.count for product in done))
        kernels += count * pass_kernels(shape, recipe, batch)
    added = accumulation_traffic(shape, recipe) * (sum(passes.values()) - steps)
    update = optimizer_traffic(shape, recipe)
    return Work(
        model_flops=model / steps,
        hardware_flops=hardware / steps,
        moved_bytes=(moved + added.bytes) / steps + update.bytes,
        kernels=(kernels + added.kernels) / steps + update.kernels,
    )


def pass_kernels(shape: Shape, recipe: Recipe, batch: Batch) -> int:
    """How many kernels a forward and backward pass over ``batch`` launches."""
    between = pass_traffic(shape, recipe, batch).kernels
    return between + sum(product.count for product in products(shape, recipe, batch))


def tokens_per_second(batch: Batch, time: StepTime, micro_batches: int = 1) -> float:
    """Tokens of all rows, both answers of a preference pair counted."""
    return micro_batches * batch.tokens / time.seconds


def _seconds_of_products(done: list[Product], recipe: Recipe, batch: Batch, profile: Profile) -> tuple[float, float]:
    """Seconds of the products that are bound by arithmetic, and of those that are bound by what they read and write."""
    calculating = feeding = 0.0
    for product in done:
        arithmetic = _arithmetic_seconds(product, recipe, batch, profile)
        traffic = product.bytes / profile.bandwidth
        if arithmetic >= traffic:
            calculating += product.count * arithmetic
        else:
            feeding += product.count * traffic
    return calculating, feeding


def _arithmetic_seconds(product: Product, recipe: Recipe, batch: Batch, profile: Profile) -> float:
    """Of one product; fused attention skips what is masked, and has a speed of its own."""
    if product.part != "attention" or recipe.attention == "eager":
        return product.flops / profile.product_flops(product.size)
    return product.flops * _unmasked_share(recipe, batch) / profile.attention_flops(product.size)


def _unmasked_share(recipe: Recipe, batch: Batch) -> float:
    """Of all scores, those that a fused kernel computes."""
    if recipe.masks(batch):
        return 1.0
    block = CPU_BLOCK if recipe.device == "cpu" else 0
    return min(1.0, CAUSAL_SHARE * (1 + block / batch.length))
