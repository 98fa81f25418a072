"""What did not run: by entry and base or rate, and what failed alike."""

from collections.abc import Sequence

import pandas as pd

from harness.analysis.failures import grouped, tried
from harness.report.words import rate
from leaderboard import tables
from leaderboard.quantities import BASE_SIZE, fitted, in_units
from leaderboard.scope import Scope
from leaderboard.texts import short

ARM = ["section", "arm_id"]
ACROSS = {"base": "base, smallest first", "learning_rate": "learning rate", "status": "how it failed"}
COLUMNS = (
    tables.text("row", "arm", "The entry in the matrix, what it starts from, and its rank."),
    tables.BASE,
    tables.text("rate", "rate", "Learning rate."),
    tables.text("seeds", "seeds", "The seeds that failed alike."),
    tables.number("runs", "runs", "How many runs failed alike.", "%d"),
    tables.text("purpose", "run", "quality: trained and scored; measure: alone on the device."),
    tables.text("status", "ended as", "oom: out of memory; nan: the loss was no number; refused: not on this machine; "
                "blocked: what it starts from failed."),
    tables.text("failed_phase", "while", "The phase in which it ended."),
    tables.text("reason", "why", "The first line of what was said."),
)  # fmt: skip


def runs_and_failures(scope: Scope, arms: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The arms' runs, each under its entry with rank and result (``label``), and their failures, of every section: what
    one stack or rank can do another may not."""
    parts = list(enumerate(part for _, part in scope.parts()))
    runs = _of(arms, [part.frames.runs.assign(section=n) for n, part in parts])
    runs = runs.assign(label=_entries(runs, len(parts) > 1))
    return runs, _of(arms, [part.failures.assign(section=n) for n, part in parts])


def placed(
    runs: pd.DataFrame, failures: pd.DataFrame, arms: pd.DataFrame, across: str
) -> tuple[pd.DataFrame, str, list[str]]:
    """What the heatmap takes: ``failures.tried`` with ``place``, what a square stands under; what goes ``across``, in
    words; and the places in order."""
    found = tried(runs, failures, across)
    if across == "learning_rate":
        found = found.sort_values(across).assign(place=lambda table: table[across].map(_rate))
    elif across == "base":
        size = fitted(BASE_SIZE, arms)
        sizes = in_units(arms, [size]).groupby("base")[BASE_SIZE.name].max()
        found = found.assign(size=found["base"].map(sizes)).sort_values("size")
        told = "\u00a0(" + found["size"].map(f"{{:.{size.decimals}f}} {size.unit.split()[0]}".format) + ")"
        found["place"] = found["base"].map(short) + told.where(found["size"].notna(), "")
    else:
        found = found.assign(place=found[across])
    return found, ACROSS[across], list(dict.fromkeys(found["place"]))


def alike(failures: pd.DataFrame, arms: pd.DataFrame) -> pd.DataFrame:
    """A row for what failed alike, as ``COLUMNS`` shows it."""
    groups = [grouped(own).assign(section=section) for section, own in failures.groupby("section")]
    rows = pd.concat(groups, ignore_index=True).merge(arms[[*ARM, "row"]], "left", ARM)
    return rows.assign(rate=rows["learning_rate"].map(_rate))


def _of(arms: pd.DataFrame, frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The rows of these arms."""
    rows = pd.concat([frame for frame in frames if len(frame)] or frames, ignore_index=True)
    mine = pd.MultiIndex.from_frame(rows[ARM]).isin(pd.MultiIndex.from_frame(arms[ARM]))
    return rows[mine]


def _entries(runs: pd.DataFrame, several: bool) -> pd.Series:
    rank = runs["rank"].map(lambda rank: "" if pd.isna(rank) else f" r={rank:g}")
    return runs["label"] + rank + (runs["section"].map(lambda n: f" · {n + 1}") if several else "")


def _rate(value: float) -> str:
    return "none" if pd.isna(value) else rate(value)
