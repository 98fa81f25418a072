"""What the noise lets one tell, on a terminal and as JSON."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import pandas as pd
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.analysis.power import MOST_ITEMS, MOST_REPEATS, MOST_SEEDS
from harness.report import words
from harness.report.plain import plain_rows

POWER_VERSION = 1
REPEATS_COLUMNS = ("arms", "of", "measured", "ratio", "sd", "runs")
COLUMNS = ("against", "seeds x items", "seen", "sd seeds", "sd items", "tells now", "seeds", "items")


@dataclass(frozen=True)
class Powered:
    """Pairs of arms, by name, ``power_table.power_table`` and ``repeats_table`` of them, and what was asked for: the
    difference, the relative one of memory and speed, both in shares of 1, and the power."""

    names: Sequence[tuple[str, str]]
    table: pd.DataFrame
    repeats: pd.DataFrame
    difference: float
    relative: float
    wanted: float


def as_json(powered: Powered) -> dict[str, Any]:
    """Every figure as a share of 1; null for what is not known or where no number is enough."""
    rows = plain_rows(powered.table.drop(columns="pair"))
    pairs = [
        {"first": a, "second": b, **row, "repeats": _repeats(powered, n)}
        for n, ((a, b), row) in enumerate(zip(powered.names, rows, strict=True))
    ]
    asked = {"asked": powered.difference, "asked_relative": powered.relative, "wanted_power": powered.wanted}
    return {"version": POWER_VERSION, **asked, "pairs": pairs}


def _repeats(powered: Powered, pair: int) -> list[dict[str, Any]]:
    own = powered.repeats[powered.repeats["pair"] == pair]
    return plain_rows(own.drop(columns="pair"))


def print_power(powered: Powered, console: Console) -> None:
    """A table for each first arm of the pairs."""
    rows = zip(powered.names, plain_rows(powered.table), strict=True)
    for first, group in groupby(rows, key=lambda pair: pair[0][0]):
        console.print(Text(words.text(first), style="bold"))
        console.print(_table([(names[1], row) for names, row in group]))
    if len(powered.repeats):
        console.print(_repeats_table(powered))
    for line in _legend(powered):
        console.print(Text(line, style="dim"))


def _legend(powered: Powered) -> Iterator[str]:
    asked, chance = f"{100 * powered.difference:g} points", f"{100 * powered.wanted:g} times of 100"
    yield from (
        "Of the target score, in points. seen: the first arm minus the other. sd: of that difference between seeds, "
        "and between items.",
        f"tells now: the smallest true difference that these seeds and items show {chance} (one paired test, level "
        "0.05).",
        f"seeds, items: as many in all as would show {asked} {chance}, at the items or seeds there are; never: more "
        f"than {MOST_SEEDS:,} seeds or {MOST_ITEMS:,} items.",
        "The noise is what the runs so far show; from three seeds it is known to a factor of about two. -: one seed, "
        "or scores without items, show none.",
    )
    if len(powered.repeats):
        yield (
            f"runs: as many measure runs of each arm as would show {100 * powered.relative:g} % {chance}; never: more "
            f"than {MOST_REPEATS:,}. sd: between an arm's runs."
        )
    else:
        yield "memory, tokens/s: no two arms were measured more than once, so nothing shows how much they vary."


def _repeats_table(powered: Powered) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    for column in REPEATS_COLUMNS:
        table.add_column(column, justify="left" if column in ("arms", "of") else "right", no_wrap=column != "arms")
    for row in plain_rows(powered.repeats):
        arms = words.text(" / ".join(powered.names[row["pair"]]))
        needed = "never" if row["runs_needed"] is None else f"{row['runs_needed']:,}"
        runs, sd = f"{row['first_runs']} and {row['second_runs']}", f"{100 * row['sd']:.2g} %"
        table.add_row(*map(Text, (arms, row["quantity"], runs, words.times(row["ratio"]), sd, needed)))
    return table


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
