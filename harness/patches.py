"""A kernel of one's own: a function that changes a loaded model in place, named as ``package.module:function``."""

import hashlib
import importlib
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from harness.errors import UserError


def describe_patch(name: str, folders: Iterable[str]) -> dict[str, str]:
    """``name`` and the SHA-256 of its ``source``, once it is known to import and to hold such a function.

    The source is the module's file and, where the function comes from elsewhere (imported from another module, made by
    a decorator or ``functools.partial``), the files that it was written in; what those import is not in it. The module
    is looked for where Python looks and then in ``folders``. Raises UserError for one that will not do.
    """
    module = name.partition(":")[0]
    with _also_in(folders):
        try:
            origin = _origin(module)
            function = _function(name)
        except UserError:
            raise
        except (Exception, SystemExit) as error:
            raise UserError(f"kernels.patch: {name}: cannot be imported: {type(error).__name__}: {error}") from None
    if function is None:
        raise UserError(f"kernels.patch: {name}: {origin} holds no such function; expected package.module:function")
    return {"name": name, "source": _digest(origin, function)}


def apply_patch(model: Any, patch: dict[str, str] | None, folders: Iterable[str]) -> None:
    """Call the patch on ``model``.

    Raises RuntimeError where it raises, where it returns another model, and where it is not the one that was planned.
    """
    if patch is None:
        return
    name = patch["name"]
    with _also_in(folders):
        try:
            function = _function(name)
            planned = function and _digest(_origin(name.partition(":")[0]), function) == patch["source"]
            returned = function(model) if function and planned else None
        except (Exception, SystemExit) as error:
            raise RuntimeError(f"kernels.patch: {name} raised {type(error).__name__}: {error}") from error
    if not planned:
        raise RuntimeError(f"kernels.patch: {name}: changed since it was planned")
    if returned is not None and returned is not model:
        kind = type(returned).__name__
        raise RuntimeError(f"kernels.patch: {name} returned a {kind}; it is to change the model in place")


@contextmanager
def _also_in(folders: Iterable[str]) -> Iterator[None]:
    """Look for modules in ``folders`` too, after everything installed: none of ours can be hidden by theirs."""
    added = [folder for folder in folders if folder not in sys.path]
    sys.path += added
    importlib.invalidate_caches()
    try:
        yield
    finally:
        for folder in added:
            sys.path.remove(folder)


def _origin(module: str) -> Path:
    found = find_spec(module) if module else None
    if found is None or not found.origin:
        raise UserError(f"kernels.patch: no module {module!r} here; expected package.module:function")
    return Path(found.origin)


def _function(name: str) -> Callable[[Any], Any] | None:
    module, _, attribute = name.partition(":")
    found = getattr(importlib.import_module(module), attribute, None) if attribute else None
    return found if callable(found) else None


def _digest(origin: Path, function: Callable[[Any], Any]) -> str:
    files = dict.fromkeys([origin, *_written_in(function)])
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in files]
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()


def _written_in(function: Any) -> Iterator[Path]:
    """The files that a function and what it wraps were written in, as far as they are Python."""
    while isinstance(function, partial):
        function = function.func
    while function is not None:
        found = function if inspect.isroutine(function) or inspect.isclass(function) else type(function)
        with suppress(TypeError, OSError):  # built in
            if (path := Path(inspect.getfile(found))).is_file():
                yield path
        function = getattr(function, "__wrapped__", None)
