"""Seconds spent inside chosen calls, written down from within whatever process makes them.

Each call is one JSON line, appended to the file that ``TUNEMATRIX_BENCH_CLOCK`` names: a worker ends without
clean-up, so nothing may be kept back.
"""

import json
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

VARIABLE = "TUNEMATRIX_BENCH_CLOCK"

_inside: set[str] = set()


@dataclass(frozen=True)
class Spent:
    """What a clock file says: seconds in each kind of call, and the mean loss of each training, in order."""

    seconds: dict[str, float]
    calls: dict[str, int]
    losses: list[float]


def watch(owner: type, name: str, kind: str) -> None:
    """Time every call of ``owner.name`` as ``kind``; a call made within one of the same kind is not counted twice."""
    plain = getattr(owner, name)

    @wraps(plain)
    def timed(*args: Any, **kwargs: Any) -> Any:
        if kind in _inside:
            return plain(*args, **kwargs)
        _inside.add(kind)
        began = time.perf_counter()
        try:
            result = plain(*args, **kwargs)
        finally:
            _inside.discard(kind)
        _note({"kind": kind, "seconds": time.perf_counter() - began, "loss": getattr(result, "training_loss", None)})
        return result

    setattr(owner, name, timed)


def watch_model_calls(language_model: type) -> None:
    """Time lm-eval's model calls, on ``language_model`` and on every subclass that brings its own."""
    for owner in (language_model, *language_model.__subclasses__()):
        for name in ("_model_call", "_model_generate"):
            if name in vars(owner):
                watch(owner, name, "score")


def read(path: Path) -> Spent:
    """The file at ``path``, summed; nothing where there is none."""
    return summed(json.loads(line) for line in path.read_text().splitlines()) if path.is_file() else summed([])


def summed(notes: Iterable[dict[str, Any]]) -> Spent:
    """The lines of a clock file, summed by kind."""
    spent = Spent({}, {}, [])
    for note in notes:
        kind = note["kind"]
        spent.seconds[kind] = spent.seconds.get(kind, 0.0) + note["seconds"]
        spent.calls[kind] = spent.calls.get(kind, 0) + 1
        if note["loss"] is not None:
            spent.losses.append(note["loss"])
    return spent


def timed(call: Callable[[], Any]) -> tuple[Any, float]:
    """What ``call`` returns, and the seconds it took."""
    began = time.perf_counter()
    result = call()
    return result, time.perf_counter() - began


def _note(line: dict[str, Any]) -> None:
    handle = os.open(os.environ[VARIABLE], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        os.write(handle, (json.dumps(line) + "\n").encode())
    finally:
        os.close(handle)
