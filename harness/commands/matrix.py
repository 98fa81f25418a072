"""`tunematrix run` and `plan`: open a session, hand it on, print what comes back."""

import json
import math
from collections import Counter
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.commands.console import console_for_people
from harness.commands.foretold import MEMORY, limit_lines, memory_json, memory_lines, memory_of, unfit_lines
from harness.commands.opening import open_to_look, open_to_run, refuse_overhead_alone
from harness.commands.results import show_report
from harness.datareport import data_report
from harness.needs import Forecast
from harness.plan import Known, Planned, State
from harness.progress import Display, clock
from harness.request import Request
from harness.session import Session
from harness.store.database import open_for_writing
from harness.workdir import Workdir

STATE_STYLES: dict[State, str] = {
    "done": "green",
    "left": "",
    "deferred": "dim",
    "failed": "red",
    "blocked": "red",
    "refused": "yellow",
}


def run_matrix(request: Request, *, retry_failed: bool, report_to: Path | None, seconds: float = math.inf) -> int:
    """`tunematrix run`: returns the exit code: 0 all well, 1 some cells failed, 130 interrupted."""
    from harness.executors.local import LocalExecutor
    from harness.runner import Runner
    from harness.store.writer import Writer

    console = console_for_people()
    refuse_overhead_alone(request)
    with Workdir.beside(request.db).undone_if_refused():
        session, needs = open_to_run(request)
    with LocalExecutor(session.device, session.workdir.logs) as executor, session.workdir.lock():
        executor.warm(session.tasks_folder, session.tasks_wanted, session.tokenizers())
        writer = Writer(open_for_writing(request.db))
        known = session.known(request.db)
        _announce(session, session.planner(known).plan(), known, console)
        for line in (*limit_lines(session), *unfit_lines(needs, request)):
            console.print(line, style="yellow", highlight=False, markup=False)
        with Display(console, lambda plan: session.estimate(plan, runner.known)) as display:
            runner = Runner(session, writer, executor, display)
            summary = runner.run(retry_failed, seconds)
    console.print(
        f"{summary.finished} runs in {clock(display.elapsed)}; results in {request.db}", highlight=False, markup=False
    )
    show_report(None, request.db, report_to)
    for name, status, reason in summary.failed:
        console.print(f"{status}: {name}: {reason}", style="red", highlight=False, markup=False)
    if summary.interrupted:
        console.print("interrupted: the same command goes on from here")
        return 130
    if summary.out_of_time:
        console.print(f"{seconds:g} seconds are over: the same command goes on from here", highlight=False)
    return 1 if summary.failed else 0


def show_plan(request: Request, *, as_json: bool, cells: bool) -> None:
    """`tunematrix plan`: touches no results, and leaves no file behind."""
    refuse_overhead_alone(request)
    with open_to_look(request) as (session, needs):
        _print_plan(request, session, needs, as_json=as_json, cells=cells)


def _print_plan(request: Request, session: Session, needs: Forecast, *, as_json: bool, cells: bool) -> None:
    known = session.known(request.db)
    lines = session.planner(known).plan()
    if as_json:
        print(json.dumps(_plan_json(session, lines, known, needs), indent=2, allow_nan=False))
        return
    console = console_for_people()
    console.print(_cell_table(lines, needs) if cells else _plan_table(lines, needs))
    console.print(_plan_summary(session, lines, known), highlight=False, markup=False)
    for line in memory_lines(needs):
        console.print(line, style="dim", highlight=False, markup=False)
    for line in unfit_lines(needs, request):
        console.print(line, style="yellow", highlight=False, markup=False)


def _announce(session: Session, lines: list[Planned], known: Known, console: Console) -> None:
    for line in data_report(session):
        console.print(line, highlight=False, markup=False)
    console.print(_plan_summary(session, lines, known), highlight=False, markup=False)


def _plan_summary(session: Session, lines: list[Planned], known: Known) -> str:
    states = Counter(line.state for line in lines)
    counted = ", ".join(f"{states[state]} {state}" for state in STATE_STYLES if states[state])
    arms = len({id(line.arm) for line in lines})
    seconds = session.estimate(lines, known)
    took = "time unknown until a run of each kind has ended" if seconds is None else f"about {clock(seconds)}"
    return f"{len(lines)} cells in {arms} arms: {counted}; {took}, with {session.jobs} at a time on {session.device}"


def _plan_table(lines: list[Planned], needs: Forecast) -> Table:
    """One row an arm: how many of its cells are in which state, and what they wait for."""
    shown = [state for state in STATE_STYLES if any(line.state == state for line in lines)]
    table = Table(title="Plan", title_justify="left", box=box.SIMPLE_HEAD)
    for column in ("arm", "base", "rates", MEMORY, "cells", *shown, "why"):
        numeric = column in (MEMORY, "cells", *shown)
        table.add_column(column, justify="right" if numeric else "left", no_wrap=column != "why")
    for arm in {id(line.arm): line.arm for line in lines}.values():
        mine = [line for line in lines if line.arm is arm]
        states = Counter(line.state for line in mine)
        counts = [Text(str(states[state] or ""), style=STATE_STYLES[state]) for state in shown]
        rates = " ".join(f"{rate:g}" for rate in arm.rates)
        reasons = next((line.reason for line in mine if line.reason), "")
        about = (Text(arm.short_name), Text(arm.base.name), rates, memory_of(arm, needs), str(len(mine)))
        table.add_row(*about, *counts, Text(reasons or ""))
    return table


def _cell_table(lines: list[Planned], needs: Forecast) -> Table:
    table = Table(title="Cells", title_justify="left", box=box.SIMPLE_HEAD)
    for column in ("cell", "arm", "rate", "seed", MEMORY, "purpose", "state", "why"):
        table.add_column(column)
    for line in lines:
        cell = line.cell
        rate = f"{cell.learning_rate:g}" if cell and cell.learning_rate is not None else ""
        seed = str(cell.seed) if cell and line.arm.trains else ""
        about = [cell.cell_id[:10] if cell else "-", line.arm.name, rate, seed]
        state = [line.purpose, line.state, line.reason or ""]
        row = [*map(Text, about), memory_of(line.arm, needs), *map(Text, state)]
        table.add_row(*row, style=STATE_STYLES[line.state])
    return table


def _plan_json(session: Session, lines: list[Planned], known: Known, needs: Forecast) -> dict[str, Any]:
    return {
        "suite": session.matrix.header.suite,
        "stack_id": session.stack_id,
        "device": session.device,
        "jobs": session.jobs,
        "estimated_seconds": _rounded(session.estimate(lines, known)),
        "reference_seconds": _rounded(session.estimate(lines, known, factor=1.0)),
        "vram_bytes": needs.limit.vram_bytes if needs.limit else None,
        "overhead_bytes": needs.limit.overhead_bytes if needs.limit else None,
        "unfit": [arm.name for arm in needs.unfit],
        "cells": [_cell_json(line) | memory_json(line.arm, needs) for line in lines],
    }


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)


def _cell_json(line: Planned) -> dict[str, Any]:
    arm, cell = line.arm, line.cell
    return {
        "cell_id": cell.cell_id if cell else None,
        "arm_id": arm.arm_id,
        "label": arm.label,
        "method": arm.variant.method,
        "base": arm.base.name,
        "rank": arm.variant.rank,
        "starts_from": arm.parent.label if arm.parent else None,
        "learning_rate": cell.learning_rate if cell else None,
        "seed": cell.seed if cell and arm.trains else None,
        "steps": arm.stage.get("steps"),
        "purpose": line.purpose,
        "state": line.state,
        "reason": line.reason,
    }
