"""What the noise lets one tell, on a terminal and as JSON."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import pandas as pd
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.analysis.power import MOST_ITEMS, MOST_SEEDS
from harness.report import words
from harness.report.plain import plain_rows

POWER_VERSION = 1
COLUMNS = ("against", "seeds x items", "seen", "sd seeds", "sd items", "tells now", "seeds", "items")


@dataclass(frozen=True)
class Powered:
    """Pairs of arms, by name, ``power_table.power_table`` of them, the difference and the power asked for."""

    names: Sequence[tuple[str, str]]
    table: pd.DataFrame
    difference: float
    wanted: float


def as_json(powered: Powered) -> dict[str, Any]:
    """Every figure as a share of 1; null for what is not known or where no number is enough."""
    rows = plain_rows(powered.table.drop(columns="pair"))
    pairs = [{"first": a, "second": b, **row} for (a, b), row in zip(powered.names, rows, strict=True)]
    return {"version": POWER_VERSION, "asked": powered.difference, "wanted_power": powered.wanted, "pairs": pairs}


def print_power(powered: Powered, console: Console) -> None:
    """A table for each first arm of the pairs."""
    rows = zip(powered.names, plain_rows(powered.table), strict=True)
    for first, group in groupby(rows, key=lambda pair: pair[0][0]):
        console.print(Text(words.text(first), style="bold"))
        console.print(_table([(names[1], row) for names, row in group]))
    asked, chance = f"{100 * powered.difference:g} points", f"{100 * powered.wanted:g} times of 100"
    for line in (
        "Of the target score, in points. seen: the first arm minus the other. sd: of that difference between seeds, "
        "and between items.",
        f"tells now: the smallest true difference that these seeds and items show {chance} (one paired test, level "
        "0.05).",
        f"seeds, items: as many in all as would show {asked} {chance}, at the items or seeds there are; never: more "
        f"than {MOST_SEEDS:,} seeds or {MOST_ITEMS:,} items.",
        "The noise is what the runs so far show; from three seeds it is known to a factor of about two. -: one seed, "
        "or scores without items, show none.",
    ):
        console.print(Text(line, style="dim"))


def _table(rows: Sequence[tuple[str, dict[str, Any]]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    for column in COLUMNS:
        table.add_column(column, justify="left" if column == "against" else "right", no_wrap=column != "against")
    for name, row in rows:
        table.add_row(Text(words.text(name)), *map(Text, _cells(row)))
    return table


def _cells(row: dict[str, Any]) -> list[str]:
    if row["seeds"] is None:
        return ["no target task in common"]
    counts, seen = f"{row['seeds']} x {row['items']}", words.points(row["difference"], signed=True)
    if row["power"] is None:
        return [counts, seen, *[words.MISSING] * 5]
    sds = [words.points(row[name]) for name in ("sd_seeds", "sd_items")]
    needed = ["never" if row[name] is None else f"{row[name]:,}" for name in ("seeds_needed", "items_needed")]
    return [counts, seen, *sds, words.points(row["smallest"]), *needed]
