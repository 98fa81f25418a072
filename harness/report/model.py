"""A report as data: sections of one suite and stack each, with tables that know how their columns are shown."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from harness.report.plain import plain_rows

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Column:
    """A column for people: its header, and how a row is shown in it. ``brief`` ones are for a terminal, ``screen`` ones
    for a terminal alone: another table of the same files has them.

    Where the terminal is too narrow for all of them, the one with the highest ``spare`` goes first; 0 always stays.
    """

    header: str
    show: Callable[[Row], str]
    brief: bool = False
    words: bool = False  # text, not a figure: set to the left
    spare: int = 0
    screen: bool = False


@dataclass(frozen=True)
class Table:
    """A table: ``frame`` holds every figure in base units, ``columns`` what people read of it."""

    name: str
    title: str
    frame: pd.DataFrame
    columns: tuple[Column, ...]
    legend: tuple[str, ...]
    by_base: bool = False  # compares the arms of one base: on a terminal a table for each
    files_only: bool = False  # too long for a terminal

    def rows(self, most: int | None = None) -> list[dict[str, Any]]:
        """The frame's rows, or the first of them, as plain values; None, never NaN, for what is missing."""
        return plain_rows(self.frame if most is None else self.frame.head(most))


@dataclass(frozen=True)
class Section:
    """The tables of one suite on one stack."""

    suite: str
    stack_id: str
    facts: dict[str, Any]
    runs: dict[str, int]  # how many ended, by status
    seeds: tuple[int, ...]
    tables: tuple[Table, ...]


@dataclass(frozen=True)
class Report:
    """All sections, newest first; ``nothing`` says in a line why there are none, ``notes`` what to know beforehand."""

    sections: tuple[Section, ...]
    nothing: str | None = None
    notes: tuple[str, ...] = ()
