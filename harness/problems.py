"""The mistakes in one matrix file, each in a line with its place; collected, so that all are reported together."""

import difflib
import re
from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError

from harness.errors import UserError
from harness.yamlfile import Document, KeyPath

# What pydantic puts into a location to name the union member it tried: not the user's key.
_UNION_TAG = re.compile(r"^(constrained-|function-|tuple\[|list\[|int$|str$|float$)")


class Problems:
    """Mistakes found so far, each with its place; all are reported together."""

    def __init__(self, document: Document, overridden: set[KeyPath]) -> None:
        self.document = document
        self.overridden = overridden
        self.found: dict[str, int] = {}

    def add(self, path: KeyPath, message: str) -> None:
        """A mistake in the value at ``path``, or in the whole file where that is empty."""
        name = ".".join(str(part) for part in path)
        from_command = any(path[: len(o)] == o for o in self.overridden)
        place = "--set" if from_command else self.document.where(path)
        number = 0 if from_command else self.document.line(path)
        self.found.setdefault(f"{place}: {name}: {message}" if name else f"{place}: {message}", number)

    def add_validation(self, prefix: KeyPath, error: ValidationError, moved: dict[KeyPath, KeyPath]) -> None:
        """Everything that pydantic found in the value at ``prefix``; ``moved`` as ``moved_to_item`` takes it."""
        found = [(key_path(item["loc"]), item) for item in error.errors()]
        for path, item in found:
            if not (item["type"].endswith("_type") and any(_goes_further(other, path) for other in found)):
                self.add(moved_to_item((*prefix, *path), prefix, moved), say(item))

    def unknown(self, path: KeyPath, known: Iterable[str]) -> None:
        """A key that is none of those ``known``."""
        choices = list(known)
        near = difflib.get_close_matches(str(path[-1]), choices, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        self.add(path, f"unknown key{hint} (allowed: {', '.join(choices)})")

    def raise_if_any(self) -> None:
        """Raises UserError with every mistake, in the order of the file."""
        if self.found:
            raise UserError(*sorted(self.found, key=self.found.__getitem__))


def _goes_further(other: tuple[KeyPath, Any], path: KeyPath) -> bool:
    """Was the value at ``path`` taken for another kind of thing, and a mistake found in that?"""
    return other[0][: len(path)] == path and not other[1]["type"].endswith("_type")


def key_path(location: tuple[Any, ...]) -> KeyPath:
    """A pydantic error's location as the keys that the user wrote."""
    return tuple(part for part in location if isinstance(part, int) or not _UNION_TAG.match(part))


def moved_to_item(path: KeyPath, prefix: KeyPath, moved: dict[KeyPath, KeyPath]) -> KeyPath:
    """``path`` with the index of the axis item that was tried, so that the item's own line is named."""
    inner = path[len(prefix) :]
    for axis, item in moved.items():
        if inner[: len(axis)] == axis:
            return (*prefix, *item, *inner[len(axis) :])
    return path


def say(item: Any) -> str:
    """A pydantic error as one clause: the bad value and what is allowed."""
    kind, value = item["type"], item.get("input")
    if kind == "extra_forbidden":
        return "unknown key"
    if kind == "missing":
        return "missing"
    message = item["msg"].removeprefix("Value error, ")
    return message if kind == "value_error" else f"{value!r}: {message[0].lower()}{message[1:]}"
