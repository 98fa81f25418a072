"""Why two arms were not compared on a task: they were not asked the same."""

from collections.abc import Iterable, Mapping
from typing import Any

PARTS = ("task_version", "item_digest", "decoding")
SHOWN = 8  # characters of a digest


def mismatches(first: Iterable[str], second: Iterable[str], evals: Mapping[str, Mapping[Any, Any]]) -> list[str]:
    """A line for each task that two arms do not share, from the ids of the test evals of each.

    ``evals`` has the facts of the evals of both by their ids, as the reader's ``evals`` gives them. A task
    that both were asked, but differently, says what differs: its version, its items (by the start of their digests),
    or its template and decoding.
    """
    one, other = set(first), set(second)
    only_first, only_second = (
        {evals[eval_id]["task"]: evals[eval_id] for eval_id in sorted(ids)} for ids in (one - other, other - one)
    )
    lines = []
    for task in sorted({*only_first, *only_second}):
        a, b = only_first.get(task), only_second.get(task)
        if a is None or b is None:
            lines.append(f"{task}: only {'B' if a is None else 'A'} was scored on it")
        else:
            changed = [_difference(key, a[key], b[key]) for key in PARTS if a[key] != b[key]]
            lines.append(f"{task}: {', '.join(changed) or 'scored another way'}")
    return lines


def _difference(key: str, first: str, second: str) -> str:
    if key == "task_version":
        return f"version {first} against {second}"
    if key == "item_digest":
        return f"other items ({first[:SHOWN]} against {second[:SHOWN]})"
    return "another template or decoding"
