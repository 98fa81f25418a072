"""A third party's method as the ids of its stages know it: by the source that it is written in."""

import hashlib
import sys
from itertools import accumulate
from pathlib import Path

from harness import identity
from methods import registry


def method_source(name: str) -> str | None:
    """SHA-256 over the files of the method ``name``; None for a built-in one, whose code is part of the stack's id.

    The files are the whole package that its class lies in and the one that its entry point names, or the module where
    that is in no package. What those import from elsewhere is not in it.
    """
    if name in registry.BUILT_IN:
        return None
    modules = {type(registry.get(name)).__module__, registry.entry_point(name).module}
    files = {named: path for module in modules for named, path in _files(module)}
    return identity.digest("method", {n: hashlib.sha256(path.read_bytes()).hexdigest() for n, path in files.items()})


def _files(module: str) -> list[tuple[str, Path]]:
    """Each file by its name within what is installed."""
    outermost = next((f for part in accumulate(module.split("."), "{}.{}".format) if (f := _file(part))), None)
    if outermost is None:
        return []
    if outermost.name != "__init__.py":
        return [(outermost.name, outermost)]
    package = outermost.parent
    return [(path.relative_to(package.parent).as_posix(), path) for path in sorted(package.rglob("*.py"))]


def _file(module: str) -> Path | None:
    """Where a module's code lies; None for a namespace, which has none of its own."""
    found = getattr(sys.modules.get(module), "__file__", None)
    return Path(found) if found else None
