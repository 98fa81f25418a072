"""The results at hand, each suite on each stack, as claims are held against them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from harness.analysis.contender import Side
from harness.lineup import Entry, entries_of
from harness.sections import Contents, Part
from harness.sources import open_source
from harness.stack import hardware
from harness.store import reader


@dataclass(frozen=True, eq=False)
class Held:
    """One suite on one stack, with the ``recipes`` of its arms and the ``executions`` that they were computed by."""

    source: str
    part: Part
    recipes: "pd.Series[Any]"
    executions: dict[str, dict[str, Any]]

    @cached_property
    def entries(self) -> dict[str, Entry]:
        """Every arm by its id."""
        return entries_of(self.part)

    @property
    def side(self) -> Side | None:
        """That all of them are taken from; None where there is none."""
        return next((entry.side for entry in self.entries.values()), None)

    @property
    def device(self) -> str:
        """The kind of device that it ran on."""
        return str(self.part.facts.get("device"))

    @property
    def machine(self) -> str:
        """What it ran on, in words."""
        return hardware(self.part.facts)


def read_held(sources: Sequence[Path]) -> list[Held]:
    """What ``sources`` hold. Raises UserError for one that can't be read."""
    return [held for path in sources for held in _of_source(path)]


def _of_source(path: Path) -> Iterator[Held]:
    source = open_source(path)
    contents = Contents(source.db)
    for part in contents.parts():
        recipes = reader.recipes_of(source.db, part.frames.arms["arm_id"])
        yield Held(source.name, part, recipes, reader.executions(source.db))
