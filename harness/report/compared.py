"""A comparison of arms on a terminal: a table a pair, or for many pairs what is supported; and all of it as JSON."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import pandas as pd
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.analysis.quantities import ONE_RUN
from harness.analysis.verdicts import A_BETTER, ALIKE, B_BETTER, HOPELESS, MINIMUM_RATIO, NOT_ENOUGH, SAME
from harness.report import words
from harness.report.plain import plain_rows

COMPARISON_VERSION = 1
WIDE = 100  # columns of a terminal from which on both values are shown too
FEW = 4  # pairs that are shown in full
STYLES = {A_BETTER: "green", B_BETTER: "green", NOT_ENOUGH: "dim", ALIKE: "dim", SAME: "dim"}


@dataclass(frozen=True)
class Compared:
    """Pairs of arms, by name, and ``comparison.compare_arms`` of them; ``missing`` has a pair's tasks that were not
    compared, with the reason."""

    names: Sequence[tuple[str, str]]
    arms: Sequence[tuple[str, str]]  # their ids
    table: pd.DataFrame
    missing: Sequence[Sequence[str]]
    correction: str
    difference: float | None = None


def as_json(compared: Compared) -> dict[str, Any]:
    """Every figure in base units (shares of 1, bytes, seconds); null for what is not known."""
    rows = plain_rows(compared.table.drop(columns="pair"))
    pairs = [
        {
            "first": {"arm_id": arms[0], "name": names[0]},
            "second": {"arm_id": arms[1], "name": names[1]},
            "quantities": [row for row, pair in zip(rows, compared.table["pair"], strict=True) if pair == n],
            "not_compared": list(missing),
        }
        for n, (arms, names, missing) in enumerate(zip(compared.arms, compared.names, compared.missing, strict=True))
    ]
    return {"version": COMPARISON_VERSION, "correction": compared.correction, "pairs": pairs}


def print_comparison(compared: Compared, console: Console) -> None:
    """Print it. Texts from a database are printed as they are: no markup in them is obeyed."""
    rows = plain_rows(compared.table)
    if len(compared.names) <= FEW:
        for n, (names, missing) in enumerate(zip(compared.names, compared.missing, strict=True)):
            console.print(Text(f"A  {words.text(names[0])}\nB  {words.text(names[1])}", style="bold"))
            console.print(_table([row for row in rows if row["pair"] == n], console.width))
            for line in missing:
                console.print(Text(f"not compared: {words.text(line)}", style="yellow"))
    else:
        _print_many(compared, rows, console)
    for line in _legend(compared, rows, console.width):
        console.print(Text(line, style="dim"))


def _table(rows: Sequence[dict[str, Any]], width: int) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    table.add_column("")
    if width >= WIDE:
        table.add_column("A", justify="right", no_wrap=True)
        table.add_column("B", justify="right", no_wrap=True)
    table.add_column("A - B [95 %]", justify="right", no_wrap=True)
    table.add_column("p", justify="right", no_wrap=True)
    if width >= WIDE:
        table.add_column("seeds x items", justify="right", no_wrap=True)
    table.add_column("verdict")
    for row in rows:
        values = [shown_value(row, "first"), shown_value(row, "second")] if width >= WIDE else []
        counts = [shown_counts(row)] if width >= WIDE else []
        shown = [words.text(row["quantity"]), *values, shown_difference(row), shown_p(row["p_corrected"]), *counts]
        table.add_row(*map(Text, shown), Text(shown_verdict(row), style=STYLES.get(row["verdict"] or "", "")))
    return table


def _print_many(compared: Compared, rows: Sequence[dict[str, Any]], console: Console) -> None:
    """What is supported, a row each, and how many of each verdict there are."""
    scores = [row for row in rows if row["kind"] != "cost"]
    shown = [row for row in scores if row["verdict"] in (A_BETTER, B_BETTER)]
    if shown:
        console.print(_supported(compared.names, shown))
    for label, own in (("scores", scores), ("costs", [row for row in rows if row["kind"] == "cost"])):
        counts = Counter(row["verdict"] for row in own if row["verdict"])
        said = ", ".join(f"{n} {verdict}" for verdict, n in counts.most_common())
        console.print(Text(f"{label} of {len(compared.names)} pairs: {said or 'none compared'}"))
    for line in dict.fromkeys(line for missing in compared.missing for line in missing):
        console.print(Text(f"not compared: {words.text(line)}", style="yellow"))


def _supported(names: Sequence[tuple[str, str]], rows: Sequence[dict[str, Any]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    table.add_column("A / B")
    table.add_column("")
    table.add_column("A - B [95 %]", justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for pair, own in groupby(rows, key=lambda row: row["pair"]):
        pair_rows = list(own)
        left = [*map(words.text, names[pair]), *[""] * len(pair_rows)]
        for n, row in enumerate([*pair_rows, *([{}] if len(pair_rows) == 1 else [])]):
            right = [words.text(row["quantity"]), shown_difference(row), row["verdict"]] if row else []
            table.add_row(Text(left[n]), *map(Text, right))
    return table


def shown_value(row: dict[str, Any], side: str) -> str:
    """The value of a side, ``first`` or ``second``, in the quantity's unit."""
    value = row[side]
    if row["kind"] == "task" and row["unit"] == "ratio":
        return words.MISSING if value is None else f"{value:.3g}"
    if row["kind"] != "cost":
        return words.points(value, signed=row["kind"] != "task")
    shown = {"memory": words.size, "tuning time": words.seconds}
    return shown.get(row["quantity"], words.count)(value)


