"""What the gate holds each quantity against. Every number can be overridden in a rules file."""

from typing import Annotated

from pydantic import Field

from harness.settings import DType, Strict

Positive = Annotated[float, Field(gt=0)]
Level = Annotated[float, Field(gt=0, lt=0.5)]


class Deviation(Strict):
    """A quantity that the same arithmetic gives again up to rounding: how far it may move, by the type computed in.

    A stage that starts from a trained one starts from weights in which training has made the rounding larger: it may
    move ``after_training`` times as far. Two kinds of processor round otherwise: between them anything may move
    ``other_hardware`` times as far. Where the baseline's own repeated runs spread further, ``spread`` times that spread
    is the limit.
    """

    limit: dict[DType, Positive]
    after_training: Positive = 30.0
    other_hardware: Positive = 10.0
    spread: Positive = 3.0


class FirstLosses(Deviation):
    """The loss of the first steps."""

    steps: Annotated[int, Field(gt=0)] = 10


class Tolerance(Strict):
    """A quantity that repeats exactly or nearly so: the share by which it may grow."""

    share: Positive


class Effect(Strict):
    """A quantity with chance in it.

    A change counts that is beyond chance at ``level`` (two-sided, corrected over the quantity's comparisons) and at
    least ``minimum``; no change is claimed only where one for the worse of ``resolution`` is ruled out at that level.
    """

    level: Level
    minimum: Annotated[float, Field(ge=0)]
    resolution: Positive

    @property
    def seen(self) -> float:
        """What has to be ruled out: a resolution finer than what counts at all asks for nothing more."""
        return max(self.resolution, self.minimum)


class Rules(Strict):
    """One rule a quantity. Scores and forgetting are in points of 1 (0.02 is two points), the others shares of 1."""

    logits: Deviation = Deviation(limit={"float32": 2e-5, "bfloat16": 2e-2, "float16": 3e-3})
    gradients: Deviation = Deviation(limit={"float32": 1e-4, "bfloat16": 5e-2, "float16": 1e-2})
    first_losses: FirstLosses = FirstLosses(limit={"float32": 5e-6, "bfloat16": 2e-2, "float16": 5e-3})
    final_loss: Effect = Effect(level=0.005, minimum=0.02, resolution=0.10)
    memory: Tolerance = Tolerance(share=0.01)
    speed: Effect = Effect(level=0.01, minimum=0.01, resolution=0.10)  # of one arm in 14 rounds
    score: Effect = Effect(level=0.005, minimum=0.01, resolution=0.20)  # what a task of fifty items can rule out
    forgetting: Effect = Effect(level=0.005, minimum=0.01, resolution=0.05)
    matrix_final_loss: Effect = Effect(level=0.005, minimum=0.01, resolution=0.03)
    matrix_speed: Effect = Effect(level=0.02, minimum=0.01, resolution=0.03)  # one number a check: `make bench-gate`
    matrix_score: Effect = Effect(level=0.005, minimum=0.005, resolution=0.02)
