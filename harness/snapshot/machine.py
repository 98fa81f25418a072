"""The stacks that a suite has run on, on one machine: those that differ by a memory limit alone."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlite_utils import Database

from harness.stack import LIMIT, unlimited

_STACKS = """
SELECT stack_id, facts, code_digest FROM runs JOIN cells USING (cell_id) JOIN stacks USING (stack_id)
WHERE suite = ? GROUP BY stack_id ORDER BY max(started_at) DESC, stack_id
"""


@dataclass(frozen=True)
class Stack:
    """A stack; one that nothing has run on has no id."""

    stack_id: str | None
    facts: dict[str, Any]
    code_digest: str

    @property
    def limit_bytes(self) -> int | None:
        """The memory that its runs were held to, None for all that there is."""
        return self.facts.get(LIMIT)

    @property
    def has_room(self) -> bool:
        """Has its device as much memory as runs were to be held to?"""
        gib = self.facts.get("gpu_memory_gib") or self.facts.get("memory_gib")
        return not (self.limit_bytes and gib) or self.limit_bytes <= gib * 2**30

    @property
    def machine(self) -> tuple[str, str]:
        """What it has in common with its likes: software, machine and code."""
        return json.dumps(unlimited(self.facts), sort_keys=True), self.code_digest


def newest_machine(db: Database, suite: str) -> list[Stack]:
    """The stacks of the machine that ``suite`` ran on last, newest first; none where it has no runs."""
    found = [_stack(row) for row in db.query(_STACKS, [suite])]
    return [stack for stack in found if stack.machine == found[0].machine]


def all_stacks(db: Database) -> list[Stack]:
    """Every stack of a file, by its id."""
    return [_stack(row) for row in db.query("SELECT * FROM stacks ORDER BY stack_id")]


def under(limit_bytes: int | None, stacks: Sequence[Stack]) -> Stack:
    """The newest of a machine's ``stacks`` with that limit; one without an id where nothing has run under it."""
    found = (stack for stack in stacks if stack.limit_bytes == limit_bytes)
    limit = {} if limit_bytes is None else {LIMIT: limit_bytes}
    return next(found, Stack(None, unlimited(stacks[0].facts) | limit, stacks[0].code_digest))


def _stack(row: dict[str, Any]) -> Stack:
    return Stack(row["stack_id"], json.loads(row["facts"]), row["code_digest"])
