"""What differs between two things that are told of in nested mappings: recipes, executions, stacks."""

from collections.abc import Iterator, Mapping
from typing import Any


def differing(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """Each key whose values are not equal, in order, with the value of either side; None where a side lacks it.

    Of mappings and lists within, the keys are joined by dots: ``optimizer.name``, ``stages.0.steps``.
    """
    one, other = dict(_flat(first)), dict(_flat(second))
    return [(key, one.get(key), other.get(key)) for key in sorted({*one, *other}) if one.get(key) != other.get(key)]


def _flat(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf with the way to it; an empty mapping or list is none."""
    if isinstance(value, Mapping):
        inner = list(value.items())
    elif isinstance(value, list | tuple):
        inner = list(enumerate(value))
    else:
        yield prefix, value
        return
    for key, item in inner:
        yield from _flat(item, f"{prefix}.{key}" if prefix else str(key))
