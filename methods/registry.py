"""Find a method by its name: the built-in ones, then those that installed packages add."""

from functools import cache
from importlib import import_module
from importlib.metadata import entry_points

from methods.method import Method

BUILT_IN = ("base", "full_sft", "lora", "qlora", "dpo")
GROUP = "tunematrix.methods"


def names() -> tuple[str, ...]:
    """Every method that a matrix may name, built-in ones first."""
    return (*BUILT_IN, *sorted(point.name for point in entry_points(group=GROUP) if point.name not in BUILT_IN))


@cache
def get(name: str) -> Method:
    """The method called ``name``; raises KeyError for an unknown one, TypeError for a plugin that is no Method."""
    if name in BUILT_IN:
        method: Method = import_module(f"methods.{name}").METHOD
        return method
    for point in entry_points(group=GROUP):
        if point.name == name:
            found = point.load()
            method = found() if isinstance(found, type) else found
            if not isinstance(method, Method):
                raise TypeError(f"entry point {GROUP}:{name} is {type(found).__name__}, not a tunematrix.Method")
            return method
    raise KeyError(name)
