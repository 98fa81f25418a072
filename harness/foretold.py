"""What a run should need and take, written down before its first step: memory, and for a measure run a step's time."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.arms import Arm
from harness.errors import UserError
from harness.events import Batches, Ceilings
from harness.needs import need_for
from harness.predict.devices import Profile
from harness.predict.recipe import Batch, recipe_of
from harness.predict.shape import shape_of
from harness.predict.time import Work, mean_step_seconds, mean_step_work

# What a method asks for is the same however it is computed; what is moved and launched is not.
_PLAIN = {"attention": "sdpa", "compile": False, "liger": False, "patch": None}


@dataclass(frozen=True)
class Foretold:
    """Bytes by component at the peak, seconds by part of a step, and its work; what is not predicted is empty."""

    component_bytes: Mapping[str, int] = field(default_factory=dict)
    part_seconds: Mapping[str, float] = field(default_factory=dict)
    work: Work | None = None


def foretell(arm: Arm, device: str, told: Batches, ceilings: Ceilings | None) -> Foretold:
    """What the arm's own stage should need over the longest of its batches, and over those that are timed take on a
    device that reaches ``ceilings``."""
    passes = {one.batch: one.count for one in told.timed}
    work, seconds = _step(arm, device, passes, told.steps, ceilings) if passes else (None, {})
    return Foretold(_memory(arm, device, told), seconds, work)


def _memory(arm: Arm, device: str, told: Batches) -> dict[str, int]:
    try:
        return need_for(arm, device, told.batches).by_component()
    except UserError:
        return {}


def _step(
    arm: Arm, device: str, passes: Mapping[Batch, int], steps: int, ceilings: Ceilings | None
) -> tuple[Work | None, Mapping[str, float]]:
    try:
        shape = shape_of(arm.base.config, arm.base.name)
        recipe = recipe_of(arm.stages, {**arm.execution, **_PLAIN}, device)
    except UserError:
        return None, {}
    try:
        recipe = recipe_of(arm.stages, arm.execution, device)
    except UserError:
        return Work(mean_step_work(shape, recipe, passes, steps).model_flops), {}
    work = mean_step_work(shape, recipe, passes, steps)
    if ceilings is None:
        return work, {}
    return work, mean_step_seconds(shape, recipe, passes, steps, profile_of(ceilings)).parts


def profile_of(ceilings: Ceilings, source: str = "measured") -> Profile:
    """The device as it was measured, by ``source``."""
    return Profile(
        bfloat16_flops=ceilings.bfloat16_flops,
        float32_flops=ceilings.float32_flops,
        bandwidth=ceilings.bytes_per_second,
        launch_seconds=ceilings.launch_seconds,
        bfloat16_attention_flops=ceilings.bfloat16_attention_flops,
        float32_attention_flops=ceilings.float32_attention_flops,
        fresh_bandwidth=ceilings.fresh_bytes_per_second,
        source=source,
    )
