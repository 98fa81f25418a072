"""How fast a way of training runs at the largest batch that fits, and what so many tokens take of it."""

from dataclasses import dataclass

from harness.predict.devices import Profile
from harness.predict.fit import Fit
from harness.predict.shape import Shape
from harness.predict.time import StepTime, step_seconds, tokens_per_second


@dataclass(frozen=True)
class Speed:
    """Of a step over the largest batch, an optimizer step each; a preference pair's two answers are both counted."""

    step: StepTime
    tokens_per_second: float

    def hours(self, tokens: int) -> float:
        """For ``tokens``."""
        return tokens / self.tokens_per_second / 3600


def speed_of(shape: Shape, fit: Fit, profile: Profile) -> Speed | None:
    """None where not even one example fits."""
    if not fit.batch:
        return None
    batch = fit.way.batch(fit.batch, fit.length)
    step = step_seconds(shape, fit.way.recipe, batch, profile)
    return Speed(step, tokens_per_second(batch, step))


def longest(fits: list[Fit]) -> Fit:
    """Of one way's the one with the longest sequence that fits, or else the shortest."""
    return max(fits, key=lambda fit: fit.length if fit.batch else -fit.length)
