"""Find a method by its name: the built-in ones, then those that installed packages add."""

from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points

from methods.method import Method

BUILT_IN = ("base", "full_sft", "lora", "qlora", "dpo")
GROUP = "tunematrix.methods"


def names() -> tuple[str, ...]:
    """Every method that a matrix may name, built-in ones first."""
    return (*BUILT_IN, *sorted(point.name for point in entry_points(group=GROUP) if point.name not in BUILT_IN))


@cache
def get(name: str) -> Method:
    """The method called ``name``; raises KeyError for an unknown one, TypeError for a plugin that will not do."""
    if name in BUILT_IN:
        method: Method = import_module(f"methods.{name}").METHOD
        return method
    point = entry_point(name)
    try:
        found = point.load()
        method = found() if isinstance(found, type) else found
    except Exception as error:  # whatever a stranger's module raises
        said = (str(error).splitlines() or ["no message"])[0]
        raise TypeError(
            f"entry point {GROUP}:{name} cannot be loaded from {point.value}: {type(error).__name__}: {said}"
        ) from error
    if not isinstance(method, Method):
        raise TypeError(f"entry point {GROUP}:{name} is {type(found).__name__}, not a tunematrix.Method")
    if getattr(method, "name", None) != name:
        raise TypeError(f"entry point {GROUP}:{name} is a method named {getattr(method, 'name', None)!r}")
    return method


def entry_point(name: str) -> EntryPoint:
    """Where an installed package says that the method ``name`` is; raises KeyError where none does."""
    for point in entry_points(group=GROUP):
        if point.name == name:
            return point
    raise KeyError(name)
