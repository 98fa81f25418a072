"""Read a YAML file with the line of every key, so that a mistake can be named where it stands."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from harness.errors import UserError

KeyPath = tuple[str | int, ...]


@dataclass(frozen=True)
class Document:
    """A parsed YAML document: its value, and the line (from 1) on which each key or list item starts."""

    source: str
    value: Any
    lines: dict[KeyPath, int] = field(default_factory=dict)

    def line(self, path: KeyPath) -> int:
        """The line of the nearest key on ``path`` that stands in the file; 0 where none does."""
        return next((self.lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in self.lines), 0)

    def where(self, path: KeyPath) -> str:
        """``file:line`` of that key; the bare file where none stands there."""
        line = self.line(path)
        return f"{self.source}:{line}" if line else self.source


class _Loader(yaml.SafeLoader):
    """SafeLoader with the scalars of YAML 1.2, as users expect: ``1e-4`` is a number, ``on`` and ``no`` are words."""


_BOOL, _FLOAT = "tag:yaml.org,2002:bool", "tag:yaml.org,2002:float"
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != _BOOL]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(_BOOL, re.compile(r"^(?:true|false|True|False|TRUE|FALSE)$"), list("tTfF"))
_Loader.add_implicit_resolver(
    _FLOAT, re.compile(r"^[-+]?(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][-+]?\d+)$"), list("-+0123456789.")
)


def read_yaml(path: Path) -> Document:
    """Parse ``path``; raises UserError for a missing or unreadable file, text that is not YAML, or a doubled key."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read as text: {error}") from None
    return parse_yaml(text, str(path))


def parse_yaml(text: str, source: str) -> Document:
    """Parse ``text``; ``source`` is the name that messages carry."""
    lines: dict[KeyPath, int] = {}
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is not None:
            _collect_lines(node, (), lines, source)
        value = loader.construct_document(node) if node is not None else None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{source}:{mark.line + 1}" if mark else source
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise UserError(f"{place}: not YAML: {problem}") from None
    return Document(source, value, lines)


def parse_value(text: str) -> Any:
    """One YAML value as given on a command line: ``[8,64]``, ``1e-4``, ``true``, ``sdpa``."""
    return parse_yaml(text, "--set").value


def _collect_lines(node: yaml.Node, path: KeyPath, lines: dict[KeyPath, int], source: str) -> None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here = (*path, str(key.value))
            if here in lines:
                line = key.start_mark.line + 1
                raise UserError(f"{source}:{line}: key {key.value!r} stands twice (first on line {lines[here]})")
            lines[here] = key.start_mark.line + 1
            _collect_lines(value, here, lines, source)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            lines[(*path, index)] = value.start_mark.line + 1
            _collect_lines(value, (*path, index), lines, source)
