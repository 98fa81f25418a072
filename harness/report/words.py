"""Figures as people read them: sensible precision, and the unit beside the number."""

from typing import Any

from harness.oneline import one_line
from harness.units import size_text

MISSING = "-"


def points(value: float | None, signed: bool = False) -> str:
    """A share of 1 as percentage points with one decimal."""
    if value is None:
        return MISSING
    shown = round(100 * value, 1) + 0.0  # no minus zero
    return f"{shown:+.1f}" if signed and shown else f"{shown:.1f}"


def with_interval(row: Any, name: str, signed: bool = False) -> str:
    """``78.3 [74.1, 82.0]``, of the columns ``name``, ``name_low`` and ``name_high``."""
    if row[name] is None or row[f"{name}_low"] is None:
        return points(row[name], signed)
    low, high = (points(row[f"{name}_{end}"], signed) for end in ("low", "high"))
    return f"{points(row[name], signed)} [{low}, {high}]"


def times(value: float | None) -> str:
    """A ratio: ``1.22x``."""
    return MISSING if value is None else f"{value:.2f}x"


def times_with_interval(row: Any, name: str) -> str:
    """``1.16x [1.15, 1.17]``."""
    if row[name] is None or row[f"{name}_low"] is None:
        return times(row[name])
    return f"{times(row[name])} [{row[f'{name}_low']:.2f}, {row[f'{name}_high']:.2f}]"


def count(value: float | None) -> str:
    """``3.4 K``, ``1.2 M``, ``6.7 B``."""
    if value is None:
        return MISSING
    for size, unit in ((1e9, "B"), (1e6, "M"), (1e3, "K")):
        if value >= 0.9995 * size:
            return f"{value / size:.1f} {unit}" if value < 99.95 * size else f"{value / size:.0f} {unit}"
    return f"{value:.0f}"


def size(value: float | None) -> str:
    """Bytes as ``size_text`` says them."""
    return MISSING if value is None else size_text(value)


def seconds(value: float | None) -> str:
    """``42 s``, ``12 min``, ``3.2 h``."""
    if value is None:
        return MISSING
    if value < 120:
        return f"{value:.0f} s" if value >= 10 else f"{value:.1f} s"
    return f"{value / 60:.0f} min" if value < 7200 else f"{value / 3600:.1f} h"


def rate(value: float | None) -> str:
    """A learning rate: ``3e-4``, ``1.5e-3``."""
    if value is None:
        return MISSING
    mantissa, _, exponent = f"{value:.6e}".partition("e")
    return f"{float(mantissa):g}e{int(exponent)}"


def text(value: Any) -> str:
    """Anything from a database, on one line and without control characters."""
    return MISSING if value is None else one_line(value)
