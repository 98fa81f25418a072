"""Figures of claims as people read them."""

from collections.abc import Callable, Sequence
from math import isinf

from harness.claims.evidence import Measured, Place
from harness.claims.principles import CALCULATIONS
from harness.report import words
from harness.units import plain_size

GB = 10**9


def figure(calculation: str, value: float) -> str:
    """A calculated number with its unit."""
    return _UNITS[CALCULATIONS[calculation].unit](value)


def gigabytes(value: float) -> str:
    """Bytes as GB of 10^9, as cards and claims count them."""
    return f"{value / GB:.1f} GB"


def times(value: float) -> str:
    """A ratio with three digits, in full from a thousand on."""
    return f"{value:,.0f} times" if value >= 100 else f"{value:.3g} times"


def measured(one: Measured) -> str:
    """``gain -37.5 points [-43.0, -32.0]``, ``memory more than 24 GB: memory ended it``."""
    if one.was_short:
        return f"{one.quantity} more than {plain_size(int(one.estimate))}: {one.note}"
    show, unit = _MEASURED[one.unit]
    interval = "" if one.low is None or one.high is None else f" [{show(one.low)}, {show(one.high)}]"
    return f"{one.quantity} {show(one.estimate)}{unit}{interval}"


def from_to(several: Sequence[Measured]) -> str:
    """``tokens/s 0.86 to 1.18 times``, of one quantity."""
    show, unit = _MEASURED[several[0].unit]
    estimates = [one.estimate for one in several]
    return f"{several[0].quantity} {show(min(estimates))} to {show(max(estimates))}{unit}"


def where(place: Place) -> str:
    """The scope of what was measured."""
    return f"{place.base} ({words.count(place.base_parameters)} parameters), suite {place.suite}, {place.machine}"


def _points(value: float) -> str:
    return words.points(value, signed=True)


def _ratio(value: float) -> str:
    return "no end" if isinf(value) else f"{value:.2f}"


_MEASURED: dict[str, tuple[Callable[[float], str], str]] = {
    "points": (_points, " points"),
    "ratio": (_ratio, " times"),
    "bytes": (words.size, ""),
}
_UNITS: dict[str, Callable[[float], str]] = {
    "parameters": lambda value: f"{value:,} parameters",
    "share": lambda value: f"{100 * value:#.3g} %",
    "times": times,
    "bytes a parameter": lambda value: f"{value} bytes a parameter",
    "bytes": gigabytes,
    "bits": lambda value: f"{value:.3f} bits",
    "dollars": lambda value: f"{value:,.0f} dollars" if value >= 100 else f"{value:.2f} dollars",
    "points": lambda value: f"+-{100 * value:.2f} points",
    "batch": lambda value: "not even one row" if value == 0 else f"batch {value}",
}
