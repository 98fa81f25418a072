"""The table of what each kernel changed: arms that learn the same, one change a row."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from harness.analysis.ladder import ladders
from harness.analysis.section import Section
from harness.report import words
from harness.report.model import Column, Row, Table

LEGEND = (
    "Arms that learn the same and are computed differently, from the plainest way on. against: the row above that a "
    "row is held against, the one that differs in the fewest settings; change: these settings.",
    "memory as in the first table. tokens/s: real tokens a second, with the quartiles over the windows of a run; where "
    "those of the two rows overlap, the difference is within the spread and tells nothing.",
)


def ladder_table(
    section: Section, recipes: "pd.Series[Any]", executions: Mapping[str, Mapping[str, Any]]
) -> tuple[Table, ...]:
    """The table, where some arms of the section share a recipe."""
    about = section.arms.set_index("arm_id")[["base", "status"]].assign(name=pd.Series(section.names))
    frame = ladders(section.arms, recipes, executions, section.phases).join(about, on="arm_id")
    return (Table("ladder", "What each kernel changed", frame, _COLUMNS, LEGEND),) if len(frame) else ()


def _memory(row: Row) -> str:
    return words.text(row["status"]) if row["status"] != "ok" else words.size(row["memory_bytes"])


def _memory_change(row: Row) -> str:
    change, ratio = row["memory_change_bytes"], row["memory_ratio"]
    if change is None:
        return words.MISSING
    return f"{'-' if change < 0 else '+'}{words.size(abs(change))} ({_percent(ratio)})" if change else "the same"


def _speed(row: Row) -> str:
    if row["tokens_per_second"] is None:
        return words.MISSING
    shown, low, high = (words.count(row[name]) for name in ("tokens_per_second", "speed_low", "speed_high"))
    return shown if row["speed_low"] is None else f"{shown} [{low}, {high}]"


def _speed_change(row: Row) -> str:
    change, ratio = row["speed_change"], row["speed_ratio"]
    if change is None:
        return words.MISSING
    if row["speed_differs"] is None:
        return f"spread not known ({_percent(ratio)})"
    if not row["speed_differs"]:
        return f"within the spread ({_percent(ratio)})"
    return f"{'-' if change < 0 else '+'}{words.count(abs(change))} ({_percent(ratio)})"


def _percent(ratio: float) -> str:
    return f"{100 * (ratio - 1):+.0f} %"


_COLUMNS = (
    Column("row", lambda row: str(row["row"]), True),
    Column("arm", lambda row: words.text(row["name"]), True, words=True),
    Column("base", lambda row: words.text(row["base"]), True, words=True),
    Column("against", lambda row: words.MISSING if row["than"] is None else str(row["than"]), True),
    Column("change", lambda row: words.text(row["change"]), True, words=True),
    Column("memory", _memory, True),
    Column("memory change", _memory_change, True),
    Column("tokens/s [quartiles]", _speed, True),
    Column("speed change", _speed_change, True),
)
