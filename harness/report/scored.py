"""The error of predictions on the terminal and as JSON: held-out cells first, the others apart from them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.analysis.costs import ALLOCATED, LEDGER
from harness.analysis.predictions import KINDS, by_kind, is_held_out, one_measure, summary
from harness.predict.held_out import HeldOut
from harness.report import words
from harness.report.plain import plain_rows

SCORE_VERSION = 1
WHOLE_KINDS = tuple(kind for kind in KINDS if kind != "component")
STATISTICS = ("mean_error_percent", "mean_abs_error_percent", "worst_error_percent")

_MEASURES = {
    ALLOCATED: "what a GPU's allocator handed out at most; by component the tensor ledger, and temporary: the rest",
    LEDGER: "the tensor ledger, in training alone; temporaries are not in it",
}


@dataclass(frozen=True, eq=False)
class Scored:
    """Errors of memory by one measure and of a step's time; ``left_out`` cells' memory was measured another way."""

    measure: str
    memory: pd.DataFrame
    time: pd.DataFrame
    left_out: int
    versions: tuple[str, ...]
    rule: HeldOut

    @property
    def held_out(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Memory and time of the cells that the predictor was not built on."""
        return self._those(held_out=True)

    @property
    def others(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Memory and time of all but these."""
        return self._those(held_out=False)

    def _those(self, held_out: bool) -> tuple[pd.DataFrame, pd.DataFrame]:
        both = self.memory, self.time
        memory, time = (
            errors[is_held_out(errors, self.rule.shapes, self.rule.sequence_lengths) == held_out] for errors in both
        )
        return memory, time


def scored(memory: pd.DataFrame, time: pd.DataFrame, rule: HeldOut) -> Scored:
    """What ``predictions.memory_errors`` and ``time_errors`` say, to be divided by the list of held-out cells."""
    chosen = one_measure(memory)
    left_out = memory["run_id"].nunique() - chosen["run_id"].nunique()
    versions = tuple(sorted({*chosen["model_version"], *time["model_version"]}))
    return Scored(chosen["measure"].iloc[0], chosen, time, left_out, versions, rule)


def as_json(found: Scored) -> dict[str, Any]:
    """Every error in percent of what was measured; null where there is no cell."""
    return {
        "version": SCORE_VERSION,
        "measure": found.measure,
        "model_versions": list(found.versions),
        "cells_measured_another_way": found.left_out,
        **_figures(found.memory, found.time),
        "held_out": _figures(*found.held_out) | _tables(*found.held_out),
        "others": _figures(*found.others) | _tables(*found.others),
    }


def _figures(memory: pd.DataFrame, time: pd.DataFrame) -> dict[str, Any]:
    of_memory, of_time = summary(memory), summary(time)
    figures = {f"memory_{name}": of_memory[name] for name in STATISTICS}
    figures |= {"timed_cells": of_time["cells"], **{f"time_{name}": of_time[name] for name in STATISTICS}}
    return {"cells": of_memory["cells"], **figures}


def _tables(memory: pd.DataFrame, time: pd.DataFrame) -> dict[str, Any]:
    rows, times = by_kind(memory), by_kind(time)
    return {
        **{f"by_{kind}": plain_rows(rows[rows["kind"] == kind].drop(columns="kind")) for kind in KINDS},
        **{f"time_by_{kind}": plain_rows(times[times["kind"] == kind].drop(columns="kind")) for kind in WHOLE_KINDS},
    }


def print_scores(found: Scored, console: Console) -> None:
    """Print it. Texts from a database are printed as they are."""
    held_out = f"{', '.join(sorted(found.rule.shapes))}, or {_lengths(found.rule)} tokens"
    for title, (memory, time) in ((f"Held out: {held_out}", found.held_out), ("Other cells", found.others)):
        if memory.empty:
            console.print(Text(f"{title}: none was measured", style="yellow"))
            continue
        console.print(_table(title, "memory", memory))
        if len(time):
            console.print(_table(f"{title}, a step's time", "time", time))
    for line in _legend(found):
        console.print(Text(line, style="dim"))


def _table(title: str, what: str, errors: pd.DataFrame) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, show_edge=False)
    for column in (what, "of"):
        table.add_column(column)
    for column in ("cells", "mean error", "mean absolute", "worst"):
        table.add_column(column, justify="right")
    whole = "peak" if what == "memory" else "step"
    for row in [{"kind": whole, "name": "all", **summary(errors)}, *by_kind(errors).to_dict("records")]:
        mean, absolute, worst = (round(row[name], 2) + 0.0 for name in STATISTICS)  # no minus zero
        figures = [f"{mean:+.2f} %" if mean else "0.00 %", f"{absolute:.2f} %", f"{worst:.2f} %"]
        table.add_row(str(row["kind"]), Text(words.text(row["name"])), str(row["cells"]), *figures)
    return table


def _legend(found: Scored) -> Iterator[str]:
    yield f"Predicted minus measured, in percent of what was measured: {_MEASURES[found.measure]}."
    yield "Methods and shapes: of the whole peak, or step."
    if len(found.time):
        yield (
            "A step's time: median of the timed steps, predicted from this device's ceilings, measured in the same run."
        )
    if found.left_out:
        yield f"Left out: {found.left_out} cells measured another way."
    if len(found.versions) > 1:
        yield f"By {len(found.versions)} versions of the predictor: {', '.join(map(words.text, found.versions))}."


def _lengths(rule: HeldOut) -> str:
    return " or ".join(map(str, sorted(rule.sequence_lengths)))
