"""Ratios, scaling and targets: numbers in, numbers out.

Every ratio is stock seconds over harness seconds, so that larger is better for the harness.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Side:
    """What one side took for a cell, in seconds; the scoring is lm-eval's model calls alone."""

    wall_seconds: float
    train_seconds: float
    score_seconds: float

    @property
    def overhead_seconds(self) -> float:
        """Neither training nor a model's answer: imports, loading, building, collecting, writing."""
        return self.wall_seconds - self.train_seconds - self.score_seconds


@dataclass(frozen=True)
class Target:
    """A figure and what it should be: at least, or under."""

    name: str
    value: float | None
    at_least: float | None = None
    under: float | None = None

    @property
    def met(self) -> bool | None:
        """None where the figure was not taken."""
        if self.value is None:
            return None
        return self.value < self.under if self.under is not None else self.value >= (self.at_least or 0.0)

    def as_json(self) -> dict[str, float | bool | None]:
        """As bench.json holds it."""
        bound = {"at_least": self.at_least} if self.at_least is not None else {"under": self.under}
        return {"value": self.value, **bound, "met": self.met}


def middle(sides: Sequence[Side]) -> Side:
    """The repeats of one side of one cell as one: the median of each figure."""
    return Side(
        *(median(getattr(s, name) for s in sides) for name in ("wall_seconds", "train_seconds", "score_seconds"))
    )


def difference(one: float, other: float) -> float:
    """How far two figures are apart: absolute up to 1, relative above it, so that a perplexity is as an accuracy."""
    return abs(one - other) / max(1.0, abs(one), abs(other))


def largest_difference(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    """Over all tasks. Raises KeyError where the two do not have the same tasks."""
    if one.keys() != other.keys():
        raise KeyError(f"not the same tasks: {sorted(one.keys() ^ other.keys())}")
    return max((difference(one[task], other[task]) for task in one), default=0.0)


@dataclass(frozen=True)
class TrainingCost:
    """A stock training script, timed once: what does not depend on its steps, and what each step takes."""

    start_up_seconds: float
    step_seconds: float

    @classmethod
    def of(cls, wall_seconds: float, train_seconds: float, steps: int) -> "TrainingCost":
        """From one run: all outside ``trainer.train()`` is start-up, all inside is steps."""
        return cls(wall_seconds - train_seconds, train_seconds / steps)

    def seconds(self, steps: int) -> float:
        """The script at another number of steps."""
        return self.start_up_seconds + steps * self.step_seconds

    def at(self, step_factor: float) -> "TrainingCost":
        """The same script on a base whose steps take ``step_factor`` as long."""
        return TrainingCost(self.start_up_seconds, self.step_seconds * step_factor)


@dataclass(frozen=True)
class ScoringCost:
    """A stock lm-eval command, timed once: what does not depend on its items, and what each item takes."""

    start_up_seconds: float
    item_seconds: float

    @classmethod
    def of(cls, wall_seconds: float, score_seconds: float, items: int) -> "ScoringCost":
        """From one run: all outside model calls is start-up, all inside is items."""
        return cls(wall_seconds - score_seconds, score_seconds / items)

    def seconds(self, items: int) -> float:
        """The command over another number of items."""
        return self.start_up_seconds + items * self.item_seconds
