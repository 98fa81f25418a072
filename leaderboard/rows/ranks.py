"""Figures against the rank, or against the size of the base."""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from leaderboard import quantities, tables
from leaderboard.pictures.lines import lines, placed
from leaderboard.pictures.panels import Panel, panels
from leaderboard.quantities import BASE_SIZE, Quantity

SHOWN = (quantities.TARGET, quantities.FORGETTING, quantities.MEMORY, quantities.TOKENS)
LINE = {"rank": "family", "size": "recipe"}  # what is joined
READ = {
    "rank": "A line joins the ranks of one method on one base, of one execution; bands are 95 % intervals. Right "
    "across: all weights are trained, so there is no rank.",
    "size": "A line joins one method at one rank, of one execution, from base to base; bands are 95 % intervals.",
}
READ_SEVERAL = "Dashes and marks tell the results apart, by their numbers in the sidebar."
WORDS = (tables.ARM, tables.text("method", "method", "full SFT, LoRA, QLoRA or DPO."), tables.BASE)


def rank_panels(arms: pd.DataFrame, across: Quantity, shown: Sequence[Quantity], line: str) -> tuple[list[Panel], int]:
    """Against the rank a picture a quantity and base, against the size of the base one a quantity; and how many stand
    beside each other."""
    arms = arms.assign(results=(arms["section"] + 1).astype(str))
    alone = across.name == BASE_SIZE.name or arms["base"].nunique() == 1
    several = []
    for quantity in shown:
        rows = placed(arms, across, quantity, line)
        found = panels(lines(rows, across, quantity, line), rows.assign(all=""), "all" if alone else "base")
        several += [replace(one, title=" · ".join(filter(None, (quantity.label, one.title)))) for one in found]
    return several, 2 if alone else min(3, arms["base"].nunique())


def in_families(arms: pd.DataFrame, across: Quantity) -> pd.DataFrame:
    """The arms, the ranks of a method one after the other."""
    return arms.sort_values(["method", "family", across.name], kind="stable", na_position="last")


def rank_columns(shown: Sequence[Quantity]) -> list[tables.Column]:
    """What the table shows of an arm."""
    return [*WORDS, *(tables.of_quantity(one) for one in shown)]