def shown_difference(row: dict[str, Any]) -> str:
    """A minus B in points, or A over B, with its 95 % interval."""
    if row["unit"] == "ratio":
        return words.times_with_interval(row, "difference")
    return words.with_interval(row, "difference", signed=True)


def shown_counts(row: dict[str, Any]) -> str:
    """``3 x 240``: of how many seeds and items."""
    return "" if row["seeds"] is None else f"{row['seeds']} x {row['items'] or '-'}"


def shown_p(value: float | None) -> str:
    """A p value, no more precise than it is read."""
    if value is None:
        return ""
    return "<.001" if value < 0.001 else f"{value:.3f}" if value < 0.1 else f"{value:.2f}"


def shown_verdict(row: dict[str, Any]) -> str:
    """The verdict, with what it would take to know, and what else there is to say."""
    parts = [row["verdict"] or ""]
    if row["more_seeds"] is not None:
        parts.append(f"{row['more_seeds']} more {'seed' if row['more_seeds'] == 1 else 'seeds'} would")
    parts += [row["flag"] or "", "" if row["note"] == ONE_RUN else row["note"] or ""]
    return "; ".join(part for part in parts if part)


def _legend(compared: Compared, rows: Sequence[dict[str, Any]], width: int) -> list[str]:
    tests = sum(row["p_corrected"] is not None for row in rows)
    several = "" if tests == 1 else f" of all {tests} tests" if tests else ""
    lines = [
        "A - B: points, with the 95 % interval over the same items and seeds; 0.90x is a ratio, A over B. Of "
        "forgetting, perplexity and costs less is better.",
        f"p: corrected for the number{several} ({compared.correction}); better: below 0.05. Not enough to tell proves "
        "no equality.",
    ]
    few = len(compared.names) <= FEW
    if few and any(row["more_seeds"] is not None or row["note"] == HOPELESS for row in rows):
        asked = "the difference seen" if compared.difference is None else f"{100 * compared.difference:g} points"
        lines.append(f"more seeds: as many as would see {asked}, if it is real, 80 times of 100.")
    if any(row["kind"] == "matched" for row in rows):
        lines.append(
            "forgetting at matched gain: between the two arms' curves of forgetting by gain, over all their rates; its "
            "interval is over seeds, not items."
        )
    if any(row["note"] == ONE_RUN for row in rows):
        lines.append(
            f"memory, tokens/s: {ONE_RUN}; costs under {100 * (MINIMUM_RATIO - 1):.0f} % apart count as {ALIKE}."
        )
    if any(row["flag"] for row in rows):
        lines.append(
            "one seed: p (McNemar's, exact) and interval speak of these two trained models, not of their methods."
        )
    return lines
