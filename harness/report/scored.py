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
STATISTICS = ("mean_error_percent", "mean_abs_error_percent", "worst_error_percent")

_MEASURES = {
    ALLOCATED: "what a GPU's allocator handed out at most; by component the tensor ledger, and temporary: the rest",
    LEDGER: "the tensor ledger, in training alone; temporaries are not in it",
}


@dataclass(frozen=True, eq=False)
class Scored:
    """Errors of one measure, of held-out cells and of others; ``left_out`` cells were measured another way."""

    measure: str
    held_out: pd.DataFrame
    others: pd.DataFrame
    left_out: int
    versions: tuple[str, ...]
    rule: HeldOut

    @property
    def all(self) -> pd.DataFrame:
        """Both."""
        return pd.concat([self.held_out, self.others])


def scored(errors: pd.DataFrame, rule: HeldOut) -> Scored:
    """Divide ``predictions.memory_errors`` by the list of held-out cells."""
    chosen = one_measure(errors)
    held_out = is_held_out(chosen, rule.shapes, rule.sequence_lengths)
    left_out = errors["run_id"].nunique() - chosen["run_id"].nunique()
    versions = tuple(sorted(chosen["model_version"].unique()))
    return Scored(chosen["measure"].iloc[0], chosen[held_out], chosen[~held_out], left_out, versions, rule)


def as_json(found: Scored) -> dict[str, Any]:
    """Every error in percent of what was measured; null where there is no cell, and for time."""
    return {
        "version": SCORE_VERSION,
        "measure": found.measure,
        "model_versions": list(found.versions),
        "cells_measured_another_way": found.left_out,
        **_figures(found.all),
        "held_out": _figures(found.held_out) | _tables(found.held_out),
        "others": _figures(found.others) | _tables(found.others),
    }


def _figures(errors: pd.DataFrame) -> dict[str, Any]:
    told = summary(errors)
    memory = {f"memory_{name}": told[name] for name in STATISTICS}
    return {"cells": told["cells"], **memory, **{f"time_{name}": None for name in STATISTICS}}


def _tables(errors: pd.DataFrame) -> dict[str, Any]:
    rows = by_kind(errors)
    return {f"by_{kind}": plain_rows(rows[rows["kind"] == kind].drop(columns="kind")) for kind in KINDS}


def print_scores(found: Scored, console: Console) -> None:
    """Print it. Texts from a database are printed as they are."""
    held_out = f"{', '.join(sorted(found.rule.shapes))}, or {_lengths(found.rule)} tokens"
    for title, errors in ((f"Held out: {held_out}", found.held_out), ("Other cells", found.others)):
        if len(errors):
            console.print(_table(title, errors))
        else:
            console.print(Text(f"{title}: none was measured", style="yellow"))
    for line in _legend(found):
        console.print(Text(line, style="dim"))


def _table(title: str, errors: pd.DataFrame) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, show_edge=False)
    for column in ("memory", "of"):
        table.add_column(column)
    for column in ("cells", "mean error", "mean absolute", "worst"):
        table.add_column(column, justify="right")
    for row in [{"kind": "peak", "name": "all", **summary(errors)}, *by_kind(errors).to_dict("records")]:
        mean, absolute, worst = (round(row[name], 2) + 0.0 for name in STATISTICS)  # no minus zero
        figures = [f"{mean:+.2f} %" if mean else "0.00 %", f"{absolute:.2f} %", f"{worst:.2f} %"]
        table.add_row(str(row["kind"]), Text(words.text(row["name"])), str(row["cells"]), *figures)
    return table


def _legend(found: Scored) -> Iterator[str]:
    yield f"Predicted minus measured, in percent of what was measured: {_MEASURES[found.measure]}."
    yield "Methods and shapes: of the whole peak. Seconds are not held against runs yet."
    if found.left_out:
        yield f"Left out: {found.left_out} cells measured another way."
    if len(found.versions) > 1:
        yield f"By {len(found.versions)} versions of the predictor: {', '.join(map(words.text, found.versions))}."


def _lengths(rule: HeldOut) -> str:
    return " or ".join(map(str, sorted(rule.sequence_lengths)))
